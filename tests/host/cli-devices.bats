# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices of hosts of any sort, and guests' memory maps held against them.

load ../lib/host
load ../lib/hosts
load ../golden/golden

setup() {
	host_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	MAPS=$TOP/tests/fixtures/maps
	unset IOMMUFDCTL_CONTEXT IOMMUFDCTL_ROOT
}

# check MAP-LINES ARG...: holds a map of these lines against the host
check() {
	printf '%b\n' "$1" >"$BATS_TEST_TMPDIR/guest.map"
	shift
	run iommufdctl devices --check-map "$BATS_TEST_TMPDIR/guest.map" "$@"
}

@test "each host as a table, and as JSON that is valid" {
	local host
	for host in $(hosts); do
		echo "host $host"
		replay "$host"
		must iommufdctl devices
		golden "devices/$host.txt"
		must iommufdctl devices --json
		assert_schema "$SCHEMA" '#/$defs/devices'
		# of very many, one of each sort
		[[ $host != large ]] || output=$(gojq '
			.devices |= unique_by(del(.address, .group))' <<<"$output")
		golden "devices/$host.json"
	done
}

@test "the text and the JSON of a host are of the same devices" {
	local host text
	for host in $(hosts); do
		replay "$host"
		text=$(iommufdctl devices | sed 1d | awk '{ print $1, $3, $6 }')
		output=$(iommufdctl devices --json | gojq -r '.devices[] |
			[.address, .driver // "-", (.viable | if . == null then "-"
			elif . then "yes" else "no" end)] | join(" ")')
		assert_equal "$text" "$output"
	done
}

@test "a host with 500 functions: all are there, and little memory is needed" {
	replay large
	must iommufdctl devices --json
	assert_json '.devices | length == 500'
	assert_json '[.devices[].address] | unique | length == 500'
	assert_json '[.devices[].group] | unique | length == 500'
	# JSON of one device is some 400 bytes, of all of them 200 KiB
	requires no-asan
	bash -c 'ulimit -d 1000; exec iommufdctl devices --json' >/dev/null
}

@test "devices that are named are shown in full, in that order, once" {
	replay intel-server
	must iommufdctl devices 10000:E1:00.0 17:00.0 0000:5c:00.0 17:00.0
	golden devices/named.txt
	must iommufdctl devices --json 10000:e1:00.0 17:00.0 0000:5c:00.0 17:00.0
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '[.devices[].address] ==
		["10000:e1:00.0", "0000:17:00.0", "0000:5c:00.0"]'
	replay arm-board
	must iommufdctl devices --json dprc.2 2140000.mmc
	assert_json '[.devices[].bus] == ["fsl-mc", "platform"]'
}

@test "a device that is not there: 3, nothing on stdout, and what to do" {
	replay intel-server
	for address in 0000:99:00.0 99:00.0 17:00.8 17:0.0 goat 00000:17:00.0 \
		0001:17:00.0 ../17:00.0 . "" 17:00.0/ $'17:00.0\e'; do
		must_fail 3 iommufdctl devices 17:00.0 "$address"
		assert_output --partial "'iommufdctl devices' shows what there is"
		assert_equal "${#lines[@]}" 1
		refute_output --partial $'\e'
	done
	must_fail 3 iommufdctl devices --json 99:00.0
	assert_schema "$SCHEMA" '#/$defs/error'
}

@test "a character device is where its number is; the class device proves nothing" {
	replay - <<-'HOST'
		pci 0000:01:00.0 group=1 driver=vfio-pci cdev=vfio3
		pci 0000:02:00.0 group=2 driver=vfio-pci class=vfio4
		pci 0000:03:00.0 group=3 driver=vfio-pci
		pci 0000:04:00.0 group=4 driver=iommufd_vfio_pci class=vfio5
	HOST
	# an odd one beside it is not taken for it
	mkdir "$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:03:00.0/vfio-dev"
	for name in vfio vfiox vfio-1 xvfio1; do
		mkdir -p "$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:03:00.0/vfio-dev/$name"
		echo 1:1 >"$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:03:00.0/vfio-dev/$name/dev"
	done
	# two of them, as a stock kernel with this project's module has it
	mkdir "$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:04:00.0/vfio-dev/vfio9"
	echo 509:9 >"$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:04:00.0/vfio-dev/vfio9/dev"
	must iommufdctl devices --json
	assert_json '[.devices[].vfio_cdev] ==
		["/dev/vfio/devices/vfio3", null, null, "/dev/vfio/devices/vfio9"]'
}

@test "what keeps a group from being given away: drivers of the host, no others" {
	replay - <<-'HOST'
		pci 0000:01:00.0 group=1 driver=nvme
		pci 0000:01:00.1 group=1 driver=pcieport
		pci 0000:01:00.2 group=1 driver=pci-stub
		pci 0000:01:00.3 group=1 driver=mlx5_vfio_pci
		pci 0000:01:00.4 group=1 driver=vfio-pci
		pci 0000:01:00.5 group=1
		platform fd00000.dma group=1 driver=dma-pl330
		pci 0000:02:00.0 group=2 driver=nvme
		pci 0000:03:00.0
	HOST
	must iommufdctl devices --json
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '.devices[0] | .viable == false and .blockers ==
		[{address: "fd00000.dma", bus: "platform", driver: "dma-pl330"}]'
	assert_json '.devices[1:6] | all(.viable == false and
		[.blockers[].driver] == ["nvme", "dma-pl330"])'
	# its own driver is no hindrance
	assert_json '.devices[6] | .viable and .blockers == []'
	# without a group there is no knowing
	assert_json '.devices[7] | .viable == null and .blockers == [] and
		.group == null and .group_type == null and .reserved == null'
	assert_json '.devices[8] | .bus == "platform" and
		[.blockers[].driver] == ["nvme"]'
}

