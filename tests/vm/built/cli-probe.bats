# SPDX-License-Identifier: GPL-2.0-or-later
#
# The probe, on upstream's iommufd: what it rests on, what it tells, and that it
# changes nothing. tests/vm/run -k ref-6.12 THIS-FILE

load ../../lib/guest
load ../../lib/driver
load ../../lib/edu
load ../../golden/holder

setup() {
	guest_setup
	use_driver
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
}

teardown() {
	exec 5>&- 6>&-
	drop_holders
	[[ ! ${EDU-} ]] || give_back "$EDU"
	unload_vfio
	guest_teardown
}

teardown_file() {
	restore_driver
}

take_edu() {
	modprobe vfio-pci
	find_edu
	take_device "$EDU"
	CDEV=$(echo "/sys/bus/pci/devices/$EDU"/vfio-dev/vfio*)
	CDEV=/dev/vfio/devices/${CDEV##*/}
}

# A monitor of its own: a context at descriptor 5 of it with IOAS 1, and edu,
# which is device 2 there, attached to it by page table 3.
hold_edu() {
	take_edu
	exec 5<>/dev/iommu
	must iommufdctl -c fd:5 create ioas
	(KEEP=5 close_fds && exec "$HELPERS/attach" 5 1 "$CDEV" \
		>"$BATS_TEST_TMPDIR/attached") &
	HOLDERS+=($!)
	HOLDER=$!
	wait_for grep -q attached "$BATS_TEST_TMPDIR/attached"
	exec 5>&-
}

@test "what each question is answered with, for an object of each type" {
	take_edu
	must helper answers "$CDEV"
	assert_line --index 0 "ioas: zero=ENOENT none=ENOENT ioas-used=EMSGSIZE ioas=EMSGSIZE device=ENOENT hwpt-auto=ENOENT hwpt=ENOENT fault=ENOENT"
	assert_line --index 1 "device: zero=ENOENT none=ENOENT ioas-used=ENOENT ioas=ENOENT device=0 hwpt-auto=ENOENT hwpt=ENOENT fault=ENOENT"
	assert_line --index 2 "hwpt-paging: zero=ENOENT none=ENOENT ioas-used=ENOENT ioas=ENOENT device=ENOENT hwpt-auto=EINVAL hwpt=EINVAL fault=ENOENT"
	assert_line --index 3 "hwpt-nested: zero=ENOENT none=ENOENT ioas-used=ENOENT ioas=ENOENT device=ENOENT hwpt-auto=ENOENT hwpt=ENOENT fault=ENOENT"
	assert_line --index 4 untouched
}

@test "another process's context: its types are told, and what cannot be known is null" {
	hold_edu
	must iommufdctl list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.source == "probe" and (.contexts | length == 1)'
	assert_json ".contexts[0] | .id == null and .name == null and .uid == null
		and .rlimit_mode == \"user\" and .pinned_bytes == null
		and .holders == [{\"pid\": $HOLDER, \"comm\": \"attach\", \"fd\": 5}]"
	assert_json '[.contexts[0].objects[] | [.id, .type, .refers_to]] ==
		[[1, "ioas", []], [2, "device", null], [3, "hwpt-paging", null]]'
	assert_json 'all(.contexts[0].objects[]; .users == null and .areas == null
		and .referred_by == null and .mapped_bytes == null)'
	must iommufdctl list --type hwpt-paging
	assert_equal "${#lines[@]}" 2
	must iommufdctl -c "pid:$HOLDER" list --tree
	assert_line '|- device 2'
	must iommufdctl -c "pid:$HOLDER" show 3
	assert_line --regexp '^type +hwpt-paging$'
	must_fail 3 iommufdctl -c "pid:$HOLDER" show 4
	must iommufdctl -c "pid:$HOLDER" completion objects
	assert_output $'1\tioas\n2\tdevice\n3\thwpt-paging'
	# why not, as far as it can be told
	must_fail 4 iommufdctl -c "pid:$HOLDER" destroy 1
	assert_output --partial "by hwpt-paging 3 or a driver"
	must_fail 4 iommufdctl -c "pid:$HOLDER" destroy 3 --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json ".referred_by == null and [.holders[].pid] == [$HOLDER]"
	assert_json '.error | test("by device 2 or a driver")'
	must_fail 4 iommufdctl -c "pid:$HOLDER" destroy 2
	assert_output --partial "for as long as a process has it open"
}

# What a context is, told by others than the tool: options, ranges, and what is
# pinned by whoever maps.
state_of() {
	grep -h -e VmPin -e VmLck /proc/{$$,"$HOLDER"}/status
	python3 -c '
import fcntl, struct
def call(number, fmt, *args):
    command = bytearray(struct.pack(fmt, *args))
    fcntl.ioctl(5, 0x3B00 + number, command)
    return struct.unpack(fmt, command)
for option, obj in (0, 0), (1, 1):
    print(call(0x87, "=IIHHIQ", 24, option, 1, 0, obj, 9))
room = bytearray(16 * 8)
address = (__import__("ctypes").c_char * len(room)).from_buffer(room)
print(call(0x84, "=IIIIQQ", 32, 1, 8, 0, __import__("ctypes").addressof(address), 0)[2], room.hex())
'
}

@test "not one ioctl that changes anything" {
	requires strace
	local args log=$BATS_TEST_TMPDIR/strace
	hold_edu
	# thousands of stops, which take their time here
	for args in "list --json" "show 1" "show 2" "show 3 --json"; do
		# shellcheck disable=SC2086 # words
		must timeout 300 strace -f -e trace=ioctl -o "$log" \
			iommufdctl -c "pid:$HOLDER" $args
		cat "$log" >>"$log.all"
	done
	# IOAS_IOVA_RANGES, OPTION (what it asks for is seen below), GET_HW_INFO,
	# HWPT_GET_DIRTY_BITMAP, HWPT_INVALIDATE, VIOMMU_ALLOC (too short a struct)
	must sed -n 's/.*_IOC_NONE, 0x3b, \(0x[0-9a-f]*\), 0).*/\1/p' "$log.all"
	output=$(sort -u <<<"$output" | tr '\n' ' ')
	assert_equal "$output" "0x84 0x87 0x8a 0x8c 0x8d 0x90 "
}

@test "before and after many looks all is the same" {
	local before
	hold_edu
	must iommufdctl -c "pid:$HOLDER" map 1 --anon 1M --iova 1G
	must iommufdctl -c "pid:$HOLDER" set 1 huge-pages=on allow=1G+1G
	exec 5>&-
	must iommufdctl -c "pid:$HOLDER" run --fd 5 -- bash -c "$(declare -f state_of); HOLDER=$HOLDER state_of"
	before=$output
	for _ in 1 2 3; do
		iommufdctl list --json >/dev/null
		iommufdctl list --tree >/dev/null
		for id in 1 2 3; do
			iommufdctl -c "pid:$HOLDER" show $id >/dev/null
		done
	done
	must iommufdctl -c "pid:$HOLDER" run --fd 5 -- bash -c "$(declare -f state_of); HOLDER=$HOLDER state_of"
	assert_equal "$(sed /Vm/d <<<"$output")" "$(sed /Vm/d <<<"$before")"
	must iommufdctl -c "pid:$HOLDER" unmap 1 --all --json
	assert_json '.unmapped_bytes == 1048576'
	# the next object has the next id
	must iommufdctl -c "pid:$HOLDER" create ioas
	assert_output 4
}

@test "gaps of ids are bridged, up to 1023" {
	exec 5<>/dev/iommu
	helper many 5 1100
	# shellcheck disable=SC2046 # ids
	must iommufdctl destroy -c fd:5 $(seq 2 1024)
	must iommufdctl list -c fd:5 --json
	assert_json '[.contexts[0].objects[].id] == [1] + [range(1025; 1101)]'
	must iommufdctl destroy -c fd:5 1025
	must iommufdctl list -c fd:5 --json
	assert_json '[.contexts[0].objects[].id] == [1]'
	# still there, for who knows it
	must iommufdctl show 1100 -c fd:5
}

@test "a context that changes while it is looked at: whole, and at rest" {
	local churner
	exec 5<>/dev/iommu
	helper many 5 10
	"$HELPERS/churn" 5 1000 busy 3>&- 4>&- >/dev/null 2>&1 &
	churner=$!
	for _ in 1 2 3 4; do
		output=$(iommufdctl list -c fd:5 --json 2>/dev/null)
		assert_json '[.contexts[0].objects[].id] | .[:10] == [range(1; 11)]'
		assert_json '[.contexts[0].objects[].id] | . == unique'
	done
	kill $churner
	wait $churner || true
	# at rest there is nothing to say
	must iommufdctl list -c fd:5
	refute_output --partial note
}

@test "one that is never the same twice: a note" {
	requires strace
	exec 5<>/dev/iommu
	helper many 5 10
	# as if in each look another one were not there
	must timeout 120 strace -o /dev/null -e inject=ioctl:error=ENOENT:when=12+11 \
		iommufdctl list -c fd:5
	assert_line "iommufdctl: note: 1 context changed all the time: shown as last seen"
	((${#lines[@]} >= 10))
}

@test "a holder that ends while its context is looked into is not shown" {
	requires gdb
	hold 6
	must iommufdctl create ioas -c "pid:$HOLDER"
	# stopped after the first look into /proc, before it looks again
	cat >"$BATS_TEST_TMPDIR/gdb" <<-GDB
		set breakpoint pending on
		break scan_context
		run list --json >$BATS_TEST_TMPDIR/list
		shell kill $HOLDER; while test -d /proc/$HOLDER; do sleep 0.1; done
		continue
	GDB
	gdb -batch -x "$BATS_TEST_TMPDIR/gdb" "$(command -v iommufdctl)" >&2 3>&- 4>&-
	output=$(<"$BATS_TEST_TMPDIR/list")
	assert_json '.contexts == []'
}
