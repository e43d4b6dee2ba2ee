# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Drives kernel/testdrv.c, whose head says what its commands are.

# drv_open FD: a session on the context behind FD; $DRV is its descriptor.
drv_open() {
	load_testdrv
	exec {DRV}<>/sys/kernel/debug/iommufd_testdrv/session
	drv ctx "$1"
}

# drv COMMAND...: fails, with the errno's text on stderr, as the command does.
drv() { echo "$*" >&"$DRV"; }

# What the last command resulted in.
drv_result() { read -r REPLY <&"$DRV" && echo "$REPLY"; }

# drv_make COMMAND...: runs it and prints its result.
drv_make() { drv "$@" && drv_result; }

# drv_fails TEXT COMMAND...: it must fail with an errno that reads TEXT.
drv_fails() {
	local text=$1
	shift
	run drv "$@"
	assert_failure
	assert_output --partial "$text"
}

# drv_go TOKEN: ends the wait of a busy, busy-hold or reserve.
drv_go() { echo "go $1" >/sys/kernel/debug/iommufd_testdrv/session; }

# Nothing shows a call in flight or a destroy that waits, but where they sleep.
sleepers_in() { grep -lsw "$1" /proc/[0-9]*/stack | wc -l; }
sleep_in() { (($(sleepers_in "$1") == $2)); }
wait_for_inflight() { wait_for sleep_in testdrv_await "${1-1}"; }
wait_for_drain() { wait_for sleep_in iommufd_object_destroy 1; }

drv_close() { exec {DRV}>&-; }

# drv_access MODE IOAS: an access that looks at this IOAS; prints its id.
drv_access() {
	local id
	id=$(drv_make access "$1") && drv attach "$id" "$2" && echo "$id"
}
