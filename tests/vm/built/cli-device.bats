# SPDX-License-Identifier: GPL-2.0-or-later
#
# device, create hwpt and create fault with a kernel that has VFIO's character
# devices: ref-6.12, with its own iommufd. tests/vm/run -k ref-6.12 THIS-FILE

load ../../lib/guest
load ../../lib/driver
load ../../lib/edu
load ../../golden/holder

setup() {
	guest_setup
	use_driver
	modprobe vfio-pci
	find_edu
	take_device "$EDU"
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	RUN=/run/iommufdctl
	unset IOMMUFDCTL_CONTEXT
	iommufdctl context create vm1
}

teardown() {
	local pid dev
	drop_holders
	for pid in $(iommufdctl context list --json | gojq '.contexts[].pid'); do
		kill -KILL "$pid" || true
	done
	rm -rf "$RUN"
	for dev in "$EDU" ${OTHER-} ${NEIGHBOUR-}; do
		give_back "$dev"
	done
	[[ ! -d /sys/module/idle ]] || rmmod idle
	unload_vfio
	guest_teardown
}

teardown_file() {
	restore_driver
}

# on ARG...: of the context vm1
on() { iommufdctl -c vm1 "$@"; }

@test "a device's whole life, all by the tool" {
	must on device bind "$EDU"
	assert_output 1
	must on create ioas
	assert_output 2
	must on create hwpt --device 1 --ioas 2
	assert_output 3
	must on device attach 1 3
	assert_output ''
	must on list --tree
	assert_line --index 0 --regexp "^context 'vm1'  held by iommufdctl\[[0-9]+\]:[0-9]+$"
	assert_line --index 1 '`- device 1'
	assert_line --index 2 '   `- hwpt-paging 3'
	assert_line --index 3 '      `- ioas 2'
	assert_equal "${#lines[@]}" 4
	# each with what stands in the way, and what ends that
	must_fail 4 on destroy 2
	assert_output "iommufdctl: destroy 2: in use by hwpt-paging 3, to which is attached device 1 ($EDU): 'iommufdctl -c vm1 device detach 1' first"
	must_fail 4 on destroy 3
	assert_output "iommufdctl: destroy 3: in use by device 1 ($EDU), which is attached to it: 'iommufdctl -c vm1 device detach 1' first"
	must_fail 4 on destroy 1
	assert_output "iommufdctl: destroy 1: device $EDU is bound: 'iommufdctl -c vm1 device unbind 1' lets go of it"
	must on device detach 1
	assert_output ''
	must_fail 4 on destroy 2
	assert_output "iommufdctl: destroy 2: in use by hwpt-paging 3: destroy that first, or add --recursive"
	must on destroy 3 2
	must on device unbind 1
	assert_output ''
	must on list --json
	assert_json '.contexts[0].objects == []'
	must iommufdctl context destroy vm1
	assert_equal "$(ls -A "$RUN")" ''
}

@test "attached to an ioas: the kernel makes the page table" {
	must on create ioas
	must on device bind "${EDU#0000:}" --json
	assert_schema "$SCHEMA" '#/$defs/create'
	assert_json '.context == null and .id == 2 and .type == "device"'
	must on device attach 2 1
	must on list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '[.contexts[0].objects[] | [.id, .type, .refers_to]] ==
		[[1, "ioas", []], [2, "device", [3]], [3, "hwpt-paging", [1]]]'
	must on device list --json
	assert_schema "$SCHEMA" '#/$defs/device_list'
	assert_json ".devices == [{\"id\": 2, \"address\": \"$EDU\", \"hwpt\": 3, \"ioas\": 1}]"
	must on device list
	assert_line --index 1 --regexp "^ +2  $EDU +3 +1$"
	must_fail 4 on destroy 1 --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.errno == "EBUSY" and .referred_by == [3] and .holders[0].comm == "iommufdctl"'
	must_fail 4 on destroy 1 --recursive
	assert_output --partial "device 2 ($EDU)"
	# what the kernel made goes with what it was made for
	must on device detach 2
	must on list --json
	assert_json '[.contexts[0].objects[] | [.id, .type, .refers_to]] ==
		[[1, "ioas", []], [2, "device", []]]'
	must on device list --json
	assert_json '.devices[0] | .hwpt == null and .ioas == null'
	must on destroy 1
}

