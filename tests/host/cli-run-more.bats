# SPDX-License-Identifier: GPL-2.0-or-later
#
# What else 'run' gives a program: limits, a user, VFIO devices. A scratch tree
# has the devices. tests/host/cli-run.bats has what it does without.

load ../lib/host

setup() {
	host_setup
	unset IOMMUFDCTL_CONTEXT LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root
	mkdir -p "$IOMMUFDCTL_ROOT"/{dev/vfio/devices,proc,sys/bus/pci/{devices,drivers}}
	DEVICE=$IOMMUFDCTL_ROOT/dev/iommu
	: >"$DEVICE"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR"
}

# pci ADDRESS DRIVER [CDEV]: a device, with no driver where that is empty
pci() {
	local dir=$IOMMUFDCTL_ROOT/sys/bus/pci
	mkdir -p "$dir/devices/$1"
	if [[ $2 ]]; then
		mkdir -p "$dir/drivers/$2"
		ln -s "../../drivers/$2" "$dir/devices/$1/driver"
	fi
	if [[ ${3-} ]]; then
		mkdir -p "$dir/devices/$1/vfio-dev/$3"
		echo 511:0 >"$dir/devices/$1/vfio-dev/$3/dev"
		: >"$IOMMUFDCTL_ROOT/dev/vfio/devices/$3"
	fi
}

# What a program has from 3 on.
lister() {
	echo 'import os
for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        if fd > 2: print(fd, os.path.basename(os.readlink(f"/proc/self/fd/{fd}")))
    except OSError: pass'
}

@test "--vfio: each device where it was told, and nothing else" {
	pci 0000:01:00.0 vfio-pci vfio0
	pci 0000:0a:1f.7 mlx5_vfio_pci vfio12
	exec 5</etc/passwd 6</etc/group
	must iommufdctl run --vfio 01:00.0=4 --vfio 0000:0A:1f.7=5 -- python3 -c "$(lister)"
	assert_output $'3 iommu\n4 vfio0\n5 vfio12'
	# in whatever order they come, and wherever ours happen to lie
	local a b c
	for a in 3 4 5 6; do
		for b in 3 4 5 6; do
			for c in 3 4 5 6; do
				((a != b && b != c && a != c)) || continue
				must iommufdctl run --fd $a --vfio 01:00.0=$b \
					--vfio 0a:1f.7=$c -- python3 -c "$(lister)"
				assert_equal "$output" \
					"$(printf '%s\n' "$a iommu" "$b vfio0" "$c vfio12" | sort -n)"
			done
		done
	done
	must iommufdctl run --fd 300 --vfio 01:00.0=7 -- python3 -c "$(lister)"
	assert_output $'7 vfio0\n300 iommu'
	exec 5<&- 6<&-
}

@test "LISTEN_FDS tells of all, or of none" {
	pci 0000:01:00.0 vfio-pci vfio0
	pci 0000:02:00.0 vfio-pci vfio1
	# shellcheck disable=SC2016 # for that shell
	local show='echo "$IOMMUFD_FD ${LISTEN_FDS-} ${LISTEN_FDNAMES-} ${LISTEN_PID:+$((LISTEN_PID == $$))}"'
	must iommufdctl run --vfio 01:00.0=5 --vfio 02:00.0=4 -- sh -c "$show"
	assert_output "3 3 iommufd:vfio:vfio 1"
	must iommufdctl run --fd 4 --vfio 01:00.0=3 -- sh -c "$show"
	assert_output "4 2 vfio:iommufd 1"
	LISTEN_FDS=7 must iommufdctl run --vfio 01:00.0=5 -- sh -c "$show"
	assert_output "3   "
	must iommufdctl run --fd 5 --vfio 01:00.0=4 -- sh -c "$show"
	assert_output "5   "
}

@test "the forms of QEMU and of cloud-hypervisor come out right" {
	pci 0000:01:00.0 vfio-pci vfio0
	must iommufdctl run --vfio 01:00.0=4 -- sh -c 'echo "$@"' qemu \
		-object 'iommufd,id=iommufd0,fd={iommufd}' \
		-device vfio-pci,iommufd=iommufd0,fd=4
	assert_output -- "-object iommufd,id=iommufd0,fd=3 -device vfio-pci,iommufd=iommufd0,fd=4"
	must iommufdctl run --fd 6 -- sh -c 'echo "$@"' cloud-hypervisor \
		--platform 'num_pci_segments=2,iommufd_fd={iommufd}' --device path=/sys/x
	assert_output -- "--platform num_pci_segments=2,iommufd_fd=6 --device path=/sys/x"
}

