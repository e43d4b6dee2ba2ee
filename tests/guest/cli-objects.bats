# SPDX-License-Identifier: GPL-2.0-or-later
#
# create, show, list and destroy on real objects, over every way to a context;
# on ref-6.12 those of upstream's iommufd.

load ../lib/guest
load ../lib/driver
load ../golden/golden
load ../golden/holder

setup() {
	guest_setup
	use_driver
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
}

teardown() {
	exec 5>&-
	drop_holders
	guest_teardown
}

teardown_file() {
	restore_driver
}

# A whole life of objects in CONTEXT, which is empty.
life_in() {
	local context=$1
	must iommufdctl -c "$context" create ioas
	assert_output 1
	must iommufdctl create ioas -c "$context"
	assert_output 2
	must iommufdctl -c "$context" list
	assert_line --regexp '^ +[0-9-]+ +1  ioas '
	assert_line --regexp '^ +[0-9-]+ +2  ioas '
	must iommufdctl -c "$context" show 2
	assert_line --regexp '^id +2$'
	assert_line --regexp '^type +ioas$'
	assert_line --regexp '^alignment +1 B$'
	assert_line --regexp '^ranges +0x0-0xffffffffffffffff$'
	must iommufdctl -c "$context" destroy 1
	assert_output ''
	must_fail 3 iommufdctl -c "$context" destroy 1
	must_fail 3 iommufdctl -c "$context" show 1
	must iommufdctl -c "$context" list --json
	assert_json '[.contexts[].objects[].id] == [2]'
	must iommufdctl -c "$context" destroy 2
	must iommufdctl -c "$context" list --json
	assert_json '.contexts[0].objects == []'
}

@test "over an inherited descriptor" {
	exec 5<>/dev/iommu
	life_in fd:5
}

@test "over another process's descriptor, named or the only one" {
	hold 6
	life_in "pid:$HOLDER:6"
	life_in "pid:$HOLDER"
}

@test "over the context's id" {
	requires our-driver
	hold 6
	life_in "$(context_id "$HOLDER" 6)"
}

@test "over the variable" {
	hold 6
	export IOMMUFDCTL_CONTEXT=pid:$HOLDER
	must iommufdctl create ioas
	must iommufdctl show 1
	must iommufdctl destroy 1
}

@test "JSON of list, show and create, as it was agreed on" {
	requires our-driver
	hold 6
	must iommufdctl create ioas -c "pid:$HOLDER" --json
	assert_schema "$SCHEMA" '#/$defs/create'
	settle
	golden create.json
	must iommufdctl create ioas -c "pid:$HOLDER"
	must iommufdctl list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	settle
	golden list.json
	must iommufdctl show 2 -c "pid:$HOLDER" --json
	assert_schema "$SCHEMA" '#/$defs/show'
	settle
	golden show.json
}

@test "text of list and show, as it was agreed on" {
	requires our-driver
	hold 6
	must iommufdctl create ioas -c "pid:$HOLDER"
	must iommufdctl list
	output=$(sed -E 's/^ +[0-9]+/      7/; s/\[[0-9]+\]/[812]/' <<<"$output")
	golden list.txt
	must iommufdctl show 1 -c "pid:$HOLDER"
	output=$(sed -E 's/^(context +)[0-9]+/\17/; s/\[[0-9]+\]/[812]/' <<<"$output")
	golden show.txt
}

@test "no context: a header alone, and an empty array" {
	must iommufdctl list
	assert_equal "${#lines[@]}" 1
	must iommufdctl list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.contexts == []'
}

@test "destroy tries every id; the status is the first failure's" {
	requires our-driver
	exec 5<>/dev/iommu
	helper many 5 4
	load ../lib/testdrv
	drv_open 5
	drv hold 3
	must_fail 4 iommufdctl -c fd:5 destroy 1 3 77 4
	assert_line --regexp '^iommufdctl: destroy 3: in use'
	assert_line --regexp '^iommufdctl: destroy 77: no such object in context'
	assert_equal "${#lines[@]}" 2
	must iommufdctl -c fd:5 list --json
	assert_json '[.contexts[0].objects[].id] == [2, 3]'
	must_fail 3 iommufdctl -c fd:5 destroy 77 3 2
	must iommufdctl -c fd:5 list --json
	assert_json '[.contexts[0].objects[].id] == [3]'
	drv_close
	must iommufdctl -c fd:5 destroy 3
}

