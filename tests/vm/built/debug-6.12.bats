# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does debug-6.12 catch what it is there to catch? Each kind of fault is planted
# once, by tests/modules/faults.c. tests/vm/run -k debug-6.12 THIS-FILE
#
# The last of its machine, since after its first report lockdep is off. Hence the
# order of the tests, too.

load ../../lib/guest

setup() {
	guest_setup
	[[ -d /sys/module/faults ]] || insmod "${SQUATTER_KO%/*}/faults.ko"
}

# plant FAULT REGEX: the kernel must report it, once, in these words.
plant() { expect_splat "$2" write "$1" /sys/module/faults/parameters/plant; }

write() { echo "$1" >"$2"; }

@test "a config with all that it is to check, and no iommufd" {
	local symbol
	must zcat /proc/config.gz
	refute_line --regexp '^CONFIG_IOMMUFD='
	for symbol in KASAN KASAN_GENERIC KASAN_INLINE PROVE_LOCKING DEBUG_LOCK_ALLOC \
		DEBUG_ATOMIC_SLEEP DEBUG_OBJECTS_FREE DEBUG_OBJECTS_WORK UBSAN \
		DEBUG_KMEMLEAK DEBUG_VM DEBUG_LIST FAULT_INJECTION FAILSLAB \
		FAIL_PAGE_ALLOC GCOV_KERNEL PREEMPT; do
		assert_line "CONFIG_$symbol=y"
	done
	must cat /proc/lockdep_stats
	assert_line --regexp '^ debug_locks: +1$'
}

@test "a sleep in atomic context" {
	plant sleep-in-atomic 'BUG: sleeping function called from invalid context'
}

@test "a shift by too much" {
	plant shift 'UBSAN: shift-out-of-bounds'
}

@test "an index beyond an array" {
	plant bounds 'UBSAN: array-index-out-of-bounds'
}

@test "a reference taken on nothing" {
	plant refcount 'refcount_t: addition on 0; use-after-free'
}

@test "a list that does not fit together" {
	plant list 'list_del corruption'
}

@test "a timer that is freed while it runs" {
	plant active-object 'ODEBUG: free active'
}

@test "memory that nothing points to" {
	local file=/sys/kernel/debug/kmemleak
	# By a process of its own: what is left on a stack counts as a pointer.
	bash -c 'echo leak >/sys/module/faults/parameters/plant'
	write scan "$file"
	sleep 6
	expect_splat 'kmemleak: 1 new suspected memory leak' write scan "$file"
	must cat "$file"
	assert_output --partial '[faults]'
	# Not one that tests before these have left: it would be forgotten here.
	must grep -c '^unreferenced object' "$file"
	assert_output 1
	write clear "$file"
}

@test "two locks taken in either order" {
	plant lock-order 'WARNING: possible circular locking dependency detected'
}

@test "a use of memory after it was freed" {
	plant use-after-free 'BUG: KASAN: slab-use-after-free in .*\[faults\]'
}

# Not all of it is instrumented (tests/vm/built/build).
@test "the same by what the kernel has for others to use" {
	plant use-by-kernel 'BUG: KASAN: slab-use-after-free in rb_next'
}

@test "allocations fail on demand" {
	[[ -c /dev/iommu ]]
	write 0 /sys/kernel/debug/failslab/verbose
	write N /sys/kernel/debug/failslab/ignore-gfp-wait
	must_fail 1 bash -c 'echo 1 >/proc/self/fail-nth; exec 5<>/dev/iommu'
	assert_output --partial 'Cannot allocate memory'
	must bash -c 'echo 0 >/proc/self/fail-nth; exec 5<>/dev/iommu'
}

@test "coverage of our module, and of nothing else" {
	local dir=/sys/kernel/debug/gcov
	[[ -e $dir/${IOMMUFD_KO%/*}/main.gcda ]]
	must find "$dir" -name '*.gcda' ! -path "*$BUILD/*"
	assert_output ''
}
