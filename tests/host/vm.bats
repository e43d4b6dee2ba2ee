#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The emulated machine's own tools, as far as they can be tried without one:
# a judge of logs that passes everything would make every other test worthless.

load ../lib/host

setup() {
	host_setup
	LOG=$BATS_TEST_TMPDIR/kernel.log
	CHECK=$TOP/tests/vm/check-log
}

# log LINE...: a whole log with these lines in the middle, as a serial console
# writes it: time stamps and carriage returns.
log() {
	local line n=10
	for line in "Linux version 6.12.0" "Command line: hung_task_panic=1 oops=panic" \
		"iommufd-test: begin" "$@" "iommufd-test: end" "reboot: Power down"; do
		n=$((n + 1))
		printf '[    0.0%d] %s\r\n' "$n" "$line"
	done >"$LOG"
}

accepts() {
	log "$@"
	run "$CHECK" "$LOG"
	assert_success
	assert_output ""
}

refuses() {
	local want=$1
	shift
	log "$@"
	run "$CHECK" "$LOG"
	assert_failure 1
	assert_output --partial "$want"
}

WARN=(
	"------------[ cut here ]------------"
	"WARNING: CPU: 1 PID: 77 at kernel/object.c:12 destroy+0x10/0x20 [iommufd]"
	"Modules linked in: iommufd(OE)"
	"RIP: 0010:destroy+0x10/0x20 [iommufd]"
	"Call Trace:"
	" <TASK>"
	"---[ end trace 0000000000000000 ]---"
)

@test "log: a quiet one passes" {
	accepts "iommufd: loading out-of-tree module taints kernel."
}

@test "log: a fault of DMA that a test made the edu device try passes" {
	accepts "DMAR: [DMA Write NO_PASID] Request device [00:10.0] fault addr 0xbad2000 [fault reason 0x05] PTE Write access is not set"
}

@test "log: what a test calls itself is no report" {
	accepts "iommufd-test: test x.bats: no WARNING: and no BUG: here"
}

