# SPDX-License-Identifier: GPL-2.0-or-later
#
# Contexts with very many objects, and very many contexts.

load ../lib/guest
load ../lib/driver
load ../golden/holder

setup() {
	guest_setup
	use_driver
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
}

teardown() {
	exec 5>&-
	guest_teardown
}

teardown_file() {
	restore_driver
}

@test "a context with 3,000 objects lists all, once each" {
	exec 5<>/dev/iommu
	helper many 5 3000
	must iommufdctl list -c fd:5 --json
	assert_json '[.contexts[0].objects[].id] == [range(1; 3001)]'
	# All are alike, so that to validate some takes the others in.
	assert_json '[.contexts[0].objects[] | map_values(type)] | unique | length == 1'
	output=$(gojq '.contexts[0].objects |= .[:20]' <<<"$output")
	assert_schema "$SCHEMA" '#/$defs/list'
	must iommufdctl list -c fd:5
	assert_equal "${#lines[@]}" 3001
	assert_equal "$(iommufdctl completion objects -c fd:5 | wc -l)" 3000
}

# The kernel's word on the largest size that any child of it had, in KiB.
peak() {
	python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, pass_fds=[5], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
' "$@"
}

@test "memory does not grow with the number of objects" {
	requires no-asan
	exec 5<>/dev/iommu
	helper many 5 100000
	for json in '' --json; do
		# shellcheck disable=SC2086 # no word where there is none
		must peak iommufdctl list -c fd:5 $json
		echo "# peak ${json:-as text}: $output KiB" >&3
		((output < 16384))
	done
}

@test "200 contexts in one process" {
	local count=200
	# whose every id has to be asked for, which takes its time here
	driver_is_ours || count=20
	must python3 -c '
import os, subprocess, sys
fds = [os.open("/dev/iommu", os.O_RDWR) for i in range(int(sys.argv[1]))]
sys.exit(subprocess.run(["iommufdctl", "list", "--json"]).returncode)' $count
	assert_json ".contexts | length == $count"
	! driver_is_ours || assert_json '[.contexts[].id] | . == unique'
	assert_json '[.contexts[].objects] | unique == [[]]'
	assert_json '[.contexts[].holders[].comm] | unique == ["python3"]'
}
