# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What every test file loads, by way of host.bash or guest.bash.

# Bats runs a trap before each command, in which it notes the line, to name that
# which failed. In the machine this takes milliseconds, and one assertion is dozens
# of commands. So what it notes is noted by one command of ours instead of twenty of
# Bats's, and without those that led there. The names are those by which Bats finds it
# when a test has failed (tests/host/lib.bats). With `bats --trace` all is Bats's own.
# (A file of tests loads this outside of all functions: for each test, before there is a
# trap, and once for its setup_file.)
# shellcheck disable=SC2034
((${BATS_TRACE_LEVEL:-0})) || bats_debug_trap() {
	[[ $1 == "$BATS_ROOT/lib"* ]] ||
		BATS_DEBUG_LASTLAST_STACK_TRACE=("${BATS_DEBUG_LAST_STACK_TRACE[@]}") \
		BATS_DEBUG_LAST_STACK_TRACE=("${BASH_LINENO[0]} ${FUNCNAME[1]} ${BASH_SOURCE[1]}") \
		BATS_DEBUG_LAST_LINENO=("${BASH_LINENO[@]}") \
		BATS_DEBUG_LAST_SOURCE=("${BASH_SOURCE[@]}")
}

# When the test begins, in milliseconds: Bats starts date(1) for it.
get_mills_since_epoch() { echo "$((${EPOCHREALTIME//[!0-9]/} / 1000))"; }

# For setup: from here on the trap is for the test's own lines, and not for the
# functions that they call. It stays in those of Bats by which it sees whether what it
# noted last is the line that failed, and in teardown.
untrace_functions() {
	set +T
	declare -ft bats_error_trap bats_check_status_from_trap bats_teardown_trap teardown
}

# Every test comes by here, in a process of its own, and in an emulated machine
# each process that is started on the way takes long: 40 to 80 ms on debug-6.12. Hence
# the libraries' parts and not their load.bash, which asks dirname for each part;
# `read` for a file of one line and not $(<file), for which Bash forks; gojq, which
# starts in a tenth of jq's time.
# Debian keeps them there; its Bats 1.8 does not look by itself.
source_libraries() {
	local part
	if [[ ${TEST_LIBRARIES-} ]]; then
		# The same text in one file, made by tests/vm/guest.
		# shellcheck source=/dev/null
		. "$TEST_LIBRARIES"
		return
	fi
	for part in /usr/lib/bats/bats-{support,assert}/src/*.bash; do
		# shellcheck source=/dev/null
		. "$part"
	done
}
source_libraries

# In the emulated machine it is known.
TOP=${TEST_KERNEL:+${CHECKOUT-}}
[[ $TOP ]] || TOP=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
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
	local expr=$1
	shift
	# No value at all would satisfy anything.
	assert_json_values "length == 1 and (.[0] | $expr)" "$@"
}

# assert_json_values EXPR [JQ-ARG...]: EXPR holds of the array of the JSON values
# that $output is.
assert_json_values() {
	local expr=$1 err
	shift
	if ! err=$(gojq -es "$@" "$expr" \
		<<<"${output-}" 2>&1 >/dev/null); then
		{
			echo "expression : $expr"
			[[ ! $err ]] || echo "gojq       : $err"
			echo "output     :"
			printf '%s\n' "${output-}"
		} | batslib_decorate "JSON is not as wanted" | fail
	fi
}

# assert_schema SCHEMA-FILE [POINTER]: $output is valid under the schema, or
# under the part of it at POINTER (as "#/$defs/list").
assert_schema() {
	if [[ ${TEST_SERVER-} ]]; then
		printf '%s\n' "${output-}" >"$BATS_TEST_TMPDIR/value"
		ask_server schema "$BATS_TEST_TMPDIR/value" "$@" || fail "$REPLY"
	else
		python3 "$TOP/tests/lib/validate.py" "$@" <<<"${output-}" || fail
	fi
}

# ask_server KIND ARG...: see tests/lib/server.py. REPLY is its text; ends with the
# status that it says, or 1 where there is no answer.
ask_server() {
	local token=$BASHPID.$RANDOM reply='' ask answer
	# For reading and writing, so that neither a server that is yet to start,
	# nor one that never does, keeps us here, and no answer ends early.
	exec {ask}<>"$TEST_SERVER/ask" {answer}<>"$TEST_SERVER/answer"
	{
		printf '%s\t' "$token" "$@"
		echo
	} >&"$ask"
	# What a test did not wait for is told to the next.
	until [[ ${reply##*$'\n'} == "$token" ]]; do
		IFS= read -r -t 120 -d '' -u "$answer" reply ||
			reply=$'tests/lib/server.py does not answer\n1\n'$token
	done
	exec {ask}>&- {answer}>&-
	reply=${reply%$'\n'*}
	REPLY=${reply%$'\n'*}
	return "${reply##*$'\n'}"
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