@test "a device without a character device: 2 and why; none at all: 3" {
	pci 0000:01:00.0 nvme
	pci 0000:02:00.0 ''
	pci 0000:03:00.0 vfio-pci
	pci 0000:04:00.0 vfio-pci vfio4
	rm "$IOMMUFDCTL_ROOT/dev/vfio/devices/vfio4"
	local ran=$BATS_TEST_TMPDIR/ran
	while read -r want address text; do
		must_fail "$want" iommufdctl run --vfio "$address=4" -- touch "$ran"
		assert_output --partial "$text"
	done <<-'CASES'
		2 01:00.0 device 0000:01:00.0 has driver nvme: bind it to vfio-pci
		2 02:00.0 has no driver: bind it to vfio-pci
		2 03:00.0 lacks CONFIG_VFIO_DEVICE_CDEV
		2 04:00.0 its node /dev/vfio/devices/vfio4 is not
		3 05:00.0 there is no PCI device 0000:05:00.0
	CASES
	[[ ! -e $ran ]]
}

# What raises it is in tests/guest/cli-hold.bats.
@test "--memlock: both limits, in bytes or with units" {
	local word kib
	while read -r word kib; do
		must iommufdctl run --memlock "$word" -- sh -c 'ulimit -Sl; ulimit -Hl'
		assert_output "$kib"$'\n'"$kib"
	done <<-'CASES'
		65536 64
		64K 64
		1M 1024
	CASES
}

@test "--memlock that may not be had: 5, and the capability is named" {
	requires root
	local ran=$BATS_TEST_TMPDIR/ran
	must_fail 5 bash -c 'ulimit -l 64; exec setpriv --bounding-set -sys_resource \
		--inh-caps -sys_resource iommufdctl run --memlock 8G -- touch "$1"' - "$ran"
	assert_output --partial CAP_SYS_RESOURCE
	[[ ! -e $ran ]]
	# lowering it takes nothing
	must bash -c 'ulimit -l 64; exec setpriv --reuid=65534 --regid=65534 --clear-groups \
		env PATH="$PATH" iommufdctl run -c fd:5 --memlock 4096 -- sh -c "ulimit -l" 5<>"$0"' "$DEVICE"
	assert_output 4
}

@test "--user: uid, gid and groups, and no way back" {
	requires root
	must iommufdctl run --user nobody -- sh -c 'id -u; id -g; id -G; grep ^CapEff /proc/self/status'
	assert_output "65534"$'\n'"65534"$'\n'"$(id -G nobody)"$'\nCapEff:\t0000000000000000'
	must iommufdctl run --user 65534 -- id -un
	assert_output nobody
	# the descriptor was opened before
	chmod 600 "$DEVICE"
	must iommufdctl run --user nobody -- readlink /proc/self/fd/3
	assert_output "$DEVICE"
	# and the limit set
	must iommufdctl run --memlock 1M --user nobody -- sh -c 'ulimit -l; id -u'
	assert_output $'1024\n65534'
	must_fail 1 iommufdctl run --user no-such-user -- true
	assert_output --partial "there is no user 'no-such-user'"
	must_fail 1 iommufdctl run --user 4294967295 -- true
	must_fail 5 setpriv --reuid=65534 --regid=65534 --clear-groups env "PATH=$PATH" \
		iommufdctl run -c fd:5 --user root -- true 5<>"$DEVICE"
	assert_output --partial "CAP_SETUID"
}

@test "the order: everything is open before anything is given up" {
	requires root strace
	pci 0000:01:00.0 vfio-pci vfio0
	must strace -o "$BATS_TEST_TMPDIR/trace" -e trace=openat,ioctl,prlimit64,setrlimit,setgroups,setresgid,setresuid,execve \
		iommufdctl run --vfio 01:00.0=4 --memlock 64K --user nobody -- true
	output=$(grep -oE 'dev/iommu|vfio/devices/vfio0|RLIMIT_MEMLOCK|setgroups|setresgid|setresuid|execve' \
		"$BATS_TEST_TMPDIR/trace" | uniq | tail -n 7 | tr '\n' ' ')
	assert_output "dev/iommu vfio/devices/vfio0 RLIMIT_MEMLOCK setgroups setresgid setresuid execve "
}

@test "--rlimit-mode that the driver cannot set: 2, and no program" {
	local ran=$BATS_TEST_TMPDIR/ran
	must_fail 2 iommufdctl run --rlimit-mode process -- touch "$ran"
	assert_output --partial "leave out --rlimit-mode"
	[[ ! -e $ran ]]
}
