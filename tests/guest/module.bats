# SPDX-License-Identifier: GPL-2.0-or-later
#
# Loading, unloading, and the device node.

load ../lib/guest

setup() { guest_setup; }

teardown() {
	[[ ! -d /sys/module/squatter ]] || rmmod squatter
	guest_teardown
}

@test "the node is a misc device that its owner and group may use" {
	must stat -c '%F %a' /dev/iommu
	assert_output 'character special file 660'
	grep -q ' iommu$' /proc/misc
}

@test "unloading with an open context is refused, then done" {
	exec 5<>/dev/iommu
	must_fail 1 rmmod iommufd
	assert_output --partial 'in use'
	[[ -c /dev/iommu ]]
	exec 5>&-
	wait_for module_unused
	must rmmod iommufd
	[[ ! -e /dev/iommu ]]
	[[ ! -e $DEBUGFS ]]
}

@test "a reference of an in-kernel user alone keeps module and context" {
	load ../lib/testdrv
	exec 5<>/dev/iommu
	drv_open 5
	drv create
	exec 5>&-
	must_fail 1 rmmod iommufd
	must grep -c '^[0-9]' "$DEBUGFS/contexts"
	assert_output 1
	drv create 1
	drv put
	wait_for module_has_one_user
	run grep -c '^[0-9]' "$DEBUGFS/contexts"
	assert_output 0
	drv_close
}

# The test driver itself, by the symbols that it uses.
module_has_one_user() { [[ $(</sys/module/iommufd/refcnt) == 1 ]]; }

@test "where another driver has /dev/iommu, loading is refused in one line" {
	rmmod iommufd
	insmod "$SQUATTER_KO"
	dmesg --clear
	must_fail 1 insmod "$IOMMUFD_KO"
	assert_output --partial 'File exists'
	must dmesg --notime
	assert_output 'iommufd: this kernel has a /dev/iommu already, not loading'
	rmmod squatter
	insmod "$IOMMUFD_KO"
	[[ -c /dev/iommu ]]
}

@test "loaded and unloaded 200 times" {
	rmmod iommufd
	must helper reload 200
	assert_output '200 times'
	[[ ! -e $DEBUGFS ]]
	[[ ! -e /dev/iommu ]]
}

@test "context ids start at 1 and are never given twice" {
	rmmod iommufd
	insmod "$IOMMUFD_KO"
	local seen=
	for _ in 1 2 3 4; do
		exec 5<>/dev/iommu
		seen+=" $(sed -n 's/^iommufd-ctx:\t//p' "/proc/$BASHPID/fdinfo/5")"
		exec 5>&-
	done
	[[ $seen == ' 1 2 3 4' ]]
}
