# SPDX-License-Identifier: GPL-2.0-or-later
#
# What each command on an I/O address space answers: one row a rule, in
# tests/helpers/errnos.c and vfio.c. tests/vm/built/upstream.bats runs the same
# on upstream's driver.

load ../lib/guest

setup() { guest_setup; }
teardown() { guest_teardown; }

@test "every rule on the commands of an IOAS holds for a 64-bit program" {
	must helper errnos
	assert_output --regexp '[0-9]{3} checked, 0 failed'
	# Ours has them all.
	refute_output --partial skipped
}

@test "every rule on the commands of an IOAS holds for a 32-bit program" {
	BITS=32 must helper errnos
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}

@test "every rule on VFIO's ioctls holds for a 64-bit program" {
	must helper vfio
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}

@test "every rule on VFIO's ioctls holds for a 32-bit program" {
	BITS=32 must helper vfio
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}
