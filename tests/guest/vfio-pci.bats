# SPDX-License-Identifier: GPL-2.0-or-later
#
# A PCI device in user space: bound to a context by its character device, its
# DMA by an IOAS. The device is QEMU's `edu`, driven by edu, cdev and lives in
# tests/helpers.

load ../lib/guest
load ../lib/pci

setup() {
	guest_setup
	load_vfio_pci
	pci_bind "$EDU"
}

teardown() {
	talk_end || true
	pci_unbind "$EDU"
	guest_teardown
}

# Not in each test: that takes long.
teardown_file() {
	unload_vfio_pci
}

@test "the node lies where VFIO's own does, and sysfs tells its number" {
	local at=/sys/bus/pci/devices/$EDU/vfio-dev/${NODE##*/}
	must stat -c '%F %a' "$NODE"
	assert_output 'character special file 600'
	[[ $(<"$at/dev") == "$(stat -c '%Hr:%Lr' "$NODE")" ]]
	[[ $(realpath "/sys/dev/char/$(<"$at/dev")") == "$(realpath "$at")" ]]
	[[ $(basename "$(realpath "$at/subsystem")") == vfio-dev ]]
	must grep -x DEVNAME=vfio/devices/"${NODE##*/}" "$at/uevent"
	pci_unbind "$EDU"
	[[ ! -e $NODE && ! -e $at ]]
}

@test "DMA arrives in what is mapped" {
	must helper edu dma "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "DMA to what is not mapped, or not for writing, does not arrive" {
	must helper edu faults "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "what is refused before a bind, by it, and after it" {
	must helper cdev rules "$NODE"
	assert_output --regexp '[0-9]{2} checked, 0 failed$'
}

@test "a 32-bit program gets the same answers, and DMA" {
	BITS=32 must helper cdev rules "$NODE"
	BITS=32 must helper edu dma "$NODE"
}

@test "of two contexts that want a device one gets it" {
	must helper cdev fight "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "an interrupt arrives in an eventfd" {
	must helper edu msi "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "opened, used and closed 20 times" {
	must helper lives again "$NODE" 20
	assert_output '20 checked, 0 failed'
}

@test "its user is killed while DMA runs, 200 times, and none of it comes late" {
	local times=200
	# Where the kernel checks all that it does, each takes seconds.
	[[ $TEST_KERNEL != debug-6.12 ]] || times=40
	must helper lives kill "$NODE" "$times"
	assert_output "$((2 * times)) checked, 0 failed"
}

@test "moved between address spaces, and mapped beside, while DMA runs" {
	must helper lives move "$NODE" 20
	assert_output --regexp ', 0 failed$'
}

@test "a child that inherits the file has the device until it ends" {
	must helper lives fork "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "taken from its user, the device answers EIO, and its memory SIGBUS" {
	talk_start helper lives hold "$NODE" touch
	[[ $REPLY == ready ]]
	talk ''
	[[ $REPLY == 'ioctl 0 read 0 memory 0x10000ed' ]]
	pci_unbind "$EDU"
	talk ''
	[[ $REPLY == 'ioctl EIO read EIO memory SIGBUS' ]]
	# Another has it meanwhile.
	pci_bind "$EDU"
	must helper edu dma "$NODE"
	talk ''
	[[ $REPLY == 'ioctl EIO read EIO memory SIGBUS' ]]
	talk_end
}

@test "who asked to be told closes the device that is to go" {
	talk_start helper lives hold "$NODE" ask
	[[ $REPLY == ready ]]
	pci_unbind "$EDU"
	hear
	[[ $REPLY == asked ]]
	talk_end
}

@test "who was told and does not close it loses it when its time is over" {
	local param=/sys/module/iommufd_vfio_pci/parameters/release_wait start
	[[ $(<"$param") == 30 ]]
	echo 4 >"$param"
	talk_start helper lives hold "$NODE" deaf
	[[ $REPLY == ready ]]
	start=$SECONDS
	pci_unbind "$EDU"
	((SECONDS - start >= 3))
	hear
	[[ $REPLY == asked ]]
	talk ''
	[[ $REPLY == 'ioctl EIO read EIO' ]]
	talk_end
}

@test "a device that is unplugged while open is gone for its user" {
	talk_start helper lives hold "$NODE" touch
	[[ $REPLY == ready ]]
	echo 1 >"/sys/bus/pci/devices/$EDU/remove"
	[[ ! -e /sys/bus/pci/devices/$EDU ]]
	talk ''
	[[ $REPLY == 'ioctl EIO read EIO memory SIGBUS' ]]
	echo 1 >/sys/bus/pci/rescan
	pci_bind "$EDU"
	must helper edu dma "$NODE"
	talk_end
}

@test "by its group or by its node, not by both" {
	local group
	group=$(basename "$(realpath "/sys/bus/pci/devices/$EDU/iommu_group")")
	modprobe vfio_iommu_type1
	talk_start helper group "$group" "$EDU"
	[[ $REPLY == open ]]
	must_fail 1 helper lives again "$NODE" 1
	assert_output 'bind: EBUSY'
	talk_end
	must helper lives again "$NODE" 1

	talk_start helper lives hold "$NODE"
	[[ $REPLY == ready ]]
	must_fail 1 helper group "$group" "$EDU"
	assert_output --regexp '^(container|iommu): (EBUSY|EPERM)$'
	talk_end
	must helper group "$group" "$EDU" </dev/null
	assert_output open
}

@test "an open file keeps the module" {
	exec 5<>"$NODE"
	pci_unbind "$EDU"
	must_fail 1 rmmod iommufd_vfio_pci
	assert_output --partial 'in use'
	exec 5>&-
	wait_for unload_vfio_pci
	[[ ! -e /sys/module/iommufd_vfio_pci ]]
}

@test "only root may have it" {
	must_fail 1 as_user "$HELPERS/cdev" rules "$NODE"
	assert_output "$NODE: EACCES"
}
