# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two threads against each other in one I/O address space: see
# tests/helpers/race-ioas.c for what must hold.

load ../lib/guest

setup() { guest_setup; }
teardown() { guest_teardown; }

race() {
	local seconds=3
	! looks_for_mistakes || seconds=20
	must helper race-ioas "$1" "$seconds"
	echo "# race $1: $output" >&3
}

@test "map and unmap against the same" { race map; }

@test "unmap of a range against a map across its edge" { race edge; }

@test "copy against unmap" { race copy; }

@test "pin against map and unmap" { load_testdrv; race pin; }

@test "read and write against map and unmap" { load_testdrv; race rw; }

@test "the end of an access against unmap" { load_testdrv; race access; }

@test "a move of an access against destroy" { load_testdrv; race replace; }
