# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tool knows by netlink: who refers to whom, why a destroy is EBUSY, the
# tree, the graph, and events.

load ../lib/guest
load ../lib/testdrv
load ../golden/golden
load ../golden/holder

setup() {
	guest_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
	MONITORS=()
}

teardown() {
	exec 5>&-
	drop_holders
	((${#MONITORS[@]} == 0)) || kill "${MONITORS[@]}" 2>/dev/null || true
	wait
	guest_teardown
}

# Context 5: ioas 1, test 2 -> 1, test 3 -> 1 and 2, test 4 -> 3, ioas 5
family() {
	exec 5<>/dev/iommu
	must helper ioas 5
	drv_open 5
	drv create 1
	drv create 1 2
	drv create 3
	must helper ioas 5
}

ctx_id() { context_at "/proc/$BASHPID/fdinfo/5"; }

@test "list tells of every type of object, and of references both ways" {
	family
	must iommufdctl list -c fd:5 --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.source == "netlink"'
	assert_json '[.contexts[].objects[] | [.id, .type, .users, .refers_to, .referred_by]] == [
		[1, "ioas", 3, [], [2, 3]], [2, "test", 2, [1], [3]],
		[3, "test", 2, [1, 2], [4]], [4, "test", 1, [3], []], [5, "ioas", 1, [], []]]'
	assert_json '.contexts[0] | .uid == 0 and .rlimit_mode == "user" and .pinned_bytes == 0'
	must iommufdctl list -c fd:5
	assert_line --regexp '^ +[0-9]+ +3  test +2  1,2 '
	must iommufdctl show -c fd:5 3
	assert_line --regexp '^refers_to +1,2$'
	assert_line --regexp '^referred_by +4$'
	must iommufdctl list -c fd:5 --json --type ioas
	assert_json '[.contexts[].objects[].id] == [1, 5]'
	drv_close
}

@test "contexts that no process can be seen to hold are listed too" {
	exec 5<>/dev/iommu
	drv_open 5
	id=$(ctx_id)
	exec 5>&-
	must iommufdctl list --json
	assert_json ".contexts | length == 1 and .[0].id == $id and .[0].holders == []"
	must iommufdctl list -c "$id" --json
	assert_json ".contexts[0].objects == []"
	drv_close
}

@test "show tells of an IOAS all that there is" {
	exec 5<>/dev/iommu
	must helper ioas 5
	must helper space 5 1 allow 0 0xffffff
	must helper space 5 1 map 0x10000 0x3000 rw
	must helper space 5 1 map 0x40000 0x1000 r
	must iommufdctl show 1 -c fd:5 --json
	assert_schema "$SCHEMA" '#/$defs/show'
	assert_json '.contexts[0].objects[0] | .areas == 2 and .mapped_bytes == 16384 and .pinned_bytes == 0'
	assert_json '.contexts[0].objects[0] | .alignment == 1 and .huge_pages == true'
	assert_json '.contexts[0].objects[0].ranges == [{"start": "0x0", "last": "0xffffffffffffffff"}]'
	assert_json '.contexts[0].objects[0].allowed == [{"start": "0x0", "last": "0xffffff"}]'
	assert_json '.contexts[0].objects[0].reserved == []'
	assert_json '.contexts[0].objects[0].mappings == [
		{"start": "0x10000", "last": "0x12fff", "readable": true, "writeable": true},
		{"start": "0x40000", "last": "0x40fff", "readable": true, "writeable": false}]'
	must iommufdctl show 1 -c fd:5
	assert_line --regexp '^mappings +0x10000-0x12fff rw$'
	assert_line --regexp '^ +0x40000-0x40fff r-$'
	assert_line --regexp '^huge_pages +yes$'
	must iommufdctl list -c fd:5
	assert_line --regexp ' 2 +16 KiB +0 B '
}

@test "more referrers than the kernel tells at once are all there" {
	local n
	exec 5<>/dev/iommu
	must helper ioas 5
	drv_open 5
	for ((n = 0; n < 100; n++)); do drv create 1; done
	must iommufdctl show -c fd:5 1 --json
	assert_json '.contexts[0].objects[0].referred_by == [range(2; 102)]'
	must iommufdctl list -c fd:5 --json
	assert_json '.contexts[0].objects[0].referred_by == [range(2; 102)]'
	assert_json '.contexts[0].objects | length == 101'
	must_fail 4 iommufdctl destroy -c fd:5 1 --json
	assert_json '.referred_by == [range(2; 102)]'
	must_fail 4 iommufdctl destroy -c fd:5 1
	assert_output --partial 'in use by test 2, test 3, test 4, test 5 and 96 more,'
	must iommufdctl destroy -c fd:5 1 --recursive
	must iommufdctl list -c fd:5 --json
	assert_json '.contexts[0].objects == []'
	drv_close
}

@test "EBUSY names who refers to the object, and the process" {
	family
	# Not by run, whose own shell would be one more holder.
	status=0
	iommufdctl destroy -c fd:5 1 2>"$BATS_TEST_TMPDIR/err" || status=$?
	assert_equal "$status" 4
	assert_equal "$(<"$BATS_TEST_TMPDIR/err")" "iommufdctl: destroy 1: in use by test 2, test 3, in a context held by bash[$BASHPID]: destroy what uses it first, or add --recursive"
	status=0
	iommufdctl destroy -c fd:5 3 --json 2>"$BATS_TEST_TMPDIR/err" || status=$?
	assert_equal "$status" 4
	output=$(<"$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.errno == "EBUSY" and .id == 3 and .referred_by == [4]'
	assert_json ".holders == [{\"pid\": $BASHPID, \"comm\": \"bash\", \"fd\": 5}]"
	# each id its own
	must_fail 4 iommufdctl destroy -c fd:5 2 3
	assert_line --partial 'destroy 2: in use by test 3,'
	assert_line --partial 'destroy 3: in use by test 4,'
	# a driver's reference has no name, a driver's object has no end
	drv hold 5
	must_fail 4 iommufdctl destroy -c fd:5 5
	assert_output --partial 'in use by a driver'
	drv drop 5
	id=$(drv_make own)
	must_fail 4 iommufdctl destroy -c fd:5 "$id"
	assert_output --partial 'it belongs to a driver'
	drv_close
}

@test "destroy --recursive clears the way, and nothing else" {
	family
	must iommufdctl destroy -c fd:5 1 --recursive
	assert_output ''
	must iommufdctl list -c fd:5 --json
	assert_json '[.contexts[].objects[].id] == [5]'
	must_fail 3 iommufdctl destroy -c fd:5 1 --recursive
	must iommufdctl destroy -c fd:5 5 --recursive
	drv_close
}

@test "destroy --recursive stops at what a driver holds, and says so" {
	family
	drv hold 4
	must_fail 4 iommufdctl destroy -c fd:5 1 5 --recursive
	assert_output --partial 'destroy 4: in use by a driver'
	assert_equal "${#lines[@]}" 1
	# 3 is 4's, and 2 was in nobody's way but 3's
	must iommufdctl list -c fd:5 --json
	assert_json '[.contexts[].objects[].id] == [1, 2, 3, 4]'
	drv drop 4
	must iommufdctl destroy -c fd:5 1 --recursive
	drv_close
}

@test "destroy --recursive takes a chain of 3,000 in its stride" {
	exec 5<>/dev/iommu
	drv_open 5
	drv chain 3000 up
	must iommufdctl destroy -c fd:5 1 --recursive
	must iommufdctl list -c fd:5 --json
	assert_json '.contexts[0].objects == []'
	drv_close
}

@test "destroy --recursive without the right to ask" {
	family
	must_fail 5 as_user iommufdctl destroy -c fd:5 1 --recursive
	assert_output --partial 'does not tell by what: CAP_SYS_ADMIN in'
	must_fail 4 as_user iommufdctl destroy -c fd:5 1
	assert_output --partial 'in use by another object or by a driver'
	# what is in nobody's way needs no question
	must as_user iommufdctl destroy -c fd:5 4 3 2 --recursive
	drv_close
}

@test "the tree: below each object what it uses" {
	family
	iommufdctl list -c fd:5 --tree >"$BATS_TEST_TMPDIR/out"
	output=$(<"$BATS_TEST_TMPDIR/out")
	output=$(sed -E 's/^context [0-9]+/context 7/; s/\[[0-9]+\]/[812]/' <<<"$output")
	golden tree.txt
	# JSON has one shape, tree or not
	must iommufdctl list -c fd:5 --tree --json
	assert_schema "$SCHEMA" '#/$defs/list'
	must iommufdctl list --tree --type ioas
	refute_output --partial test
	assert_line --regexp '^\|- ioas 1 '
	drv_close
}

@test "the tree has lines on a terminal that can show them" {
	family
	must env LC_ALL=C.UTF-8 script -qec "iommufdctl list -c fd:5 --tree" /dev/null
	assert_output --partial '└─ ioas 5'
	must env LC_ALL=C script -qec "iommufdctl list -c fd:5 --tree" /dev/null
	assert_output --partial '`- ioas 5'
	drv_close
}

@test "the tree of a circle, and of a chain deeper than a page is wide" {
	exec 5<>/dev/iommu
	drv_open 5
	drv chain 100 up
	must iommufdctl list -c fd:5 --tree
	assert_line --partial '(and more below)'
	for id in 1 50 100; do
		grep -qE " test $id( |\$)" <<<"$output"
	done
	drv_close
	exec 5>&-
}

@test "the graph is DOT" {
	family
	iommufdctl graph -c fd:5 >"$BATS_TEST_TMPDIR/out"
	output=$(<"$BATS_TEST_TMPDIR/out")
	output=$(sed -E 's/context [0-9]+/context 7/; s/\[[0-9]+\]/[812]/' <<<"$output")
	golden graph.dot
	must_fail 64 iommufdctl graph --json
	assert_output --partial 'list --json'
	drv_close
}

@test "a process's name does not end a label" {
	cat >"$BATS_TEST_TMPDIR/evil.py" <<-'PY'
		import ctypes, os, sys
		ctypes.CDLL(None).prctl(15, b'a"];\\n{')
		os.open("/dev/iommu", os.O_RDWR)
		print("ready", flush=True)
		sys.stdin.read()
	PY
	coproc evil { exec python3 "$BATS_TEST_TMPDIR/evil.py"; }
	read -r <&"${evil[0]}"
	must iommufdctl graph
	assert_output --partial 'a\"];\\n{'
	eval "exec ${evil[1]}>&-"
	wait
}

# monitor NAME [ARG...]: writes what it hears to $NAME, from now on
monitor() {
	local name=$1 fd
	shift
	iommufdctl monitor "$@" >"$BATS_TEST_TMPDIR/$name" 2>"$BATS_TEST_TMPDIR/$name.err" 5>&- &
	MONITORS+=($!)
	wait_for hears "$BATS_TEST_TMPDIR/$name"
}

# Nothing tells that it listens but that it hears something.
hears() {
	exec {fd}<>/dev/iommu
	exec {fd}>&-
	sleep 0.2
	[[ -s $1 ]]
}

# What NAME has heard that is about the context ID, without times.
heard() { sed -n "s/^[^ ]*Z  \(.*context $2\(,\|\$\)\)/\1/p" "$BATS_TEST_TMPDIR/$1"; }
heard_all() { [[ $(heard "$1" "$2" | wc -l) == "$3" ]]; }

@test "monitor tells of contexts and objects as they come and go" {
	monitor text
	monitor json --json
	family
	id=$(ctx_id)
	must iommufdctl destroy -c fd:5 4
	drv_close
	exec 5>&-
	wait_for heard_all text "$id" 8
	diff <(heard text "$id" | tr -s ' ') - <<-EOF
		context-created context $id
		object-created context $id, ioas 1
		object-created context $id, test 2
		object-created context $id, test 3
		object-created context $id, test 4
		object-created context $id, ioas 5
		object-destroyed context $id, test 4
		context-destroyed context $id
	EOF
	grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z  ' "$BATS_TEST_TMPDIR/text"
	# the same in JSON, an object a line
	while read -r output; do
		assert_schema "$SCHEMA" '#/$defs/monitor'
	done < <(tail -n 3 "$BATS_TEST_TMPDIR/json")
	diff <(gojq -r "select(.context == $id) | \"\(.event) \(.id) \(.type)\"" "$BATS_TEST_TMPDIR/json") - <<-EOF
		context-created null null
		object-created 1 ioas
		object-created 2 test
		object-created 3 test
		object-created 4 test
		object-created 5 ioas
		object-destroyed 4 test
		context-destroyed null null
	EOF
}

@test "what is made by mistake has no event" {
	monitor text
	exec 5<>/dev/iommu
	id=$(ctx_id)
	drv_open 5
	drv_fails 'Input/output error' fail reserved
	drv_fails 'Input/output error' fail whole
	must helper ioas 5
	wait_for heard_all text "$id" 2
	drv_close
}

@test "monitor of one context hears nothing of others" {
	exec 5<>/dev/iommu
	iommufdctl monitor -c fd:5 >"$BATS_TEST_TMPDIR/one" &
	MONITORS+=($!)
	exec 6<>/dev/iommu
	hears_one() {
		helper ioas 6
		helper ioas 5 && sleep 0.2
		[[ -s $BATS_TEST_TMPDIR/one ]]
	}
	wait_for hears_one
	run grep -v "context $(ctx_id), " "$BATS_TEST_TMPDIR/one"
	assert_output ''
	exec 6>&-
}

@test "an overrun is told, and what there is then follows" {
	exec 5<>/dev/iommu
	id=$(ctx_id)
	monitor json --json
	kill -STOP "${MONITORS[0]}"
	must helper many 5 6000
	# shellcheck disable=SC2046 # ids
	must iommufdctl -c fd:5 destroy $(seq 1 2 6000)
	kill -CONT "${MONITORS[0]}"
	ended() { tail -n 1 "$BATS_TEST_TMPDIR/json" | grep -q '"id": 6000,'; }
	overran() { grep -q '"overrun"' "$BATS_TEST_TMPDIR/json"; }
	wait_for overran
	wait_for ended
	output=$(grep '"overrun"' "$BATS_TEST_TMPDIR/json")
	assert_schema "$SCHEMA" '#/$defs/monitor'
	assert_json '.context == null and .id == null'
	# Who starts anew at each overrun knows what there is.
	diff <(gojq -sr "reduce .[] as \$e ({};
			if \$e.event == \"overrun\" then {}
			elif \$e.event == \"object-created\" then .[\"\(\$e.id)\"] = 1
			elif \$e.event == \"object-destroyed\" then del(.[\"\(\$e.id)\"])
			else . end) | keys[]" "$BATS_TEST_TMPDIR/json" | sort -n) \
		<(seq 2 2 6000)
	# and it goes on as before
	must helper ioas 5
	said() { tail -n 1 "$BATS_TEST_TMPDIR/json" | grep -q '"id": 1,'; }
	wait_for said
}

@test "monitor without the right to, without the module, and when that goes" {
	must_fail 5 as_user iommufdctl monitor
	assert_output --partial 'CAP_SYS_ADMIN in the initial user namespace'
	must_fail 5 unshare -n iommufdctl monitor
	assert_output --partial 'initial network namespace'
	must_fail 5 unshare -Urn iommufdctl monitor --json
	assert_schema "$SCHEMA" '#/$defs/error'
	monitor text
	wait_for module_unused
	rmmod iommufd
	status=0
	wait "${MONITORS[0]}" || status=$?
	assert_equal "$status" 2
	grep -q 'the iommufd module was unloaded' "$BATS_TEST_TMPDIR/text.err"
	must_fail 2 iommufdctl monitor
	assert_output --partial 'the iommufd module is not loaded'
}

@test "a monitor whose output is closed ends" {
	iommufdctl monitor >/dev/full 2>"$BATS_TEST_TMPDIR/err" &
	local pid=$!
	gone() {
		exec 5<>/dev/iommu
		exec 5>&-
		! kill -0 $pid 2>/dev/null
	}
	wait_for gone
	status=0
	wait $pid || status=$?
	assert_equal "$status" 1
	grep -q 'No space left' "$BATS_TEST_TMPDIR/err"
}

@test "where netlink does not answer, the probe does" {
	hold 6
	must iommufdctl create ioas -c "pid:$HOLDER"
	for how in "unshare -n" "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin"; do
		# shellcheck disable=SC2086 # words
		output=$($how iommufdctl list --json 2>/dev/null)
		assert_json '.source == "probe"'
		assert_json '[.contexts[].objects[].id] == [1]'
		# shellcheck disable=SC2086 # words
		output=$($how iommufdctl show 1 -c "pid:$HOLDER" --json 2>/dev/null)
		assert_json '.source == "probe"'
	done
}
