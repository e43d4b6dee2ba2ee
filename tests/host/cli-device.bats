# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a holder keeps besides its context, and 'device' as far as it needs no
# device: plain files stand in for /dev/iommu and for what is kept.
# tests/vm/built/cli-device.bats has real ones.

load ../lib/host
load ../golden/golden

setup() {
	host_setup
	unset IOMMUFDCTL_CONTEXT LISTEN_FDS LISTEN_PID LISTEN_FDNAMES NOTIFY_SOCKET
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root
	RUN=$IOMMUFDCTL_ROOT/run/iommufdctl
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	mkdir -p "$IOMMUFDCTL_ROOT"/{dev/vfio/devices,proc,run}
	: >"$IOMMUFDCTL_ROOT/dev/iommu"
	: >"$BATS_TEST_TMPDIR/one"
	: >"$BATS_TEST_TMPDIR/two"
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	local pid
	while read -r pid; do
		kill -CONT "$pid" 2>/dev/null || true
		kill -KILL "$pid" 2>/dev/null || true
	done < <(sed -n 's/^pid //p' "$RUN"/*.status 2>/dev/null)
}

keeper() { timeout 60 python3 "$TOP/tests/lib/keeper.py" "$RUN/vm1.dev" "$@"; }

# says ANSWER REQUEST [FILE]...
says() {
	local want=$1
	shift
	must keeper "$@"
	assert_output "$want"
}

kept() { sed 1d "$RUN/vm1.kept"; }

# PATH... has open
holder() { sed -n 's/^pid //p' "$RUN/vm1.status"; }
has_open() { find "/proc/$(holder)/fd" -lname "*/$1" | wc -l; }

fails_with() {
	local want=$1
	shift
	must_fail "$want" iommufdctl "$@"
	assert_equal "${#lines[@]}" 1
}

# device ADDRESS [DRIVER]: a PCI device in sysfs
device() {
	local dev=$IOMMUFDCTL_ROOT/sys/bus/pci/devices/$1
	mkdir -p "$dev"
	[[ ! ${2-} ]] || ln -s "../../drivers/$2" "$dev/driver"
}

@test "usage" {
	fails_with 64 device
	assert_output --partial "bind attach detach unbind list"
	fails_with 64 device frobnicate
	assert_output --partial "cannot be told to 'frobnicate'"
	fails_with 64 device bind
	fails_with 64 device bind goat
	assert_output --partial "as in 0000:01:00.0"
	fails_with 64 device bind 0000:01:00.8
	fails_with 64 device bind 01:00.0 1
	assert_output --partial "'1' is one argument too many"
	fails_with 64 device attach
	fails_with 64 device attach 1
	assert_output --partial "which ioas or hwpt"
	fails_with 64 device attach 1 x
	fails_with 64 device attach 1 2 3
	fails_with 64 device detach
	fails_with 64 device detach 01:00.0
	fails_with 64 device detach 1 2
	fails_with 64 device unbind
	fails_with 64 device list 1
	fails_with 64 device list -c fd:x
	fails_with 64 create hwpt
	assert_output --partial "--device ID"
	fails_with 64 create hwpt --device 1
	assert_output --partial "--ioas ID"
	fails_with 64 create hwpt --device x --ioas 1
	fails_with 64 create hwpt --device 1 --ioas 1 --no-huge-pages
	assert_output --partial "--no-huge-pages is for an ioas"
	fails_with 64 create ioas --device 1
	assert_output --partial "--device is for a hwpt"
	fails_with 64 create fault --ioas 1
	fails_with 64 create fault --allow 0-5
	fails_with 64 create device
	assert_output --partial "there is: ioas hwpt fault"
}

@test "a device that cannot be bound: said before any context is looked for" {
	fails_with 3 device bind 01:00.0
	assert_output --partial "there is no PCI device 0000:01:00.0"
	device 0000:01:00.0
	fails_with 2 device bind 01:00.0
	assert_output --partial "has no driver: bind it to vfio-pci"
	device 0000:02:00.0 nvme
	fails_with 2 device bind 0000:02:00.0 --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.error | test("has driver nvme: bind it to vfio-pci")'
	device 0000:03:00.0 vfio-pci
	fails_with 2 device bind 0000:03:00.0
	assert_output --partial "this kernel lacks CONFIG_VFIO_DEVICE_CDEV: 'iommufdctl doctor' says what to do"
	# Where our driver is loaded, that is the one.
	mkdir -p "$IOMMUFDCTL_ROOT/sys/bus/pci/drivers/iommufd_vfio_pci"
	fails_with 2 device bind 01:00.0
	assert_output --partial "has no driver: bind it to iommufd_vfio_pci"
	fails_with 2 device bind 0000:02:00.0
	assert_output --partial "has driver nvme: bind it to iommufd_vfio_pci"
	fails_with 2 device bind 0000:03:00.0
	assert_output --partial "lacks CONFIG_VFIO_DEVICE_CDEV: bind it to iommufd_vfio_pci"
}

@test "a kernel whose VFIO cannot, and a context that is not there" {
	device 0000:03:00.0 vfio-pci
	local dev=$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:03:00.0/vfio-dev/vfio0
	mkdir -p "$dev"
	# a class device alone proves nothing
	fails_with 2 device bind 03:00.0
	assert_output --partial "this kernel lacks CONFIG_VFIO_DEVICE_CDEV"
	echo 511:0 >"$dev/dev"
	: >"$IOMMUFDCTL_ROOT/dev/vfio/devices/vfio0"
	fails_with 3 device bind 03:00.0 -c vm1
	assert_output --partial "no one holds a context named 'vm1'"
	iommufdctl context create vm1
	fails_with 2 device bind 03:00.0 -c vm1
	assert_output --partial "device: 0000:03:00.0: this kernel's VFIO cannot bind a device to an iommufd"
	fails_with 2 create fault -c vm1
	fails_with 2 create hwpt --device 1 --ioas 2 -c vm1
	assert_output --partial "this kernel's iommufd cannot make hwpt objects"
	assert_equal "$(ls "$RUN")" $'vm1.dev\nvm1.lock\nvm1.sock\nvm1.status'
	for args in "attach 1 2" "detach 1" "unbind 1"; do
		# shellcheck disable=SC2086 # words
		fails_with 3 device $args -c vm1
		assert_output --partial "keeps no such device"
	done
}

@test "kept, told, copied and dropped; and all of it is written down" {
	iommufdctl context create vm1
	must iommufdctl -c vm1 device list --json
	assert_schema "$SCHEMA" '#/$defs/device_list'
	assert_json '.devices == []'
	must iommufdctl -c vm1 device list
	assert_equal "${#lines[@]}" 1
	says 0 "keep device 2 0000:01:00.0 0 0" one
	says 0 "keep hwpt 4 1"
	says 0 "keep fault 5" two
	says 0 "keep device 3 0000:02:00.7 4 1" two
	assert_equal "$(head -n 1 "$RUN/vm1.kept")" "pid $(holder)"
	must kept
	assert_output $'device 2 0000:01:00.0 0 0\nhwpt 4 1\nfault 5\ndevice 3 0000:02:00.7 4 1'
	says "0 one" "copy 2"
	says "0 two" "copy 3"
	says 2 "copy 4"
	says 0 "tell device 2 0000:01:00.0 7 6"
	must iommufdctl -c vm1 device list --json
	assert_schema "$SCHEMA" '#/$defs/device_list'
	assert_json '.devices == [
		{"id": 2, "address": "0000:01:00.0", "hwpt": 7, "ioas": 6},
		{"id": 3, "address": "0000:02:00.7", "hwpt": 4, "ioas": 1}]'
	golden device-list.json
	says 0 "tell device 3 0000:02:00.7 0 0"
	must iommufdctl -c vm1 device list
	golden device-list.txt
	says 0 "tell device 3 0000:02:00.7 4 1"
	says 0 "drop 2"
	assert_equal "$(has_open one)" 0
	assert_equal "$(has_open two)" 2
	says 2 "copy 2"
	says 2 "drop 2"
	says 0 "drop 4"
	must kept
	assert_output $'fault 5\ndevice 3 0000:02:00.7 4 1'
	must iommufdctl context destroy vm1
	assert_equal "$(ls -A "$RUN")" ''
}

@test "requests that are none: refused, and nothing is kept of what they bring" {
	local request
	iommufdctl context create vm1
	while read -r request; do
		says 22 "$request" one
	done <<-'REQUESTS'
		keep
		keep device
		keep device 2
		keep device 2 0000:01:00.0 0
		keep device 2 0000:01:00.0 0 0 0
		keep device 0 0000:01:00.0 0 0
		keep device 2 01-00.0 0 0
		keep device 2  0000:01:00.0 0 0
		keep device 2147483648 0000:01:00.0 0 0
		keep device -2 0000:01:00.0 0 0
		keep goat 2
		keep fault
		keep fault x
		tell hwpt 1
		tell x
		copy x
		copy -1
		drop 1 2
		give 2 1 2 3
		x
	REQUESTS
	# a descriptor where none belongs, and none where one does
	says 22 "keep hwpt 4 1" one
	says 22 "keep fault 4"
	# what is no device, and the context
	says 9 "keep fault 4" .
	says 9 "keep fault 4" "$IOMMUFDCTL_ROOT/dev/iommu"
	# what is kept already stays
	says 0 "keep fault 4" one
	says 17 "keep device 4 0000:01:00.0 0 0" two
	says 2 "tell device 4 0000:01:00.0 1 1"
	says 2 "tell hwpt 9 1"
	# two descriptors, an empty packet, one that is too long, one with a zero
	says nothing "keep fault 6" one two
	says nothing ""
	says nothing "$(printf 'keep device %0100d' 1)" one
	assert_equal "$(has_open one) $(has_open two)" "1 0"
	must kept
	assert_output "fault 4"
}

@test "it keeps 256, and says when it cannot keep more" {
	iommufdctl context create vm1
	python3 - "$RUN/vm1.dev" <<-'PY'
		import socket, sys
		for i in range(1, 258):
		    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    sock.connect(sys.argv[1])
		    sock.send(b"keep hwpt %d 1" % i)
		    assert sock.recv(9) == (b"0" if i < 257 else b"28"), i
	PY
	assert_equal "$(kept | wc -l)" 256
	# the same again takes its own place
	says 0 "keep hwpt 9 2"
}

@test "clients that say nothing keep no one waiting" {
	local n
	iommufdctl hold vm1 --timeout 3 3>&- 4>&- &
	for ((n = 0; n < 200; n++)); do
		[[ ! -S $RUN/vm1.sock ]] || break
		sleep 0.05
	done
	for ((n = 0; n < 20; n++)); do
		# a file for each: a line is not written in one piece
		keeper mute 60 >"$BATS_TEST_TMPDIR/mute.$n" 3>&- 4>&- &
	done
	for ((n = 0; n < 400; n++)); do
		(($(cat "$BATS_TEST_TMPDIR"/mute.* | grep -c connected) < 20)) || break
		sleep 0.1
	done
	# more than it hears at once: served when the others have had their time
	says 0 "keep fault 5" one
	must iommufdctl -c vm1 device list --json
	assert_json '.devices == []'
	must iommufdctl context destroy vm1
	wait
	assert_equal "$(cat "$BATS_TEST_TMPDIR"/mute.* | sort | uniq -c | xargs)" "20 connected 20 dropped"
}

@test "the socket is for the holder's user, also where the context is for all" {
	iommufdctl hold vm1 --mode 0666 3>&- 4>&- &
	for ((n = 0; n < 200; n++)); do
		[[ ! -S $RUN/vm1.sock ]] || break
		sleep 0.05
	done
	assert_equal "$(stat -c '%a' "$RUN/vm1.dev" "$RUN/vm1.sock" | tr '\n' ' ')" "600 666 "
	says 0 "keep fault 5" one
	assert_equal "$(stat -c '%a' "$RUN/vm1.kept")" 600
	must iommufdctl context destroy vm1
}

@test "what a killed holder leaves is stale, and cleared away" {
	local pid
	iommufdctl context create vm1
	says 0 "keep device 2 0000:01:00.0 0 0" one
	pid=$(holder)
	kill -KILL "$pid"
	while [[ -d /proc/$pid && $(awk '{print $3}' "/proc/$pid/stat") != Z ]]; do sleep 0.05; done
	[[ -e $RUN/vm1.kept && -S $RUN/vm1.dev ]]
	must iommufdctl context create vm1
	must iommufdctl -c vm1 device list --json
	assert_json '.devices == []'
	says 0 "keep device 2 0000:01:00.0 0 0" two
	must kept
	assert_output "device 2 0000:01:00.0 0 0"
	pid=$(holder)
	kill -KILL "$pid"
	while [[ -d /proc/$pid && $(awk '{print $3}' "/proc/$pid/stat") != Z ]]; do sleep 0.05; done
	must_fail 3 iommufdctl context destroy vm1
	assert_equal "$(ls -A "$RUN")" ''
}

@test "a service manager's restart keeps what is kept" {
	# shellcheck disable=SC2016 # for that shell
	coproc MANAGER { python3 "$TOP/tests/lib/fake_manager.py" "$BATS_TEST_TMPDIR/notify" \
		iommufdctl hold vm1 2>&1 3>&- 4>&-; }
	# shellcheck disable=SC2153 # of coproc
	local out=${MANAGER[0]} in=${MANAGER[1]}
	until_says up "$out"
	says 0 "keep device 2 0000:01:00.0 0 0" one
	says 0 "keep fault 5" two
	says 0 "keep fault 6" two
	says 0 "tell device 2 0000:01:00.0 7 6"
	says 0 "drop 6"
	echo >&"$in"
	until_says "FDNAME=fault/6" "$out"
	until_says up "$out"
	must kept
	assert_output --partial 'device 2 0000:01:00.0 7 6'
	assert_output --partial 'fault 5'
	assert_equal "${#lines[@]}" 2
	assert_equal "$(has_open one) $(has_open two)" "1 1"
	says "0 one" "copy 2"
	must iommufdctl -c vm1 device list --json
	assert_json '.devices[0] | .id == 2 and .hwpt == 7 and .ioas == 6'
	says 0 "drop 2"
	echo >&"$in"
	wait "$MANAGER_PID" || true
	assert_equal "$(ls -A "$RUN")" ''
}

until_says() {
	local line
	while read -r -t 60 line <&"$2"; do
		[[ $line != "$1" ]] || return 0
	done
	return 1
}