@test "EBUSY and ENOENT in JSON: one object a failure, and nothing on stdout" {
	requires our-driver
	exec 5<>/dev/iommu
	helper many 5 1
	load ../lib/testdrv
	drv_open 5
	drv hold 1
	status=0
	iommufdctl -c fd:5 --json destroy 1 9 >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" || status=$?
	assert_equal "$status" 4
	[[ ! -s $BATS_TEST_TMPDIR/out ]]
	output=$(sed -n 1p "$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/error'
	settle
	golden destroy-busy.json
	output=$(sed -n 2p "$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/error'
	settle
	golden destroy-none.json
	drv_close
}

@test "ids at the ends of their range" {
	exec 5<>/dev/iommu
	for id in 0 2147483647 2147483648 4294967295; do
		must_fail 3 iommufdctl -c fd:5 destroy $id
		must_fail 3 iommufdctl -c fd:5 show $id --json
		assert_schema "$SCHEMA" '#/$defs/error'
	done
	must_fail 64 iommufdctl -c fd:5 destroy 4294967296
}

@test "the probe, of an object of another type: not shown, left out, told of" {
	requires our-driver
	exec 5<>/dev/iommu
	helper many 5 2
	load ../lib/testdrv
	drv_open 5
	drv create 1
	# netlink does not answer there
	probe() { unshare -n iommufdctl "$@"; }
	must_fail 3 probe -c fd:5 show 3
	output=$(probe list -c fd:5 --json 2>"$BATS_TEST_TMPDIR/err")
	assert_json '.source == "probe" and [.contexts[0].objects[].id] == [1, 2]'
	output=$(<"$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/note'
	assert_json '.note | test("^1 object of types")'
	must probe list -c fd:5
	assert_line --partial "note: 1 object"
	# it refers to the first, and is in the second's way as little as ever
	must_fail 4 probe -c fd:5 destroy 1
	assert_output --partial "in use by another object or by a driver"
	must iommufdctl -c fd:5 destroy 2 3 1
	drv_close
}

@test "an id that cannot be written down leaves no object" {
	exec 5<>/dev/iommu
	for json in '' --json; do
		must_fail 1 bash -c "iommufdctl -c fd:5 create ioas $json >/dev/full"
		assert_output --partial "No space left on device"
		assert_equal "${#lines[@]}" 1
		must_fail 1 bash -c "iommufdctl -c fd:5 create ioas $json >&-"
		run bash -c "{ sleep 1; iommufdctl -c fd:5 create ioas $json
			echo \"\$?\" >&2; } | :"
		assert_output 1
	done
	must iommufdctl list -c fd:5 --json
	assert_json '.contexts[0].objects == []'
}

@test "objects far apart are all found, by the probe too" {
	requires our-driver
	exec 5<>/dev/iommu
	helper many 5 3000
	# shellcheck disable=SC2046 # ids
	must iommufdctl -c fd:5 destroy $(seq 2 2999)
	must iommufdctl list -c fd:5 --json
	assert_json '[.contexts[0].objects[].id] == [1, 3000]'
	must unshare -n iommufdctl list -c fd:5 --json
	assert_json '[.contexts[0].objects[].id] == [1, 3000]'
}

# All that the kernel shows; the first makes sure that the others are there.
seen() {
	cat "$DEBUGFS/contexts"
	cat "$DEBUGFS"/*/objects
}

@test "looking changes nothing" {
	requires our-driver
	exec 5<>/dev/iommu
	helper many 5 5
	local before
	before=$(seen)
	must iommufdctl list
	must iommufdctl list --json -c fd:5
	must iommufdctl show 3 -c fd:5
	must iommufdctl completion objects -c fd:5
	must iommufdctl completion contexts
	assert_equal "$(seen)" "$before"
	# an ioctl in flight on an object is none of the reasons to refuse
	must iommufdctl destroy -c fd:5 1 2 3 4 5
}
