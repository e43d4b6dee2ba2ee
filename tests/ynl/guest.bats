# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's own netlink client, which knows of our family only what
# netlink/iommufd.yaml tells it, run from the source package of Debian's kernel.

load ../lib/guest
load ../lib/testdrv

setup() {
	guest_setup
	YNL=$(XDG_CACHE_HOME=$HOST_CACHE "$TOP/tests/vm/kernel.sh" --files)
	exec 5<>/dev/iommu
	CTX=$(sed -n 's/^iommufd-ctx:\t//p' "/proc/$BASHPID/fdinfo/5")
}

teardown() {
	exec 5>&-
	guest_teardown
}

# client ARG...: whether the specification is as the kernel wants them takes most of
# the client's time, and is asked once, below.
client() {
	exec python3 "$YNL/tools/net/ynl/cli.py" --output-json \
		--spec "$TOP/kernel/netlink/iommufd.yaml" --no-schema "$@"
}

ynl() { must client "$@"; }

@test "the specification is as the kernel's schema has it" {
	must python3 "$YNL/tools/net/ynl/cli.py" \
		--spec "$TOP/kernel/netlink/iommufd.yaml" \
		--schema "$YNL/Documentation/netlink/genetlink-c.yaml" \
		--list-msgs
	assert_line --partial 'object-created '
}

@test "contexts, one and all" {
	exec 6<>/dev/iommu
	must helper many 5 3
	ynl --do context-get --json "{\"id\": $CTX}"
	assert_json ".id == $CTX and .objects == 3 and .\"opener-uid\" == 0"
	assert_json '."opener-comm" == "bash" and ."rlimit-mode" == "user"'
	ynl --dump context-get
	assert_json "[.[].id] == [$CTX, $CTX + 1]"
	exec 6>&-
}

@test "objects, with what an IOAS has, and filters" {
	must helper ioas 5
	drv_open 5
	drv create 1
	drv create 1 2
	ynl --do object-get --json "{\"context\": $CTX, \"id\": 1}"
	assert_json '.type == "ioas" and ."referred-by" == [2, 3] and .users == 3'
	assert_json '.ioas == {"areas": 0, "mapped-bytes": 0, "pinned-bytes": 0,
		"alignment": 1, "huge-pages": 1}'
	ynl --dump object-get
	assert_json '[.[] | [.id, .type, ."refers-to"]] == [[1, "ioas", null],
		[2, "test", [1]], [3, "test", [1, 2]]]'
	ynl --dump object-get --json '{"refers-to": 2}'
	assert_json '[.[].id] == [3]'
	drv_close
}

@test "ranges of an IOAS" {
	must helper ioas 5
	ynl --dump range-get --json "{\"context\": $CTX, \"object\": 1}"
	assert_json '[.[] | [.kind, .start]] == [["usable", 0]]'
	assert_json '.[0].last == 18446744073709551615'
}

# A generic netlink socket that is in some group
someone_listens() {
	awk '$2 == 16 && $4 !~ /^0*$/ { found = 1 } END { exit !found }' \
		/proc/net/netlink
}

@test "events" {
	must helper ioas 5
	# Not 5>&-, of which Bash would keep a copy for later.
	coproc listener { exec 5>&-; client --subscribe events --sleep 15; }
	wait_for someone_listens
	must helper ioas 5
	must helper destroy 5 1
	output=$(cat <&"${listener[0]}")
	assert_json "[.[] | [.name, .msg]] == [
		[\"object-created\", {\"context\": $CTX, \"id\": 2, \"type\": \"ioas\"}],
		[\"object-destroyed\", {\"context\": $CTX, \"id\": 1, \"type\": \"ioas\"}]]"
}
