# SPDX-License-Identifier: GPL-2.0-or-later
#
# 'run' with a plain file in the device's place: what the program gets, and
# that it gets nothing else. tests/guest/cli-run.bats has the real device.

load ../lib/host

setup() {
	host_setup
	unset IOMMUFDCTL_CONTEXT LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root
	mkdir -p "$IOMMUFDCTL_ROOT"/{dev,proc}
	DEVICE=$IOMMUFDCTL_ROOT/dev/iommu
	: >"$DEVICE"
}

# A program that prints its descriptors and where they lead, but its own.
lister() {
	echo 'import os
for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
    try: print(fd, os.readlink(f"/proc/self/fd/{fd}"))
    except OSError: pass'
}

@test "the program has the device at 3, and nothing else from there on" {
	exec 5</etc/passwd 7</etc/group 200</etc/hostname
	must iommufdctl run -- python3 -c "$(lister)"
	assert_line "3 $DEVICE"
	refute_line --regexp '^([4-9]|[0-9]{2,}) '
	must iommufdctl run --fd 7 -- python3 -c "$(lister)"
	assert_line "7 $DEVICE"
	refute_line --regexp '^([3-6]|[89]|[0-9]{2,}) '
	must iommufdctl run --fd=1000 -- python3 -c "$(lister)"
	assert_line "1000 $DEVICE"
	exec 5<&- 7<&- 200<&-
}

@test "an inherited context is passed on, at any number, also its own" {
	exec 5<>"$DEVICE"
	for n in 3 4 5 6; do
		must iommufdctl run -c fd:5 --fd $n -- python3 -c "$(lister)"
		assert_line "$n $DEVICE"
		assert_equal "$(grep -c "$DEVICE" <<<"$output")" 1
	done
	exec 5<&-
}

@test "what is closed in the caller is closed in the program" {
	run bash -c 'iommufdctl run -- python3 -c "$1" 0<&-' - "$(lister)"
	refute_line --regexp '^0 '
	assert_line "3 $DEVICE"
}

@test "environment: IOMMUFD_FD, and LISTEN_* as sd_listen_fds has it" {
	must iommufdctl run -- sh -c 'echo "$IOMMUFD_FD $LISTEN_FDS $LISTEN_FDNAMES"
		[ "$LISTEN_PID" = $$ ]'
	assert_output "3 1 iommufd"
	# which cannot speak of any other descriptor, so it must not
	LISTEN_FDS=2 LISTEN_PID=1 LISTEN_FDNAMES=a:b \
		must iommufdctl run --fd 5 -- sh -c 'env | grep -E "^(IOMMUFD_FD|LISTEN)"'
	assert_output "IOMMUFD_FD=5"
}

@test "{iommufd} in arguments, and nothing else, is replaced" {
	must iommufdctl run --fd 12 -- printf '%s\n' '{iommufd}' \
		'iommufd,id=i0,fd={iommufd}' '{iommufd}{iommufd}x{iommufd}' \
		'{iommufd' '{{iommufd}}' '' '{IOMMUFD}'
	assert_equal "${lines[*]}" \
		"12 iommufd,id=i0,fd=12 1212x12 {iommufd {12} {IOMMUFD}"
}

@test "options end at --, or at the program's name" {
	must iommufdctl run echo -c --json --fd 9 --help
	assert_output -- "-c --json --fd 9 --help"
	must iommufdctl run -- echo -- -c
	assert_output -- "-- -c"
	must iommufdctl --json run --fd 9 -- sh -c 'echo $IOMMUFD_FD'
	assert_output 9
}

@test "it ends with the program's status, and with its signal" {
	for n in 0 1 7 64 255; do
		run iommufdctl run -- sh -c "exit $n"
		assert_equal "$status" $n
	done
	run bash -c 'iommufdctl run -- sh -c "kill -TERM \$\$"'
	assert_failure 143
}

@test "signals and the process id are the program's" {
	iommufdctl run -- sh -c 'trap "exit 42" TERM; echo $$; while :; do sleep 0.05; done' \
		>"$BATS_TEST_TMPDIR/out" &
	local pid=$!
	until [[ -s $BATS_TEST_TMPDIR/out ]]; do sleep 0.05; done
	assert_equal "$(<"$BATS_TEST_TMPDIR/out")" "$pid"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 42
}

# Not by `run`, which takes a 127 for a mistake in the test.
@test "127 and 126, and why" {
	ends_with 127 iommufdctl run -- /nonexistent/program
	assert_output --partial "cannot run '/nonexistent/program': No such file"
	ends_with 127 iommufdctl run -- no-such-program-anywhere
	ends_with 126 iommufdctl run -- /etc
	: >"$BATS_TEST_TMPDIR/plain"
	ends_with 126 iommufdctl run -- "$BATS_TEST_TMPDIR/plain"
	ends_with 127 iommufdctl --json run -- /nonexistent/program
	assert_json '.errno == "ENOENT" and .command == "run"'
}

ends_with() {
	local want=$1
	shift
	status=0
	output=$("$@" 2>&1) || status=$?
	assert_equal "$status" "$want"
}

@test "it fails closed: no context, no program" {
	local ran=$BATS_TEST_TMPDIR/ran
	rm "$DEVICE"
	must_fail 2 iommufdctl run -- touch "$ran"
	must_fail 3 iommufdctl run -c fd:77 -- touch "$ran"
	must_fail 3 iommufdctl run -c vm1 -- touch "$ran"
	must_fail 3 iommufdctl run -c pid:1 -- touch "$ran"
	IOMMUFDCTL_CONTEXT=fd:77 must_fail 3 iommufdctl run -- touch "$ran"
	: >"$DEVICE"
	must_fail 1 iommufdctl run --fd 2000000 -- touch "$ran"
	assert_output --partial "ulimit -n"
	must_fail 64 iommufdctl run -c '' -- touch "$ran"
	[[ ! -e $ran ]]
	if ((EUID)); then
		chmod 0 "$DEVICE"
		must_fail 5 iommufdctl run -- touch "$ran"
		[[ ! -e $ran ]]
	fi
}

@test "--new goes before the variable" {
	IOMMUFDCTL_CONTEXT=fd:77 must iommufdctl run --new -- true
}

@test "a driver that does not know a command: 2" {
	exec 5<>"$DEVICE"
	must_fail 2 iommufdctl -c fd:5 create ioas
	assert_output --partial "cannot make ioas objects"
	must_fail 2 iommufdctl -c fd:5 destroy 1 2
	must_fail 2 iommufdctl -c fd:5 --json destroy 1
	assert_json '.errno == "ENOTTY" and .id == 1'
	exec 5<&-
}
