# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests that give a PCI device to user space.

EDU=0000:00:10.0
NVME=0000:00:11.0
: "$EDU $NVME"

# Which driver gives devices character devices here: VFIO's own on ref-6.12, and
# ours on all others.
vfio_driver() {
	if [[ $TEST_KERNEL == ref-6.12 ]]; then
		echo vfio-pci
	else
		echo iommufd_vfio_pci
	fi
}

load_vfio_pci() {
	if [[ $(vfio_driver) == vfio-pci ]]; then
		modprobe vfio-pci
		return
	fi
	[[ ! -d /sys/module/iommufd_vfio_pci ]] || return 0
	modprobe vfio-pci-core
	insmod "$VFIO_PCI_KO"
}

unload_vfio_pci() {
	[[ ! -d /sys/module/iommufd_vfio_pci ]] || rmmod iommufd_vfio_pci
}

# pci_bind BDF [DRIVER]: by driver_override; NODE is its character device then.
pci_bind() {
	local at=/sys/bus/pci/devices/$1 driver=${2:-$(vfio_driver)} found
	echo "$driver" >"$at/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	[[ $at/driver -ef /sys/bus/pci/drivers/$driver ]] || {
		echo "$1 was not taken by $driver" >&2
		return 1
	}
	found=("$at"/vfio-dev/vfio*)
	# shellcheck disable=SC2034 # for the test
	NODE=/dev/vfio/devices/${found##*/}
}

pci_unbind() {
	local at=/sys/bus/pci/devices/$1
	[[ ! -e $at/driver ]] || echo "$1" >"$at/driver/unbind"
	echo >"$at/driver_override"
}

# A helper in the background that is talked to a line at a time: talk_start CMD...
# gives its first line as $REPLY, talk LINE what it says to LINE, hear the next
# that it says by itself; talk_end ends its input, and gives its status.
talk_start() {
	mkfifo "$BATS_TEST_TMPDIR/to" "$BATS_TEST_TMPDIR/from"
	"$@" <"$BATS_TEST_TMPDIR/to" >"$BATS_TEST_TMPDIR/from" 2>&1 3>&- &
	TALK_PID=$!
	exec 8>"$BATS_TEST_TMPDIR/to" 9<"$BATS_TEST_TMPDIR/from"
	hear
}

hear() { read -r -t 60 REPLY <&9; }

talk() {
	echo "$1" >&8
	hear
}

talk_end() {
	local status=0
	exec 8>&- 9<&-
	[[ ! ${TALK_PID-} ]] || wait "$TALK_PID" || status=$?
	TALK_PID=''
	rm -f "$BATS_TEST_TMPDIR/to" "$BATS_TEST_TMPDIR/from"
	return "$status"
}
