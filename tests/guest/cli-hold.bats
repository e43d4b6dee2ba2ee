# SPDX-License-Identifier: GPL-2.0-or-later
#
# Contexts that outlive a command, with a real driver: ours, and on ref-6.12
# upstream's. tests/host/cli-hold.bats has the holders' manners.

load ../lib/guest
load ../lib/driver
load ../golden/golden

setup() {
	guest_setup
	use_driver
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	RUN=/run/iommufdctl
	SOCKET=$BATS_TEST_TMPDIR/sock
	unset IOMMUFDCTL_CONTEXT
	JOBS=()
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in "${JOBS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	for pid in $(iommufdctl context list --json | gojq '.contexts[].pid'); do
		kill -KILL "$pid" || true
	done
	rm -rf "$RUN"
	chgrp root /dev/iommu
	chmod 660 /dev/iommu
	guest_teardown
}

teardown_file() {
	restore_driver
}

client() { timeout 60 python3 "$TOP/tests/lib/handover.py" "$@"; }
listens() { grep -q " 00010000 .* $1\$" /proc/net/unix; }
has_served() {
	[[ $(iommufdctl context list --json | gojq --arg n "$1" \
		'.contexts[] | select(.name == $n).clients') == "$2" ]]
}

# The mode that the driver has by itself, or why it can tell none.
its_mode() {
	iommufdctl context create asked
	client "$RUN/asked.sock" mode
	iommufdctl context destroy asked
}

@test "the life of a VM in six lines" {
	export OUT=$BATS_TEST_TMPDIR/out LIST=$BATS_TEST_TMPDIR/list
	mkfifo "$BATS_TEST_TMPDIR/stdin"
	cat >"$BATS_TEST_TMPDIR/life" <<-'SH'
		iommufdctl context create vm1
		ioas=$(iommufdctl -c vm1 create ioas)
		iommufdctl -c vm1 run -- "$HELPERS/vmm" {iommufd} "$ioas" <"$STDIN" >"$OUT" & exec 4>"$STDIN"; until [ -s "$OUT" ]; do sleep 0.1; done
		iommufdctl list --json >"$LIST"
		exec 4>&-; wait $!; iommufdctl -c vm1 destroy "$ioas"
		iommufdctl context destroy vm1
	SH
	STDIN=$BATS_TEST_TMPDIR/stdin must timeout 60 bash -euo pipefail "$BATS_TEST_TMPDIR/life"
	assert_output ''
	# its page was mapped with the drivers that can
	output=$(<"$OUT")
	[[ $TEST_KERNEL != ref-6.12 ]] || assert_output mapped
	assert_output --regexp '^(mapped|cannot map)$'
	# while it ran it was seen from outside, with its name and its object
	output=$(<"$LIST")
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '.contexts | length == 1'
	assert_json '.contexts[0].name == "vm1"'
	assert_json '[.contexts[0].objects[] | [.id, .type]] == [[1, "ioas"]]'
	assert_json '[.contexts[0].holders[].comm] | sort == ["iommufdctl", "vmm"]'
	# and now there is nothing
	must iommufdctl list --json
	assert_json '.contexts == []'
	assert_equal "$(ls -A "$RUN")" ''
}

@test "every command reaches a named context" {
	must iommufdctl context create vm1
	assert_output ''
	must iommufdctl -c vm1 create ioas
	assert_output 1
	IOMMUFDCTL_CONTEXT=vm1 must iommufdctl create ioas --json
	assert_schema "$SCHEMA" '#/$defs/create'
	assert_json '.id == 2'
	must iommufdctl -c vm1 show 2 --json
	assert_schema "$SCHEMA" '#/$defs/show'
	assert_json '.contexts[0].name == "vm1" and .contexts[0].objects[0].id == 2'
	assert_json '[.contexts[0].holders[].comm] == ["iommufdctl"]'
	must iommufdctl -c vm1 show 2
	assert_line --regexp '^context +[0-9-]+$'
	must iommufdctl -c vm1 list --json
	assert_json '[.contexts[0].objects[].id] == [1, 2]'
	must iommufdctl -c vm1 run -- sh -c 'iommufdctl -c fd:3 destroy 1; ls /proc/self/fd'
	assert_output $'0\n1\n2\n3\n4'
	must_fail 3 iommufdctl -c vm1 destroy 1
	must iommufdctl completion objects -c vm1
	assert_output $'2\tioas'
	must iommufdctl context destroy vm1
	must_fail 3 iommufdctl -c vm1 list
	assert_output --partial "no one holds a context named 'vm1'"
}

