# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measuring half of tests/bench/compare: both drivers in turn in one boot of
# ref-6.12. What it prints is for that script.

setup() {
	load ../lib/guest
	kmsg "test ${BATS_TEST_FILENAME##*/}: $BATS_TEST_DESCRIPTION"
}

load_upstream() { modprobe iommufd; }
load_ours() { insmod "$IOMMUFD_KO"; }

@test "calls on /dev/iommu, upstream's driver and ours in turn" {
	local round driver
	[[ ! -d /sys/module/iommufd ]] || rmmod iommufd
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
