# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine that does not keep its interrupts apart. By hand:
#
#   VM_APPEND=intremap=off tests/vm/run -k debian-6.12 tests/intremap/guest.bats

load ../lib/guest
load ../lib/testdrv

setup() {
	guest_setup
	pci_device EDU 0x1234 0x11e8
	exec 5<>/dev/iommu
	drv_open 5
}

teardown() {
	exec 5>&-
	drv_close
	guest_teardown
}

allow() { echo "$1" >/sys/module/iommufd/parameters/allow_unsafe_interrupts; }

@test "a device whose interrupts are not isolated is not bound" {
	[[ $(</proc/cmdline) == *intremap=off* ]] ||
		fail "this test wants VM_APPEND=intremap=off"
	drv_fails 'Operation not permitted' bind "$EDU"
	must dmesg
	assert_output --partial "$EDU: iommufd: not bound: the platform does not keep its interrupts apart"
	# Nothing of it is owned.
	[[ $(drv_make has-group "$EDU") == 0 ]]
}

@test "allow_unsafe_interrupts binds it" {
	allow 1
	must helper ioas 5
	local dev
	dev=$(drv_make bind "$EDU")
	drv dev-attach "$dev" 1
	must dmesg
	assert_output --partial "$EDU: iommufd: bound by allow_unsafe_interrupts"
	drv unbind "$dev"
	allow 0
	drv_fails 'Operation not permitted' bind "$EDU"
}