@test "two names, two contexts" {
	iommufdctl context create vm1
	iommufdctl context create vm2
	iommufdctl -c vm1 create ioas
	must iommufdctl -c vm2 list --json
	assert_json '.contexts[0].name == "vm2" and .contexts[0].objects == []'
	must iommufdctl list --json
	assert_json '[.contexts[].name] | sort == ["vm1", "vm2"]'
	iommufdctl context destroy vm1
	must iommufdctl list --json
	assert_json '[.contexts[].name] == ["vm2"]'
}

@test "context list: id and objects where the driver tells them" {
	iommufdctl context create vm1
	iommufdctl -c vm1 create ioas
	wait_for has_served vm1 1
	must iommufdctl context list --json
	assert_schema "$SCHEMA" '#/$defs/context_list'
	if driver_is_ours; then
		assert_json '.contexts[0].objects == 1'
		local id
		id=$(gojq '.contexts[0].id' <<<"$output")
		must iommufdctl -c "$id" destroy 1
		must iommufdctl context list --json
		assert_json '.contexts[0].objects == 0'
	else
		assert_json '.contexts[0] | .objects == null and .id == null'
	fi
	# taken by its id it was not handed over
	assert_json '.contexts[0].clients == 1'
}

@test "create starts the holder of default" {
	must iommufdctl create ioas
	assert_output 1
	must iommufdctl create ioas
	assert_output 2
	must iommufdctl destroy 1
	must iommufdctl show 2
	must iommufdctl context list --json
	assert_json '[.contexts[].name] == ["default"]'
	# but for run, without -c, there is a fresh one
	must iommufdctl run -- iommufdctl -c fd:3 create ioas
	assert_output 1
	must iommufdctl context destroy default
	must_fail 3 iommufdctl destroy 2
	assert_output --partial "'iommufdctl create ioas' starts it"
}

@test "a context lives on in a program when its holder ends, and the other way" {
	iommufdctl context create vm1
	iommufdctl -c vm1 create ioas
	iommufdctl -c vm1 run -- sleep 1000 3>&- 4>&- &
	JOBS+=($!)
	wait_for grep -qx sleep "/proc/$!/comm"
	iommufdctl context destroy vm1
	must iommufdctl -c "pid:$!" list --json
	assert_json '.contexts[0].name == null and .contexts[0].objects[0].id == 1'
	iommufdctl context create vm1
	iommufdctl -c vm1 create ioas
	iommufdctl -c vm1 run -- sh -c 'kill -9 $$' || true
	must iommufdctl -c vm1 list --json
	assert_json '.contexts[0].objects | length == 1'
}

@test "a hand-written client receives a context that works" {
	iommufdctl hold --socket "$SOCKET" --once 3>&- 4>&- &
	JOBS+=($!)
	wait_for listens "$SOCKET"
	must client "$SOCKET" ioas
	assert_output 1
	wait $!
	[[ ! -e $SOCKET ]]
	iommufdctl context create vm1
	must client "$RUN/vm1.sock" ioas
	assert_output 1
	must iommufdctl -c vm1 list --json
	assert_json '.contexts[0].objects | length == 1'
}

@test "recv takes what hold gives" {
	iommufdctl hold --socket "$SOCKET" 3>&- 4>&- &
	JOBS+=($!)
	wait_for listens "$SOCKET"
	must iommufdctl recv "$SOCKET" -- iommufdctl -c fd:3 create ioas
	assert_output 1
	must iommufdctl recv "$SOCKET" --fd 9 -- "$HELPERS/use" 9 1
	kill "$!"
	# Not by `run`: in a subshell it is no child to be waited for.
	wait "$!"
	[[ ! -e $SOCKET ]]
}

@test "a service manager's restart keeps the context and its objects" {
	coproc MANAGER { python3 "$TOP/tests/lib/fake_manager.py" "$BATS_TEST_TMPDIR/notify" \
		iommufdctl hold vm1 2>&1 3>&- 4>&-; }
	# shellcheck disable=SC2153 # of coproc
	local out=${MANAGER[0]} in=${MANAGER[1]}
	JOBS+=("$MANAGER_PID")
	until_up "$out"
	must iommufdctl -c vm1 create ioas
	assert_output 1
	echo >&"$in"
	until_up "$out"
	must iommufdctl -c vm1 list --json
	assert_json '[.contexts[0].objects[].id] == [1]'
	must iommufdctl -c vm1 create ioas
	assert_output 2
	echo >&"$in"
	wait "$MANAGER_PID" || true
	# its store went with it, and so did the context
	must iommufdctl list --json
	assert_json '.contexts == []'
}

