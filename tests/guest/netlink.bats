# SPDX-License-Identifier: GPL-2.0-or-later
#
# The generic netlink family, asked in raw messages: iommufd_netlink.h.

load ../lib/guest
load ../lib/testdrv

setup() {
	guest_setup
	exec 5<>/dev/iommu
	CTX=$(ctx_id 5)
}

teardown() {
	exec 5>&-
	chmod 660 /dev/iommu
	# A dump that a test has failed in the middle of.
	module_unused || ask_server go on || true
	guest_teardown
}

CONTEXT_GET=1 OBJECT_GET=2 RANGE_GET=3

ctx_id() { context_at "/proc/$BASHPID/fdinfo/$1"; }

# $output is the reply: an object a message, then the end of it.
ask() {
	ask_server genl "$@" || fail "$REPLY"
	output=$REPLY
}

# Attributes of all messages, as [number, value]: hex bytes as a number or text.
ATTRS='def le: [scan("..")] | reverse | join("") | ascii_downcase | explode |
	map(if . > 57 then . - 87 else . - 48 end) | reduce .[] as $d (0; . * 16 + $d);
	def attr($n): [.attrs[] | select(.[0] == $n) | .[1] | le];
	def text($n): [.attrs[] | select(.[0] == $n) | .[1]][0];'

# of_reply EXPR: EXPR holds of the array of messages and the end
of_reply() {
	assert_json_values "$ATTRS $1"
}

