# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does kcsan-6.12 catch what no other kernel looks for? Each kind of fault is planted
# once, by tests/modules/faults.c. tests/vm/run -k kcsan-6.12 THIS-FILE

load ../../lib/guest

setup() { guest_setup; }

write() { echo "$1" >"$2"; }

@test "a config with KCSAN, and no iommufd" {
	must zcat /proc/config.gz
	refute_line --regexp '^CONFIG_IOMMUFD='
	assert_line CONFIG_KCSAN=y
	assert_line CONFIG_PREEMPT=y
	assert_line CONFIG_DEBUG_PREEMPT=y
	must dmesg
	assert_output --partial 'kcsan: enabled early'
}

@test "our modules are watched" {
	local module
	for module in "$IOMMUFD_KO" "$TESTDRV_KO" "$VFIO_PCI_KO"; do
		must nm --undefined-only "$module"
		assert_output --partial '__tsan_read8'
	done
}

# The detector looks at some of the reads only.
until_seen() {
	local n
	for ((n = 0; n < 500; n++)); do
		write data-race /sys/module/faults/parameters/plant
		! dmesg | grep -q 'BUG: KCSAN: data-race in race' || return 0
	done
	return 1
}

@test "a write and a read by two threads at once" {
	insmod "${SQUATTER_KO%/*}/faults.ko"
	expect_splat 'BUG: KCSAN: data-race in .*\[faults\]' until_seen
	rmmod faults
}

@test "a use of smp_processor_id with preemption on" {
	insmod "${SQUATTER_KO%/*}/faults.ko"
	expect_splat 'BUG: using smp_processor_id\(\) in preemptible' \
		write migrate /sys/module/faults/parameters/plant
}
