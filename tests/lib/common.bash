# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What every test file loads, by way of host.bash or guest.bash.

# Debian keeps Bats' libraries there; its Bats 1.8 does not look by itself.
export BATS_LIB_PATH=${BATS_LIB_PATH-}:/usr/lib/bats:/usr/share/bats
bats_load_library bats-support
bats_load_library bats-assert

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck disable=SC2034 # for the tests
BUILD=$TOP/build

# runs CMD... and fails, with all that it printed, unless its status is 0.
# $output and $status are set as by `run`.
must() {
	run "$@"
	assert_success
}

# The same for a command that is to end with status STATUS: must_fail STATUS CMD...
must_fail() {
	local want=$1
	shift
	run "$@"
	assert_failure "$want"
}

# assert_json EXPR [JQ-ARG...]: $output is one JSON value of which EXPR holds.
assert_json() {
	local expr=$1 err
	shift
	# Slurped, since no value at all would satisfy jq.
	if ! err=$(jq -es "$@" "length == 1 and (.[0] | $expr)" \
		<<<"${output-}" 2>&1 >/dev/null); then
		{
			echo "expression : $expr"
			[[ ! $err ]] || echo "jq         : $err"
			echo "output     :"
			printf '%s\n' "${output-}"
		} | batslib_decorate "JSON is not as wanted" | fail
	fi
}

# assert_schema SCHEMA-FILE [POINTER]: $output is valid under the schema, or
# under the part of it at POINTER (as "#/$defs/list").
assert_schema() {
	if [[ ${SCHEMA_SERVER-} && -p $SCHEMA_SERVER/ask ]]; then
		ask_schema_server "$@" || fail "$REPLY"
	else
		python3 "$TOP/tests/lib/validate.py" "$@" <<<"${output-}" || fail
	fi
}

# The same, by way of validate.py --serve, which the emulated machine has. REPLY
# is what is wrong.
ask_schema_server() {
	local at=$BATS_TEST_TMPDIR/schema
	rm -f "$at.reply"
	mkfifo "$at.reply"
	printf '%s\n' "${output-}" >"$at.json"
	echo "$at.reply $1 ${2:--} $at.json" >"$SCHEMA_SERVER/ask"
	REPLY=$(<"$at.reply")
	[[ ${REPLY##*$'\n'} == valid ]]
}

# skips the test unless all WORDs hold. A word that is not known fails it: a
# misspelt one must not skip a test for ever.
requires() {
	local word
	for word; do
		case $word in
		root) ((EUID == 0)) || skip "needs root" ;;
		guest) [[ ${TEST_KERNEL-} ]] || skip "runs in the emulated machine only" ;;
		host) [[ ! ${TEST_KERNEL-} ]] || skip "runs on the host only" ;;
		asan) [[ ${IOMMUFDCTL_FLAVOUR-} == asan ]] || skip "needs the sanitizer build" ;;
		no-asan) [[ ${IOMMUFDCTL_FLAVOUR-} != asan ]] || skip "not with the sanitizer build" ;;
		our-driver)
			# what only it has: context ids, counts, netlink, debugfs, testdrv
			driver_is_ours || skip "this kernel's own iommufd cannot do that"
			;;
		debian-6.1 | debian-6.12 | ref-6.12) [[ ${TEST_KERNEL-} == "$word" ]] || skip "needs $word" ;;
		yama) [[ -e /proc/sys/kernel/yama ]] || skip "needs a kernel with Yama" ;;
		fault-injection) [[ -e /proc/self/fail-nth ]] || skip "needs a kernel with fault injection" ;;
		gcc | gdb | fish | zsh | bash-completion | mandoc | strace)
			requires_program "$word" ;;
		*) fail "requires: unknown word '$word'" ;;
		esac
	done
}

requires_program() {
	case $1 in
	bash-completion) [[ -r /usr/share/bash-completion/bash_completion ]] ;;
	*) command -v "$1" >/dev/null ;;
	esac || skip "needs $1"
}