@test "log: each kind of report fails" {
	local line
	while read -r line; do
		refuses "$line" "$line"
	done <<-'LINES'
		WARNING: CPU: 0 PID: 1 at x.c:1 f+0x0/0x10
		BUG: kernel NULL pointer dereference, address: 0000000000000000
		BUG: KASAN: slab-use-after-free in destroy+0x10/0x20
		BUG: sleeping function called from invalid context at mm/slab.h:1
		BUG: scheduling while atomic: swapper/0/0/0x00000002
		Oops: 0000 [#1] PREEMPT SMP
		UBSAN: array-index-out-of-bounds in x.c:1:2
		BUG: KCSAN: data-race in a / b
		WARNING: possible circular locking dependency detected
		WARNING: possible recursive locking detected
		WARNING: inconsistent lock state
		WARNING: suspicious RCU usage
		WARNING: held lock freed!
		WARNING: lock held when returning to user space!
		WARNING: bad unlock balance detected!
		[ BUG: Invalid wait context ]
		refcount_t: underflow; use-after-free.
		list_add corruption. next->prev should be prev
		list_del corruption, ffff88 is LIST_POISON1
		kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
		unreferenced object 0xffff888003a0e000 (size 64):
		general protection fault, probably for non-canonical address
		Call Trace:
		INFO: task bats:12 blocked for more than 100 seconds.
		rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
		rcu: INFO: rcu_preempt self-detected stall on CPU
		watchdog: BUG: soft lockup - CPU#0 stuck for 61s!
		BUG iommufd_object (Tainted: G): Objects remaining in iommufd_object on __kmem_cache_shutdown()
		slab iommufd_object: Objects remaining on shutdown
		sysfs: cannot create duplicate filename '/devices/virtual/misc/iommu'
		ODEBUG: free active (active state 0) object type: work_struct
		Kernel panic - not syncing: sysrq triggered crash
		Out of memory: Killed process 77 (bats)
		DMAR: [DMA Write NO_PASID] Request device [00:10.0] fault addr 0x100000 [fault reason 0x05] PTE Write access is not set
		DMAR: [DMA Read NO_PASID] Request device [00:11.0] fault addr 0xbad0000 [fault reason 0x06] PTE Read access is not set
		** 12 printk messages dropped **
		iommufd-test: boot failed: no overlay
	LINES
}

@test "log: a report from another context's prefix fails too" {
	log
	sed -i '3i [    1.000][   T77] WARNING: CPU: 0 PID: 77 at x.c:1' "$LOG"
	run "$CHECK" "$LOG"
	assert_failure 1
}

@test "log: an expected report is excused" {
	accepts "iommufd-test: expect-begin at kernel/object\.c" "${WARN[@]}" \
		"iommufd-test: expect-end"
}

@test "log: an expected report without a frame is excused" {
	accepts "iommufd-test: expect-begin possible circular" \
		"WARNING: possible circular locking dependency detected" \
		"Call Trace:" "iommufd-test: expect-end"
}

@test "log: a missing expected report fails" {
	refuses "there was none" "iommufd-test: expect-begin object\.c" \
		"iommufd-test: expect-end"
}

@test "log: another report than the expected one fails" {
	refuses "there was another" "iommufd-test: expect-begin ioas\.c" \
		"${WARN[@]}" "iommufd-test: expect-end"
}

@test "log: a second report beside the expected one fails" {
	refuses "there were 2" "iommufd-test: expect-begin object\.c" \
		"${WARN[@]}" "${WARN[@]}" "iommufd-test: expect-end"
	refuses "there were 2" "iommufd-test: expect-begin object\.c" \
		"${WARN[@]}" "BUG: sleeping function called" "iommufd-test: expect-end"
}

@test "log: a report outside of what is expected fails" {
	refuses "WARNING: CPU" "iommufd-test: expect-begin object\.c" "${WARN[@]}" \
		"iommufd-test: expect-end" "${WARN[@]}"
}

@test "log: one that ends inside what is expected fails" {
	refuses "ends inside" "iommufd-test: expect-begin object\.c" "${WARN[@]}"
}

@test "log: one that is cut short, empty, missing or never began fails" {
	log
	sed -i '/iommufd-test: end/,$d' "$LOG"
	run "$CHECK" "$LOG"
	assert_failure 1
	assert_output --partial "cut short"

	log
	sed -i '/iommufd-test/d' "$LOG"
	run "$CHECK" "$LOG"
	assert_failure 1
	assert_output --partial "does not tell that the tests began"

	: >"$LOG"
	run "$CHECK" "$LOG"
	assert_failure 1

	run "$CHECK" "$LOG.gone"
	assert_failure 1
}

@test "log: a NUL or a carriage return hides nothing" {
	log
	printf 'x\0WARNING: CPU\r\n' >>"$LOG"
	run "$CHECK" "$LOG"
	assert_failure 1
}

@test "run: --help tells the options" {
	run "$TOP/tests/vm/run" --help
	assert_success
	local word
	for word in --kernel --shell --demo --gdb --timeout --filter --no-build --iommu \
		--cpus; do
		assert_output --partial -- "$word"
	done
}

@test "run: wrong usage is told from a failed run" {
	local args
	for args in "" "-k debian-6.1" "-k debian-6.1 --timeout x f.bats" \
		"-k debian-6.1 --iommu sideways f.bats" "-k debian-6.1 --frob" "-k debian-6.1 --demo f.bats" \
		"-k debian-6.1 /nonexistent.bats" "-k" "--timeout" \
		"--cpus"; do
		# shellcheck disable=SC2086 # several words
		run "$TOP/tests/vm/run" $args </dev/null
		assert_failure 64
	done
}

# machine LINE...: what boot makes of machines of which each leaves such a log.
machine() {
	local RUN=$BATS_TEST_TMPDIR/run CHECKOUT=$TOP mode=bats kernel=k KREL=r gdb=''
	local LOG=$RUN/kernel.log logs=("$@") boots=0
	mkdir -p "$RUN/exchange"
	# shellcheck source=tests/vm/machine.sh
	. "$TOP/tests/vm/machine.sh"
	qemu-system-x86_64() { :; }
	qemu_args() { :; }
	run_watched() { echo "${logs[boots++]}" >"$LOG"; return 1; }
	judge() { echo "judged $1 after $boots: $(<"$LOG")"; }
	boot
	trap - EXIT INT TERM HUP
}

@test "a kernel that dies before anything of ours ran is booted once more" {
	local panic='Kernel panic - not syncing: Fatal exception'
	run machine "$panic" "iommufd-test: begin"
	assert_line "judged 1 after 2: iommufd-test: begin"
	assert_line --partial "once more"
	assert_equal "$(<"$BATS_TEST_TMPDIR/run/kernel.log.1")" "$panic"

	# but not twice
	run machine "$panic" "$panic" "iommufd-test: begin"
	assert_line "judged 1 after 2: $panic"
	# nor when it may be ours, nor when it merely ended
	run machine "iommufd-test: begin $panic"
	assert_line "judged 1 after 1: iommufd-test: begin $panic"
	run machine "iommufd-test: boot failed: no root"
	assert_line "judged 1 after 1: iommufd-test: boot failed: no root"
}

@test "run: a number of CPUs that no kernel of ours was made for" {
	local n
	for n in 0 9 two; do
		run "$TOP/tests/vm/run" -k debian-5.10 --no-build --cpus "$n" \
			"$BATS_TEST_FILENAME"
		assert_failure 64
		assert_output "vm: --cpus wants a number from 1 to 8, not '$n'"
	done
}

@test "run: a kernel that nobody knows is refused by name" {
	run "$TOP/tests/vm/run" -k debian-5.10 --no-build "$BATS_TEST_FILENAME"
	assert_failure 125
	assert_output --partial "debian-5.10"
	assert_output --partial "debian-6.12"
}

# A home in which nothing is cached, and mirrors that cannot be reached.
@test "kernel: an unreachable mirror is told, in one line of ours, and fails" {
	requires host
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
	printf 'Acquire::http::Proxy "http://127.0.0.1:9";\nAcquire::Retries "0";\n' \
		>"$BATS_TEST_TMPDIR/apt.conf"
	APT_CONFIG=$BATS_TEST_TMPDIR/apt.conf run "$TOP/tests/vm/kernel.sh" debian-6.1
	assert_failure 1
	assert_output --partial "Is the network up?"
	run find "$XDG_CACHE_HOME" -name release
	assert_output ""
}

@test "kernel: a cached one is used without asking apt" {
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
	local dir=$XDG_CACHE_HOME/iommufdctl bin=$BATS_TEST_TMPDIR/bin name
	mkdir -p "$dir/6.1.9-1" "$dir/6.1.10-1" "$dir/6.12.1-1" "$dir/6.1.11-1" \
		"$dir/.tmp.killed" "$bin"
	for name in 6.1.9-1 6.1.10-1 6.12.1-1; do
		echo "$name-amd64" >"$dir/$name/release"
	done
	for name in apt-get apt-cache; do
		printf '#!/bin/sh\necho called >&2; exit 99\n' >"$bin/$name"
		chmod +x "$bin/$name"
	done
	# The newest by version, not by name; never one without its last file.
	PATH=$bin:$PATH run "$TOP/tests/vm/kernel.sh" debian-6.1
	assert_success
	assert_output "$dir/6.1.10-1"
	PATH=$bin:$PATH run "$TOP/tests/vm/kernel.sh" debian-6.12
	assert_output "$dir/6.12.1-1"
}

@test "kbuild: a warning fails the build, also when it is tried again" {
	local fake=$BATS_TEST_TMPDIR/kdir src=$BATS_TEST_TMPDIR/src
	mkdir -p "$fake" "$src"
	# Stands for a kernel tree whose modpost warns when it makes the symbols.
	# shellcheck disable=SC2016 # the variables are make's
	printf '%s\n' 'modules: $(M)/Module.symvers' '$(M)/Module.symvers:' \
		$'\t@echo "WARNING: modpost: missing MODULE_DESCRIPTION()"' \
		$'\t@touch $@' >"$fake/Makefile"
	run "$TOP/tests/vm/kbuild" "$src" "$fake" "$BATS_TEST_TMPDIR/out"
	assert_failure 1
	assert_output --partial "missing MODULE_DESCRIPTION"
	run "$TOP/tests/vm/kbuild" "$src" "$fake" "$BATS_TEST_TMPDIR/out"
	assert_failure 1
}

@test "kbuild: follows sources that come and go" {
	local fake=$BATS_TEST_TMPDIR/kdir src=$BATS_TEST_TMPDIR/src
	local out=$BATS_TEST_TMPDIR/out
	mkdir -p "$fake" "$src/include"
	printf 'modules:\n' >"$fake/Makefile"
	touch "$src/a.c" "$src/include/a.h" "$src/stray.o"
	"$TOP/tests/vm/kbuild" "$src" "$fake" "$out"
	[[ $out/a.c -ef $src/a.c && $out/include/a.h -ef $src/include/a.h ]]
	[[ ! -e $out/stray.o ]]
	mv "$src/a.c" "$src/b.c"
	"$TOP/tests/vm/kbuild" "$src" "$fake" "$out"
	[[ ! -L $out/a.c && $out/b.c -ef $src/b.c ]]
}

@test "lib: a word that requires does not know fails the test" {
	run requires no-such-word
	assert_failure
	assert_output --partial "unknown word"
}

@test "lib: assert_json shows the output it failed on" {
	output='{"a": 1}'
	assert_json '.a == 1'
	run assert_json '.a == 2'
	assert_failure
	assert_output --partial '{"a": 1}'
	output='not json'
	run assert_json '.'
	assert_failure
	output=''
	run assert_json '.'
	assert_failure
}

@test "lib: assert_schema" {
	local schema=$BATS_TEST_TMPDIR/s.json
	cat >"$schema" <<-'JSON'
		{"$defs": {"n": {"type": "integer"}, "o": {"properties": {"n": {"$ref": "#/$defs/n"}}}}}
	JSON
	output='{"n": 1}'
	assert_schema "$schema" '#/$defs/o'
	output='{"n": "1"}'
	run assert_schema "$schema" '#/$defs/o'
	assert_failure
	assert_output --partial "at n:"
}
