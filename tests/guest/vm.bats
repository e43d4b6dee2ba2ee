#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the other tests take for granted about the machine that they run in.

load ../lib/guest

setup() {
	guest_setup
}

teardown() { guest_teardown; }

@test "the kernel is the one that was asked for" {
	local release=${IOMMUFD_KO%/*}
	assert_equal "$(uname -r)" "${release##*/}"
	[[ $(uname -r) == "${TEST_KERNEL#*-}".* ]]
}

@test "modules, helpers and tool are those of this build" {
	local file
	for file in "$IOMMUFD_KO" "$TESTDRV_KO" "$SQUATTER_KO"; do
		[[ -s $file ]] || fail "no $file"
		assert_equal "$(modinfo -F vermagic "$file" | cut -d ' ' -f 1)" \
			"$(uname -r)"
	done
	[[ -d $HELPERS ]]
	assert_equal "$(command -v iommufdctl)" \
		"$BUILD${IOMMUFDCTL_FLAVOUR:+/$IOMMUFDCTL_FLAVOUR}/iommufdctl"
}

@test "there are two CPUs, and a device behind an IOMMU" {
	assert_equal "$(nproc)" 2
	local edu
	pci_device edu 0x1234 0x11e8
	[[ $edu ]] || fail "no edu device"
	[[ -d /sys/bus/pci/devices/$edu/iommu_group/devices ]] || fail "the edu device has no IOMMU group"
}

@test "a test may write anywhere, load modules and make devices" {
	local file=$TOP/.written-by-a-test
	echo x >"$file"
	assert_equal "$(<"$file")" x
	rm "$file"
	# which every kernel has as a module
	modprobe vfio_iommu_type1
	[[ -c /dev/vfio/vfio ]]
	modprobe -r vfio_iommu_type1
	[[ -e /dev/ptmx && -d /dev/pts && -w /dev/shm && -w /run && -w /tmp ]]
}

@test "expect_splat: the command's status is kept, its report excused" {
	run expect_splat 'made up by a test' bash -c \
		'echo "WARNING: made up by a test" >/dev/kmsg; exit 7'
	assert_failure 7
}

# tests/vm/bats-env.sh: with fewer processes, and to the same effect.
@test "Bats reads this file as its own preprocessor has it; its names and folders are there" {
	local made=/run/vm/preprocessed$BATS_TEST_FILENAME
	must bats-preprocess "$BATS_TEST_FILENAME"
	assert_equal "$output" "$(<"$made")"
	assert_equal "$(grep '^bats_test_function ' <<<"$output")" "$(<"$made.names")"
	[[ ! ${BASH_ENV-} ]] || fail "a test's programs would read $BASH_ENV"
	# Of Bats's own scripts; the one that is left tells that they had them.
	assert_equal "$(type -t mkdir source rm)" "file
builtin
function"
	assert_equal "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR/test/$BATS_SUITE_TEST_NUMBER"
	must find "$BATS_TEST_TMPDIR" "$BATS_OUT" -printf '%y\n'
	assert_output "d
f"
	rm "$BATS_OUT"
	[[ ! -e $BATS_OUT ]] || fail "rm removes nothing"
	touch "$BATS_OUT"
}