@test "--recursive destroys page tables that were made by hand" {
	must on create ioas
	must on device bind "$EDU"
	must on create hwpt --device 2 --ioas 1
	must on create hwpt --device 2 --ioas 1 --json
	assert_schema "$SCHEMA" '#/$defs/create'
	assert_json '.id == 4 and .type == "hwpt-paging"'
	must on list --json
	assert_json '[.contexts[0].objects[] | [.id, .refers_to]] ==
		[[1, []], [2, []], [3, [1]], [4, [1]]]'
	must on destroy 1 --recursive
	must on list --json
	assert_json '[.contexts[0].objects[].id] == [2]'
	# their numbers are others' now
	must on create ioas
	assert_output 1
	must on create ioas
	assert_output 3
	must on list --json
	assert_json '[.contexts[0].objects[] | [.id, .refers_to]] == [[1, []], [2, []], [3, []]]'
}

@test "a device that is attached moves over; show tells" {
	must on create ioas
	must on create ioas
	must on device bind "$EDU"
	must on device attach 3 1
	must on device attach 3 2
	must on device list --json
	assert_json '.devices[0].ioas == 2'
	must on destroy 1
	must on show 3 --json
	assert_schema "$SCHEMA" '#/$defs/show'
	assert_json '.contexts[0].objects[0] | .type == "device" and .refers_to == [5]'
	must on show 5 --json
	assert_json '.contexts[0].objects[0] | .type == "hwpt-paging" and .refers_to == [2]'
	must on show 2
	assert_line --regexp '^alignment +4 KiB$'
	assert_line --regexp '^ranges +0x0-0xfedfffff$'
}

@test "the holder has the device, however the context is named; a kill frees it" {
	local pid
	pid=$(iommufdctl context list --json | gojq '.contexts[0].pid')
	must iommufdctl -c "pid:$pid" device bind "$EDU"
	assert_output 1
	must iommufdctl -c "pid:$pid" device list --json
	assert_json '.devices | length == 1'
	# inherited by way of the holder
	must on run -- iommufdctl -c fd:3 device list --json
	assert_json '.devices | length == 1'
	must on list --json
	assert_json '[.contexts[0].objects[].type] == ["device"]'
	kill -KILL "$pid"
	wait_for test ! -d "/proc/$pid"
	# what it has written down is nobody's now
	must iommufdctl context create vm1
	must on device list --json
	assert_json '.devices == []'
	must on device bind "$EDU"
	assert_output 1
}

@test "a holder that is stopped is not waited for by who only looks" {
	local pid
	pid=$(iommufdctl context list --json | gojq '.contexts[0].pid')
	must on create ioas
	must on device bind "$EDU"
	must on device attach 2 1
	kill -STOP "$pid"
	must timeout 30 iommufdctl list --json
	assert_json '.contexts[0].name == "vm1"'
	assert_json '[.contexts[0].objects[] | [.id, .refers_to]] == [[1, []], [2, [3]], [3, [1]]]'
	kill -CONT "$pid"
	must on device unbind 2
}

@test "a context without a holder: refused, and what to do is said" {
	exec 5<>/dev/iommu
	must_fail 1 iommufdctl -c fd:5 device bind "$EDU"
	assert_output --partial "'iommufdctl context create NAME'"
	assert_output --partial "'iommufdctl run --vfio BDF=FD'"
	must_fail 1 iommufdctl -c fd:5 create fault
	assert_output --partial "no holder keeps this context"
	must iommufdctl -c fd:5 list --json
	assert_json '.contexts[0].objects == []'
	hold 6
	must_fail 1 iommufdctl -c "pid:$HOLDER" device bind "$EDU"
	exec 5>&-
	# and it was not bound
	must on device bind "$EDU"
}

@test "what cannot be bound" {
	must on device bind "$EDU"
	must_fail 4 on device bind "$EDU"
	assert_output --regexp "device: $EDU: it is bound already, by iommufdctl\[[0-9]+\]"
	must_fail 3 on device bind 7f:1f.7
	assert_output --partial "there is no PCI device"
	# a group with more than one device, of which the host has one
	OTHER=0000:00:1f.3 NEIGHBOUR=0000:00:1f.2
	must_fail 2 on device bind "$OTHER"
	assert_output --partial "bind it to vfio-pci"
	insmod "${SQUATTER_KO%/*}/idle.ko"
	take_device "$OTHER"
	give_to idle "$NEIGHBOUR"
	must_fail 4 on device bind "$OTHER" --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.errno == "EPERM" or .errno == "EBUSY"'
	assert_json ".error == \"$OTHER: its IOMMU group is in use by $NEIGHBOUR (driver idle): a group goes as a whole, so bind these to vfio-pci, or unbind them\""
	give_back "$NEIGHBOUR"
	must on device bind "$OTHER"
	assert_output 2
}

