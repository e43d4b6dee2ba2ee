# SPDX-License-Identifier: GPL-2.0-or-later
#
# The rules that our module is held against, held against upstream's: where it
# answers otherwise, either the rule is wrong or the difference is one that
# iommufd(4) tells of, and then the rule names both answers. To 32-bit programs
# it answers ENOTTY, whatever they ask.
# tests/vm/run -k ref-6.12 THIS-FILE

load ../../lib/guest

setup() {
	untrace_functions
	kmsg "test ${BATS_TEST_FILENAME##*/}: $BATS_TEST_DESCRIPTION"
	[[ ! -d /sys/module/iommufd ]] || rmmod iommufd
	modprobe iommufd
}

teardown_file() {
	rmmod iommufd
	load_iommufd
}

@test "the rules of dispatch are upstream's" {
	must helper dispatch --upstream
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}

@test "the rules on the commands of an IOAS are upstream's" {
	must helper errnos --upstream
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}

@test "the model's answers to random maps, unmaps and copies are upstream's" {
	must helper model --upstream --seed 20261126 --steps 20000
	assert_line '20000 steps, ok'
}

@test "the rules on VFIO's ioctls are upstream's" {
	must helper vfio --upstream
	assert_output --regexp '[0-9]{3} checked, 0 failed'
}

@test "what VMMs map is mapped by upstream" {
	local map maps=$TOP/tests/fixtures/maps
	for map in pc pc-boot cloud-hypervisor many; do
		must helper play "$maps/x86.map" "$maps/$map.map"
	done
	must helper play "$maps/amd.map" "$maps/large.map"
}
