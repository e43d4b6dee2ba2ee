# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measuring half of tests/bench/compare: both drivers in turn in one boot of
# ref-6.12. What it prints is for that script.

load ../lib/guest
load ../lib/pci
load ../lib/driver

setup() {
	untrace_functions
	kmsg "test ${BATS_TEST_FILENAME##*/}: $BATS_TEST_DESCRIPTION"
	[[ ! -d /sys/module/iommufd ]] || rmmod iommufd
}

load_upstream() { modprobe iommufd; }
load_ours() { insmod "$IOMMUFD_KO"; }

@test "calls on /dev/iommu, upstream's driver and ours in turn" {
	local round driver
	for ((round = 1; round <= 3; round++)); do
		# Each as often first as second, since the machine's speed drifts.
		for driver in $( ((round % 2)) && echo upstream ours || echo ours upstream); do
			"load_$driver"
			"$BUILD/tests/bench/bench" |
				sed "s/^/# bench $round $driver /" >&3
			rmmod iommufd
		done
	done
}

# VFIO is upstream's both times: next to it our own cannot be loaded.
@test "a device, on upstream's driver and ours in turn" {
	local round driver
	sysctl -qw vm.nr_hugepages=520
	for ((round = 1; round <= 3; round++)); do
		for driver in $( ((round % 2)) && echo upstream ours || echo ours upstream); do
			"load_$driver"
			load_vfio_pci
			pci_bind "$NVME"
			{
				"$HELPERS/nvme" "$NODE" time 3000
				"$BUILD/tests/bench/device" "$NODE"
			} | sed "s/^/# bench $round $driver /" >&3
			pci_unbind "$NVME"
			wait_for vfio_is_gone
			[[ ! -d /sys/module/iommufd ]] || rmmod iommufd
		done
	done
}
