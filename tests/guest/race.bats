# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two threads against each other: see tests/helpers/race.c for what must hold.

load ../lib/guest

setup() { guest_setup; }
teardown() { guest_teardown; }

race() {
	local seconds=$2
	! looks_for_mistakes || seconds=60
	must helper race "$1" "$seconds"
	echo "# race $1: $output" >&3
}

@test "destroy against use and destroy, for a minute" {
	race use 60
}

@test "destroy against destroy" {
	race destroy 5
}

@test "create against release" {
	race release 5
}

@test "a lasting reference against destroy" {
	load_testdrv
	race lasting 5
}

@test "unload against open" {
	race unload 10
}

@test "how long a destroy takes while three threads keep the object busy" {
	race latency 5
}
