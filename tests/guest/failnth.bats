# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each allocation, and each copy from or to the user, of each operation made to
# fail once: tests/helpers/failnth.c.

load ../lib/guest

setup() {
	guest_setup
	requires fault-injection
	local point
	# Not a word in the log of each, and those that may sleep too.
	for point in failslab fail_page_alloc fail_usercopy; do
		[[ ! -d /sys/kernel/debug/$point ]] ||
			echo 0 >"/sys/kernel/debug/$point/verbose"
	done
	for point in failslab fail_page_alloc; do
		echo N >"/sys/kernel/debug/$point/ignore-gfp-wait"
	done
}

teardown() { guest_teardown; }

@test "every allocation and copy may fail, and the context is as before" {
	load_testdrv
	local edu
	pci_device edu 0x1234 0x11e8
	must helper failnth "$edu"
	echo "# failures met: ${lines[*]}" >&3
	# With none, this would prove nothing.
	assert_line --regexp '^open: [1-9]'
	assert_line --regexp '^IOAS_ALLOC: [2-9]'
	assert_line --regexp '^debugfs objects: [1-9]'
	# These allocate nothing, and what they copy goes by words, which no
	# fault is injected into: tests/helpers/dispatch.c and errnos.c have
	# memory that is not there.
	assert_line 'IOAS_IOVA_RANGES: 0'
	assert_line 'DESTROY: 0'
	local op
	for op in IOAS_MAP IOAS_COPY IOAS_ALLOW_IOVAS 'VFIO MAP_DMA' access pin write \
		bind 'device attach' 'device replace' HWPT_ALLOC \
		'IOAS_MAP for a device'; do
		assert_line --regexp "^$op: [1-9]"
	done
}

@test "a device's node: every allocation and copy may fail" {
	load ../lib/pci
	load_vfio_pci
	# Switched on before, so that a bind does not have the firmware's code
	# asked for an interrupt: that does not survive a lost allocation.
	echo 1 >"/sys/bus/pci/devices/$EDU/enable"
	pci_bind "$EDU"
	run helper failnth-node "$NODE"
	pci_unbind "$EDU"
	echo 0 >"/sys/bus/pci/devices/$EDU/enable"
	unload_vfio_pci
	assert_success
	echo "# failures met: ${lines[*]}" >&3
	local op
	for op in open bind attach 'attach of what is mapped' replace \
		'replace of what is mapped'; do
		assert_line --regexp "^node $op: [1-9]"
	done
	assert_line --regexp '^map for a node: [1-9]'
	assert_line 'unmap for a node: 0'
}

@test "netlink: every allocation may fail, and what is lost is told" {
	must helper failnth-netlink
	echo "# failures met: ${lines[*]}" >&3
	local op
	for op in 'context get' 'context dump' 'object get' 'object dump' \
		'object dump of one context' 'range dump' object-created \
		object-destroyed context-created; do
		assert_line --regexp "^$op: [1-9]"
	done
}