@test "address widths: what an IOMMU says of itself, and null where none does" {
	local cap width
	# SAGAW 3, 4, 5 levels; MGAW below and above; none at all; no number
	for cap in 380200:39 2f0600:48 380e00:57 380c66:57 260600:39 1f0200:32 \
		3f0000:null 0:null goat:null 10000000000000000:null; do
		replay - <<-HOST
			iommu dmar0 intel-iommu/cap=${cap%:*}
			pci 0000:01:00.0 group=1 iommu=dmar0
		HOST
		echo "Intel $cap"
		must iommufdctl devices --json
		assert_json '.devices[0] | .iommu_kind == "intel" and
			.address_width == $w' --argjson w "${cap#*:}"
	done
	for cap in 0:48 400:57 800:64 c00:null goat:null; do
		for width in "${cap%:*}" "ffff:${cap%:*}"; do
			replay - <<-HOST
				iommu ivhd0 amd-iommu/features=$width
				pci 0000:01:00.0 group=1 iommu=ivhd0
			HOST
			echo "AMD $width"
			must iommufdctl devices --json
			assert_json '.devices[0] | .iommu_kind == "amd" and
				.address_width == $w' --argjson w "${cap#*:}"
		done
	done
	replay - <<-'HOST'
		iommu smmu3.0x0000000009050000
		iommu smmu.0x0000000005000000
		iommu 0000:00:01.0
		pci 0000:01:00.0 group=1 iommu=smmu3.0x0000000009050000
		pci 0000:02:00.0 group=2 iommu=smmu.0x0000000005000000
		pci 0000:03:00.0 group=3 iommu=0000:00:01.0
	HOST
	must iommufdctl devices --json
	assert_json '[.devices[].iommu_kind] == ["arm-smmu-v3", "arm-smmu", null]'
	assert_json '[.devices[].address_width] == [null, null, null]'
}

@test "holders: by the device's node or by its group's, each descriptor" {
	replay - <<-'HOST'
		pci 0000:01:00.0 group=1 driver=vfio-pci cdev=vfio0
		pci 0000:01:00.1 group=1 driver=vfio-pci cdev=vfio1
		pci 0000:02:00.0 group=2 driver=vfio-pci cdev=vfio11
		process 30 qemu 7=/dev/vfio/devices/vfio0 8=/dev/vfio/devices/vfio0
		process 4 other 9=/dev/vfio/1 10=/dev/vfio/vfio 11=/dev/null
		process 5 third 1=/dev/vfio/devices/vfio 2=/dev/vfio/devices/vfio111
	HOST
	must iommufdctl devices --json
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '[.devices[0].holders[] | [.pid, .fd]] == [[4, 9], [30, 7], [30, 8]]'
	assert_json '[.devices[1].holders[] | [.comm, .fd]] == [["other", 9]]'
	assert_json '.devices[2].holders == []'
}

@test "what sysfs should not have is passed over, and steers no terminal" {
	replay - <<-'HOST'
		pci 0000:01:00.0 group=1 driver=nvme numa=0
		reserved 1000-1fff msi
	HOST
	local dev=$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:01:00.0
	printf '%s\n' 'goat' '0x5 0x4 msi' '0x5 0x6' '0x5 0x6 MSI' '0x5 0x6 msi x' \
		'' ' 0x5 0x6 msi' '0x10000000000000000 0x10000000000000001 msi' \
		'-1 5 msi' '0x5 0x6 to-come' \
		>>"$IOMMUFDCTL_ROOT/sys/kernel/iommu_groups/1/reserved_regions"
	ln -sfn ../$'\e[31mred' "$dev/driver"
	printf 'goat\n' >"$dev/numa_node"
	printf '\e]0;title\a\n' >"$IOMMUFDCTL_ROOT/sys/kernel/iommu_groups/1/type"
	mkdir "$IOMMUFDCTL_ROOT/sys/kernel/iommu_groups/goat"
	must iommufdctl devices --json
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '.devices[0] | .driver == "?[31mred" and .numa_node == null and
		[.reserved[].type] == ["msi", "to-come"]'
	must iommufdctl devices 01:00.0
	refute_output --partial $'\e'
	rm "$dev/iommu_group"
	ln -s ../goat "$dev/iommu_group"
	must iommufdctl devices --json
	assert_json '.devices[0].group == null'
	rm -r "$IOMMUFDCTL_ROOT/sys"
	must_fail 1 iommufdctl devices
	assert_output --partial "is sysfs mounted?"
}

