# SPDX-License-Identifier: GPL-2.0-or-later
#
# The examples of the manual pages do what they say.

load ../lib/guest
load ../lib/driver
load ../golden/examples
load ../golden/holder

setup() {
	guest_setup
	use_driver
	unset IOMMUFDCTL_CONTEXT
}

teardown() {
	drop_holders
	guest_teardown
}

teardown_file() {
	restore_driver
}

@test "every example that is marked for it" {
	requires our-driver
	examples_of guest
	((${#EXAMPLES[@]} >= 12))
	for example in "${EXAMPLES[@]}"; do
		hold 6
		iommufdctl create ioas -c "pid:$HOLDER" >/dev/null
		iommufdctl create ioas -c "pid:$HOLDER" >/dev/null
		# shellcheck disable=SC2034 # for the example
		CONTEXT=$(context_id "$HOLDER" 6)
		run_example "$example"
		drop_holders
	done
}
