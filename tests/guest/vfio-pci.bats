# SPDX-License-Identifier: GPL-2.0-or-later
#
# A PCI device in user space: bound to a context by its character device, its
# DMA by an IOAS. The device is QEMU's `edu`; tests/helpers/edu.c drives it.

setup() {
	load ../lib/guest
	load ../lib/pci
	guest_setup
	load_vfio_pci
	pci_bind "$EDU"
}

teardown() {
	pci_unbind "$EDU"
	unload_vfio_pci
	guest_teardown
}

edu() { helper edu "$@"; }

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
	must edu dma "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "DMA to what is not mapped, or not for writing, does not arrive" {
	must edu faults "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "what is refused before a bind, by it, and after it" {
	must edu rules "$NODE"
	assert_output --regexp '[0-9]{2} checked, 0 failed$'
}

@test "a 32-bit program gets the same answers, and DMA" {
	BITS=32 must edu rules "$NODE"
	BITS=32 must edu dma "$NODE"
}

@test "of two contexts that want a device one gets it" {
	must edu fight "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "an interrupt arrives in an eventfd" {
	must edu msi "$NODE"
	assert_output --regexp ', 0 failed$'
}

@test "opened, used and closed 20 times" {
	must edu again "$NODE" 20
	assert_output '20 checked, 0 failed'
}
