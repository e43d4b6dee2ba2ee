# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The examples of the manual pages as tests. Before each block that a test is
# to run stands a comment: .\" example: WHERE [WORD]...
#
#   host, guest  where it is run
#   exact        all that is printed is in the page too, but for context ids
#   holder       while a process $PID holds a context with two IOASes, id 7

# examples_of WHERE: fills EXAMPLES, each of them a file that begins with the
# words of its comment and the page's name.
examples_of() {
	local page n=0
	EXAMPLES=()
	mkdir -p "$BATS_TEST_TMPDIR/examples"
	for page in "$TOP"/man/*.[1-8]; do
		awk -v page="${page##*/}" -v where="$1" \
			-v dir="$BATS_TEST_TMPDIR/examples" '
			/^\.\\" example:/ {
				wanted = $3 == where
				words = $0
				next
			}
			/^\.Bd/ && wanted {
				file = sprintf("%s/%s-%d", dir, page, ++n)
				print words, page > file
				next
			}
			/^\.Ed/ { wanted = 0 }
			# as man prints it
			wanted && file { gsub(/\\e/, "\\"); print > file }
		' "$page"
	done
	for n in "$BATS_TEST_TMPDIR"/examples/*; do
		[[ ! -f $n ]] || EXAMPLES+=("$n")
	done
}

# run_example FILE: runs its commands, each of which must succeed, in one shell.
# HOLDER and CONTEXT are of the holder, where there is one.
run_example() {
	local words commands want got
	words=$(head -n 1 "$1")
	echo "example: $words"
	commands=$(sed -n '2,$s/^\$ //p' "$1")
	[[ ! ${CONTEXT-} ]] || commands=${commands//-c 7/-c $CONTEXT}
	# errors come where they would come on a terminal
	got=$(PID=${HOLDER-} bash -euo pipefail -c "$commands" 2>&1) || {
		echo "$got"
		fail "an example failed: $commands"
	}
	[[ " $words " == *" exact "* ]] || return 0
	want=$(sed '1d; /^\$ /d' "$1")
	diff <(without_ids <<<"$want") <(without_ids <<<"$got")
}

without_ids() { sed 's/context [0-9]\+/context N/g'; }
