# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests of the tool that are to pass with whatever iommufd a kernel has: on
# ref-6.12 that is its own, on all others ours.
#
#   load ../lib/guest
#   load ../lib/driver
#   setup() { guest_setup; use_driver; }
#   teardown_file() { restore_driver; }

# Ours marks the kernel as one with a module from outside its tree.
driver_is_ours() {
	local taint
	read -r taint </sys/module/iommufd/taint && [[ $taint == *O* ]]
}

# As a function, since Bats does not see that a command with a ! before it fails.
driver_is_theirs() {
	local taint
	read -r taint </sys/module/iommufd/taint && [[ $taint != *O* ]]
}

use_driver() {
	if [[ $TEST_KERNEL == ref-6.12 ]] && driver_is_ours; then
		rmmod iommufd
		modprobe iommufd
	fi
}

# VFIO uses iommufd. modprobe takes away what a module needed only where it finds
# that unused, so that it may fail, or say so, before or after the next is gone.
vfio_is_gone() {
	modprobe -r vfio-pci 2>/dev/null || true
	modprobe -r vfio 2>/dev/null || true
	[[ ! -d /sys/module/vfio_pci && ! -d /sys/module/vfio ]]
}

restore_driver() {
	wait_for vfio_is_gone
	driver_is_ours || rmmod iommufd
	load_iommufd
}
