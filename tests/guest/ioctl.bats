# SPDX-License-Identifier: GPL-2.0-or-later
#
# The rules of dispatch, by raw ioctls: see tests/helpers/dispatch.c.

load ../lib/guest

setup() { guest_setup; }
teardown() { guest_teardown; }

@test "every rule of dispatch holds for a 64-bit program" {
	must helper dispatch
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}

@test "every rule of dispatch holds for a 32-bit program" {
	must_be_32_bit
	BITS=32 must helper dispatch
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}

must_be_32_bit() {
	must file -L "$HELPERS/dispatch.32"
	assert_output --partial 'ELF 32-bit'
}
