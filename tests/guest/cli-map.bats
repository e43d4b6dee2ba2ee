# SPDX-License-Identifier: GPL-2.0-or-later
#
# create ioas with options, map, unmap and set on real address spaces.

load ../lib/guest
load ../golden/golden
load ../golden/holder

setup() {
	guest_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	exec 5<>/dev/iommu
	export IOMMUFDCTL_CONTEXT=fd:5
}

teardown() {
	exec 5>&-
	drop_holders
	rm -f /dev/shm/memory
	umount /mnt 2>/dev/null || true
	echo 0 >/proc/sys/vm/nr_hugepages
	guest_teardown
}

# shown KEY: what 'show 1' has for it
shown() { iommufdctl show 1 --json | gojq -c ".contexts[0].objects[0].$1"; }

@test "map prints where, and unmap needs no more than that" {
	must iommufdctl create ioas
	for size in 4K 0x10000 2M; do
		must iommufdctl map 1 --anon "$size"
		assert_output --regexp '^0x[0-9a-f]+$'
		must iommufdctl unmap 1 "$output+$size"
		assert_output ''
	done
	must iommufdctl map 1 --anon 64K --iova 4G
	assert_output 0x100000000
	must iommufdctl unmap 1 0x100000000-0x10000ffff
	must_fail 1 iommufdctl unmap 1 0x100000000-0x10000ffff
	assert_output --partial "0x100000000-0x10000ffff has no mapping, or cuts one"
}

@test "JSON of map and unmap, as it was agreed on" {
	must iommufdctl create ioas
	must iommufdctl map 1 --anon 64K --iova 0x100000000 --json
	assert_schema "$SCHEMA" '#/$defs/map'
	settle
	golden map.json
	must iommufdctl unmap 1 4G+64K --json
	assert_schema "$SCHEMA" '#/$defs/unmap'
	settle
	golden unmap.json
	must_fail 1 iommufdctl unmap 1 0+4K --json
	assert_schema "$SCHEMA" '#/$defs/error'
	settle
	golden unmap-none.json
}

@test "the ends of the address space" {
	must iommufdctl create ioas
	must iommufdctl map 1 --anon 4K --iova 0
	assert_output 0x0
	must iommufdctl map 1 --anon 4K --iova 0xffffffffffffe000
	assert_output 0xffffffffffffe000
	must_fail 1 iommufdctl map 1 --anon 8K --iova 0xfffffffffffff000
	assert_output --partial "end behind the last address"
	must iommufdctl unmap 1 0xffffffffffffe000-0xffffffffffffffff
	must iommufdctl map 1 --anon 4K --iova 0xffffffffffffe000
	must iommufdctl unmap 1 0-0xffffffffffffffff --json
	assert_json '.unmapped_bytes == 8192'
}

@test "unmap --all: nothing left, and nothing to do is no failure" {
	must iommufdctl create ioas
	for _ in 1 2 3; do
		must iommufdctl map 1 --anon 8K
	done
	must iommufdctl unmap 1 --all --json
	assert_json '.unmapped_bytes == 24576'
	must iommufdctl unmap 1 --all --json
	assert_json '.unmapped_bytes == 0'
}

@test "every range is tried; the status is the first failure's" {
	must iommufdctl create ioas
	for iova in 0x10000 0x20000 0x30000; do
		must iommufdctl map 1 --anon 8K --iova $iova
	done
	must_fail 1 iommufdctl unmap 1 0x10000+4K 0x20000+8K 0x90000+4K 0x30000+64K
	assert_line --regexp '^iommufdctl: unmap 1: 0x10000-0x10fff has no mapping'
	assert_line --regexp '^iommufdctl: unmap 1: 0x90000-0x90fff has no mapping'
	assert_equal "${#lines[@]}" 2
	# what was cut is whole
	must iommufdctl unmap 1 --all --json
	assert_json '.unmapped_bytes == 8192'
}

