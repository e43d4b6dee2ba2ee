# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `make vfio-modules` built, on stock 6.12 and our iommufd: for check-all,
# which builds it. By hand:
#
#   make vfio-modules KDIR=$(tests/vm/kernel.sh debian-6.12)/usr/src/linux-headers-...-amd64
#   tests/vm/run -k debian-6.12 THIS-FILE

load ../lib/guest
load ../lib/pci

# What an earlier file in this machine left is the kernel's.
setup_file() {
	modprobe -r vfio_pci vfio_pci_core vfio_iommu_type1 vfio 2>/dev/null || true
}

setup() {
	guest_setup
	load_their_vfio
}

teardown() {
	pci_unbind "$EDU"
	pci_unbind "$NVME"
	guest_teardown
}

teardown_file() {
	unload_their_vfio
}

load_their_vfio() {
	local name
	modprobe irqbypass
	for name in vfio vfio_iommu_type1 vfio-pci-core vfio-pci; do
		[[ -d /sys/module/${name//-/_} ]] ||
			insmod "$BUILD/vfio/$(uname -r)/modules/$name.ko"
	done
}

unload_their_vfio() {
	local name
	for name in vfio-pci vfio-pci-core vfio_iommu_type1 vfio; do
		[[ ! -d /sys/module/${name//-/_} ]] || rmmod "$name"
	done
}

# Of what a module needed, modprobe leaves some at times.
stock_is_gone() {
	modprobe -r vfio_pci_core 2>/dev/null || true
	modprobe -r vfio 2>/dev/null || true
	[[ ! -d /sys/module/vfio_pci_core && ! -d /sys/module/vfio ]]
}

@test "the rules on a device's node" {
	pci_bind "$EDU" vfio-pci
	must helper cdev rules "$NODE"
	must helper cdev fight "$NODE"
}

@test "what a device does" {
	pci_bind "$EDU" vfio-pci
	must helper edu dma "$NODE"
	must helper edu faults "$NODE"
	must helper edu msi "$NODE"
	must helper lives kill "$NODE" 20
	must helper lives move "$NODE" 10
}

@test "a disk is read" {
	pci_bind "$NVME" vfio-pci
	helper nvme "$NODE" read 0 128 >"$BATS_TEST_TMPDIR/blocks"
	must cmp "$BATS_TEST_TMPDIR/blocks" /run/vm/nvme.img
}

@test "KVM takes the file of its nodes, and not that of ours" {
	modprobe kvm_amd
	pci_bind "$EDU" vfio-pci
	must helper kvm "$NODE"
	assert_output taken
	pci_unbind "$EDU"
	unload_their_vfio
	load_vfio_pci
	pci_bind "$EDU"
	must_fail 1 helper kvm "$NODE"
	assert_output EINVAL
	pci_unbind "$EDU"
	unload_vfio_pci
	wait_for stock_is_gone
	modprobe -r kvm_amd
}

@test "ours does not load on top of it" {
	must_fail 1 insmod "$VFIO_PCI_KO"
	[[ ! -d /sys/module/iommufd_vfio_pci ]]
}
