# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU's edu as a VFIO device, for tests in the emulated machine, on kernels
# that have VFIO's character devices.

# Sets EDU to the PCI address of QEMU's edu.
find_edu() {
	local dev
	for dev in /sys/bus/pci/devices/*; do
		[[ $(<"$dev/vendor"):$(<"$dev/device") != 0x1234:0x11e8 ]] || EDU=${dev##*/}
	done
	[[ ${EDU-} ]]
}

# take_device BDF: binds it to vfio-pci, whatever driver it has.
take_device() {
	local dev=/sys/bus/pci/devices/$1
	echo vfio-pci >"$dev/driver_override"
	[[ ! -e $dev/driver ]] || echo "$1" >"$dev/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
	wait_for ls "$dev"/vfio-dev/vfio*/dev >/dev/null
}

# give_back BDF: to the driver that it has by itself.
give_back() {
	local dev=/sys/bus/pci/devices/$1
	[[ ! -e $dev/driver ]] || echo "$1" >"$dev/driver/unbind"
	echo >"$dev/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
}
