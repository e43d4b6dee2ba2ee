# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices bound to a context: what they reach of a program's memory, and what is
# pinned for it. tests/helpers/device.c says what must hold. `edu` is a PCI device
# of QEMU's without a driver; the machine's SATA and SMBus controllers are
# functions of one device, which the IOMMU cannot keep apart.

load ../lib/guest
load ../lib/testdrv

setup() {
	guest_setup
	load_testdrv
	pci_device EDU 0x1234 0x11e8
	pci_device SATA 0x8086 0x2922
	pci_device SMBUS 0x8086 0x2930
}

teardown() { guest_teardown; }

group_of() { basename "$(readlink -f "/sys/bus/pci/devices/$1/iommu_group")"; }

device() {
	must helper device "$@"
	assert_output --regexp '[0-9]+ checked, 0 failed'
}

@test "the machine has the devices for these tests" {
	[[ $EDU && $SATA && $SMBUS ]]
	[[ $(group_of "$SATA") == "$(group_of "$SMBUS")" ]]
	[[ $(group_of "$SATA") != "$(group_of "$EDU")" ]]
}

@test "a device is bound to one context, once" { device bind "$EDU"; }

@test "an attached device reaches what is mapped" { device attach "$EDU"; }

@test "a device goes from one IOAS to another" { device replace "$EDU"; }

@test "nothing is mapped where a device has its interrupts" {
	device reserved "$EDU"
}

@test "an IOAS gets as narrow as the IOMMU" { device narrow "$EDU"; }

@test "page tables of the user's own" { device hwpt "$EDU"; }

@test "a page is pinned once for devices and accesses" { device once "$EDU"; }

@test "a limit that is met in the middle of an attach" { device limit "$EDU"; }

@test "memory that cannot be pinned" { device fault "$EDU"; }

@test "a forked child does not part a program from its device" {
	device fork "$EDU"
}

@test "a context lasts as long as its devices" { device closed "$EDU"; }

@test "devices of one group go together" { device group "$SATA" "$SMBUS"; }

@test "devices on one IOAS share a page table" { device shared "$EDU" "$SATA"; }

# 6.1 does not wait for such memory, but fails.
waits_for_memory() {
	[[ $TEST_KERNEL != debian-6.1 ]] || skip "this kernel does not wait"
}

@test "an attach that waits for memory keeps nobody waiting" {
	waits_for_memory
	device stalled "$EDU"
}

@test "a process that is killed while it attaches" {
	waits_for_memory
	device killed "$EDU"
}

@test "attach and detach against map and unmap" { device race "$EDU"; }

@test "an IOAS without huge pages" { device small "$EDU"; }

@test "64 MiB for a device" { device large "$EDU"; }

@test "the IOAS of VFIO's ioctls, for drivers" { device vfio "$EDU"; }

@test "VFIO's first version cuts what a device reaches" { device cut "$EDU"; }

# nest NUMBER: what objects have in it, of a dump in raw messages.
nest() { gojq -r "select(.attrs) | .attrs[] | select(.[0] == $1) | .[1]"; }

@test "devices and page tables are seen from outside" {
	local dev hwpt ctx objects name
	exec 5<>/dev/iommu
	drv_open 5
	must helper ioas 5
	dev=$(drv_make bind "$EDU")
	hwpt=$(drv_make dev-attach "$dev" 1)
	ctx=$(sed -n 's/^iommufd-ctx:\t//p' "/proc/$BASHPID/fdinfo/5")
	must cat "$DEBUGFS/$ctx/objects"
	assert_line --regexp "^1 +ioas +2 +- +$hwpt "
	assert_line --regexp "^$hwpt +hwpt-paging +2 +1 +$dev +- +- +- +devices\$"
	assert_line --regexp "^$dev +device +2 +$hwpt +- +- +- +- +$EDU\$"
	must cat "/proc/$BASHPID/fdinfo/5"
	assert_line $'iommufd-device:\t1'
	assert_line $'iommufd-hwpt-paging:\t1'
	must iommufdctl list -c fd:5 --json
	assert_json "[.contexts[0].objects[] | [.id, .type, .refers_to]] ==
		[[1, \"ioas\", []], [$dev, \"device\", [$hwpt]],
		[$hwpt, \"hwpt-paging\", [1]]]"
	objects=$(python3 -IS "$TOP/tests/lib/genl.py" ask 2 dump "2:u64:$ctx")
	name=$(printf %s "$EDU" | od -An -tx1 | tr -d ' \n')
	[[ $(nest 12 <<<"$objects") == *"0200$name"* ]]
	[[ $(nest 12 <<<"$objects") == *"$(le32 "$(group_of "$EDU")")"* ]]
	# It goes with its device, and it can map pages of 4 KiB at least.
	[[ $(nest 13 <<<"$objects") == 04000200*0300001* ]]
	exec 5>&-
	drv_close
}

le32() { printf '%08x' "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/'; }