@test "a map that fits: 0, in JSON an empty list" {
	replay amd-server
	for map in pc pc-boot cloud-hypervisor many; do
		# the unity mapping is in the way of every guest
		must_fail 1 iommufdctl devices --check-map "$MAPS/$map.map"
		must iommufdctl devices --check-map "$MAPS/$map.map" 01:00.0 81:00.1
		assert_equal "${#lines[@]}" 1
	done
	# made for such hosts
	must iommufdctl devices --check-map "$MAPS/large.map" --json 01:00.0
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '.collisions == [] and (.devices | length == 1)'
	must iommufdctl devices --json
	assert_json '.collisions == []'
}

@test "what collides: the map's line, the region, and whose it is" {
	replay intel-server
	run iommufdctl devices --check-map "$MAPS/pc.map"
	assert_failure 1
	golden devices/collisions.txt
	run iommufdctl devices --check-map "$MAPS/pc.map" --json
	assert_failure 1
	assert_schema "$SCHEMA" '#/$defs/devices'
	output=$(gojq .collisions <<<"$output")
	golden devices/collisions.json
	# of the devices that are named only
	check 'map 0-bfffffff' 17:00.0
	assert_success
}

@test "a region that a group has more than once collides once" {
	replay intel-server
	local regions group
	group=$(readlink "$IOMMUFDCTL_ROOT/sys/bus/pci/devices/0000:17:00.0/iommu_group")
	regions=$IOMMUFDCTL_ROOT/sys/kernel/iommu_groups/${group##*/}/reserved_regions
	for ((n = 0; n < 95; n++)); do
		echo "0x00000000fee00000 0x00000000feefffff msi"
	done >"$regions"
	check 'map 0-ffffffff' 17:00.0 --json
	assert_failure 1
	assert_json '.collisions | length == 1'
	check 'map 0-ffffffff' 17:00.0
	refute_output --partial "0000:17:00.0,0000:17:00.0"
}

@test "the window of HyperTransport, the interrupts', the SMMU's, and an RMRR" {
	replay amd-server
	check 'map 100000000-fd00000000' 01:00.0
	assert_failure 1
	check 'map 100000000-fcffffffff\nmap 10000000000-10000000fff' 01:00.0
	assert_success
	check 'map ffffffffff-10000000000' 01:00.0
	assert_failure 1
	check 'map 0-ffffffff' 01:00.0
	assert_line --regexp '0xfee00000-0xfeefffff +msi'
	replay arm-board
	check 'map 0-7ffffff\nmap 8100000-ffffffff'
	assert_success
	check '\n\nmap 80ff000-8100fff' --json dprc.2
	assert_failure 1
	assert_json '.collisions == [{line: 3, start: "0x80ff000", last: "0x8100fff",
		region: {start: "0x8000000", last: "0x80fffff", type: "msi"},
		group: 5, devices: ["dprc.2"]}]'
	replay intel-server
	# shared with firmware, but given up with the first driver
	check 'map 6a3d0000-6a3f0fff' 00:14.0
	assert_success
	check 'map bdff6000-bdff6fff' 5c:00.0
	assert_failure 1
	assert_line --regexp 'direct +0000:5c:00.0'
}

@test "a map beyond what the IOMMU can translate collides too" {
	replay laptop
	check 'map 0-7fffffff\nmap 100000000-7fffffffff' 03:00.0
	assert_success
	check 'map 100000000-8000000000' --json 03:00.0
	assert_failure 1
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '.collisions[0].region == {start: "0x8000000000",
		last: "0xffffffffffffffff", type: "beyond-address-width"}'
	replay amd-server
	check 'map 10000000000-ffffffffffffffff' 01:00.0
	assert_success
}

