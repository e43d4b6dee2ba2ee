# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU's edu as a VFIO device, for tests in the emulated machine, on kernels
# that have VFIO's character devices.

# Sets EDU to the PCI address of QEMU's edu.
find_edu() {
	pci_device EDU 0x1234 0x11e8
	[[ $EDU ]]
}

# give_to DRIVER BDF: binds it to that driver, whatever driver it has.
give_to() {
	local dev=/sys/bus/pci/devices/$2
	echo "$1" >"$dev/driver_override"
	[[ ! -e $dev/driver ]] || echo "$2" >"$dev/driver/unbind"
	echo "$2" >/sys/bus/pci/drivers_probe
	[[ -e $dev/driver ]]
}

# take_device BDF: the same for vfio-pci, with a character device.
take_device() {
	give_to vfio-pci "$1"
	wait_for ls /sys/bus/pci/devices/"$1"/vfio-dev/vfio*/dev >/dev/null
}

# give_back BDF: to the driver that it has by itself.
give_back() {
	local dev=/sys/bus/pci/devices/$1
	[[ ! -e $dev/driver ]] || echo "$1" >"$dev/driver/unbind"
	echo >"$dev/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
}

# vfio-pci and what it needs, which uses iommufd. modprobe takes away what is
# not used any more, and stumbles over what has gone meanwhile.
unload_vfio() {
	modprobe -r vfio-pci 2>/dev/null || true
	[[ ! -d /sys/module/vfio ]] || modprobe -r vfio 2>/dev/null || true
	[[ ! -d /sys/module/vfio ]]
}
