# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What check and check-all run beside one another.

# background NAME FILE CMD...: what CMD prints goes to FILE, and each line of it,
# marked with NAME, to our output. Sets job, which is the id of CMD's process and
# of its process group, and printer, which ends when all has been printed.
background() {
	local name=$1 file=$2
	shift 2
	mkfifo "$file.pipe"
	tee "$file" <"$file.pipe" | sed -u "s/^/$name: /" &
	printer=$!
	# With job control: a group of its own, so that it ends with all that it
	# started (Bats leaves its tests behind), and a Ctrl-C that is not ignored.
	set -m
	"$@" </dev/null >"$file.pipe" 2>&1 &
	job=$!
	set +m
}

# end_jobs JOB...
end_jobs() {
	local each
	for each; do
		kill -TERM -- "-$each" 2>/dev/null || true
	done
}
