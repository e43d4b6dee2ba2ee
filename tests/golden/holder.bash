# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes that hold contexts, for tests in the emulated machine.

HOLDERS=()

# hold FD...: a process that holds a fresh context at each FD, and no other;
# sets HOLDER to its pid. drop_holders ends them all.
hold() {
	local fd script=''
	for fd; do
		script+="exec $fd<>/dev/iommu; "
	done
	start_holder bash -c "$script exec sleep 1000"
}

# start_holder CMD...: the same for a command that ends up as a sleep. What
# Bats and the test have open from 3 on is none of its business.
start_holder() {
	(close_fds && exec "$@" >/dev/null 2>&1) &
	HOLDER=$!
	HOLDERS+=("$HOLDER")
	wait_for is_sleeping "$HOLDER"
}

close_fds() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd < 3)) || [[ " ${KEEP-} " == *" $fd "* ]] || eval "exec $fd>&-"
	done
}

is_sleeping() {
	local comm
	read -r comm <"/proc/$1/comm" && [[ $comm == sleep ]]
}

drop_holders() {
	local pid
	for pid in "${HOLDERS[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	HOLDERS=()
	HOLDER=
}

# context_id PID FD
context_id() { context_at "/proc/$1/fdinfo/$2"; }