@test "one line for all groups in text, one for each in JSON" {
	replay large
	check 'map fee00000-fee00fff'
	assert_failure 1
	assert_equal "${#lines[@]}" 2
	assert_line --partial "0000:00:00.0,0000:00:00.1 and 498 more"
	check 'map fee00000-fee00fff' --json
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '.collisions | length == 500'
	assert_json '[.collisions[].group] == [range(0; 8), 8, 9, range(10; 18), 18,
		range(20; 261), range(262; 502)]'
	# both functions of a group, in one
	replay intel-server
	check 'map fee00000-fee00fff' --json 17:00.1 17:00.0
	assert_json '[.collisions[].devices] == [["0000:17:00.0", "0000:17:00.1"]]'
}

@test "what a map may hold, and what of it is not held against anything" {
	replay amd-server
	check '# comment\n\n \t\navoid fee00000-feefffff\nauto 1000\nauto 1000 x5\n
unmap-all\nunmap fee00000-feefffff\nloop 3\nmap 0x0-0XFFF ro\nend\t\n  map 1000-1fff' 01:00.0
	assert_success
	# the end of N maps, to the byte
	check 'map 0-ffff x65248' 01:00.0
	assert_success
	check 'map 0-ffff ro x65249' 01:00.0
	assert_failure 1
	assert_line --partial "0x0-0xfee0ffff"
	# in a loop once
	check 'loop 5\nmap fee00000-feefffff\nend' 01:00.0
	assert_equal "${#lines[@]}" 2
}

@test "a file that is no map: 64, its line, and nothing on stdout" {
	replay amd-server
	for wrong in map 'map 0' 'map 0-' 'map -1' 'map 1-0' 'map 0-g' 'map 0 - 1' \
		'map 0-1 rw' 'map 0-1 ro x0' 'map 0-1 x' 'map 0-1 x2 x2' \
		'map 0-1 x2 ro' 'map 0-1 x4294967296' 'map 0-10000000000000000' \
		'map 0-ffffffffffffffff x2' 'map 1-ffffffff x4294967295000' \
		'map 0-7fffffffffffffff x3' auto 'auto 0' 'auto 1 2' avoid \
		'avoid 5' 'unmap 1' 'unmap-all 1' goat 'Map 0-1' loop 'loop 0' \
		'loop 2 3' end 'loop 2\nend\nend' "map 0-1$(printf ' %.0s' {1..200})x" \
		'loop 2\nloop 2' 'loop 2'; do
		check "map 0-fff\n$wrong"
		echo "$wrong"
		assert_failure 64
		assert_equal "${#lines[@]}" 1
		assert_output --regexp "guest.map:[234]: expected "
	done
	check "map 0-fff\ngoat" --json
	assert_failure 64
	assert_schema "$SCHEMA" '#/$defs/error'
	printf 'map 0-1\nmap 0-1\0\n' >"$BATS_TEST_TMPDIR/nul.map"
	must_fail 64 iommufdctl devices --check-map "$BATS_TEST_TMPDIR/nul.map"
	assert_output --partial "nul.map:2: expected text"
	must_fail 1 iommufdctl devices --check-map "$BATS_TEST_TMPDIR/none.map"
	assert_output --partial "cannot read"
	must_fail 1 iommufdctl devices --check-map "$BATS_TEST_TMPDIR"
	assert_output --partial "Is a directory"
}

@test "without an IOMMU nothing is known to fit: 2" {
	replay vm
	check 'map 0-fff'
	assert_failure 2
	assert_equal "${#lines[@]}" 1
	assert_output --partial "no IOMMU"
	replay arm-board
	check 'map 0-fff' 0002:00:00.0
	assert_success
	replay - <<-'HOST'
		pci 0000:01:00.0 group=1
		pci 0000:02:00.0
	HOST
	check 'map 0-fff'
	assert_success
	check 'map 0-fff' 01:00.0 02:00.0
	assert_failure 2
	assert_output --partial "0000:02:00.0 has no IOMMU group"
}

@test "this very host can be looked at" {
	[[ -d /sys/bus/pci/devices ]] || skip "no PCI here"
	must iommufdctl devices --json
	# a note of processes out of sight may stand before it
	output=$(iommufdctl devices --json 2>/dev/null)
	assert_schema "$SCHEMA" '#/$defs/devices'
	assert_json '[.devices[] | select(.bus == "pci").address] | sort == $there' \
		--argjson there "$(cd /sys/bus/pci/devices && printf '%s\n' * |
			gojq -Rs 'split("\n") | map(select(. != "" and . != "*"))')"
}

@test "completion of devices names addresses and drivers" {
	replay intel-server
	must iommufdctl completion devices
	assert_line $'10000:e1:00.0\tnvme'
	assert_line $'0000:31:01.1\tno driver'
	assert_equal "${#lines[@]}" 19
}

@test "a full disk is a failure" {
	replay large
	run bash -c 'iommufdctl devices --json >/dev/full'
	assert_failure 1
	assert_output --partial "No space left"
}
