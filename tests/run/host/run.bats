# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/vm/run makes of how tests end in the machine. It boots one, and so it
# is run by check-all.

load ../../lib/host

setup() { host_setup; }

@test "run ends with the status of Bats; -f chooses by any name" {
	local file=$BATS_TEST_TMPDIR/two.bats
	# In lines of their own, since Bats takes those of this file for tests of it.
	printf '%s\n' "@""test \"one that fails → so\" {" "false" "}" \
		"@""test \"another\" {" ":" "}" >"$file"
	run "$TOP/tests/vm/run" -k debian-6.12 -f 'that fails' "$file"
	assert_failure 1
	assert_line "1..1"
	assert_line "not ok 1 one that fails → so"
	refute_line --partial another
}
