# SPDX-License-Identifier: GPL-2.0-or-later
#
# What an in-kernel user sees of a program's memory, and what is pinned and
# charged for it: tests/helpers/access.c says what must hold. Each of its tests
# ends with a look at whether all that was pinned has been unpinned.

load ../lib/guest

setup() {
	guest_setup
	load_testdrv
}

teardown() {
	echo 0 >/proc/sys/vm/nr_hugepages
	guest_teardown
}

access() {
	must helper access "$@"
	assert_output --regexp '[0-9]+ checked, 0 failed'
}

# As many as the tests use. Memory may be too scattered for them by now.
huge_pages() {
	echo 1 >/proc/sys/vm/compact_memory
	echo 4 >/proc/sys/vm/nr_hugepages
	[[ $(</proc/sys/vm/nr_hugepages) == 4 ]] ||
		fail "the machine has no 4 huge pages left"
}

@test "nothing is pinned but what an access asks for" { access lazy; }

@test "a page is pinned once, however many look at it" { access once; }

@test "random pins and unpins: what is held is the union" {
	local steps=1000
	[[ $TEST_KERNEL != debug-* ]] || steps=8000
	access random "$steps"
}

@test "reads and writes of any bytes, from the owner and from a kernel thread" {
	access rw
}

@test "a pin that is refused leaves nothing pinned" { access refused; }

@test "an access is an object, and keeps its IOAS busy" { access busy; }

@test "an access is told before what it has pinned is unmapped" {
	access told
}

@test "an access that does not unpin at once is asked again" {
	access asked-again
}

@test "an access that never unpins does not hang the unmap" {
	access deaf
	must dmesg
	assert_output --partial 'an access does not unpin what is unmapped'
}

@test "an access may be detached while it unpins" { access late; }

@test "an unmap waits for a pin that waits for memory" { access stalled; }

@test "what is not whole pages is not copied to where pages are pinned" {
	access odd-copy
}

@test "pins that begin and end where others do" { access joined; }

@test "a forked child parts neither from what is mapped" { access forked; }

@test "what was pinned outlives its program" { access dead; }

@test "a memfd is shared with the device" { access memfd; }

@test "a memfd of huge pages is shared with the device" {
	huge_pages
	access hugetlb
}

@test "transparent huge pages" { access thp; }

@test "a shared file that may only be read" { access read-only; }

@test "pages that the program throws away stay while they are pinned" {
	access dontneed
}

@test "a file's mapping outlives its program" { access file; }

@test "a file's mapping of huge pages" {
	huge_pages
	access file-hugetlb
}

@test "a file's mapping of huge pages that the file has not got yet" {
	local reserved
	huge_pages
	reserved=$(grep HugePages_Rsvd /proc/meminfo)
	access file-hugetlb-hole
	must grep HugePages_Rsvd /proc/meminfo
	assert_output "$reserved"
}

@test "a file's memory that is only allocated, and one that ends in a page" {
	access file-allocated
	access file-odd-end
}

@test "the limit of a user is one for all its processes and contexts" {
	access limit-user
}

@test "the limit of a process is its own" { access limit-process; }

@test "CAP_IPC_LOCK exempts what is mapped with it" { access limit-exempt; }

@test "a file is charged to who mapped it" { access limit-file; }

@test "whichever closes first, the context or its user, all is unpinned" {
	access context-first
}
