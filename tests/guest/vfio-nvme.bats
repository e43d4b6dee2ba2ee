# SPDX-License-Identifier: GPL-2.0-or-later
#
# A disk read by a driver in user space: tests/helpers/nvme.c on QEMU's NVMe
# controller. The file behind the disk is the machine's: /run/vm/nvme.img.

load ../lib/guest
load ../lib/pci

setup() {
	guest_setup
	load_vfio_pci
	pci_bind "$NVME"
}

teardown() {
	exec 5>&-
	pci_unbind "$NVME"
	guest_teardown
}

# Not in each test: that takes long.
teardown_file() {
	unload_vfio_pci
}

disk=/run/vm/nvme.img

# read_block NUMBER [OPTION...]: the text in it.
read_block() {
	local number=$1
	shift
	helper nvme "$@" "$NODE" read "$number" >"$BATS_TEST_TMPDIR/block"
	tr -d '\0' <"$BATS_TEST_TMPDIR/block"
}

@test "the controller says who it is, and how large its disk" {
	must helper nvme "$NODE" identify
	assert_line 'serial iommufdctl'
	assert_line 'model QEMU NVMe Ctrl'
	assert_line "blocks $(($(stat -c %s "$disk") / 512)) of 512 bytes"
}

@test "blocks are those of the file behind the disk" {
	helper nvme "$NODE" read 0 128 >"$BATS_TEST_TMPDIR/blocks"
	must cmp "$BATS_TEST_TMPDIR/blocks" "$disk"
	must read_block 77
	assert_output 'This is block 77 of the disk.'
}

@test "by a context and an address space that others made" {
	exec 5<>/dev/iommu
	must iommufdctl -c fd:5 create ioas
	must read_block 3 -c 5 -i 1
	assert_output 'This is block 3 of the disk.'
	# The device took its page table with it.
	must iommufdctl -c fd:5 destroy 1
}

@test "after the kernel's own driver, and before it" {
	pci_unbind "$NVME"
	modprobe nvme
	echo "$NVME" >/sys/bus/pci/drivers_probe
	wait_for test -b /dev/nvme0n1
	must cmp /dev/nvme0n1 "$disk"
	pci_unbind "$NVME"
	modprobe -r nvme
	pci_bind "$NVME"
	must read_block 5
	assert_output 'This is block 5 of the disk.'
}
