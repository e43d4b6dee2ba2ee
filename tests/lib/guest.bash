# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests that run in the emulated machine, as root, with iommufd loaded.
#
#   load ../lib/guest
#   setup() { guest_setup; }
#   teardown() { guest_teardown; }

# shellcheck source=tests/lib/common.bash
. "${BASH_SOURCE[0]%/*}/common.bash"

DEBUGFS=/sys/kernel/debug/iommufd

[[ ${TEST_KERNEL-} ]] || {
	echo "this test runs in the emulated machine only: make check FILE=..." >&2
	exit 1
}

# They may have been started on one CPU (tests/vm/guest), which is enough for the
# tool's. Once for the file: its tests are processes of the one that loads it first.
[[ ! ${ONE_CPU-} || ${BATS_TEST_NAME-} || ${BATS_TEST_FILENAME##*/} == cli-* ]] ||
	taskset -pc 0-1 "$BASHPID" >/dev/null

kmsg() { printf 'iommufd-test: %s\n' "$*" >/dev/kmsg; }

# Ties what the kernel's log says to the test that caused it, and starts each
# test with the module in and no context open.
guest_setup() {
	untrace_functions
	kmsg "test ${BATS_TEST_FILENAME##*/}: $BATS_TEST_DESCRIPTION"
	load_iommufd
}

# No test may leave a context to the next: that would hide a leak.
guest_teardown() {
	local refs
	# kmod's has six libraries, and takes twice as long. (Not so insmod: busybox's tries
	# a load that failed once more.)
	[[ ! -d /sys/module/iommufd_testdrv ]] || busybox rmmod iommufd_testdrv
	wait_for module_unused || {
		refs=$(</sys/module/iommufd/refcnt)
		echo "the test left references to the module: $refs" >&2
		cat "$DEBUGFS/contexts" >&2 || true
		return 1
	}
}

# By nobody but the modules that are built on it.
module_unused() {
	local holders=(/sys/module/iommufd/holders/*) refs
	[[ -e ${holders[0]} ]] || holders=()
	[[ -d /sys/module/iommufd ]] || return 0
	read -r refs </sys/module/iommufd/refcnt && ((refs == ${#holders[@]}))
}

load_iommufd() {
	[[ -d /sys/module/iommufd ]] || insmod "$IOMMUFD_KO"
}

load_testdrv() {
	[[ -d /sys/module/iommufd_testdrv ]] || insmod "$TESTDRV_KO"
}

# wait_for CMD...: until it succeeds, for a minute at most: what takes no time on
# real hardware takes seconds here when the host is busy. (A bare `return` in what
# Bats runs from its traps, as it does teardown, would return the test's status.)
wait_for() {
	local end=$((SECONDS + 60))
	while ((SECONDS < end)); do
		"$@" && return 0
		sleep 0.1
	done
	echo "waited a minute in vain for: $*" >&2
	return 1
}

# pci_device VARIABLE VENDOR DEVICE: its address, or nothing
pci_device() {
	local _dir _vendor _device
	printf -v "$1" ''
	for _dir in /sys/bus/pci/devices/*; do
		read -r _vendor <"$_dir/vendor"
		[[ $_vendor == "$2" ]] || continue
		read -r _device <"$_dir/device"
		[[ $_device != "$3" ]] || printf -v "$1" %s "${_dir##*/}"
	done
}

# context_at FDINFO: the id of the context that it is of, if it is of one.
context_at() {
	local key id
	while IFS=$'\t' read -r key id; do
		[[ $key != iommufd-ctx: ]] || echo "$id"
	done <"$1"
}

# whether the kernel is one that looks for mistakes by itself, on which a test that
# meets some only by chance goes on for longer
looks_for_mistakes() { [[ $TEST_KERNEL == @(debug|kcsan)-* ]]; }

# helper NAME [ARG...]: a program of tests/helpers, as a 64-bit one or, with
# BITS=32, as a 32-bit one.
helper() {
	local name=$1
	shift
	[[ ${BITS-64} == 64 ]] || name+=.$BITS
	"$HELPERS/$name" "$@"
}

# expect_splat REGEX CMD...: runs CMD, during which the kernel must report one
# thing, with a line that matches REGEX. Ends with CMD's status; whether the
# report was there is judged after the run, by tests/vm/check-log.
expect_splat() {
	local pattern=$1 status=0
	shift
	kmsg "expect-begin $pattern"
	"$@" || status=$?
	kmsg "expect-end"
	return "$status"
}

# as_user CMD...: as an unprivileged user (nobody), with our PATH.
as_user() {
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		env PATH="$PATH" HOME=/tmp "$@"
}
