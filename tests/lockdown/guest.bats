# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel in lockdown, which it stays in: for the end of a machine's life.

load ../lib/guest

setup() {
	guest_setup
	exec 5<>/dev/iommu
	unset IOMMUFDCTL_CONTEXT
}

teardown() {
	exec 5>&-
	guest_teardown
}

@test "in lockdown, and without debugfs, netlink tells all" {
	local lockdown=/sys/kernel/security/lockdown
	mountpoint -q /sys/kernel/security ||
		mount -t securityfs securityfs /sys/kernel/security
	must helper many 5 3
	echo confidentiality >"$lockdown"
	grep -qF '[confidentiality]' "$lockdown"
	# It is one: no module that nobody signed.
	must_fail 1 insmod "$TESTDRV_KO"
	umount /sys/kernel/debug
	must iommufdctl list --json
	assert_json '.source == "netlink" and [.contexts[].objects[].id] == [1, 2, 3]'
	must iommufdctl show 2 -c fd:5 --json
	assert_json '.source == "netlink" and .contexts[0].objects[0].ranges != null'
	timeout 10 iommufdctl monitor >"$BATS_TEST_TMPDIR/events" 5>&- &
	heard() {
		helper ioas 5
		sleep 0.3
		[[ -s $BATS_TEST_TMPDIR/events ]]
	}
	wait_for heard
	wait
	mount -t debugfs debugfs /sys/kernel/debug
	echo "# debugfs in lockdown: $(cat "$DEBUGFS/contexts" >/dev/null 2>&1 && echo open || echo closed)" >&3
}
