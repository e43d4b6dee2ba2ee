# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holders and contexts, found in scratch trees: hosts of any sort, on any host.

load ../lib/host
load ../golden/golden

setup() {
	host_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root
	mkdir -p "$IOMMUFDCTL_ROOT/proc"
}

# process PID COMM
process() {
	local dir=$IOMMUFDCTL_ROOT/proc/$1
	mkdir -p "$dir/fd" "$dir/fdinfo"
	printf '%s\n' "$2" >"$dir/comm"
	ln -s /dev/null "$dir/fd/0"
	printf 'pos:\t0\nflags:\t02\n' >"$dir/fdinfo/0"
}

# opening PID FD [LINE...]: an iommufd whose fdinfo has these lines too
opening() {
	local dir=$IOMMUFDCTL_ROOT/proc/$1 fd=$2
	shift 2
	ln -s /dev/iommu "$dir/fd/$fd"
	printf 'pos:\t0\nflags:\t02\nmnt_id:\t22\n' >"$dir/fdinfo/$fd"
	((!$#)) || printf '%b\n' "$@" >>"$dir/fdinfo/$fd"
}

# a host with three contexts; that the last is empty is known from outside
host() {
	mkdir -p "$IOMMUFDCTL_ROOT/proc/sys" "$IOMMUFDCTL_ROOT/proc/self"
	process 1 systemd
	process 812 qemu-system-x86
	opening 812 21 'iommufd-ctx:\t7' 'iommufd-objects:\t3' 'iommufd-ioas:\t2'
	opening 812 9 'iommufd-ctx:\t12' 'iommufd-objects:\t0'
	process 95 orchestrator
	opening 95 3 'iommufd-ctx:\t7' 'iommufd-objects:\t3' 'iommufd-ioas:\t2'
	opening 95 30 'iommufd-ctx:\t7' 'iommufd-objects:\t3' 'iommufd-ioas:\t2'
	process 1000 bash
	opening 1000 10 'iommufd-ctx:\t9' 'iommufd-objects:\t1'
}

@test "a host with three contexts, as a table" {
	host
	output=$(iommufdctl list 2>/dev/null)
	golden replay-three.txt
}

@test "a host with three contexts, as JSON" {
	host
	output=$(iommufdctl list --json 2>"$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/list'
	golden replay-three.json
	output=$(<"$BATS_TEST_TMPDIR/err")
	assert_schema "$SCHEMA" '#/$defs/note'
}

@test "a host without contexts: header alone, and an empty array" {
	process 1 init
	must iommufdctl list
	assert_equal "${#lines[@]}" 1
	assert_line --regexp '^CONTEXT .* HOLDERS$'
	must iommufdctl list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.contexts == []'
}

@test "one context is chosen by id, by process, and by its descriptor" {
	host
	for c in 7 pid:95 pid:95:3 pid:95:30 pid:812:21; do
		output=$(iommufdctl list --json -c $c 2>/dev/null)
		assert_json '[.contexts[].id] == [7]'
		assert_json '[.contexts[].holders[].pid] == [95, 95, 812]'
	done
	output=$(IOMMUFDCTL_CONTEXT=pid:1000 iommufdctl list --json 2>/dev/null)
	assert_json '[.contexts[].id] == [9]'
}

@test "a process with two contexts must be told which; twice the same is one" {
	host
	must_fail 1 iommufdctl list -c pid:812
	assert_output --partial "holds 2 contexts: choose from pid:812:21, pid:812:9"
	must iommufdctl list -c pid:95
}

@test "what is not there: 3, and what to choose from" {
	host
	must_fail 3 iommufdctl list -c 8
	assert_output --partial "no context 8"
	must_fail 3 iommufdctl list -c pid:1
	assert_output --partial "process 1 holds no context"
	must_fail 3 iommufdctl list -c pid:2
	assert_output --partial "process 2"
	must_fail 3 iommufdctl list -c pid:95:4
	assert_output --partial "choose from pid:95:3"
	must_fail 3 iommufdctl list -c pid:95:0 --json
	assert_schema "$SCHEMA" '#/$defs/error'
}

@test "nothing of a replayed host is taken" {
	host
	# a process of this host with the same number must not be touched
	process $$ bash
	opening $$ 1 'iommufd-ctx:\t44' 'iommufd-objects:\t1'
	output=$(iommufdctl list -c 44 --json 2>/dev/null)
	assert_json '.contexts[0].objects == null'
	assert_json ".contexts[0].holders == [{pid: $$, comm: \"bash\", fd: 1}]"
	for args in "create ioas" "destroy 1" "show 1" "run true"; do
		# shellcheck disable=SC2086 # words
		must_fail 2 iommufdctl -c pid:$$ $args
		assert_output --partial IOMMUFDCTL_ROOT
	done
}

@test "a driver that numbers no contexts: ids are null, each opening stands alone" {
	process 5 a
	opening 5 3
	process 6 b
	opening 6 3
	output=$(iommufdctl list --json 2>/dev/null)
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '[.contexts[].id] == [null, null]'
	must_fail 2 iommufdctl list -c 1
	assert_output --partial "does not number its contexts"
}

@test "processes that are gone, or half gone, are no trouble" {
	host
	mkdir -p "$IOMMUFDCTL_ROOT/proc/70"
	mkdir -p "$IOMMUFDCTL_ROOT/proc/71/fd"
	process 72 gone
	opening 72 3 'iommufd-ctx:\t7' 'iommufd-objects:\t3'
	rm -r "$IOMMUFDCTL_ROOT/proc/72/comm" "$IOMMUFDCTL_ROOT/proc/72/fdinfo"
	echo file >"$IOMMUFDCTL_ROOT/proc/73"
	output=$(iommufdctl list --json 2>/dev/null)
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '[.contexts[].id] == [7, 9, 12]'
}

@test "names that processes chose: no control characters, always valid" {
	process 5 $'\e[31mred\e[0m'
	opening 5 3 'iommufd-ctx:\t1' 'iommufd-objects:\t0'
	process 6 $'two\nlines'
	opening 6 3 'iommufd-ctx:\t2' 'iommufd-objects:\t0'
	process 7 $'\xff\xfe\xc2\x9bbad\xe2\x82'
	opening 7 3 'iommufd-ctx:\t3' 'iommufd-objects:\t0'
	process 8 'größe €𝄞 "q" \b'
	opening 8 3 'iommufd-ctx:\t4' 'iommufd-objects:\t0'
	process 9 ''
	opening 9 3 'iommufd-ctx:\t5' 'iommufd-objects:\t0'
	output=$(iommufdctl list --json 2>/dev/null)
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.contexts[0].holders[0].comm == "?[31mred?[0m"'
	assert_json '.contexts[1].holders[0].comm == "two?lines"'
	assert_json '.contexts[2].holders[0].comm == "????bad??"'
	assert_json '.contexts[3].holders[0].comm == "größe €𝄞 \"q\" \\b"'
	assert_json '.contexts[4].holders[0].comm == ""'
	output=$(iommufdctl list 2>/dev/null)
	refute_output --partial $'\e'
	assert_equal "$(wc -l <<<"$output")" 6
}

@test "fdinfo of any shape is read by its keys" {
	process 5 a
	opening 5 3 'iommufd-new:\tx' 'iommufd-ctx: \t 18' 'iommufd-ctxx:\t99' \
		'iommufd-objects:\t-1' 'xiommufd-ctx:\t98' ''
	opening 5 4 'iommufd-ctx:\t99999999999999999999'
	opening 5 5 'iommufd-ctx:'
	opening 5 6 'iommufd-ctx:\t19x'
	printf 'iommufd-ctx:\t20' >"$IOMMUFDCTL_ROOT/proc/5/fdinfo/6"
	output=$(iommufdctl list --json 2>/dev/null)
	assert_json '[.contexts[].id] == [18, 20]'
}

@test "--type leaves contexts in JSON, and drops their lines in text" {
	host
	output=$(iommufdctl list --type device --json 2>/dev/null)
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.contexts | length == 3'
	output=$(iommufdctl list --type device 2>/dev/null)
	assert_equal "$(wc -l <<<"$output")" 1
}

@test "a host with 500 processes that hold 100 contexts" {
	for ((i = 1; i <= 500; i++)); do
		process $i vmm
		opening $i 3 "iommufd-ctx:\t$((i % 100 + 1))" 'iommufd-objects:\t0'
	done
	output=$(iommufdctl list --json 2>/dev/null)
	assert_json '[.contexts[].id] == [range(1; 101)]'
	assert_json '[.contexts[].holders | length] | unique == [5]'
}

@test "completion of contexts names ids and processes" {
	host
	must iommufdctl completion contexts
	assert_line $'7\torchestrator'
	assert_line $'pid:812:9\tqemu-system-x86'
	assert_line $'12\tqemu-system-x86'
}
