# SPDX-License-Identifier: GPL-2.0-or-later
#
# device with our module and its character devices, on stock kernels: the same
# commands as in tests/vm/built/cli-device.bats, and what netlink tells besides.

load ../lib/guest
load ../lib/pci

setup() {
	guest_setup
	load_vfio_pci
	pci_bind "$EDU"
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	RUN=/run/iommufdctl
	unset IOMMUFDCTL_CONTEXT
	iommufdctl context create vm1
}

teardown() {
	local pid
	for pid in $(iommufdctl context list --json | gojq '.contexts[].pid'); do
		kill -KILL "$pid" || true
	done
	rm -rf "$RUN"
	pci_unbind "$EDU"
	guest_teardown
}

teardown_file() {
	unload_vfio_pci
}

on() { iommufdctl -c vm1 "$@"; }

@test "a device's whole life, all by the tool" {
	must on device bind "$EDU"
	assert_output 1
	must on create ioas
	assert_output 2
	must on create hwpt --device 1 --ioas 2
	assert_output 3
	must on device attach 1 3
	assert_output ''
	must on list --tree
	assert_line --index 1 '`- device 1'
	assert_line --index 2 '   `- hwpt-paging 3'
	assert_line --index 3 --partial '      `- ioas 2'
	must on list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.source == "netlink"'
	assert_json '[.contexts[0].objects[] | [.id, .type, .refers_to, .referred_by]] ==
		[[1, "device", [3], []], [2, "ioas", [], [3]], [3, "hwpt-paging", [2], [1]]]'
	must_fail 4 on destroy 2
	assert_output --regexp "in use by hwpt-paging 3, .*: 'iommufdctl -c vm1 device detach 1' first$"
	must_fail 4 on destroy 3
	assert_output --regexp "in use by device 1, .*: 'iommufdctl -c vm1 device detach 1' first$"
	must_fail 4 on destroy 1
	assert_output --regexp ": 'iommufdctl -c vm1 device unbind 1' lets go of it$"
	must on device detach 1
	must_fail 4 on destroy 2
	assert_output --partial "destroy what uses it first, or add --recursive"
	must on destroy 3 2
	must on device unbind 1
	must on list --json
	assert_json '.contexts[0].objects == []'
	must iommufdctl context destroy vm1
	assert_equal "$(ls -A "$RUN")" ''
}

@test "the probe sees the same" {
	must on create ioas
	must on device bind "$EDU"
	must on device attach 2 1
	must unshare -n iommufdctl -c vm1 list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.source == "probe"'
	assert_json '[.contexts[0].objects[] | [.id, .type, .refers_to]] ==
		[[1, "ioas", []], [2, "device", [3]], [3, "hwpt-paging", [1]]]'
	must on device list --json
	assert_schema "$SCHEMA" '#/$defs/device_list'
	assert_json ".devices == [{\"id\": 2, \"address\": \"$EDU\", \"hwpt\": 3, \"ioas\": 1}]"
}

@test "what is refused, and why" {
	must on create ioas
	must on device bind "$EDU"
	must_fail 4 on device bind "$EDU"
	assert_output --partial "bound already, by iommufdctl["
	must_fail 3 on device attach 2 77
	must_fail 1 on device attach 2 2
	assert_output --partial "object 2 is of type device"
	must on map 1 --anon 64K --iova 0xfee00000
	must_fail 4 on device attach 2 1
	assert_output --partial "reserved are 0xfee00000-0xfeefffff (msi)"
	must on unmap 1 --all
	must on device attach 2 1
	must_fail 1 on map 1 --anon 64K --iova 0x8000000000
	# which kernels before 6.12 cannot tell beforehand
	assert_output --regexp 'is beyond the 39 bits|IOMMU of a device cannot address the place'
	must_fail 2 on create fault
}
