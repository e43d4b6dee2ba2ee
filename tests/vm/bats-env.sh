# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a script of Bats's reads before its first line (BASH_ENV, set by tests/vm/guest).
# Bats runs four programs for each test, reads its libraries twice or three times, and
# goes through each file of tests line by line, twice; emulated, that is a third of what
# a short test takes. Here are the same things with less to do. What is a test's own
# finds all as it would be without, but for a function rm that does as rm(1).

# The name that it has with Bats's first line, which tests find in lists of processes.
# In the machine that line is without env(1), and the kernel names it after the script.
[[ $0 != "${BATS_LIBEXEC-}"/bats-* ]] || printf bash >/proc/$$/comm

# Another Bats does as it does.
[[ ${BATS_VERSION-} == 1.8.* ]] || return 0

case $0 in
"${BATS_LIBEXEC-}/bats-exec-suite" | "${BATS_LIBEXEC-}/bats-exec-file")
	# bats-preprocess FILE: what it printed on the host (tests/vm/machine.sh), if it
	# was asked there. The suite is after the names of all tests only.
	bats-preprocess() {
		local made=/run/vm/preprocessed$1 text=''
		if [[ ${BATS_TEST_FILTER-} || ! -r $made ]]; then
			command bats-preprocess "$@"
			return
		fi
		[[ $0 == */bats-exec-file ]] || made+=.names
		IFS= read -r -d '' text <"$made" || :
		printf %s "$text"
	}
	;;
"${BATS_LIBEXEC-}/bats-exec-test")
	unset BASH_ENV
	# Folders of tests, for the next ones too.
	mkdir() {
		if [[ $1 != -p ]]; then
			unset -f mkdir
			[[ -d $1 ]] || command mkdir "$@"
		elif [[ ! -d $2 ]]; then
			command mkdir -p "$2"/{1..200}
		fi
	}
	# Of a file that goes with its folder when Bats ends. Empty, since a later test
	# may have the same number of a process, and with it this file.
	rm() {
		if [[ $* == "-f ${BATS_OUT-}" ]]; then
			: >"$BATS_OUT"
		else
			command rm "$@"
		fi
	}
	declare -A sourced=()
	# The last of them is what finds the test's own file, which is read as ever.
	source() {
		[[ $1 != */preprocessing.bash ]] || unset -f source
		[[ ! ${sourced[$1]-} ]] || return 0
		sourced[$1]=1
		# shellcheck source=/dev/null
		builtin source "$@"
	}
	;;
esac
