# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many maps: random ones against a model (tests/helpers/model.c), and those that
# VMMs make (tests/fixtures/maps).

load ../lib/guest

setup() { guest_setup; MAPS=$TOP/tests/fixtures/maps; }
teardown() { guest_teardown; }

@test "random maps, unmaps and copies get the answers that the model says" {
	# by hand, and where the kernel looks for mistakes, another seed each time
	local how=(--seed 20261125 --steps 20000)
	! looks_for_mistakes || how=(--seconds 20)
	must helper model "${how[@]}"
	echo "# $(tr '\n' ' ' <<<"$output")" >&3
}

@test "a seed replays: the same calls, and the same in 32 bits" {
	local first
	must helper model --seed 42 --steps 2000
	assert_line '2000 steps, ok'
	first=$output
	must helper model --seed 42 --steps 2000
	assert_output "$first"
	BITS=32 must helper model --seed 42 --steps 2000
	assert_output "$first"
}

play() {
	must helper play "${@/#/"$MAPS/"}"
	echo "# $*: $output" >&3
}

@test "a PC's memory, at rest and while its firmware starts" {
	play x86.map pc.map
	assert_output --partial '6 maps, 1 unmaps'
	play x86.map pc-boot.map
}

@test "cloud-hypervisor's memory" {
	play x86.map cloud-hypervisor.map
	assert_output --partial '2 maps, 1 unmaps'
}

@test "65,535 maps of 2 MiB" {
	play x86.map many.map
	assert_output --partial '65535 maps, 1 unmaps'
}

@test "a guest of more than a TiB, around the hole that AMD has there" {
	play amd.map large.map
}
