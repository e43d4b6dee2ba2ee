# SPDX-License-Identifier: GPL-2.0-or-later
#
# How contexts are found, told apart, and taken.

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
	[[ ! -e /dev/iommu-away ]] || mv /dev/iommu-away /dev/iommu
	guest_teardown
}

teardown_file() {
	restore_driver
}

@test "a process with two contexts: which, and the message says how" {
	hold 6 7
	must_fail 1 iommufdctl create ioas -c "pid:$HOLDER"
	assert_output --partial "choose from pid:$HOLDER:6, pid:$HOLDER:7"
	must iommufdctl create ioas -c "pid:$HOLDER:7"
	must iommufdctl list -c "pid:$HOLDER:6" --json
	assert_json '.contexts[0].objects == []'
	must iommufdctl list -c "pid:$HOLDER:7" --json
	assert_json '.contexts[0].objects | length == 1'
	must iommufdctl list --json
	assert_json '.contexts | length == 2'
	must_fail 3 iommufdctl create ioas -c "pid:$HOLDER:0"
	assert_output --partial "choose from pid:$HOLDER:6"
}

@test "one context at two descriptors, and in two processes, is one" {
	exec 5<>/dev/iommu
	KEEP=5 start_holder bash -c 'exec 6<&5; exec sleep 1000'
	must iommufdctl create ioas -c "pid:$HOLDER"
	must iommufdctl list --json
	assert_json '.contexts | length == 1'
	assert_json "[.contexts[0].holders[] | select(.pid == $HOLDER).fd] == [5, 6]"
	assert_json "[.contexts[0].holders[].pid] | index($$) != null"
}

@test "the tool is no holder, however it has the context" {
	exec 5<>/dev/iommu
	must iommufdctl list --json
	assert_json '[.contexts[0].holders[].comm] | index("iommufdctl") == null'
	exec 5>&-
	must bash -c 'exec iommufdctl list --json 7<>/dev/iommu'
	assert_json '.contexts[0].holders == [] and .contexts[0].objects == []'
}

@test "fd:N that is none: each its own message" {
	must_fail 3 iommufdctl create ioas -c fd:66
	assert_output --partial "descriptor 66 is not open"
	# a device too, but another
	must_fail 3 bash -c 'iommufdctl create ioas -c fd:6 6<>/dev/null'
	assert_output --partial "descriptor 6 is no iommufd"
	must_fail 3 bash -c 'iommufdctl list -c fd:6 6<>/dev/null'
	assert_output --partial "descriptor 6 is no iommufd"
}

@test "a process that is not there, or holds none" {
	must_fail 3 iommufdctl create ioas -c pid:2147483647
	assert_output --partial "there is no process 2147483647"
	must_fail 3 iommufdctl list -c pid:2147483647
	must_fail 3 iommufdctl list -c "pid:$$"
	assert_output --partial "holds no context"
}

@test "a context's id is not used again" {
	requires our-driver
	hold 6
	local id
	id=$(context_id "$HOLDER" 6)
	must iommufdctl list -c "$id"
	drop_holders
	hold 6
	must_fail 3 iommufdctl list -c "$id"
	assert_output --partial "there is no context $id"
	must_fail 3 iommufdctl create ioas -c "$id"
	must_fail 3 iommufdctl list -c 18446744073709551614
}

@test "the device by another name, as in a container" {
	local minor
	minor=$(sed -n 's/^ *\([0-9]*\) iommu$/\1/p' /proc/misc)
	mknod "$BATS_TEST_TMPDIR/gpu" c 10 "$minor"
	start_holder bash -c 'exec sleep 1000 6<>"$0"' "$BATS_TEST_TMPDIR/gpu"
	must iommufdctl create ioas -c "pid:$HOLDER"
	must iommufdctl list --json
	assert_json '.contexts[0].objects | length == 1'
}

@test "the node is missing: what is open works, and run says what is missing" {
	hold 6
	mv /dev/iommu /dev/iommu-away
	must iommufdctl create ioas -c "pid:$HOLDER"
	must_fail 2 iommufdctl run -- true
	assert_output --partial "its node is not"
	mv /dev/iommu-away /dev/iommu
}

@test "a module that is not loaded: 2, and how to load it" {
	rmmod iommufd
	for args in list "create ioas -c pid:1" "run true"; do
		# shellcheck disable=SC2086 # words
		must_fail 2 iommufdctl $args
		assert_output --partial "modprobe iommufd"
	done
	load_iommufd
}

# Each list while others race with it must be whole, and have what was there
# all the time: the_list ARG... fills $output.
the_list() {
	iommufdctl list --json "$@" >"$BATS_TEST_TMPDIR/list" 2>"$BATS_TEST_TMPDIR/err"
	output=$(<"$BATS_TEST_TMPDIR/list")
}

@test "holders that vanish while they are looked for" {
	local n churner
	hold 6
	# processes and contexts that come and go as fast as they can
	while :; do
		bash -c 'exec 6<>/dev/iommu 7<>/dev/iommu 8<&6' &
		wait $! || true
	done 3>&- 4>&- >/dev/null 2>&1 &
	churner=$!
	for ((n = 0; n < 8; n++)); do
		the_list
		assert_json "[.contexts[].holders[].pid] | index($HOLDER) != null"
		! driver_is_ours || assert_json 'all(.contexts[]; .id != null)'
	done
	assert_schema "$SCHEMA" '#/$defs/list'
	kill $churner
	wait $churner || true
}

@test "objects that come and go while they are listed" {
	local n churner
	exec 5<>/dev/iommu
	helper many 5 10
	# The program itself, not a shell around it that would die alone.
	"$HELPERS/churn" 5 1000 3>&- 4>&- >"$BATS_TEST_TMPDIR/churn" 2>&1 &
	churner=$!
	for ((n = 0; n < 8; n++)); do
		the_list -c fd:5
		assert_json '[.contexts[0].objects[].id] | .[:10] == [range(1; 11)]'
		assert_json '[.contexts[0].objects[].id] | . == unique'
	done
	assert_schema "$SCHEMA" '#/$defs/list'
	# what is asked about at that moment upstream's driver may not destroy
	kill $churner || { ! driver_is_ours &&
		grep -qx 'churn: destroy: Device or resource busy' "$BATS_TEST_TMPDIR/churn"; }
	wait $churner || true
}
