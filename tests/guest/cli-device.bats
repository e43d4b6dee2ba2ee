# SPDX-License-Identifier: GPL-2.0-or-later
#
# device and create with a kernel that has no character devices for VFIO; what
# there is to be had with one is in tests/vm/built/cli-device.bats.

load ../lib/guest
load ../lib/driver
load ../lib/edu

setup() {
	guest_setup
	use_driver
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
	find_edu
}

teardown() {
	give_back "$EDU"
	modprobe -r vfio-pci 2>/dev/null || true
	[[ ! -d /run/iommufdctl ]] || iommufdctl context destroy vm1 2>/dev/null || true
	guest_teardown
}

teardown_file() {
	restore_driver
}

@test "device bind: 2, and what is missing" {
	must_fail 3 iommufdctl device bind 7f:1f.7
	assert_output --partial "there is no PCI device 0000:7f:1f.7"
	must_fail 2 iommufdctl device bind "$EDU"
	assert_output --partial "device $EDU has no driver: bind it to vfio-pci"
	[[ $TEST_KERNEL != ref-6.12 ]] || skip "this kernel has character devices"
	modprobe vfio-pci
	give_to vfio-pci "$EDU"
	must_fail 2 iommufdctl device bind "$EDU" --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.error | test("this kernel lacks CONFIG_VFIO_DEVICE_CDEV")'
}

@test "a holder without a device: nothing to attach, detach or unbind" {
	must iommufdctl context create vm1
	must iommufdctl -c vm1 create ioas
	for args in "attach 2 1" "detach 2" "unbind 2"; do
		# shellcheck disable=SC2086 # words
		must_fail 3 iommufdctl -c vm1 device $args --json
		assert_schema "$SCHEMA" '#/$defs/error'
		assert_json '.id == 2'
	done
	must iommufdctl -c vm1 device list --json
	assert_schema "$SCHEMA" '#/$defs/device_list'
	assert_json '.devices == []'
	must_fail 3 iommufdctl -c vm1 create hwpt --device 2 --ioas 1
	assert_output --partial "there is no such device"
}

@test "create fault, with a driver that has no such object: 2, and nothing is left" {
	requires our-driver
	must iommufdctl context create vm1
	must_fail 2 iommufdctl -c vm1 create fault
	assert_output --partial "cannot make"
	must iommufdctl -c vm1 list --json
	assert_json '.contexts[0].objects == []'
}

@test "no holder: refused, with the next step" {
	exec 5<>/dev/iommu
	for args in "attach 2 1" "detach 2" "unbind 2" list; do
		# shellcheck disable=SC2086 # words
		must_fail 1 iommufdctl -c fd:5 device $args
		assert_output --partial "'iommufdctl context create NAME'"
	done
	exec 5>&-
}