@test "what cannot be attached or detached" {
	must on create ioas
	must on device bind "$EDU"
	must_fail 3 on device attach 2 77
	assert_output --partial "no ioas or hwpt of that id"
	must_fail 1 on device attach 2 2
	assert_output --partial "object 2 is of type device"
	must_fail 3 on device attach 1 2
	assert_output --partial "keeps no such device"
	must_fail 3 on device detach 1
	must_fail 3 on device unbind 77
	must_fail 3 on create hwpt --device 1 --ioas 1
	must_fail 1 on create hwpt --device 2 --ioas 2
	# set aside where the device has its interrupts
	must on set 1 allow=0xfee00000+64K
	must_fail 4 on device attach 2 1 --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.errno == "EADDRINUSE" and .id == 2'
	assert_json '.error | test("reserved are 0xfee00000-0xfeefffff \\(msi\\), and what is beyond the 39 bits")'
	must on set 1 allow=none
	must on device attach 2 1
	must_fail 1 on map 1 --anon 4K --iova 0x8000000000
	assert_output --partial "0x8000000000-0x8000000fff is beyond the 39 bits that the IOMMU of its devices takes: usable are 0x0-0xfedfffff, "
}

@test "why memory of a device that is attached cannot be mapped" {
	must on create ioas --allow 4G+1M
	must on device bind "$EDU"
	must on device attach 2 1
	# EFAULT
	must_fail 1 on map 1 --file "/sys/bus/pci/devices/$EDU/resource0" --iova 4G
	assert_output --partial "a device's own memory (a BAR) cannot be mapped"
	# EEXIST, ENOSPC
	must on map 1 --anon 64K --iova 4G
	must_fail 4 on map 1 --anon 64K --iova 0x100008000
	assert_output --partial "0x100008000-0x100017fff is mapped already, or a part of it"
	must_fail 1 on map 1 --anon 1M
	assert_output --partial "no free range of 1048576 bytes"
	# ENOMEM
	local limited=(run --user nobody --memlock 64K -- iommufdctl -c fd:3)
	must_fail 1 on "${limited[@]}" map 1 --anon 68K
	assert_output --partial "than the limit of 64 KiB allows ('ulimit -l', counted for the user): raise it, or do it with CAP_IPC_LOCK"
	must iommufdctl context create vm2 --rlimit-mode process
	must iommufdctl -c vm2 create ioas
	must on device unbind 2
	must iommufdctl -c vm2 device bind "$EDU"
	must iommufdctl -c vm2 device attach 2 1
	must_fail 1 iommufdctl -c vm2 "${limited[@]}" map 1 --anon 68K
	assert_output --partial "counted for the process, which has 0 KiB pinned): raise it"
	# EACCES
	must_fail 5 as_user iommufdctl device bind "$EDU"
	assert_output --regexp "no permission to open /dev/vfio/devices/vfio[0-9]+: it is open to its owner alone \\(mode 0600, group root\\): become root"
}

@test "an id that cannot be written down binds nothing" {
	must_fail 1 bash -c "iommufdctl -c vm1 device bind $EDU >/dev/full"
	assert_output --partial "No space left on device"
	must on list --json
	assert_json '.contexts[0].objects == []'
	must on device list --json
	assert_json '.devices == []'
	must_fail 1 bash -c "iommufdctl -c vm1 create fault >/dev/full"
	must on list --json
	assert_json '.contexts[0].objects == []'
	must on device bind "$EDU"
}

@test "a fault queue: seen, kept, and destroyed with its descriptor" {
	must on create ioas
	must on create fault
	assert_output 2
	must on list --json
	assert_schema "$SCHEMA" '#/$defs/list'
	assert_json '[.contexts[0].objects[] | [.id, .type, .refers_to]] == [[1, "ioas", []], [2, "fault", []]]'
	must on show 2 --json
	assert_json '.contexts[0].objects[0].type == "fault"'
	must on device list --json
	assert_json '.devices == []'
	must on destroy 2
	must on create fault --json
	assert_schema "$SCHEMA" '#/$defs/create'
	assert_json '.id == 2 and .type == "fault"'
	must on destroy 1 2
	must on list --json
	assert_json '.contexts[0].objects == []'
	# without the one who had it open it would be of no use
	must iommufdctl create fault
	assert_output 1
	must iommufdctl -c default list --json
	assert_json '.contexts[0] | .name == "default" and .objects[0].type == "fault"'
}

@test "a restart of the holder by other means: nothing is left bound" {
	must on device bind "$EDU"
	must iommufdctl context destroy vm1
	must iommufdctl context create vm1
	must on device bind "$EDU"
	# another process that has the device open keeps it bound, which is said
	must on run --vfio "$EDU=9" -- true
	must on device unbind 1
	refute_output --partial note
}
