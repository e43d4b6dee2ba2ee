# SPDX-License-Identifier: GPL-2.0-or-later
#
# What looking costs: to who looks, and to who is looked at. By hand, and with a
# clock that what else the host does has no part in:
#
#   tests/vm/run -k debian-6.12 --icount tests/cost/guest.bats

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

# ns_of CMD...: nanoseconds of CPU time that CMD took
ns_of() {
	python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, pass_fds=[5], check=True)
r = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((r.ru_utime + r.ru_stime) * 1e9))
' "$@"
}

# The smallest of three: what else the machine does only adds.
least() {
	local n best=
	for n in 1 2 3; do
		n=$(ns_of "$@")
		[[ $best ]] && ((best < n)) || best=$n
	done
	echo "$best"
}

@test "JSON of 100,000 objects costs less than twice the bare dump" {
	requires no-asan
	local bare json
	must helper many 5 100000
	bare=$(least "$HELPERS/nldump")
	json=$(least iommufdctl list --json)
	echo "# an object costs $((bare / 100000)) ns in a bare dump, $((json / 100000)) ns in list --json" >&3
	((json < 2 * bare))
}

@test "110 contexts of 1,000 objects: all of them, in less than 16 MiB" {
	requires no-asan
	cat >"$BATS_TEST_TMPDIR/many.py" <<-'PY'
		import os, resource, subprocess, sys
		fds = [os.open("/dev/iommu", os.O_RDWR) for n in range(110)]
		for fd in fds:
		    subprocess.run([sys.argv[1], str(fd), "1000"], pass_fds=[fd], check=True)
		with open(sys.argv[2], "w") as out:
		    tool = subprocess.Popen(["iommufdctl", "list", "--json"], stdout=out)
		    _, status, usage = os.wait4(tool.pid, 0)
		print(status, usage.ru_maxrss)
	PY
	must python3 "$BATS_TEST_TMPDIR/many.py" "$HELPERS/many" "$BATS_TEST_TMPDIR/list"
	read -r status peak <<<"$output"
	echo "# peak: $peak KiB" >&3
	((status == 0 && peak < 16384))
	gojq -e '.contexts | length == 111 and ([.[] | .objects | length] == [0] + [range(110) | 1000])' \
		"$BATS_TEST_TMPDIR/list"
}

# Rounds of a create and destroy loop on one CPU, while CMD runs on the other.
churned() {
	local looker rounds
	taskset -c 0 "$@" >/dev/null &
	looker=$!
	rounds=$(taskset -c 1 "$HELPERS/churn" 5 3)
	kill "$looker" 2>/dev/null || true
	wait "$looker" 2>/dev/null || true
	echo "${rounds% rounds}"
}

@test "who dumps in an endless loop costs who creates and destroys little" {
	local n alone=0 beside=0 rounds
	must helper many 5 2000
	# By turns, and the best of each: what else the host does only takes away.
	# The other CPU is busy both times, since two that are may share one of
	# the host's.
	for n in 1 2 3 4; do
		rounds=$(churned sh -c 'while :; do :; done')
		((rounds <= alone)) || alone=$rounds
		rounds=$(churned "$HELPERS/nldump" 60)
		((rounds <= beside)) || beside=$rounds
	done
	echo "# rounds in 3 s: $alone alone, $beside beside an endless dump" >&3
	((beside * 100 > alone * 80))
}
