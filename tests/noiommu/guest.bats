# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine whose IOMMU is off (tests/vm/run --iommu off), or that has none
# (--iommu none): the driver works as ever, and doctor names the cause.

load ../lib/guest

setup() {
	guest_setup
	unset IOMMUFDCTL_CONTEXT
	[[ ! $(ls /sys/kernel/iommu_groups) ]] ||
		fail "this machine has an IOMMU: tests/vm/run --iommu off|none"
}

teardown() { guest_teardown; }

@test "without an IOMMU, doctor says why there is none" {
	local seen="virtual machine that was given none" remedy=intremap=on
	if grep -qw intel_iommu=off /proc/cmdline; then
		seen="the kernel's command line has intel_iommu=off"
		remedy="\\bintel_iommu=off\\b"
	fi
	must_fail 1 iommufdctl doctor --json
	assert_schema "$TOP/schema/iommufdctl.schema.json" '#/$defs/doctor'
	assert_json '[.checks[] | select(.id == "iommu" and .status == "fail" and
		(.seen | contains($seen)) and (.remedy | contains($remedy)))] |
		length == 1' --arg seen "$seen" --arg remedy "$remedy"
	assert_json '[.checks[] | select(.id == "groups" or .id == "iommu-mode" or
		.id == "interrupt-remapping").status] == ["warn", "warn", "warn"]'
	must_fail 1 iommufdctl doctor
	assert_line --regexp "^fail  iommu  .*$seen"
}

@test "without an IOMMU, an address space can be made and filled" {
	must iommufdctl run --new bash -c '
		ioas=$(iommufdctl -c fd:3 create ioas)
		iommufdctl -c fd:3 map "$ioas" --anon 1M'
}
