# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each allocation of each operation made to fail once: tests/helpers/failnth.c.

setup() {
	load ../lib/guest
	guest_setup
	requires fault-injection
	local point
	for point in failslab fail_page_alloc; do
		# Those that may sleep too, and not a word in the log of each.
		echo N >"/sys/kernel/debug/$point/ignore-gfp-wait"
		echo 0 >"/sys/kernel/debug/$point/verbose"
	done
}

teardown() { guest_teardown; }

@test "every allocation may fail, and the context is as before" {
	must helper failnth
	echo "# failures met: ${lines[*]}" >&3
	# With none, this would prove nothing.
	assert_line --regexp '^open: [1-9]'
	assert_line --regexp '^IOAS_ALLOC: [2-9]'
	assert_line --regexp '^debugfs objects: [1-9]'
	# These two allocate nothing.
	assert_line 'DESTROY: 0'
	assert_line 'IOAS_IOVA_RANGES: 0'
}