@test "a place that is taken" {
	must iommufdctl create ioas
	must iommufdctl map 1 --anon 64K --iova 1M
	for place in "64K --iova 1M" "4K --iova 0x10f000" "2M --iova 0"; do
		# shellcheck disable=SC2086 # words
		must_fail 4 iommufdctl map 1 --anon $place
		assert_output --regexp '^iommufdctl: map 1: 0x[0-9a-f]+-0x[0-9a-f]+ is mapped already, or a part of it'
	done
	must iommufdctl map 1 --anon 4K --iova 0x110000
	must iommufdctl map 1 --anon 4K --iova 0xff000
}

@test "no such ioas" {
	must_fail 3 iommufdctl map 1 --anon 4K
	assert_output --regexp "^iommufdctl: map 1: no such ioas in context [0-9]+: 'iommufdctl list' "
	must_fail 3 iommufdctl unmap 1 0+4K
	must_fail 3 iommufdctl unmap 1 --all
	must_fail 3 iommufdctl set 1 huge-pages=on
	must_fail 3 iommufdctl set 1 allow=none
	assert_output --partial "no such ioas in context"
	assert_equal "${#lines[@]}" 1
}

@test "memory is what the kernel maps, whatever becomes of command and name" {
	must iommufdctl create ioas
	load ../lib/testdrv
	truncate -s 8K /dev/shm/memory
	exec 6</dev/shm/memory
	must iommufdctl map 1 --file /dev/shm/memory --iova 0x10000
	rm /dev/shm/memory
	must iommufdctl map 1 --anon 8K --iova 0x20000
	must iommufdctl map 1 --anon 8K --iova 0x30000 --read-only
	drv_open 5
	user=$(drv_make access plain)
	drv attach "$user" 1
	for iova in 0x10000 0x20000; do
		drv write "$user" $iova 8192 5 1
		drv read "$user" $iova 8192 5 0
	done
	drv_fails "Operation not permitted" write "$user" 0x30000 8192 5 1
	# the pattern of the test driver, in the file itself
	assert_equal "$(od -An -tu1 -N4 <&6)" " 213 244  19  50"
	exec 6<&-
	drv_close
}

@test "a memfd of another process, by its name in /proc" {
	must iommufdctl create ioas
	must iommufdctl map 1 --anon 4K --iova 0x40000
	(close_fds && exec "$HELPERS/memfd" 64 >"$BATS_TEST_TMPDIR/out") &
	HOLDERS+=($!)
	wait_for grep -q . "$BATS_TEST_TMPDIR/out"
	must iommufdctl map 1 --json --file "/proc/$!/fd/$(<"$BATS_TEST_TMPDIR/out")"
	assert_json '.length == 65536'
}

@test "a file on hugetlbfs" {
	echo 4 >/proc/sys/vm/nr_hugepages
	[[ $(</proc/sys/vm/nr_hugepages) == 4 ]] || skip "no huge pages to be had"
	mount -t hugetlbfs none /mnt
	must iommufdctl create ioas
	truncate -s 4M /mnt/memory
	if [[ $TEST_KERNEL == debian-6.1 ]]; then
		# which has no way to pin such a file's pages
		must_fail 2 iommufdctl map 1 --file /mnt/memory
		assert_output --partial "would be lost"
		return
	fi
	must iommufdctl map 1 --file /mnt/memory --json
	assert_json '.length == 4194304'
	must iommufdctl unmap 1 --all --json
	assert_json '.unmapped_bytes == 4194304'
}

@test "what could not outlive the command is not mapped: exit 2" {
	must iommufdctl create ioas
	truncate -s 64K "$BATS_TEST_TMPDIR/file"
	must_fail 2 iommufdctl map 1 --file "$BATS_TEST_TMPDIR/file"
	assert_output --regexp "^iommufdctl: map 1: '.*/file' would be lost when this command ends.*/dev/shm"
	assert_equal "${#lines[@]}" 1
	must_fail 2 iommufdctl map 1 --file "$BATS_TEST_TMPDIR/file" --read-only --json
	assert_schema "$SCHEMA" '#/$defs/error'
	must iommufdctl unmap 1 --all --json
	assert_json '.unmapped_bytes == 0'
}