hex() {
	local i
	for ((i = 0; i < ${#1}; i++)); do
		printf %02x "'${1:i:1}"
	done
	echo 00
}

@test "a context: its id, who opened it, how many objects" {
	must helper many 5 3
	ask $CONTEXT_GET "2:u64:$CTX"
	of_reply 'length == 2 and .[1].end == null'
	of_reply ".[0] | [.attrs[][0]] == [2, 3, 4, 5, 6, 7, 8, 9]"
	of_reply ".[0] | attr(2) == [$CTX] and attr(3) == [$BASHPID]"
	of_reply ".[0] | text(4) == \"$(hex bash)\""
	of_reply '.[0] | attr(5) == [0] and attr(6) == [3] and attr(7) == [0] and attr(8) == [0]'
	of_reply ".[0] | attr(9) == [$(($(ulimit -l) * 1024))]"
	ulimit -S -l 1024
	ask $CONTEXT_GET "2:u64:$CTX"
	of_reply ".[0] | attr(9) == [1048576]"
}

@test "a context that another user opened, in a process that is gone" {
	chmod 666 /dev/iommu
	coproc opener { as_user bash -c 'exec 6<>/dev/iommu; sed -n "s/^iommufd-ctx:\t//p" /proc/self/fdinfo/6; read -r' 5>&-; }
	read -r id <&"${opener[0]}"
	ask $CONTEXT_GET "2:u64:$id"
	of_reply '.[0] | attr(5) == [65534] and attr(6) == [0]'
	# one that cannot be seen from the reader's pid namespace is left out
	run unshare --fork --pid python3 -IS "$TOP/tests/lib/genl.py" ask $CONTEXT_GET "2:u64:$id"
	of_reply '.[0] | [.attrs[][0]] == [2, 4, 5, 6, 7, 8, 9]'
	eval "exec ${opener[1]}>&-"
	wait
	ask $CONTEXT_GET "2:u64:$id"
	of_reply '.[0].end == "ENOENT" and (.[0].text | length > 0)'
}

@test "all contexts, in the order of their ids" {
	exec 6<>/dev/iommu 7<>/dev/iommu
	ask $CONTEXT_GET dump
	of_reply "[.[:-1][] | attr(2)[]] == [$CTX, $(ctx_id 6), $(ctx_id 7)]"
	of_reply '.[-1] == {"end": null, "text": null, "intr": false}'
	exec 6>&- 7>&-
	exec 5>&-
	ask $CONTEXT_GET dump
	of_reply 'length == 1 and .[0].end == null'
}

@test "an object: id, type, users, what it refers to and what refers to it" {
	must helper ioas 5
	drv_open 5
	drv create 1
	drv create 2 1 1
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:2
	of_reply 'length == 2 and .[1].end == null'
	of_reply ".[0] | attr(2) == [$CTX] and attr(3) == [2]"
	of_reply ".[0] | text(4) == \"$(hex test)\""
	of_reply '.[0] | attr(5) == [1] and attr(6) == [3] and attr(8) == [2]'
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	of_reply '.[0] | attr(5) == [] and attr(6) == [2, 3, 3] and attr(8) == [4]'
	of_reply ".[0] | text(4) == \"$(hex ioas)\""
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:3
	of_reply '.[0] | attr(5) == [2, 1, 1] and attr(6) == [] and attr(8) == [1]'
	# A reference that no object holds counts, and no one is named.
	drv hold 3
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:3
	of_reply '.[0] | attr(6) == [] and attr(8) == [2]'
	drv drop 3
	# What is destroyed refers to nothing any more.
	must helper destroy 5 3
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	of_reply '.[0] | attr(6) == [2] and attr(8) == [2]'
	drv_close
}

@test "an object of the kernel's own is told of as that" {
	local id
	drv_open 5
	id=$(drv_make own)
	ask $OBJECT_GET "2:u64:$CTX" "3:u32:$id"
	of_reply '.[0] | text(9) == "" and attr(8) == [2]'
	must helper ioas 5
	ask $OBJECT_GET "2:u64:$CTX" "3:u32:$((id + 1))"
	of_reply '.[0] | text(9) == null'
	drv_close
}

@test "an IOAS: areas, bytes, alignment, huge pages" {
	must helper ioas 5
	must helper space 5 1 map 0x10000 0x3000 rw
	must helper space 5 1 map 0x40000 0x1000 r
	must helper space 5 1 small
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	# areas, mapped, pinned, alignment, huge pages
	# Without huge pages, nothing smaller than a page is of use.
	of_reply ".[0] | text(10) == \"0c000200$(le64 2)0c000300$(le64 16384)0c000400$(le64 0)0c000500$(le64 4096)0500060000000000\""
	must helper ioas 5
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:2
	of_reply ".[0] | text(10) | test(\"0500060001000000$\")"
}

@test "an access: whose it is, what it has pinned, and what it is attached to" {
	local id
	must helper ioas 5
	must helper ioas 5
	drv_open 5
	id=$(drv_make access obey)
	ask $OBJECT_GET "2:u64:$CTX" "3:u32:$id"
	of_reply ".[0] | text(4) == \"$(hex access)\" and attr(5) == [] and text(9) == \"\""
	of_reply ".[0] | text(11) | startswith(\"$(owner_attr iommufd_testdrv)\")"
	of_reply ".[0] | text(11) | endswith(\"0c000300$(le64 0)\")"
	drv attach "$id" 1
	ask $OBJECT_GET "2:u64:$CTX" "3:u32:$id"
	of_reply '.[0] | attr(5) == [1] and attr(8) == [2]'
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	of_reply ".[0] | attr(6) == [$id] and attr(8) == [2]"
	drv replace "$id" 2
	ask $OBJECT_GET "2:u64:$CTX" "3:u32:$id"
	of_reply '.[0] | attr(5) == [2]'
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	of_reply '.[0] | attr(6) == [] and attr(8) == [1]'
	must_fail 4 iommufdctl destroy -c fd:5 2 --json
	assert_json ".referred_by == [$id]"
	must_fail 4 iommufdctl destroy -c fd:5 2
	assert_output --partial "in use by access $id, in a context held by"
	assert_output --partial "the driver has to let go of it first"
	must iommufdctl show "$id" -c fd:5 --json
	assert_json '.contexts[0].objects[0] | .owner == "iommufd_testdrv" and .pinned_bytes == 0'
	drv detach "$id"
	ask $OBJECT_GET "2:u64:$CTX" "3:u32:$id"
	of_reply '.[0] | attr(5) == []'
	drv end "$id"
	drv_close
}

# What a name of a module is as an attribute, without its padding.
owner_attr() { printf '%02x000200%s' $((4 + ${#1} + 1)) "$(hex "$1")"; }

@test "what is pinned is told of the access, the IOAS and the context" {
	exec 6<>/dev/iommu
	# Memory that stays: of a process that stays.
	cat >"$BATS_TEST_TMPDIR/vmm.py" <<-'PY'
		import ctypes, fcntl, mmap, struct, sys
		memory = mmap.mmap(-1, 0x4000)
		at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
		new = bytearray(struct.pack("=III", 12, 0, 0))
		fcntl.ioctl(6, 0x3b81, new)
		ioas = struct.unpack("=III", new)[2]
		fcntl.ioctl(6, 0x3b85, struct.pack("=IIIIQQQ", 40, 7, ioas, 0, at, 0x4000, 0x100000))
		print(ioas, flush=True)
		sys.stdin.read()
	PY
	# shellcheck disable=SC2030 # the descriptors are there to be open
	coproc vmm { exec python3 "$BATS_TEST_TMPDIR/vmm.py"; }
	read -r id <&"${vmm[0]}"
	drv_open 6
	access=$(drv_make access obey)
	drv attach "$access" "$id"
	[[ $(drv_make pin "$access" 0x100000 0x3000 1) == 3 ]]
	must iommufdctl list -c fd:6 --json
	assert_json ".contexts[0].pinned_bytes == 12288"
	assert_json "[.contexts[0].objects[] | [.type, .pinned_bytes]] == [[\"ioas\", 12288], [\"access\", 12288]]"
	must grep "^$access " "$DEBUGFS/$(ctx_id 6)/objects"
	assert_output --regexp "^$access +access +2 +$id +- +- +- +12288 +iommufd_testdrv\$"
	drv unpin "$access" 0x100000 0x3000
	must iommufdctl list -c fd:6 --json
	assert_json ".contexts[0].pinned_bytes == 0"
	drv end "$access"
	drv_close
	eval "exec ${vmm[1]}>&-"
	wait
	exec 6>&-
}

le64() { printf '%016x' "$1" | sed -E 's/(..)(..)(..)(..)(..)(..)(..)(..)/\8\7\6\5\4\3\2\1/'; }

# of_ranges WANT: kind:start:last and what it allows, of all ranges in $output
of_ranges() {
	assert_json_values "$ATTRS
		[.[:-1][] | \"\(attr(4)[]):\(text(5)):\(text(6)):\(.attrs[4:] | map(select(.[0] > 6)[0]))\"] == $1 and .[-1].end == null"
}

@test "ranges of an IOAS: usable, allowed, reserved, and what is mapped" {
	local top=ffffffffffffffff
	must helper ioas 5
	ask $RANGE_GET dump "2:u64:$CTX" 3:u32:1
	of_ranges "[\"0:$(le64 0):$top:[]\"]"
	must helper space 5 1 allow 0x1000 0x1fff 0x100000 0xffffffffffffffff
	must helper space 5 1 map 0x100000 0x1000 r
	must helper space 5 1 map 0x101000 0x2000 w
	must helper space 5 1 map 0xfffffffffffff000 0x1000 rw
	ask $RANGE_GET dump "2:u64:$CTX" 3:u32:1
	of_ranges "[\"0:$(le64 0):$top:[]\",
		\"1:$(le64 0x1000):$(le64 0x1fff):[]\", \"1:$(le64 0x100000):$top:[]\",
		\"3:$(le64 0x100000):$(le64 0x100fff):[7]\",
		\"3:$(le64 0x101000):$(le64 0x102fff):[8]\",
		\"3:$(le64 0xfffffffffffff000):$top:[7,8]\"]"
	ask $RANGE_GET dump "2:u64:$CTX" 3:u32:1 4:u32:1
	of_ranges "[\"1:$(le64 0x1000):$(le64 0x1fff):[]\", \"1:$(le64 0x100000):$top:[]\"]"
	ask $RANGE_GET dump "2:u64:$CTX" 3:u32:1 4:u32:2
	of_ranges "[]"
	drv_open 5
	drv create
	ask $RANGE_GET dump "2:u64:$CTX" 3:u32:2
	of_reply 'length == 1 and .[0].end == "EOPNOTSUPP" and (.[0].text | test("only an address space"))'
	ask $RANGE_GET dump "2:u64:$CTX" 3:u32:3
	of_reply 'length == 1 and .[0].end == "ENOENT"'
	drv_close
}

@test "of many that refer to an object the first are told, and a dump has all" {
	local n
	must helper ioas 5
	drv_open 5
	for ((n = 0; n < 16; n++)); do drv create 1; done
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	of_reply '.[0] | attr(6) == [range(2; 18)] and text(7) == null'
	drv create 1
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	of_reply '.[0] | attr(6) == [range(2; 18)] and text(7) == ""'
	ask $OBJECT_GET dump "2:u64:$CTX" 5:u32:1
	of_reply '[.[:-1][] | attr(3)[]] == [range(2; 19)]'
	drv_close
}

@test "a dump can be narrowed down by context, id, type and what is referred to" {
	local other
	exec 6<>/dev/iommu
	other=$(ctx_id 6)
	must helper many 5 3
	must helper many 6 2
	drv_open 5
	drv create 2
	drv create 4 2
	of_dump() { # WANT FILTER...: context:id of all objects that fit
		local want=$1
		shift
		ask $OBJECT_GET dump "$@"
		assert_json_values "$ATTRS
			[.[:-1][] | \"\(attr(2)[]):\(attr(3)[])\"] == $want and .[-1].end == null"
	}
	of_dump "[\"$CTX:1\", \"$CTX:2\", \"$CTX:3\", \"$CTX:4\", \"$CTX:5\", \"$other:1\", \"$other:2\"]"
	of_dump "[\"$other:1\", \"$other:2\"]" "2:u64:$other"
	of_dump "[\"$CTX:2\", \"$other:2\"]" 3:u32:2
	of_dump "[\"$CTX:3\"]" 3:u32:3
	of_dump "[\"$CTX:4\", \"$CTX:5\"]" 4:str:test
	of_dump "[]" "2:u64:$other" 4:str:test
	of_dump "[\"$CTX:4\", \"$CTX:5\"]" 5:u32:2
	of_dump "[\"$CTX:5\"]" 5:u32:4
	of_dump "[\"$CTX:5\"]" 5:u32:2 "2:u64:$CTX" 3:u32:5 4:str:test
	of_dump "[]" 5:u32:77
	of_dump "[]" 3:u32:77
	drv_close
	exec 6>&-
}

@test "what is not there is ENOENT, in words" {
	must helper many 5 1
	for args in "$CONTEXT_GET 2:u64:0" "$CONTEXT_GET 2:u64:$((CTX + 1))" \
		"$CONTEXT_GET 2:u64:18446744073709551615" \
		"$OBJECT_GET 2:u64:$CTX 3:u32:2" "$OBJECT_GET 2:u64:$CTX 3:u32:0" \
		"$OBJECT_GET 2:u64:$CTX 3:u32:4294967295" \
		"$OBJECT_GET 2:u64:$CTX 3:u32:4294967294" \
		"$OBJECT_GET 2:u64:$((CTX + 1)) 3:u32:1" \
		"$OBJECT_GET dump 2:u64:$((CTX + 1))"; do
		# shellcheck disable=SC2086 # words
		ask $args
		of_reply 'length == 1 and .[0].end == "ENOENT" and (.[0].text | test("^there is no such "))'
	done
}

@test "an object that is not finished is not to be seen" {
	drv_open 5
	drv reserve 0 &
	wait_for_inflight
	must helper ioas 5
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1
	of_reply '.[0].end == "ENOENT"'
	ask $OBJECT_GET dump
	of_reply '[.[:-1][] | attr(3)[]] == [2]'
	ask $OBJECT_GET dump 3:u32:1
	of_reply 'length == 1 and .[0].end == null'
	drv_go 0
	wait $!
	drv_close
}

@test "malformed requests: each has an errno, and words" {
	must helper ioas 5
	must python3 -IS "$TOP/tests/lib/genl.py" sweep
	assert_json '.asked > 5000 and .accepted == [] and .silent == []'
	for args in "$CONTEXT_GET" "$OBJECT_GET 2:u64:$CTX" "$OBJECT_GET 3:u32:1"; do
		# shellcheck disable=SC2086 # words
		ask $args
		of_reply '.[0].end == "EINVAL" and (.[0].text | test("needed$"))'
	done
	ask $CONTEXT_GET dump "2:u64:$CTX"
	of_reply '.[0].end == "EINVAL" and (.[0].text | test("NLM_F_DUMP"))'
	ask $OBJECT_GET "2:u64:$CTX" 3:u32:1 4:str:ioas
	of_reply '.[0].end == "EINVAL" and (.[0].text | test("only a dump"))'
	for args in "3:u32:0" "5:u32:0" "4:str:nothing" "4:str:"; do
		ask $OBJECT_GET dump "$args"
		of_reply '.[-1].end == "EINVAL" and (.[-1].text | test("^no object|^there is no"))'
	done
	ask $OBJECT_GET "2:u64:$CTX" "2:u64:$CTX" 3:u32:1
	of_reply '.[0].end == "EINVAL" and (.[0].text | test("twice"))'
}

# refused TEXT CMD...: python3 run by CMD gets EPERM and TEXT for everything
refused() {
	local text=$1
	shift
	run "$@" python3 -IS "$TOP/tests/lib/genl.py" ask \
		$CONTEXT_GET "2:u64:$CTX" -- $CONTEXT_GET dump -- \
		$OBJECT_GET "2:u64:$CTX" 3:u32:1 -- $OBJECT_GET dump
	of_reply "map(.end) == [\"EPERM\", \"EPERM\", \"EPERM\", \"EPERM\"] and
		all(.[]; .text | test(\"$text\"))"
}

@test "it takes CAP_SYS_ADMIN in the initial user namespace" {
	must helper ioas 5
	refused "CAP_SYS_ADMIN in the initial user namespace" as_user
	refused "CAP_SYS_ADMIN in the initial user namespace" setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin
	refused "CAP_SYS_ADMIN in the initial user namespace" unshare -Ur
	refused "CAP_SYS_ADMIN in the initial user namespace" unshare -Urn
	# and nothing but that
	run setpriv --bounding-set=-all,+sys_admin --inh-caps=-all \
		python3 -IS "$TOP/tests/lib/genl.py" ask $OBJECT_GET dump
	of_reply 'length == 2 and .[-1].end == null'
}

@test "it is answered in the initial network namespace" {
	refused "initial network namespace" unshare -n
}

@test "who may not ask may not listen" {
	must as_user python3 -IS "$TOP/tests/lib/genl.py" join
	assert_output EPERM
	must unshare -Ur python3 -IS "$TOP/tests/lib/genl.py" join
	assert_output EPERM
	must python3 -IS "$TOP/tests/lib/genl.py" join
	assert_output 0
}

@test "in a namespace of one's own the group can be joined, and nothing comes" {
	cat >"$BATS_TEST_TMPDIR/listen.py" <<-PY
		import sys
		sys.path.insert(0, "$TOP/tests/lib")
		from genl import *
		g = Genl()
		g.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, g.group)
		print("joined", flush=True)
		sys.stdin.readline()
		g.sock.settimeout(0.5)
		try:
		    print(len(g.sock.recv(65536)))
		except TimeoutError:
		    print("nothing")
	PY
	local how want
	for how in "unshare -Urn" "unshare -n" env; do
		want=nothing
		[[ $how != env ]] || want='[1-9]*'
		# shellcheck disable=SC2086 # words
		coproc listener { exec $how python3 "$BATS_TEST_TMPDIR/listen.py" 5>&-; }
		read -r <&"${listener[0]}"
		must helper ioas 5
		eval "exec ${listener[1]}>&-"
		read -r heard <&"${listener[0]}"
		# shellcheck disable=SC2053 # a pattern
		[[ $heard == $want ]]
		# shellcheck disable=SC2154 # of the coproc
		wait "$listener_PID" || true
	done
}

# ids of all objects of CTX by a dump in small portions, one a line, and its end
dump_ids() {
	ask_server ids "2:u64:$CTX" || fail "$REPLY"
	echo "$REPLY"
}

@test "a dump of 5,000 objects has each once, in order; a quiet one is whole" {
	must helper many 5 5000
	diff <(dump_ids) <(seq 5000; echo whole)
}

@test "what lives through a dump is in it once, whatever comes and goes" {
	local churn n
	must helper many 5 1000
	# shellcheck disable=SC2046 # ids
	must iommufdctl -c fd:5 destroy $(seq 2 2 1000)
	"$HELPERS/churn" 5 600 >/dev/null &
	churn=$!
	for ((n = 0; n < 5; n++)); do
		# and that it was not quiet is said
		diff <(dump_ids | awk '/^i/ || ($1 % 2 && $1 < 1000)') \
			<(seq 1 2 999; echo interrupted)
	done
	kill "$churn"
	wait "$churn" || true
}

# stalled TEXT FILTER CMD...: a dump in whose middle CMD is run ends with TEXT
stalled() {
	local want=$1 filter=$2 end
	shift 2
	# shellcheck disable=SC2086 # words
	ask_server stall $OBJECT_GET $filter || fail "$REPLY"
	"$@"
	ask_server go on || fail "$REPLY"
	end=$REPLY
	echo "got $end, want $want"
	# shellcheck disable=SC2053 # a pattern
	[[ $end == $want ]]
}

@test "a dump tells if anything has changed in what it is about" {
	exec 6<>/dev/iommu
	must helper many 5 1000
	stalled "1000 None False" "2:u64:$CTX" true
	# elsewhere
	stalled "1000 None False" "2:u64:$CTX" helper many 6 1
	stalled "1002 None True" "" helper many 6 1
	stalled "1002 None False" "" true
	# behind where the dump is, and before
	stalled "1001 None True" "2:u64:$CTX" helper many 5 1
	stalled "1001 None True" "2:u64:$CTX" helper destroy 5 1
	# a context is a change of the whole, not of one
	stalled "1002 None True" "" eval 'exec 7<>/dev/iommu'
	stalled "1000 None False" "2:u64:$CTX" eval 'exec 7>&-'
	exec 6>&-
}

@test "a reader that stalls holds up nobody, and sees what is left" {
	must helper many 5 2000
	meanwhile() {
		# shellcheck disable=SC2046 # ids
		must iommufdctl -c fd:5 destroy $(seq 1001 2000)
		must helper churn 5 1
	}
	stalled "1000 None True" "" meanwhile
}

@test "a reader whose context goes away has an end" {
	exec 6<>/dev/iommu
	must helper many 6 2000
	stalled "[1-9]* None True" "2:u64:$(ctx_id 6)" eval 'exec 6>&-'
	must helper many 5 3
	ask $OBJECT_GET dump
	of_reply 'length == 4'
}

@test "a reader that dies in the middle leaves nothing behind" {
	must helper many 5 2000
	for n in 1 2 3; do
		coproc reader { exec python3 -IS "$TOP/tests/lib/genl.py" stall $OBJECT_GET 5>&-; }
		read -r <&"${reader[0]}"
		# shellcheck disable=SC2154 # of the coproc
		kill -KILL "$reader_PID"
		wait "$reader_PID" || true
	done
	exec 5>&-
	wait_for module_unused
	rmmod iommufd
}

@test "contexts come and go while they and their objects are dumped" {
	local reader n
	python3 -IS "$TOP/tests/lib/genl.py" loop 6 >"$BATS_TEST_TMPDIR/rounds" 5>&- &
	reader=$!
	for ((n = 0; n < 300; n++)); do
		exec 6<>/dev/iommu
		((n % 10)) || must helper many 6 20
		exec 6>&-
	done
	wait "$reader"
	(($(<"$BATS_TEST_TMPDIR/rounds") > 5))
}

@test "the family goes with the module, and comes again with it" {
	exec 5>&-
	rmmod iommufd
	must_fail 1 python3 -IS "$TOP/tests/lib/genl.py" ask $CONTEXT_GET dump
	load_iommufd
	ask $CONTEXT_GET dump
	of_reply 'length == 1 and .[0].end == null'
}
