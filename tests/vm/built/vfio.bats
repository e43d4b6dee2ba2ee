# SPDX-License-Identifier: GPL-2.0-or-later
#
# VFIO as the kernel has it, with its own character devices: on its own iommufd,
# which is what the rules on a device's node are held against; and on ours, which
# proves what ours exports to drivers. tests/vm/run -k ref-6.12 THIS-FILE

load ../../lib/guest
load ../../lib/driver
load ../../lib/pci

setup() {
	untrace_functions
	kmsg "test ${BATS_TEST_FILENAME##*/}: $BATS_TEST_DESCRIPTION"
}

teardown() {
	talk_end || true
	pci_unbind "$EDU"
	pci_unbind "$NVME"
	modprobe -r vfio_iommu_type1 vfio-pci 2>/dev/null || true
	modprobe -r vfio 2>/dev/null || true
}

teardown_file() {
	no_driver
	load_iommufd
}

# Taking VFIO out takes its own iommufd out too.
no_driver() { [[ ! -d /sys/module/iommufd ]] || rmmod iommufd; }

use_theirs() {
	no_driver
	modprobe vfio-pci
	driver_is_theirs
	pci_bind "$EDU"
}

use_ours() {
	no_driver
	load_iommufd
	driver_is_ours
	modprobe vfio-pci
	pci_bind "$EDU"
}

device_works() {
	must helper edu dma "$NODE"
	must helper edu faults "$NODE"
	must helper edu msi "$NODE"
	must helper lives again "$NODE" 5
	must helper lives kill "$NODE" 20
	must helper lives move "$NODE" 10
	must helper lives fork "$NODE"
}

disk_is_read() {
	pci_bind "$NVME"
	helper nvme "$NODE" read 0 128 >"$BATS_TEST_TMPDIR/blocks"
	must cmp "$BATS_TEST_TMPDIR/blocks" /run/vm/nvme.img
}

@test "the rules on a device's node are upstream's" {
	use_theirs
	must helper cdev --upstream rules "$NODE"
	must helper cdev --upstream fight "$NODE"
}

@test "what a device does through it is what it does upstream" {
	use_theirs
	device_works
	disk_is_read
}

@test "upstream's VFIO on our iommufd: the rules on a device's node" {
	use_ours
	must helper cdev rules "$NODE"
	must helper cdev fight "$NODE"
}

@test "upstream's VFIO on our iommufd: what a device does" {
	use_ours
	device_works
	disk_is_read
}

@test "where VFIO has character devices, ours refuses in one line" {
	no_driver
	load_iommufd
	modprobe vfio-pci-core
	dmesg --clear
	must_fail 1 insmod "$VFIO_PCI_KO"
	assert_output --partial 'File exists'
	must dmesg --notime
	assert_output "iommufd_vfio_pci: this kernel's VFIO has character devices of its own, not loading"
	modprobe -r vfio-pci-core
}