@test "an address that cannot be written down leaves no mapping" {
	must iommufdctl create ioas
	for json in '' --json; do
		must_fail 1 bash -c "iommufdctl map 1 --anon 4K $json >/dev/full"
		assert_output --partial "No space left on device"
		assert_equal "${#lines[@]}" 1
		must_fail 1 bash -c "iommufdctl map 1 --anon 4K $json >&-"
		run bash -c "{ sleep 1; iommufdctl map 1 --anon 4K $json
			echo \"\$?\" >&2; } | :"
		assert_output 1
	done
	must iommufdctl unmap 1 --all --json
	assert_json '.unmapped_bytes == 0'
}

@test "set and create: ranges set aside are where the kernel maps" {
	must iommufdctl create ioas --allow 4G+64K --allow 0x200000000-0x20000ffff
	must iommufdctl map 1 --anon 64K
	assert_output 0x100000000
	must iommufdctl map 1 --anon 64K
	assert_output 0x200000000
	must_fail 1 iommufdctl map 1 --anon 4K
	assert_output --partial "no free range of 4096 bytes"
	must iommufdctl set 1 allow=8T+1M
	must iommufdctl map 1 --anon 4K
	assert_output 0x80000000000
	must iommufdctl set 1 allow=none
	must iommufdctl map 1 --anon 4K
}

@test "huge pages: on at first, switched, and told of" {
	must iommufdctl create ioas
	assert_equal "$(shown huge_pages)" true
	must iommufdctl set 1 huge-pages=off
	assert_equal "$(shown huge_pages)" false
	assert_equal "$(shown alignment)" 4096
	must iommufdctl set 1 huge-pages=off
	must_fail 1 iommufdctl map 1 --anon 5000
	assert_output --partial "the length, 5000, is not a multiple of 4096"
	must iommufdctl set 1 huge-pages=on
	assert_equal "$(shown huge_pages)" true
	must iommufdctl map 1 --anon 5000
	must_fail 4 iommufdctl set 1 huge-pages=off
	assert_output --partial "something is mapped that is not made of whole pages"
	assert_equal "$(shown huge_pages)" true
	must iommufdctl create ioas --no-huge-pages
	must iommufdctl show 2
	assert_line --regexp '^huge_pages +no$'
}

@test "all of a change or nothing, and all of an object" {
	must iommufdctl create ioas
	must_fail 1 iommufdctl set 1 allow=0-0xffff,9-9
	assert_output --partial "overlap"
	must_fail 1 iommufdctl set 1 allow=0x10000-0x1ffff,9-9
	assert_output --partial "0x9-0x9 is one address"
	must_fail 1 iommufdctl set 1 huge-pages=off allow=0-0xffff,0x8000-0x9fff
	assert_output --partial "0x0-0xffff and 0x8000-0x9fff overlap"
	assert_equal "$(shown huge_pages)" true
	must_fail 1 iommufdctl create ioas --allow 0-0xffff --allow 0x8000+4K
	assert_output --regexp '^iommufdctl: create: '
	assert_equal "${#lines[@]}" 1
	must iommufdctl list --json
	assert_json '[.contexts[].objects[].id] == [1]'
}

@test "an in-kernel user's memory is asked back" {
	must iommufdctl create ioas
	must iommufdctl map 1 --anon 64K --iova 0x10000
	load ../lib/testdrv
	drv_open 5
	user=$(drv_make access obey)
	drv attach "$user" 1
	drv pin "$user" 0x10000 65536 1
	must iommufdctl unmap 1 0x10000+64K
	assert_equal "$(drv_make pinned "$user")" 0
	drv_close
}

@test "a driver that keeps memory: exit 4, and who it is about" {
	must iommufdctl create ioas
	must iommufdctl map 1 --anon 64K --iova 0x10000
	load ../lib/testdrv
	drv_open 5
	user=$(drv_make access refuse 1000000)
	drv attach "$user" 1
	drv pin "$user" 0x10000 4096 1
	must_fail 4 iommufdctl unmap 1 --all
	assert_output --partial "has memory that a driver does not let go of"
	drv unpin "$user" 0x10000 4096
	must iommufdctl unmap 1 --all
	drv_close
}
