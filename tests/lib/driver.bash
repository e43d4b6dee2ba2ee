# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests of the tool that are to pass with whatever iommufd a kernel has: on
# ref-6.12 that is its own, on all others ours.
#
#   setup() { load ../lib/guest; load ../lib/driver; guest_setup; use_driver; }
#   teardown_file() { load ../lib/guest; load ../lib/driver; restore_driver; }

# Ours marks the kernel as one with a module from outside its tree.
driver_is_ours() { [[ $(</sys/module/iommufd/taint) == *O* ]]; }

use_driver() {
	if [[ $TEST_KERNEL == ref-6.12 ]] && driver_is_ours; then
		rmmod iommufd
		modprobe iommufd
	fi
}

restore_driver() {
	modprobe -r vfio-pci vfio 2>/dev/null || true
	driver_is_ours || rmmod iommufd
	load_iommufd
}
