# SPDX-License-Identifier: GPL-2.0-or-later
#
# The machine's own devices: QEMU's edu behind an emulated VT-d, and a south
# bridge whose functions are in one group.

load ../lib/guest

setup() {
	guest_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
	pci_device EDU 0x1234 0x11e8
	GROUP=$(basename "$(readlink "/sys/bus/pci/devices/$EDU/iommu_group")")
}

teardown() {
	exec 7>&-
	give_to ''
	guest_teardown
}

# give_to DRIVER: that driver has edu, or none
give_to() {
	local dev=/sys/bus/pci/devices/$EDU
	[[ ! -e $dev/driver ]] || echo "$EDU" >"$dev/driver/unbind"
	echo "$1" >"$dev/driver_override"
	[[ ! $1 ]] || echo "$EDU" >/sys/bus/pci/drivers_probe
}

@test "all that sysfs has of this machine" {
	must iommufdctl devices --json
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '[.devices[].address] == $there' --argjson there \
		"$(cd /sys/bus/pci/devices && printf '%s\n' * | gojq -Rs 'split("\n")[:-1]')"
	assert_json '.devices[] | select(.address == $edu) | .group == $group and
		.driver == null and .viable and .vfio_cdev == null and
		.holders == [] and .iommu == "dmar0" and .iommu_kind == "intel" and
		.address_width == 39 and any(.reserved[]; . == {start: "0xfee00000",
		last: "0xfeefffff", type: "msi"})' --arg edu "$EDU" --argjson group "$GROUP"
	# as the kernel itself says what is reserved
	assert_json '[.devices[] | select(.address == $edu).reserved[].start] ==
		$there' --arg edu "$EDU" --argjson there "$(cut -d ' ' -f 1 \
		"/sys/kernel/iommu_groups/$GROUP/reserved_regions" |
		sed 's/^0x0*\(.\)/0x\1/' | gojq -Rs 'split("\n")[:-1]')"
	must as_user iommufdctl devices "$EDU"
	assert_line --regexp "^group +$GROUP$"
}

@test "a driver of the host's keeps the others of its group" {
	modinfo ahci >/dev/null || skip "this kernel has no driver for it"
	local bridge=0000:00:1f.0 disks=0000:00:1f.2
	must iommufdctl devices --json $bridge
	assert_json '.devices[0] | .viable and .blockers == []'
	modprobe ahci
	wait_for [ -e "/sys/bus/pci/devices/$disks/driver" ]
	must iommufdctl devices --json $bridge $disks
	assert_json '.devices[0] | .viable == false and .blockers ==
		[{address: $disks, bus: "pci", driver: "ahci"}]' --arg disks $disks
	# its own driver is no hindrance
	assert_json '.devices[1] | .driver == "ahci" and .viable'
	modprobe -r ahci
	must iommufdctl devices --json $bridge
	assert_json '.devices[0].viable'
}

@test "vfio-pci has it: no character device without one, and who has the group" {
	modprobe vfio-pci
	give_to vfio-pci
	must iommufdctl devices --json "$EDU"
	assert_json '.devices[0] | .driver == "vfio-pci" and .viable and
		.holders == []'
	# the class device is there on both stock kernels, and has no number
	[[ ! -e /sys/bus/pci/devices/$EDU/vfio-dev/vfio0/dev ]]
	assert_json '.devices[0].vfio_cdev == null'
	exec 7<>"/dev/vfio/$GROUP"
	must iommufdctl devices --json "$EDU"
	assert_schema "$SCHEMA" '#/$defs/devices'
	# the tool inherits it too, as any child of this shell
	assert_json 'any(.devices[0].holders[]; . == {pid: $pid, comm: "bash", fd: 7})' \
		--argjson pid $BASHPID
	must as_user iommufdctl devices "$EDU" 7>&-
	assert_line --partial "more may hold these devices"
}

@test "a guest's memory map, against what this machine reserves" {
	local map=$BATS_TEST_TMPDIR/guest.map
	echo 'map 0-bfffffff' >"$map"
	must iommufdctl devices --check-map "$map" "$EDU"
	echo 'map 0-ffffffff' >>"$map"
	must_fail 1 iommufdctl devices --check-map "$map" "$EDU"
	assert_line --regexp "^ +2 .* 0xfee00000-0xfeefffff +msi +$EDU$"
	# as far as this IOMMU translates, and a byte further
	echo 'map 100000000-7fffffffff' >"$map"
	must iommufdctl devices --check-map "$map" "$EDU"
	echo 'map 100000000-8000000000' >"$map"
	must_fail 1 iommufdctl devices --check-map "$map" "$EDU"
	assert_line --partial beyond-address-width
}