until_up() {
	local line
	while read -r -t 60 line <&"$1"; do
		[[ $line != up ]] || return 0
	done
	return 1
}

@test "--rlimit-mode is set, where the driver can, and else refused" {
	local mode
	mode=$(its_mode)
	if [[ $mode == ENOTTY ]]; then
		must_fail 2 iommufdctl context create vm1 --rlimit-mode process
		must_fail 2 iommufdctl run --rlimit-mode process -- true
		must iommufdctl context list --json
		assert_json '.contexts == []'
		return
	fi
	assert_equal "$mode" 0
	iommufdctl context create vm1 --rlimit-mode process
	must client "$RUN/vm1.sock" mode
	assert_output 1
	iommufdctl context create vm2 --rlimit-mode user
	must client "$RUN/vm2.sock" mode
	assert_output 0
	iommufdctl hold --socket "$SOCKET" --rlimit-mode process 3>&- 4>&- &
	JOBS+=($!)
	wait_for listens "$SOCKET"
	must client "$SOCKET" mode
	assert_output 1
	kill "$!"
	must iommufdctl run --rlimit-mode process -- python3 -c '
import fcntl, struct
command = bytearray(struct.pack("=IIHHIQ", 24, 0, 1, 0, 0, 9))
fcntl.ioctl(3, 0x3B87, command)
print(struct.unpack("=IIHHIQ", command)[5])'
	assert_output 1
}

@test "--rlimit-mode without the capability: 5, and nothing is handed out" {
	[[ $(its_mode) != ENOTTY ]] || skip "this driver has no options"
	local without=(setpriv --bounding-set -sys_resource --inh-caps -sys_resource)
	local ran=$BATS_TEST_TMPDIR/ran
	must_fail 5 "${without[@]}" iommufdctl context create vm1 --rlimit-mode process
	assert_output --partial CAP_SYS_RESOURCE
	must_fail 5 "${without[@]}" iommufdctl run --rlimit-mode user -- touch "$ran"
	assert_output --partial CAP_SYS_RESOURCE
	must_fail 5 "${without[@]}" iommufdctl hold --json --socket "$SOCKET" --rlimit-mode user
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.errno == "EPERM"'
	[[ ! -e $ran && ! -e $SOCKET && ! -e $SOCKET.lock ]]
	assert_equal "$(ls "$RUN")" ''
	must "${without[@]}" iommufdctl context create vm1
}

@test "what a service manager kept must have the wanted mode" {
	[[ $(its_mode) != ENOTTY ]] || skip "this driver has no options"
	must_fail 4 bash -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec iommufdctl hold vm1 \
		--rlimit-mode process 3<>/dev/iommu'
	assert_output --partial "another rlimit mode than 'process'"
	# shellcheck disable=SC2016 # for that shell
	bash -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec iommufdctl hold vm1 --rlimit-mode user 3<>/dev/iommu' \
		4>&- &
	JOBS+=($!)
	wait_for listens "$RUN/vm1.sock"
}

@test "--memlock raises the limit, --user comes after it" {
	local word kib
	while read -r word kib; do
		must iommufdctl run --memlock "$word" -- sh -c 'ulimit -Sl; ulimit -Hl'
		assert_output "$kib"$'\n'"$kib"
	done <<-'CASES'
		8G 8388608
		1T 1073741824
		unlimited unlimited
	CASES
	# nobody may neither open the device nor raise the limit
	must iommufdctl run --memlock 8G --user nobody -- \
		sh -c 'ulimit -l; id -u; iommufdctl -c fd:3 create ioas'
	assert_output $'8388608\n65534\n1'
	must_fail 5 as_user bash -c 'ulimit -l 64; exec iommufdctl run -c fd:3 --memlock 8G -- true 3<&0' \
		<>/dev/iommu
	assert_output --partial CAP_SYS_RESOURCE
}

