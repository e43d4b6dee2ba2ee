# SPDX-License-Identifier: GPL-2.0-or-later
#
# map, unmap, set and show with Linux 6.12's own iommufd, which has no
# IOMMU_IOAS_MAP_FILE: tests/vm/run -k ref-6.12 THIS-FILE

load ../../lib/guest
load ../../lib/driver
load ../../lib/edu
load ../../golden/holder

setup() {
	untrace_functions
	load_iommufd
	use_driver
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	exec 5<>/dev/iommu
	export IOMMUFDCTL_CONTEXT=fd:5
	must iommufdctl create ioas
	assert_output 1
}

teardown() {
	exec 5>&-
	drop_holders
	[[ ! ${EDU-} ]] || echo "$EDU" >/sys/bus/pci/drivers/vfio-pci/unbind
	rm -f /dev/shm/memory
}

teardown_file() {
	modprobe -r vfio-pci vfio iommufd 2>/dev/null || true
	load_iommufd
}

# edu as a VFIO device that is attached to IOAS 1, so that what is mapped there
# is pinned.
attach_edu() {
	modprobe vfio-pci
	find_edu
	echo vfio-pci >"/sys/bus/pci/devices/$EDU/driver_override"
	echo "$EDU" >/sys/bus/pci/drivers_probe
	# without what Bats has open, whose end it would wait for
	(KEEP=5 close_fds && exec "$HELPERS/attach" 5 1 \
		/dev/vfio/devices/vfio0 >"$BATS_TEST_TMPDIR/attached") &
	HOLDERS+=($!)
	wait_for grep -q attached "$BATS_TEST_TMPDIR/attached"
}

nothing_is_mapped() {
	must iommufdctl unmap 1 --all --json
	assert_json '.unmapped_bytes == 0'
}

@test "memory that no one pins would be lost: exit 2, and nothing is mapped" {
	truncate -s 64K /dev/shm/memory "$BATS_TEST_TMPDIR/memory"
	for memory in "--anon 64K" "--file /dev/shm/memory" \
		"--file $BATS_TEST_TMPDIR/memory"; do
		# shellcheck disable=SC2086 # words
		must_fail 2 iommufdctl map 1 $memory
		assert_output --partial "would be lost when this command ends"
		assert_equal "${#lines[@]}" 1
		nothing_is_mapped
	done
}

@test "memory that a device pins lasts, with a note" {
	attach_edu
	truncate -s 64K /dev/shm/memory
	for memory in "--anon 64K" "--file /dev/shm/memory"; do
		for only in '' --read-only; do
			# shellcheck disable=SC2086 # words
			must iommufdctl map 1 $memory --iova 4G $only
			assert_line 0x100000000
			assert_line --partial "note: mapped from this command's own"
			must iommufdctl unmap 1 4G+64K --json
			assert_json '.unmapped_bytes == 65536'
		done
	done
}

@test "where a device leaves no room: said with what there is" {
	attach_edu
	must_fail 1 iommufdctl map 1 --anon 4K --iova 0xfee00000
	assert_output --partial "0xfee00000-0xfee00fff is not where mappings may be: usable are 0x0-0xfedfffff, 0xfef00000-"
	must_fail 1 iommufdctl map 1 --anon 5000
	assert_output --partial "the length, 5000, is not a multiple of 4096"
	must_fail 1 iommufdctl map 1 --anon 4K --iova 5
	assert_output --partial "the address, 0x5, is not a multiple of 0x1000"
	must_fail 4 iommufdctl set 1 allow=0-0xffff,0xfee00000+4K
	assert_output --partial "0xfee00000-0xfee00fff cannot be set aside"
}

@test "set, show and list: what this driver can be asked" {
	must iommufdctl set 1 huge-pages=off allow=4G+1G
	must iommufdctl show 1 --json
	assert_schema "$SCHEMA" '#/$defs/show'
	assert_json '.contexts[0].objects[0].huge_pages == false'
	assert_json '.contexts[0].rlimit_mode == "user"'
	must iommufdctl list --json
	assert_json '.contexts[0].rlimit_mode == "user"'
	must_fail 1 iommufdctl set 1 huge-pages=on allow=0-5,4-9
	assert_output --partial "0x0-0x5 and 0x4-0x9 overlap"
	must_fail 1 iommufdctl set 1 huge-pages=on allow=0-5,9-9
	assert_output --partial "0x9-0x9 is one address"
	must iommufdctl show 1
	assert_line --regexp '^huge_pages +no$'
	must_fail 1 iommufdctl create ioas --allow 0-5 --allow 4-9
	must iommufdctl list --json
	assert_json '[.contexts[].objects[].id] == [1]'
}

@test "unmap: what there is not" {
	must_fail 1 iommufdctl unmap 1 0+4K
	assert_output --partial "has no mapping, or cuts one"
	must_fail 1 iommufdctl unmap 1 0xffffffffffffffff+1
	assert_output --partial "begins below the last address"
	must_fail 3 iommufdctl unmap 9 0+4K
	must_fail 3 iommufdctl map 9 --anon 4K
	nothing_is_mapped
}
