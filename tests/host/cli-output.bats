# SPDX-License-Identifier: GPL-2.0-or-later
#
# A result that cannot be written is a failure; one that nobody wants is quiet.

load ../lib/host

setup() {
	host_setup
	unset IOMMUFDCTL_CONTEXT
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root
	mkdir -p "$IOMMUFDCTL_ROOT/proc"
}

@test "a full disk is a failure of every command that prints" {
	for args in --help --version list "list --json" doctor "doctor --json" "help list" \
		"completion bash" "completion zsh" "completion fish"; do
		# shellcheck disable=SC2086 # words
		must_fail 1 bash -c "iommufdctl $args >/dev/full"
		assert_output --partial "No space left on device"
	done
}

@test "a full disk in JSON" {
	run bash -c 'iommufdctl list --json >/dev/full'
	assert_failure 1
	assert_schema "$TOP/schema/iommufdctl.schema.json" '#/$defs/error'
	assert_json '.errno == "ENOSPC"'
}

@test "a closed pipe: no message, but no success" {
	# sleep closes its end at once, and the tool comes later
	run bash -c '{ sleep 0.5; iommufdctl completion bash; echo "$?" >&2; } | :'
	refute_output 0
	[[ $output =~ ^[0-9]+$ ]]
	# where the caller has SIGPIPE ignored, as Python's children may have
	run bash -c 'trap "" PIPE
		{ sleep 0.5; iommufdctl completion bash; echo "$?" >&2; } | :'
	assert_output 1
}

@test "a closed stdout is a failure, and nothing is written elsewhere" {
	must_fail 1 bash -c 'iommufdctl --version >&-'
	assert_output --partial "cannot write to standard output"
	must_fail 1 bash -c 'iommufdctl list <&- >&-'
	# what is not printed cannot fail; nothing else takes stderr's place
	run bash -c 'iommufdctl run --new true <&- >&- 2>&-'
	assert_output ''
}