@test "--vfio: a device that the program can bind to the context" {
	requires ref-6.12
	local dev
	modprobe vfio-pci
	pci_device dev 0x1234 0x11e8
	must_fail 2 iommufdctl run --vfio "$dev=4" -- true
	assert_output --partial "has no driver: bind it to vfio-pci"
	echo vfio-pci >"/sys/bus/pci/devices/$dev/driver_override"
	echo "$dev" >/sys/bus/pci/drivers_probe
	must iommufdctl run --vfio "$dev=4" -- ls /proc/self/fd
	assert_output $'0\n1\n2\n3\n4\n5'
	must iommufdctl run --vfio "${dev#0000:}=4" -- \
		python3 "$TOP/tests/lib/handover.py" - bind 4
	assert_output 1
	# the user who runs the monitor needs no access to either device
	must iommufdctl run --vfio "$dev=4" --memlock unlimited --user nobody -- \
		/usr/bin/python3 "$TOP/tests/lib/handover.py" - bind 4
	assert_output 1
	echo "$dev" >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >"/sys/bus/pci/devices/$dev/driver_override"
	wait_for vfio_is_gone
}

@test "--vfio on a kernel without character devices: 2, and why" {
	[[ $TEST_KERNEL != ref-6.12 ]] || skip "this kernel has them"
	local dev
	pci_device dev 0x1234 0x11e8
	must_fail 2 iommufdctl run --vfio "$dev=4" -- true
	assert_output --partial "has no driver: bind it to vfio-pci"
	must_fail 3 iommufdctl run --vfio 7f:1f.7=4 -- true
}

@test "a user's contexts are its own" {
	local xdg=$BATS_TEST_TMPDIR/xdg
	mkdir -m 700 "$xdg"
	chown 65534:65534 "$xdg"
	export XDG_RUNTIME_DIR=$xdg
	must_fail 5 as_user iommufdctl context create vm1
	assert_output --partial "no permission to open /dev/iommu"
	assert_equal "$(ls -A "$xdg")" ''
	chgrp nogroup /dev/iommu
	must as_user iommufdctl context create vm1
	assert_equal "$(stat -c '%a %u' "$xdg/iommufdctl" "$xdg/iommufdctl/vm1.sock" | tr '\n' ' ')" \
		"755 65534 600 65534 "
	must as_user iommufdctl -c vm1 create ioas
	assert_output 1
	must as_user iommufdctl -c vm1 show 1
	must as_user iommufdctl -c vm1 list --json
	must as_user iommufdctl context list
	assert_line --regexp '^vm1 '
	# root has names of its own, and no part in the user's
	must iommufdctl context list --json
	assert_json '.contexts == []'
	must_fail 3 iommufdctl -c vm1 list
	must as_user iommufdctl context destroy vm1
	assert_equal "$(ls -A "$xdg/iommufdctl")" ''
}

@test "the VM start hook of the manual page, with all that can fail" {
	local hook=$TOP/tests/fixtures/vm-hook
	export STATE=$BATS_TEST_TMPDIR
	# as it is meant to go
	must "$hook" vm1 prepare
	must "$hook" vm1 start "$HELPERS/vmm" '{iommufd}' '{ioas}' </dev/null
	assert_output --regexp '^(mapped|cannot map)$'
	must "$hook" vm1 release
	must iommufdctl list --json
	assert_json '.contexts == []'
	# released twice, or never prepared: nothing to complain of
	must "$hook" vm1 release
	# a name that is taken stays as it was
	iommufdctl context create vm1
	iommufdctl -c vm1 create ioas
	must_fail 4 "$hook" vm1 prepare
	must iommufdctl -c vm1 show 1
	must "$hook" vm1 release
	# a step that fails takes back those before it
	STATE=/nonexistent must_fail 1 "$hook" vm1 prepare
	must iommufdctl context list --json
	assert_json '.contexts == []'
	# a monitor that is not there, or fails, says so by its status
	must "$hook" vm1 prepare
	# not by `run`, which takes a 127 for a mistake in the test
	status=0
	"$hook" vm1 start /nonexistent/vmm || status=$?
	assert_equal "$status" 127
	must_fail 42 "$hook" vm1 start sh -c 'exit 42'
	must_fail 1 "$hook" vm1 start "$HELPERS/vmm" '{iommufd}' 77
	assert_output --partial "vmm: ranges: ENOENT"
	must "$hook" vm1 release
	# one that was never prepared is not started
	must_fail 1 "$hook" vm2 start touch "$BATS_TEST_TMPDIR/ran"
	[[ ! -e $BATS_TEST_TMPDIR/ran ]]
	must_fail 64 "$hook" vm1 frobnicate
	# no device
	mv /dev/iommu /dev/iommu-away
	run "$hook" vm1 prepare
	mv /dev/iommu-away /dev/iommu
	assert_failure 2
	assert_equal "$(find "$STATE" -name 'vm-hook.*')" ''
}
