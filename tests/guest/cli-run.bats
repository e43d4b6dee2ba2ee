# SPDX-License-Identifier: GPL-2.0-or-later
#
# 'run' with the real device. tests/host/cli-run.bats has what needs none.

load ../lib/guest
load ../lib/driver
load ../golden/holder

setup() {
	guest_setup
	use_driver
	unset IOMMUFDCTL_CONTEXT
}

teardown() {
	exec 5>&-
	drop_holders
	guest_teardown
}

teardown_file() {
	restore_driver
}

@test "a fresh context: empty, the program's alone, and gone with it" {
	must iommufdctl run -- sh -c 'iommufdctl -c fd:3 create ioas
		iommufdctl list --json'
	assert_line --index 0 1
	output=$(sed 1d <<<"$output")
	assert_json '.contexts | length == 1'
	assert_json '[.contexts[0].holders[] | [.comm, .fd]] == [["sh", 3]]'
	must iommufdctl list --json
	assert_json '.contexts == []'
}

@test "someone else's context, by each way to it" {
	requires our-driver
	hold 6
	local id
	id=$(context_id "$HOLDER" 6)
	for context in "pid:$HOLDER" "pid:$HOLDER:6" "$id"; do
		must iommufdctl -c "$context" run --fd 9 -- \
			sed -n 's/^iommufd-ctx:\t//p' /proc/self/fdinfo/9
		assert_output "$id"
	done
	IOMMUFDCTL_CONTEXT=$id must iommufdctl run -- \
		sed -n 's/^iommufd-ctx:\t//p' /proc/self/fdinfo/3
	assert_output "$id"
	IOMMUFDCTL_CONTEXT=$id must iommufdctl run --new -- \
		sed -n 's/^iommufd-ctx:\t//p' /proc/self/fdinfo/3
	refute_output "$id"
}

@test "the program's descriptors: 0, 1, 2 and the context" {
	exec 5<>/dev/iommu
	must iommufdctl run --fd 4 -- ls /proc/self/fd
	# and the folder that ls reads
	assert_output $'0\n1\n2\n3\n4'
	must iommufdctl run --fd 4 -- readlink /proc/self/fd/4
	assert_output /dev/iommu
	must iommufdctl -c fd:5 run --fd 5 -- ls /proc/self/fd
	assert_output $'0\n1\n2\n3\n5'
}

@test "status and signal are the program's; its end closes the context" {
	run iommufdctl run -- sh -c 'exit 42'
	assert_failure 42
	run bash -c 'iommufdctl run -- sh -c "kill -9 \$\$"'
	assert_failure 137
	start_holder iommufdctl run -- sleep 1000
	must iommufdctl list --json
	assert_json "[.contexts[].holders[].pid] == [$HOLDER]"
	drop_holders
	must iommufdctl list --json
	assert_json '.contexts == []'
}
