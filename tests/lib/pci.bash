# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests that give a PCI device to user space.

EDU=0000:00:10.0
NVME=0000:00:11.0
: "$EDU $NVME"

# Which driver gives devices character devices here: VFIO's own on ref-6.12, and
# ours on all others.
vfio_driver() {
	if [[ $TEST_KERNEL == ref-6.12 ]]; then
		echo vfio-pci
	else
		echo iommufd_vfio_pci
	fi
}

load_vfio_pci() {
	if [[ $(vfio_driver) == vfio-pci ]]; then
		modprobe vfio-pci
		return
	fi
	[[ ! -d /sys/module/iommufd_vfio_pci ]] || return 0
	modprobe vfio-pci-core
	insmod "$VFIO_PCI_KO"
}

unload_vfio_pci() {
	[[ ! -d /sys/module/iommufd_vfio_pci ]] || rmmod iommufd_vfio_pci
}

# pci_bind BDF [DRIVER]: by driver_override; NODE is its character device then.
pci_bind() {
	local at=/sys/bus/pci/devices/$1 driver=${2:-$(vfio_driver)} found
	echo "$driver" >"$at/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	[[ -e $at/driver && $(basename "$(realpath "$at/driver")") == "$driver" ]] || {
		echo "$1 was not taken by $driver" >&2
		return 1
	}
	found=("$at"/vfio-dev/vfio*)
	# shellcheck disable=SC2034 # for the test
	NODE=/dev/vfio/devices/${found##*/}
}

pci_unbind() {
	local at=/sys/bus/pci/devices/$1
	[[ ! -e $at/driver ]] || echo "$1" >"$at/driver/unbind"
	echo >"$at/driver_override"
}
