# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tool in the hands of a user without privilege.

load ../lib/guest
load ../lib/driver
load ../golden/holder

setup() {
	guest_setup
	use_driver
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
	YAMA=/proc/sys/kernel/yama/ptrace_scope
	# a kernel without Yama is as one with a scope of 0
	[[ ! -e $YAMA ]] || SCOPE=$(<"$YAMA")
	# bats makes it for root alone
	chmod 755 "$BATS_TEST_TMPDIR"
}

teardown() {
	exec 5>&-
	drop_holders
	[[ ! ${SCOPE-} ]] || scope "$SCOPE"
	chgrp root /dev/iommu
	chmod 660 /dev/iommu
	guest_teardown
}

teardown_file() {
	restore_driver
}

scope() { [[ ! -e $YAMA ]] || echo "$1" >"$YAMA"; }

# user_holds FD...: a process of the user's with contexts that root opened; sets
# HOLDER as hold does
user_holds() {
	local fd script=''
	for fd; do
		script+="exec $fd<>/dev/iommu; "
	done
	start_holder bash -c "$script exec setpriv --reuid=65534 \
		--regid=65534 --clear-groups sleep 1000"
}

@test "EACCES on /dev/iommu names the group that may" {
	must_fail 5 as_user iommufdctl run -- true
	assert_output --partial "no permission to open /dev/iommu"
	assert_output --partial "group root (mode 0660)"
	chgrp nogroup /dev/iommu
	run as_user iommufdctl --json run -- true
	# that group is the user's
	assert_success
	# a group that every Debian has
	chgrp tty /dev/iommu
	must_fail 5 as_user iommufdctl run -- true
	assert_output --partial "group tty"
	must_fail 5 as_user iommufdctl run --json -- true
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.errno == "EACCES"'
	chmod 600 /dev/iommu
	must_fail 5 as_user iommufdctl run -- true
	assert_output --partial "its owner alone"
}

@test "an inherited descriptor needs no privilege at all" {
	exec 5<>/dev/iommu
	must as_user iommufdctl -c fd:5 create ioas
	assert_output 1
	must as_user iommufdctl -c fd:5 show 1
	must as_user iommufdctl -c fd:5 destroy 1
	must as_user iommufdctl -c fd:5 run -- iommufdctl -c fd:3 create ioas
}

@test "a user sees its own contexts only, with a note that others may exist" {
	scope 0
	hold 6
	user_holds 6
	must iommufdctl create ioas -c "pid:$HOLDER"
	must iommufdctl list --json
	assert_json '.contexts | length == 2'

	output=$(as_user iommufdctl list --json 2>"$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json "[.contexts[].holders[].pid] == [$HOLDER]"
	assert_json '[.contexts[].objects[].id] == [1]'
	output=$(<"$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/note'
	assert_json '.note | test("other contexts may exist")'

	must as_user iommufdctl list
	assert_line --regexp '^iommufdctl: note: other contexts may exist'
	# root may look everywhere, and is told nothing
	must iommufdctl list
	refute_output --partial note
	must as_user iommufdctl -c "pid:$HOLDER" destroy 1
}

@test "another user's process: 5, and what it takes" {
	hold 6
	must_fail 5 as_user iommufdctl create ioas -c "pid:$HOLDER"
	assert_output --partial "not permitted to look into process $HOLDER"
	assert_output --partial CAP_SYS_PTRACE
	must_fail 5 as_user iommufdctl list -c "pid:$HOLDER" --json
	assert_schema "$SCHEMA" '#/$defs/error'
	if driver_is_ours; then
		must_fail 3 as_user iommufdctl list -c "$(context_id "$HOLDER" 6)"
		assert_output --partial "that this user may see"
	fi
}

@test "a ptrace scope that forbids it: seen from outside, and explained" {
	requires yama
	user_holds 6
	must iommufdctl create ioas -c "pid:$HOLDER"
	scope 1
	# fdinfo may be read all the same
	output=$(as_user iommufdctl list --json 2>"$BATS_TEST_TMPDIR/err")
	assert_json "[.contexts[].holders[].pid] == [$HOLDER]"
	assert_json '.contexts[0].objects == null'
	assert_schema "$SCHEMA" '#/$defs/list'
	grep -q "1 context could not be looked into" "$BATS_TEST_TMPDIR/err"
	# shellcheck disable=SC2046 # none with a driver that does not tell
	for context in "pid:$HOLDER" "pid:$HOLDER:6" $(context_id "$HOLDER" 6); do
		must_fail 5 as_user iommufdctl create ioas -c "$context"
		assert_output --partial "kernel.yama.ptrace_scope is 1"
	done
	# an empty context hides nothing
	must iommufdctl destroy 1 -c "pid:$HOLDER"
	output=$(as_user iommufdctl list --json 2>/dev/null)
	if driver_is_ours; then
		assert_json '.contexts[0].objects == []'
	else
		assert_json '.contexts[0].objects == null'
	fi
	# root has the capability
	must iommufdctl create ioas -c "pid:$HOLDER"
	scope 0
	must as_user iommufdctl destroy 1 -c "pid:$HOLDER"
}

@test "contexts of several holders: whichever of them may be traced will do" {
	scope 0
	exec 5<>/dev/iommu
	# root's shell and the user's process hold one and the same
	KEEP=5 start_holder setpriv --reuid=65534 --regid=65534 \
		--clear-groups sleep 1000
	must iommufdctl create ioas -c fd:5
	# by its id, or as the one context that there is
	must as_user bash -c "exec 5>&-; iommufdctl list --json 2>/dev/null"
	assert_json '[.contexts[].objects[].id] == [1]'
	! driver_is_ours ||
		must as_user bash -c "exec 5>&-; iommufdctl show 1 -c $(context_id $$ 5)"
	exec 5>&-
}

@test "a /proc that hides other users' processes: the note is there" {
	hold 6
	run unshare -m bash -c '
		mount -t proc -o hidepid=2 proc /proc
		exec setpriv --reuid=65534 --regid=65534 --clear-groups iommufdctl list'
	assert_success
	assert_line --partial "other contexts may exist"
	refute_output --partial sleep
}
