# SPDX-License-Identifier: GPL-2.0-or-later
#
# Is ref-6.12 what it is meant to be? tests/vm/run -k ref-6.12 THIS-FILE

load ../../lib/guest
load ../../lib/driver

setup() { untrace_functions; }

teardown_file() {
	modprobe -r vfio-pci vfio iommufd 2>/dev/null || true
	load_iommufd
}

@test "a config with iommufd and VFIO's character devices, as modules" {
	must zcat /proc/config.gz
	assert_line CONFIG_IOMMUFD=m
	assert_line CONFIG_VFIO=m
	assert_line CONFIG_VFIO_PCI=m
	assert_line CONFIG_VFIO_DEVICE_CDEV=y
	assert_line CONFIG_INTEL_IOMMU=y
	assert_line CONFIG_HUGETLBFS=y
}

@test "its own iommufd and ours, either one at a time" {
	for _ in 1 2; do
		driver_is_ours
		must rmmod iommufd
		[[ ! -e /dev/iommu ]]
		must modprobe iommufd
		[[ -c /dev/iommu ]]
		driver_is_theirs
		exec 5<>/dev/iommu
		exec 5>&-
		must rmmod iommufd
		load_iommufd
		exec 5<>/dev/iommu
		exec 5>&-
	done
}

@test "edu, bound to vfio-pci, is a VFIO character device" {
	local dev
	must rmmod iommufd
	must modprobe vfio-pci
	pci_device dev 0x1234 0x11e8
	[[ -e /sys/bus/pci/devices/$dev/iommu_group ]]
	echo vfio-pci >"/sys/bus/pci/devices/$dev/driver_override"
	echo "$dev" >/sys/bus/pci/drivers_probe
	must ls "/sys/bus/pci/devices/$dev/vfio-dev"
	assert_output vfio0
	[[ -c /dev/vfio/devices/vfio0 && -c /dev/iommu ]]
	driver_is_theirs
	echo "$dev" >/sys/bus/pci/drivers/vfio-pci/unbind
	must modprobe -r vfio-pci
}
