# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holders with a plain file in the device's place: their socket, their manners,
# the bytes they speak. tests/guest/cli-hold.bats has the real device.

load ../lib/host
load ../golden/golden

setup() {
	host_setup
	unset IOMMUFDCTL_CONTEXT LISTEN_FDS LISTEN_PID LISTEN_FDNAMES NOTIFY_SOCKET
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root
	mkdir -p "$IOMMUFDCTL_ROOT"/{dev,proc,run}
	export FILE=$IOMMUFDCTL_ROOT/dev/iommu
	: >"$FILE"
	RUN=$IOMMUFDCTL_ROOT/run/iommufdctl
	SOCKET=$BATS_TEST_TMPDIR/sock
	LOG=$BATS_TEST_TMPDIR/log
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	PIDS=()
}

teardown() {
	local pid
	# what `context create` started is no child of ours
	for pid in "${PIDS[@]}" $(sed -n 's/^pid //p' "$RUN"/*.status 2>/dev/null); do
		kill -CONT "$pid" 2>/dev/null || true
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# wait_for CMD...: until it succeeds, 20 s at most
wait_for() {
	local n
	for ((n = 0; n < 400; n++)); do
		"$@" && return 0
		sleep 0.05
	done
	echo "waited in vain for: $*" >&2
	return 1
}

# hold ARG...: a holder in the background; sets HOLDER to its pid. Its messages
# are in $LOG.
hold() {
	iommufdctl hold "$@" >"$LOG.out" 2>"$LOG" 3>&- 4>&- &
	HOLDER=$!
	PIDS+=("$HOLDER")
}

# and it has come so far that its socket SOCKET takes connections
hold_at() {
	local socket=$1
	shift
	hold "$@"
	wait_for listens "$socket"
}

# Seen in the kernel's list, so as not to be a client.
listens() { grep -q " 00010000 .* $1\$" /proc/net/unix; }
# What is dead and waits for someone to ask is gone, too.
gone() { [[ ! -d /proc/$1 || $(awk '{print $3}' "/proc/$1/stat" 2>/dev/null) == [ZX] ]]; }

# ends_with STATUS: the holder has ended with it
ends_with() {
	wait_for gone "$HOLDER"
	status=0
	wait "$HOLDER" || status=$?
	assert_equal "$status" "$1"
}

open_files() { find "/proc/$HOLDER/fd" -type l | wc -l; }
has_open() { [[ $(open_files) == "$1" ]]; }

# clients NAME: how many it has served
clients() {
	iommufdctl context list --json |
		gojq --arg name "$1" '.contexts[] | select(.name == $name).clients'
}
has_served() { [[ $(clients "$1") == "$2" ]]; }

client() { timeout 60 python3 "$TOP/tests/lib/handover.py" "$@"; }

@test "hold: folder 0755, socket 0600, nothing printed, SIGTERM clears all" {
	for mask in 000 022 077 277; do
		# shellcheck disable=SC2154 # of the loop
		(umask $mask && exec iommufdctl hold vm1 >"$LOG.out" 2>"$LOG" 3>&- 4>&-) &
		HOLDER=$!
		PIDS+=("$HOLDER")
		wait_for listens "$RUN/vm1.sock"
		assert_equal "$(stat -c %a "$RUN")" 755
		assert_equal "$(stat -c '%a %F' "$RUN/vm1.sock")" "600 socket"
		assert_equal "$(stat -c %a "$RUN/vm1.lock" "$RUN/vm1.status" | sort -u)" \
			"$(printf '%o' $((0600 & ~0$mask)))"
		kill -TERM "$HOLDER"
		ends_with 0
		assert_equal "$(ls -A "$RUN")" ''
		assert_equal "$(cat "$LOG" "$LOG.out")" ''
		rmdir "$RUN"
	done
}

@test "the bytes: 0x00 with one descriptor, and any byte back" {
	hold_at "$SOCKET" --socket "$SOCKET"
	must client "$SOCKET" bytes
	assert_output "00 1"
	must client "$SOCKET" fd
	assert_output "$FILE"
	must client "$SOCKET" crowd 1
	assert_output 1
	# a socket elsewhere has no status, and is gone as it came
	[[ ! -e $RUN ]]
	assert_equal "$(stat -c %a "$SOCKET")" 600
	kill -INT "$HOLDER"
	ends_with 0
	[[ ! -e $SOCKET && ! -e $SOCKET.lock ]]
	# no log: that a client hangs up is its own affair
	assert_equal "$(<"$LOG")" ''
}

@test "a client is served when it has answered, not before" {
	hold_at "$RUN/vm1.sock" vm1
	assert_equal "$(clients vm1)" 0
	client "$RUN/vm1.sock" hangup
	client "$RUN/vm1.sock" bytes
	client "$RUN/vm1.sock" fd
	wait_for has_served vm1 1
	# nor is who only looks
	iommufdctl context list
	iommufdctl context list --json
	iommufdctl completion contexts >/dev/null
	assert_equal "$(clients vm1)" 1
}

@test "1,000 clients in a row, and 100 at once" {
	hold_at "$RUN/vm1.sock" vm1
	local open
	open=$(open_files)
	client "$RUN/vm1.sock" row 1000
	wait_for has_served vm1 1000
	must client "$RUN/vm1.sock" crowd 100
	assert_output 100
	wait_for has_served vm1 1100
	# and more than it takes at once wait their turn
	client "$RUN/vm1.sock" crowd 200
	wait_for has_served vm1 1300
	# with nothing left open
	wait_for has_open "$open"
}

@test "a client that never speaks is dropped, and keeps no one waiting" {
	local n mute=()
	hold_at "$RUN/vm1.sock" vm1 --timeout 2
	for n in {1..20}; do
		client "$RUN/vm1.sock" mute 30 >"$LOG.$n" 3>&- 4>&- &
		mute+=($!)
	done
	must timeout 2 iommufdctl -c vm1 run true
	wait "${mute[@]}"
	assert_equal "$(sort -u "$LOG".{1..20})" dropped
	assert_equal "$(grep -c "did not answer: dropped" "$LOG")" 20
	assert_equal "$(clients vm1)" 1
}

@test "--once: one client, then no socket" {
	hold_at "$SOCKET" --socket "$SOCKET" --once
	# one that took it and did not say so was none
	client "$SOCKET" hangup
	must client "$SOCKET" fd
	ends_with 0
	[[ ! -e $SOCKET && ! -e $SOCKET.lock ]]
	# of many at once, one gets it
	hold_at "$SOCKET" --once --socket "$SOCKET"
	local n others=()
	for n in {1..10}; do
		client "$SOCKET" fd >"$LOG.$n" 2>/dev/null 3>&- 4>&- &
		others+=($!)
	done
	ends_with 0
	wait "${others[@]}" || true
	assert_equal "$(cat "$LOG".{1..10})" "$FILE"
}

@test "--once --timeout: it waits so long, and that is a failure" {
	hold --socket "$SOCKET" --once --timeout 1
	ends_with 1
	assert_equal "$(<"$LOG")" \
		"iommufdctl: hold: no client has been served within 1 seconds"
	[[ ! -e $SOCKET && ! -e $SOCKET.lock ]]
	# also with one that came and kept silent
	hold_at "$SOCKET" --socket "$SOCKET" --once --timeout 4
	must client "$SOCKET" mute 30
	assert_output dropped
	ends_with 1
	hold_at "$SOCKET" --socket "$SOCKET" --once
	kill -TERM "$HOLDER"
	ends_with 1
	grep -q "ended by a signal before a client came" "$LOG"
	[[ ! -e $SOCKET ]]
}

@test "a second holder of a name, or of a socket, is refused" {
	hold_at "$RUN/vm1.sock" vm1
	must_fail 4 iommufdctl hold vm1
	assert_output --partial "process $HOLDER holds a context named 'vm1' already"
	must_fail 4 iommufdctl context create vm1
	assert_output --partial "context destroy vm1"
	must iommufdctl -c vm1 run true
	hold_at "$SOCKET" --socket "$SOCKET"
	must_fail 4 iommufdctl hold --socket "$SOCKET" --json
	assert_schema "$SCHEMA" '#/$defs/error'
	must client "$SOCKET" fd
	# of twenty that start at once one is left
	local n pids=() statuses=''
	for n in {1..20}; do
		iommufdctl context create many 2>/dev/null 3>&- 4>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		status=0
		wait "$n" || status=$?
		statuses+=" $status"
	done
	assert_equal "$(tr ' ' '\n' <<<"${statuses# }" | sort | uniq -c | tr -s ' \n' ' ')" " 1 0 19 4 "
	must iommufdctl -c many run true
}

@test "another program's socket, and what is no socket, are let be" {
	python3 "$TOP/tests/lib/fake_holder.py" "$SOCKET" nothing >"$LOG.fake" 3>&- 4>&- &
	PIDS+=($!)
	wait_for grep -q ready "$LOG.fake"
	must_fail 4 iommufdctl hold --socket "$SOCKET"
	assert_output --partial "another program listens"
	[[ -S $SOCKET && ! -e $SOCKET.lock ]]
	echo precious >"$SOCKET.file"
	must_fail 1 iommufdctl hold --socket "$SOCKET.file"
	assert_output --partial "is no socket"
	assert_equal "$(<"$SOCKET.file")" precious
}

@test "symbolic links are not followed" {
	local there=$BATS_TEST_TMPDIR/there
	ln -s "$there" "$SOCKET"
	must_fail 1 iommufdctl hold --socket "$SOCKET"
	[[ -L $SOCKET && ! -e $there ]]
	rm "$SOCKET"
	ln -s "$there" "$SOCKET.lock"
	must_fail 1 iommufdctl hold --socket "$SOCKET"
	[[ ! -e $there && ! -e $SOCKET ]]
	mkdir "$RUN"
	for file in vm1.sock vm1.lock; do
		ln -s "$there" "$RUN/$file"
		must_fail 1 iommufdctl context create vm1
		[[ ! -e $there ]]
		rm "$RUN/$file"
	done
	# what it writes itself it puts there by its name
	ln -s "$there" "$RUN/vm1.status"
	must iommufdctl context create vm1
	[[ ! -e $there && ! -L $RUN/vm1.status ]]
	must iommufdctl context destroy vm1
	# nor is a folder that is a link taken
	rmdir "$RUN"
	mkdir "$there"
	ln -s "$there" "$RUN"
	must_fail 1 iommufdctl context create vm1
	assert_output --partial "it is no folder"
	assert_equal "$(ls -A "$there")" ''
}

@test "a folder that others can write to is not used" {
	mkdir -m 777 "$RUN"
	must_fail 1 iommufdctl context create vm1
	assert_output --partial "can be written by others (mode 0777): 'chmod 0755' it"
	must_fail 1 iommufdctl -c vm1 run true
	must_fail 1 iommufdctl context list
	chmod 755 "$RUN"
	if ((EUID == 0)); then
		chown 65534 "$RUN"
		must_fail 1 iommufdctl context create vm1
		assert_output --partial "belongs to another user (uid 65534)"
	fi
}

@test "a path that is too long is explained, and nothing is left" {
	local long
	long=$BATS_TEST_TMPDIR/$(printf 'x%.0s' {1..100})
	must_fail 1 iommufdctl hold --socket "$long"
	assert_output --regexp 'path has [0-9]+ characters and the kernel takes 107: choose a shorter'
	must_fail 1 iommufdctl recv "$long" -- true
	assert_output --partial "the kernel takes 107"
	must_fail 1 iommufdctl hold --json --socket "$(printf 'é%.0s' {1..2000})"
	assert_schema "$SCHEMA" '#/$defs/error'
	[[ ! -e $long && ! -e $long.lock ]]
	must_fail 1 iommufdctl hold --socket "$BATS_TEST_TMPDIR/no/such"
	assert_output --partial "cannot open the socket's folder"
	must_fail 1 iommufdctl hold --socket "$BATS_TEST_TMPDIR/"
	must_fail 1 iommufdctl hold --socket ''
}

@test "after kill -9: the name is free, and its socket is replaced" {
	hold_at "$RUN/vm1.sock" vm1
	kill -KILL "$HOLDER"
	ends_with 137
	[[ -S $RUN/vm1.sock ]]
	must iommufdctl context list --json
	assert_json '.contexts == []'
	must_fail 3 iommufdctl -c vm1 run true
	assert_output --partial "context create vm1"
	must iommufdctl context create vm1
	must iommufdctl -c vm1 run true
	wait_for has_served vm1 1
	must iommufdctl context destroy vm1
	assert_equal "$(ls -A "$RUN")" ''
	# destroy clears what it finds dead, and says that it was
	hold_at "$RUN/vm1.sock" vm1
	kill -KILL "$HOLDER"
	ends_with 137
	must_fail 3 iommufdctl context destroy vm1
	assert_equal "$(ls -A "$RUN")" ''
}

# Runs a holder for one client, who insists, and has it killed as it comes to
# call WHICH for the NTH time: die_at WHICH NTH. Ends as the holder did. Without
# arguments it only leaves a trace.
die_at() {
	local client inject=() status=0
	((!$#)) || inject=(-e "inject=$1:signal=KILL:when=$2")
	client "$RUN/vm1.sock" insist 3>&- 4>&- &
	client=$!
	timeout -s KILL 60 strace -o "$BATS_TEST_TMPDIR/trace" "${inject[@]}" \
		iommufdctl hold vm1 --once >/dev/null 2>&1 3>&- 4>&- || status=$?
	kill "$client" 2>/dev/null || true
	wait "$client" 2>/dev/null || true
	return "$status"
}

@test "kill -9 at every step: the next start clears what is left" {
	requires strace no-asan
	local call steps=() status killed=0
	declare -A nth
	die_at
	# from where it first looks for its folder on
	mapfile -t steps < <(sed -n '\|run/iommufdctl|,$s/^\([a-z0-9_]*\)(.*/\1/p' \
		"$BATS_TEST_TMPDIR/trace")
	while read -r call; do
		((nth[$call] += 1))
	done < <(sed '\|run/iommufdctl|,$d; s/(.*//' "$BATS_TEST_TMPDIR/trace")
	for call in "${steps[@]}"; do
		[[ $call != exit_group ]] || continue
		((nth[$call] += 1))
		status=0
		die_at "$call" "${nth[$call]}" || status=$?
		# how often it polls is not always the same
		((status == 137)) || continue
		((killed += 1))
		# a start as ever, and an end that leaves nothing
		iommufdctl context create vm1
		iommufdctl -c vm1 run true
		iommufdctl context destroy vm1
		assert_equal "$(ls -A "$RUN" 2>/dev/null)" ''
	done
	echo "killed at $killed of ${#steps[@]} steps"
	((killed > 25 && killed > ${#steps[@]} * 8 / 10))
}

@test "a holder that is stopped keeps no one for ever" {
	hold_at "$RUN/vm1.sock" vm1
	kill -STOP "$HOLDER"
	# who only looks does not notice
	must timeout 2 iommufdctl context list --json
	assert_json '.contexts[0].name == "vm1" and .contexts[0].clients == 0'
	must_fail 1 timeout 20 iommufdctl -c vm1 run true
	assert_output --partial "has not answered for 10 seconds"
	# and who ends it does
	must timeout 20 iommufdctl context destroy vm1
	gone "$HOLDER" || ends_with 137
	assert_equal "$(ls -A "$RUN")" ''
}

@test "a holder whose folder was cleared harms not the next one" {
	hold_at "$RUN/vm1.sock" vm1
	local first=$HOLDER
	rm -r "$RUN"
	hold_at "$RUN/vm1.sock" vm1
	kill -TERM "$first"
	wait_for gone "$first"
	must iommufdctl -c vm1 run true
	[[ -S $RUN/vm1.sock && -e $RUN/vm1.lock && -e $RUN/vm1.status ]]
}

@test "a client of another uid is refused and logged; --mode opens it to others" {
	requires root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR"
	hold_at "$SOCKET" --socket "$SOCKET"
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		/usr/bin/python3 "$TOP/tests/lib/handover.py" "$SOCKET" bytes
	assert_failure
	assert_output --partial "PermissionError"
	# and if the socket lets it through, the holder does not
	chmod 666 "$SOCKET"
	must setpriv --reuid=65534 --regid=65534 --clear-groups \
		/usr/bin/python3 "$TOP/tests/lib/handover.py" "$SOCKET" bytes
	assert_output " 0"
	grep -q "note: refused to process [0-9]* of uid 65534: the context is for uid 0 and root" "$LOG"
	kill "$HOLDER"
	ends_with 0
	hold_at "$SOCKET" --socket "$SOCKET" --mode 0666
	assert_equal "$(stat -c %a "$SOCKET")" 666
	must setpriv --reuid=65534 --regid=65534 --clear-groups \
		/usr/bin/python3 "$TOP/tests/lib/handover.py" "$SOCKET" fd
	assert_output "$FILE"
}

@test "a user's holder serves its user and root" {
	requires root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR"
	mkdir -m 700 "$BATS_TEST_TMPDIR/user"
	chown 65534 "$BATS_TEST_TMPDIR/user" "$FILE"
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		env "PATH=$PATH" iommufdctl hold --socket "$BATS_TEST_TMPDIR/user/sock" 3>&- 4>&- &
	PIDS+=($!)
	wait_for listens "$BATS_TEST_TMPDIR/user/sock"
	must client "$BATS_TEST_TMPDIR/user/sock" fd
	must setpriv --reuid=65534 --regid=65534 --clear-groups \
		env "PATH=$PATH" iommufdctl recv "$BATS_TEST_TMPDIR/user/sock" -- readlink /proc/self/fd/3
	assert_output "$FILE"
}

@test "context create: returns when the socket accepts, and keeps nothing of ours" {
	# a command substitution waits for all who have its pipe
	must timeout 10 bash -c 'x=$(iommufdctl context create vm1); iommufdctl -c vm1 run -- echo "<$x>"'
	assert_output "<>"
	local pid
	pid=$(sed -n 's/^pid //p' "$RUN/vm1.status")
	assert_equal "$(readlink "/proc/$pid/cwd")" /
	assert_equal "$(readlink "/proc/$pid/fd/"{0,1,2} | sort -u)" /dev/null
	assert_equal "$(awk '{print $6}' "/proc/$pid/stat")" "$pid"
	for n in {1..20}; do
		must iommufdctl context create "vm1-$n"
		must iommufdctl -c "vm1-$n" run true
	done
	must iommufdctl context list
	assert_equal "${#lines[@]}" 22
	for n in {1..20}; do
		must iommufdctl context destroy "vm1-$n"
	done
	must iommufdctl context destroy vm1
	assert_equal "$(ls -A "$RUN")" ''
	gone "$pid"
}

@test "context create that fails leaves nothing" {
	rm "$FILE"
	must_fail 2 iommufdctl context create vm1
	assert_output --partial "there is no /dev/iommu"
	[[ ! -e $RUN ]]
	: >"$FILE"
	# a driver that knows no option: nothing is handed out
	must_fail 2 iommufdctl context create vm1 --rlimit-mode process
	assert_output --partial "leave out --rlimit-mode"
	must_fail 2 iommufdctl hold --json vm1 --rlimit-mode user
	assert_json '.errno == "ENOTTY" and .command == "hold"'
	[[ ! -e $RUN ]]
	must_fail 2 iommufdctl hold --socket "$SOCKET" --rlimit-mode user
	[[ ! -e $SOCKET && ! -e $SOCKET.lock ]]
	run pgrep -f 'iommufdctl context create vm1'
	assert_failure 1
	# nor does one that comes further
	mkdir -p "$RUN/vm1.status"
	must_fail 1 iommufdctl context create vm1
	assert_equal "$(ls -A "$RUN")" vm1.status
	rm -r "$IOMMUFDCTL_ROOT/run"
	must_fail 1 iommufdctl context create vm1
	assert_output --partial "No such file"
}

@test "context list: as a table and as JSON, from what can be seen outside" {
	must iommufdctl context list
	assert_output --regexp '^NAME +CONTEXT +PID +OBJECTS +CLIENTS +SINCE$'
	must iommufdctl context list --json
	assert_schema "$SCHEMA" '#/$defs/context_list'
	assert_json '.contexts == []'
	iommufdctl context create vm2
	iommufdctl context create vm10
	iommufdctl context create Default
	# the second has a driver that tells; that host's /proc says so
	local pid
	pid=$(sed -n 's/^pid //p' "$RUN/vm10.status")
	mkdir -p "$IOMMUFDCTL_ROOT/proc/$pid"/{fd,fdinfo}
	echo iommufdctl >"$IOMMUFDCTL_ROOT/proc/$pid/comm"
	ln -s /dev/iommu "$IOMMUFDCTL_ROOT/proc/$pid/fd/7"
	printf 'iommufd-ctx:\t7\niommufd-objects:\t2\niommufd-ioas:\t2\n' \
		>"$IOMMUFDCTL_ROOT/proc/$pid/fdinfo/7"
	must iommufdctl -c vm10 run true
	wait_for has_served vm10 1
	must iommufdctl context list --json
	assert_schema "$SCHEMA" '#/$defs/context_list'
	assert_json 'all(.contexts[]; (now - (.since | fromdate)) | . >= 0 and . < 60)'
	output=$(gojq '.contexts[].pid = 812 | .contexts[].since = "2026-01-31T10:00:00Z"' <<<"$output")
	golden context-list.json
	must iommufdctl context list
	output=$(sed -E 's/ {4}[ 0-9]{5}([ 0-9-]{20})[-0-9]+T[0-9:]+Z/      812\12026-01-31T10:00:00Z/' <<<"$output")
	golden context-list.txt
	# a list of contexts has the name, too
	output=$(iommufdctl list --json 2>/dev/null)
	assert_json '.contexts[0].name == "vm10" and .contexts[0].id == 7'
	output=$(iommufdctl list --json -c vm10 2>/dev/null)
	assert_json '[.contexts[].name] == ["vm10"]'
	must iommufdctl completion names
	assert_output $'Default\tnamed\nvm10\tnamed\nvm2\tnamed'
}

@test "other files in the folder are no contexts" {
	mkdir -m 755 "$RUN"
	: >"$RUN/vm1.lock"
	: >"$RUN/.lock"
	: >"$RUN/1x.lock"
	mkdir "$RUN/folder.lock"
	mkfifo "$RUN/pipe.lock"
	: >"$RUN/$(printf 'x%.0s' {1..200}).lock"
	must timeout 5 iommufdctl context list --json
	assert_json '.contexts == []'
	# a record that is none, or of another, is no record
	iommufdctl context create vm1
	for record in '' 'pid x' $'pid 1\nclients 7\nsince 7\n' "$(printf 'x%.0s' {1..1000})"; do
		printf '%s' "$record" >"$RUN/vm1.status"
		must iommufdctl context list --json
		assert_json '.contexts[0].clients == null and .contexts[0].since == null'
		assert_json '.contexts[0].pid > 1'
	done
	must iommufdctl context destroy vm1
}

@test "-c NAME works for run, and the variable too" {
	iommufdctl context create vm1
	must iommufdctl run -c vm1 --fd 9 -- readlink /proc/self/fd/9
	assert_output "$FILE"
	IOMMUFDCTL_CONTEXT=vm1 must iommufdctl run -- readlink /proc/self/fd/3
	assert_output "$FILE"
	wait_for has_served vm1 2
	IOMMUFDCTL_CONTEXT=vm1 must iommufdctl run --new true
	wait_for has_served vm1 2
	must_fail 3 iommufdctl -c vm2 run true
	# the driver behind the file knows no command, so this came as far
	must_fail 2 iommufdctl -c vm1 create ioas
	must_fail 2 iommufdctl -c vm1 destroy 1
}

@test "create starts the holder of default, and only create does" {
	must_fail 3 iommufdctl destroy 1
	assert_output --partial "'iommufdctl create ioas' starts it"
	[[ ! -e $RUN ]]
	must_fail 3 iommufdctl -c vm1 create ioas
	# the stand-in can make no ioas
	must_fail 2 iommufdctl create ioas
	assert_output --partial "cannot make ioas objects"
	must iommufdctl context list --json
	assert_json '[.contexts[].name] == ["default"]'
	must_fail 2 iommufdctl destroy 1
	must iommufdctl context destroy default
	# all at once there is one
	local n pids=()
	for n in {1..10}; do
		iommufdctl create ioas >/dev/null 2>&1 3>&- 4>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		status=0
		wait "$n" || status=$?
		assert_equal "$status" 2
	done
	wait_for has_served default 10
	must iommufdctl context list --json
	assert_json '[.contexts[].name] == ["default"]'
}

@test "recv: the program has it as with run" {
	hold_at "$SOCKET" --socket "$SOCKET"
	must iommufdctl recv "$SOCKET" -- sh -c 'readlink /proc/self/fd/3
		echo "$IOMMUFD_FD $LISTEN_FDS $LISTEN_FDNAMES"
		[ "$LISTEN_PID" = $$ ]'
	assert_output "$FILE"$'\n3 1 iommufd'
	must iommufdctl recv "$SOCKET" --fd 9 echo 'iommufd,fd={iommufd}' --fd -- -c
	assert_output -- "iommufd,fd=9 --fd -- -c"
	must iommufdctl recv --fd=9 "$SOCKET" -- ls /proc/self/fd
	assert_output $'0\n1\n2\n3\n9'
	run iommufdctl recv "$SOCKET" -- sh -c 'exit 42'
	assert_failure 42
}

@test "recv fails closed, whatever the other side does" {
	local what ran=$BATS_TEST_TMPDIR/ran
	must_fail 3 iommufdctl recv "$SOCKET" -- touch "$ran"
	assert_output --partial "there is no socket '$SOCKET'"
	: >"$SOCKET"
	must_fail 3 iommufdctl recv "$SOCKET" -- touch "$ran"
	assert_output --partial "no one listens"
	rm "$SOCKET"
	while read -r what text; do
		# What the last one said must not be taken for this one's.
		: >"$LOG.fake"
		python3 "$TOP/tests/lib/fake_holder.py" "$SOCKET" "$what" >"$LOG.fake" 3>&- 4>&- &
		PIDS+=($!)
		wait_for grep -q ready "$LOG.fake"
		run timeout 30 iommufdctl recv "$SOCKET" -- touch "$ran"
		assert_failure
		assert_output --partial "$text"
		# nor is it told that it was served
		[[ $what == nothing ]] || wait $! 2>/dev/null || true
		run grep -E 'answer .' "$LOG.fake"
		assert_failure
		rm "$SOCKET"
	done <<-'CASES'
		closed the holder hung up
		nofd sent no descriptor
		byte1 does not keep to the protocol
		two does not keep to the protocol
		wrong sent a descriptor that is no iommufd
		nothing has not answered for 10 seconds
	CASES
	[[ ! -e $ran ]]
}

@test "usage: which words go with which" {
	while read -r args; do
		# shellcheck disable=SC2086 # words
		must_fail 64 iommufdctl $args
	done <<-'ARGS'
		context
		context frobnicate
		context create
		context create 7
		context create fd:3
		context create a/b
		context create ../x
		context create vm1 vm2
		context create vm1 --rlimit-mode root
		context list vm1
		context list --rlimit-mode user
		context destroy
		context destroy vm1 vm2
		context destroy vm1 --rlimit-mode user
		-c vm1 context destroy vm1
		hold
		hold vm1 --socket /x
		hold vm1 vm2
		hold 7
		hold vm1 --mode 8
		hold vm1 --mode 1777
		hold vm1 --mode rw
		hold vm1 --timeout 0
		hold vm1 --timeout -1
		hold vm1 --timeout 1s
		hold vm1 --rlimit-mode
		hold vm1 -c fd:3
		recv
		recv /x
		recv /x --fd 2 true
		recv /x -c vm1 true
		run --rlimit-mode x true
		run -c fd:3 --rlimit-mode user true
		run --memlock x true
		run --memlock 8X true
		run --memlock -1 true
		run --memlock 99999999999T true
		run --vfio 01:00.0 true
		run --vfio 01:00.8=4 true
		run --vfio 01:00.0=2 true
		run --vfio 01:00.0=x true
		run --vfio 01:00.0=3 true
		run --vfio 01:00.0=4 --vfio 02:00.0=4 true
		run --fd 4 --vfio 01:00.0=4 true
	ARGS
}

@test "sd_notify: READY and FDSTORE, and what was stored comes back" {
	local socket
	for socket in "$BATS_TEST_TMPDIR/notify" "@iommufdctl-test-$$"; do
		coproc MANAGER { python3 "$TOP/tests/lib/fake_manager.py" "$socket" \
			iommufdctl hold vm1 2>&1 3>&- 4>&-; }
		# shellcheck disable=SC2153 # of coproc
		local out=${MANAGER[0]} in=${MANAGER[1]}
		PIDS+=("$MANAGER_PID")
		expect_lines "$out" "FDSTORE=1 1" "FDNAME=iommufd 1" "FDPOLL=0 1" \
			"READY=1 0" "STATUS=Handing over the context 0" up
		[[ -S $RUN/vm1.sock ]]
		# to tell one opening from another: the offset is the open file's
		iommufdctl -c vm1 run -- python3 -c 'import os; os.lseek(3, 4711, 0)'
		echo >&"$in"
		expect_lines "$out" "ended 0" "STOPPING=1"
		expect_lines "$out" "READY=1 0" "STATUS=Handing over the context 0" up
		must iommufdctl -c vm1 run -- python3 -c 'import os; print(os.lseek(3, 0, 1))'
		assert_output 4711
		echo >&"$in"
		expect_lines "$out" "ended 0" "STOPPING=1"
		wait "$MANAGER_PID" || true
		[[ ! -e $RUN/vm1.sock ]]
	done
}

expect_lines() {
	local fd=$1 line want
	shift
	for want; do
		read -r -t 30 line <&"$fd"
		assert_equal "$line" "$want"
	done
}

@test "LISTEN_FDS that are another's, or no iommufd, are not taken" {
	LISTEN_PID=1 LISTEN_FDS=1 hold_at "$RUN/vm1.sock" vm1
	must iommufdctl -c vm1 run -- readlink /proc/self/fd/3
	assert_output "$FILE"
	iommufdctl context destroy vm1
	# shellcheck disable=SC2016 # for that shell
	bash -c 'LISTEN_PID=$$ LISTEN_FDS=2 exec iommufdctl hold vm1 3</etc/passwd 4</etc/group' \
		>/dev/null 2>&1 &
	PIDS+=($!)
	wait_for listens "$RUN/vm1.sock"
	must iommufdctl -c vm1 run -- readlink /proc/self/fd/3
	assert_output "$FILE"
	run readlink "/proc/$!/fd/"*
	refute_output --partial /etc/
	# what a manager kept must be as it is wanted now
	must_fail 2 bash -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec iommufdctl hold vm2 \
		--rlimit-mode user 3<>"$FILE"'
	# and a holder apart tells our own manager nothing
	NOTIFY_SOCKET=/nonexistent must iommufdctl context create vm3
	NOTIFY_SOCKET=relative hold_at "$RUN/vm4.sock" vm4
	grep -q "cannot speak to the service manager: Invalid argument" "$LOG"
}

@test "a user's contexts are below XDG_RUNTIME_DIR" {
	requires root
	unset IOMMUFDCTL_ROOT XDG_RUNTIME_DIR
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR"
	mkdir -m 700 "$BATS_TEST_TMPDIR/xdg"
	chown 65534 "$BATS_TEST_TMPDIR/xdg"
	local user=(setpriv --reuid=65534 --regid=65534 --clear-groups env "PATH=$PATH")
	for args in "context list" "context create vm1" "-c vm1 run true"; do
		# shellcheck disable=SC2086 # words
		must_fail 3 "${user[@]}" iommufdctl $args
		assert_output --partial "XDG_RUNTIME_DIR, which is not set"
	done
	user+=("XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/xdg")
	must "${user[@]}" iommufdctl context list --json
	assert_json '.contexts == []'
	must_fail 3 "${user[@]}" iommufdctl -c vm1 run true
	assert_output --partial "context create vm1"
	must_fail 1 "${user[@]}" env XDG_RUNTIME_DIR=/proc iommufdctl context create vm1
	assert_output --partial "cannot keep contexts in '/proc/iommufdctl'"
}

@test "a full disk is noticed" {
	iommufdctl context create vm1
	run bash -c 'iommufdctl context list --json >/dev/full'
	assert_failure 1
	assert_output --partial "No space left"
	run bash -c 'iommufdctl context list >/dev/full'
	assert_failure 1
}

@test "the unit: what it starts there is, and systemd finds nothing to say" {
	command -v systemd-analyze >/dev/null || skip "needs systemd-analyze"
	make -s -C "$TOP" install DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/usr
	local unit=$BATS_TEST_TMPDIR/dest/usr/lib/systemd/system/iommufdctl-hold@.service
	grep -qx 'ExecStart=/usr/bin/iommufdctl hold $HOLD_OPTIONS %i' "$unit"
	sed "s|/usr/bin/iommufdctl|$TOP/build/iommufdctl|; /^Documentation/d" "$unit" \
		>"$BATS_TEST_TMPDIR/iommufdctl-hold@vm1.service"
	run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/iommufdctl-hold@vm1.service"
	refute_output --partial iommufdctl-hold
}
