// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * access TEST [STEPS [SEED]]: what an in-kernel user of an IOAS gets to see of a program's
 * memory, and what is pinned and charged for it. Each test says what must hold
 * above its function. The in-kernel user is kernel/testdrv_access.c, which must
 * be loaded. After each test as many pages must be unpinned as were pinned.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "mapped.h"

#define HUGE (2ULL << 20)
#define IOVA 0x10000000ULL
#define NOBODY 65534

/* Flags of pin, read and write. */
enum { READ = 0, WRITE = 1, KTHREAD = 2, SLOW = 4 };


/* A new context, its session, and nothing in it. */
static void open_context(void)
{
	fd = open_iommu();
	ses = drv_open(fd);
}

/* An access that is not attached yet. */
static uint32_t new_access(const char *mode)
{
	if (drv(ses, "access %s", mode))
		die("access");
	return drv_result(ses);
}

/* An access that looks at @ioas. */
static uint32_t attached(const char *mode)
{
	uint32_t id = new_access(mode);

	if (drv(ses, "attach %u %u", id, ioas))
		die("attach");
	return id;
}

static void fresh(void)
{
	open_context();
	ioas = new_ioas();
}

static int pin(uint32_t id, uint64_t iova, uint64_t len, int flags)
{
	return drv(ses, "pin %u %#" PRIx64 " %" PRIu64 " %d", id, iova, len,
		   flags);
}

static int unpin(uint32_t id, uint64_t iova, uint64_t len)
{
	return drv(ses, "unpin %u %#" PRIx64 " %" PRIu64, id, iova, len);
}

static int look(uint32_t id, uint64_t iova, uint64_t len, uint32_t seed)
{
	return drv(ses, "look %u %#" PRIx64 " %" PRIu64 " %u", id, iova, len,
		   seed);
}

static int rd(uint32_t id, uint64_t iova, uint64_t len, uint32_t seed,
	      int flags)
{
	return drv(ses, "read %u %#" PRIx64 " %" PRIu64 " %u %d", id, iova,
		   len, seed, flags);
}

static int wr(uint32_t id, uint64_t iova, uint64_t len, uint32_t seed,
	      int flags)
{
	return drv(ses, "write %u %#" PRIx64 " %" PRIu64 " %u %d", id, iova,
		   len, seed, flags);
}

static uint32_t asked(uint32_t id)
{
	if (drv(ses, "asked %u", id))
		die("asked");
	return drv_result(ses);
}

static uint32_t pinned(uint32_t id)
{
	if (drv(ses, "pinned %u", id))
		die("pinned");
	return drv_result(ses);
}

static uint64_t taken_since(struct pins before)
{
	return pins_now().taken - before.taken;
}

/* --- processes of somebody without privileges --- */

static void be_nobody(uint64_t limit)
{
	struct rlimit rlim = { limit, limit };

	if (setrlimit(RLIMIT_MEMLOCK, &rlim) || setgroups(0, NULL) ||
	    setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		die("setresuid");
}

/* --- tests --- */

/* An IOAS that nothing reads pins nothing, and an access only what it asks. */
static void lazy(void)
{
	struct pins before;
	uint32_t id;
	char *mem = room(64 * HUGE);

	fresh();
	before = pins_now();
	expect("map", 0, map(IOVA, mem, 64 * HUGE));
	expect_u64("pins after a map", 0, taken_since(before));
	id = attached("obey");
	expect_u64("pins after an attach", 0, taken_since(before));
	expect("pin", 0, pin(id, IOVA + 7 * P, P, WRITE));
	expect_u64("pins after the pin of a page", 1, taken_since(before));
	expect("pin", 0, pin(id, IOVA + 9 * P + 5, P, WRITE));
	expect_u64("an odd page is two", 3, taken_since(before));
	expect("unpin", 0, unpin(id, IOVA + 7 * P, P));
	expect("unpin", 0, unpin(id, IOVA + 9 * P + 5, P));
	expect_u64("still held", 0, held_since(before));
	expect("detach", 0, drv(ses, "detach %u", id));
	expect("unmap", 0, unmap(IOVA, 64 * HUGE));
	expect_u64("pins in sum", 3, taken_since(before));
}

/* However many look at it, a page is pinned once, and unpinned once. */
static void once(void)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | R | W,
		.length = 16 * P,
		.dst_iova = 16 * IOVA,
		.src_iova = IOVA,
	};
	char *mem = room(16 * P);
	struct pins before;
	uint32_t id[4];
	int i;

	fresh();
	before = pins_now();
	expect("map", 0, map(IOVA, mem, 16 * P));
	copy.src_ioas_id = ioas;
	copy.dst_ioas_id = new_ioas();
	expect("copy", 0, call(fd, IOMMU_IOAS_COPY, &copy));
	for (i = 0; i < 3; i++) {
		id[i] = attached("obey");
		expect("pin", 0, pin(id[i], IOVA, 16 * P, WRITE));
	}
	id[3] = new_access("obey");
	expect("attach", 0, drv(ses, "attach %u %u", id[3], copy.dst_ioas_id));
	expect("pin of the copy", 0, pin(id[3], 16 * IOVA, 16 * P, WRITE));
	expect("pin again", 0, pin(id[3], 16 * IOVA + 4 * P, 4 * P, WRITE));
	expect_u64("pins", 16, taken_since(before));
	expect("unpin", 0, unpin(id[3], 16 * IOVA + 4 * P, 4 * P));
	for (i = 0; i < 3; i++)
		expect("unpin", 0, unpin(id[i], IOVA, 16 * P));
	expect_u64("held by the last", 16, held_since(before));
	expect("unmap the first area", 0, unmap(IOVA, 16 * P));
	expect_u64("held by the copy", 16, held_since(before));
	expect("unpin", 0, unpin(id[3], 16 * IOVA, 16 * P));
	expect_u64("held by nobody", 0, held_since(before));

	before = pins_now();
	expect("two maps of one memory", 0, map(IOVA, mem, 16 * P));
	expect("pin", 0, pin(id[0], IOVA, 8 * P, WRITE));
	expect("pin what overlaps", 0, pin(id[1], IOVA + 4 * P, 8 * P, WRITE));
	expect_u64("pins of the union", 12, taken_since(before));
	expect("unpin", 0, unpin(id[0], IOVA, 8 * P));
	expect_u64("held", 8, held_since(before));
	expect("unpin", 0, unpin(id[1], IOVA + 4 * P, 8 * P));
	expect_u64("held", 0, held_since(before));
}

#define RANDOM_PAGES 64
#define RANDOM_PINS 24

static uint64_t rng;

static uint32_t below(uint32_t limit)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 16) % limit;
}

/*
 * Random pins and unpins by three accesses of one map and of a copy of half of
 * it: at any time just the union of all is held.
 */
static void random_pins(unsigned int steps)
{
	struct {
		int access;		/* -1: none */
		unsigned int page, nr;
	} pins[RANDOM_PINS];
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | R | W,
		.length = RANDOM_PAGES / 2 * P,
		.dst_iova = 16 * IOVA,
		.src_iova = IOVA + RANDOM_PAGES / 4 * P,
	};
	char *mem = room(RANDOM_PAGES * P);
	struct pins before;
	unsigned int step, i, page;
	uint32_t id[3];

	printf("seed %" PRIu64 "\n", rng);
	fresh();
	for (i = 0; i < RANDOM_PINS; i++)
		pins[i].access = -1;
	before = pins_now();
	expect("map", 0, map(IOVA, mem, RANDOM_PAGES * P));
	copy.src_ioas_id = ioas;
	copy.dst_ioas_id = new_ioas();
	expect("copy", 0, call(fd, IOMMU_IOAS_COPY, &copy));
	id[0] = attached("obey");
	id[1] = attached("obey");
	id[2] = new_access("obey");
	expect("attach", 0, drv(ses, "attach %u %u", id[2], copy.dst_ioas_id));
	drv_fill(mem, IOVA, RANDOM_PAGES * P, 5);

	for (step = 0; step < steps && !failed; step++) {
		unsigned char used[RANDOM_PAGES] = { 0 };
		unsigned int sum = 0, first = RANDOM_PAGES / 4;
		uint64_t iova;

		i = below(RANDOM_PINS);
		if (pins[i].access < 0) {
			pins[i].access = below(3);
			page = pins[i].access == 2 ? RANDOM_PAGES / 2 :
			       RANDOM_PAGES;
			pins[i].page = below(page);
			pins[i].nr = 1 + below(page - pins[i].page);
			iova = pins[i].access == 2 ? 16 * IOVA : IOVA;
			expect("pin", 0,
			       pin(id[pins[i].access], iova + pins[i].page * P,
				   pins[i].nr * P, below(2)));
			if (pins[i].access == 2)
				pins[i].page += first;
			else
				expect("look", 0,
				       look(id[pins[i].access],
					    iova + pins[i].page * P,
					    pins[i].nr * P, 5));
		} else {
			iova = IOVA + pins[i].page * P;
			if (pins[i].access == 2)
				iova = 16 * IOVA + (pins[i].page - first) * P;
			expect("unpin", 0, unpin(id[pins[i].access], iova,
						 pins[i].nr * P));
			pins[i].access = -1;
		}
		for (i = 0; i < RANDOM_PINS; i++)
			for (page = 0; pins[i].access >= 0 &&
			     page < pins[i].nr; page++)
				used[pins[i].page + page] = 1;
		for (page = 0; page < RANDOM_PAGES; page++)
			sum += used[page];
		if (step % 16 == 0)
			expect_u64("held", sum, held_since(before));
		if (failed)
			printf("in step %u\n", step);
	}
}

/*
 * Reads and writes at any byte, of any length, across areas, from the owner's
 * address space, from another and from a kernel thread.
 */
static void rw(void)
{
	static const int kinds[] = { 0, KTHREAD, SLOW, KTHREAD | SLOW };
	static const struct {
		uint64_t offset, len;
	} ranges[] = {
		{ 0, 1 }, { 1, 1 }, { P - 1, 1 }, { P - 1, 2 }, { 0, P },
		{ 5, P }, { 3 * P - 7, 5 * P + 13 }, { 0, 16 * P },
		{ 4 * P - 1, 2 }, { 15 * P, P }, { 16 * P - 1, 1 },
	};
	char *mem = room(64 * P), *part[4] = {
		/* Out of order in memory, and not at the same offset. */
		mem + 32 * P, mem + 8 * P + 100, mem, mem + 50 * P + 1,
	};
	unsigned int i, k, seed = 1;
	uint32_t id;

	fresh();
	for (i = 0; i < 4; i++)
		expect("map", 0, map(IOVA + i * 4 * P, part[i], 4 * P));
	id = attached("plain");
	for (k = 0; k < 4; k++) {
		for (i = 0; i < 11; i++) {
			uint64_t iova = IOVA + ranges[i].offset, at;
			uint64_t end = iova + ranges[i].len;

			memset(mem, 0, 64 * P);
			expect("write", 0, wr(id, iova, ranges[i].len, ++seed,
					      kinds[k]));
			for (at = iova; at < end; at++) {
				uint64_t o = at - IOVA;
				unsigned char *byte = (unsigned char *)
					part[o / (4 * P)] + o % (4 * P);

				if (*byte != drv_pattern(at, seed))
					break;
				*byte = 0;
			}
			expect_u64("bytes written", end - iova, at - iova);
			for (at = 0; at < 64 * P && !mem[at]; at++)
				;
			expect_u64("bytes that are nobody's", 64 * P, at);
			expect("write", 0, wr(id, iova, ranges[i].len, ++seed,
					      kinds[k]));
			expect("read", 0, rd(id, iova, ranges[i].len, seed,
					     kinds[k]));
			expect("read of another pattern", EILSEQ,
			       rd(id, iova, ranges[i].len, seed + 1,
				  kinds[k]));
		}
	}
	expect("nothing", EINVAL, rd(id, IOVA, 0, 0, 0));
	expect("a hole after it", ENOENT, rd(id, IOVA + 15 * P, P + 1, 0, 0));
	expect("a hole before it", ENOENT, rd(id, IOVA - 1, 2, 0, 0));
	expect("a hole", ENOENT, wr(id, IOVA + 100 * P, P, 0, 0));
	expect("wraps", EOVERFLOW, rd(id, UINT64_MAX - 10, 20, 0, 0));
	expect("read only", 0, map_in(ioas, IOVA + 32 * P, mem, P, R));
	expect("write there", EPERM, wr(id, IOVA + 32 * P, 1, 0, 0));
	drv_fill(mem, IOVA + 32 * P, P, 9);
	expect("read there", 0, rd(id, IOVA + 32 * P, P, 9, 0));
	expect("no memory", 0, map(IOVA + 64 * P, NULL, P));
	expect("read there", EFAULT, rd(id, IOVA + 64 * P, 1, 0, 0));
	expect("read there, slowly", EFAULT, rd(id, IOVA + 64 * P, 1, 0, SLOW));
	expect("write there", EFAULT, wr(id, IOVA + 64 * P, 1, 0, 0));
	expect("detach", 0, drv(ses, "detach %u", id));
	expect("read after that", ENOENT, rd(id, IOVA, 1, 0, 0));
}

/* What a pin may be refused, and that then nothing stays pinned. */
static void refused(void)
{
	char *mem = room(64 * P);
	struct pins before;
	uint32_t id;

	fresh();
	id = attached("obey");
	before = pins_now();
	expect("nothing there", ENOENT, pin(id, IOVA, P, 0));
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("map", 0, map(IOVA + 16 * P, mem + 32 * P, 16 * P));
	expect("map", 0, map_in(ioas, IOVA + 32 * P, mem + 16 * P, P, R));
	expect("length 0", EINVAL, pin(id, IOVA, 0, 0));
	expect("a hole after it", ENOENT, pin(id, IOVA + 32 * P, 2 * P, 0));
	expect("a hole before it", ENOENT, pin(id, IOVA - P, 2 * P, 0));
	expect("to write where is only read", EPERM,
	       pin(id, IOVA + 32 * P, P, WRITE));
	expect("partly so", EPERM, pin(id, IOVA + 31 * P, 2 * P, WRITE));
	expect_u64("held after refusals", 0, held_since(before));
	expect("to read there", 0, pin(id, IOVA + 31 * P, 2 * P, READ));
	expect("unpin", 0, unpin(id, IOVA + 31 * P, 2 * P));

	/* The last page of the second area is no memory. */
	if (munmap(mem + 47 * P, P))
		die("munmap");
	expect("memory that is gone", EFAULT, pin(id, IOVA + 31 * P, P, WRITE));
	expect("up to there", EFAULT, pin(id, IOVA, 32 * P, WRITE));
	expect_u64("held after that", 0, held_since(before));
	expect("all but that", 0, pin(id, IOVA, 31 * P, WRITE));
	expect_u64("held", 31, held_since(before));
	expect("up to there, once more", EFAULT, pin(id, IOVA, 32 * P, WRITE));
	expect_u64("held as before", 31, held_since(before));
	expect("unpin", 0, unpin(id, IOVA, 31 * P));
	expect("detach", 0, drv(ses, "detach %u", id));
	expect("detached", ENOENT, pin(id, IOVA, P, 0));
}

/* An access, and what it looks at, are objects that somebody uses. */
static void busy(void)
{
	uint32_t id, other, odd;
	struct iommu_iova_range range;
	struct iommu_ioas_iova_ranges ranges = {
		.size = sizeof(ranges),
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)&range,
	};
	char *mem = room(16 * P);

	fresh();
	ranges.ioas_id = ioas;
	id = new_access("obey");
	expect("destroy the access", EBUSY, destroy(fd, id));
	expect("attach to an unknown id", ENOENT,
	       drv(ses, "attach %u 77777", id));
	expect("attach to an access", ENOENT, drv(ses, "attach %u %u", id, id));
	expect("ranges", 0, call(fd, IOMMU_IOAS_IOVA_RANGES, &ranges));
	expect_u64("alignment", 1, ranges.out_iova_alignment);
	expect("attach", 0, drv(ses, "attach %u %u", id, ioas));
	expect("ranges", 0, call(fd, IOMMU_IOAS_IOVA_RANGES, &ranges));
	expect_u64("alignment for pins", P, ranges.out_iova_alignment);
	expect("attach again", EINVAL, drv(ses, "attach %u %u", id, ioas));
	expect("destroy the IOAS", EBUSY, destroy(fd, ioas));
	expect("destroy the access", EBUSY, destroy(fd, id));
	expect("map odd", EINVAL, map(IOVA, mem, 5));
	expect("map", 0, map(IOVA, mem, P));
	expect("pin", 0, pin(id, IOVA, P, WRITE));
	expect("destroy the IOAS", EBUSY, destroy(fd, ioas));

	other = new_ioas();
	expect("replace", 0, drv(ses, "replace %u %u", id, other));
	expect_u64("pinned after that", 0, pinned(id));
	expect_u64("told of it", 1, asked(id));
	expect("destroy the first IOAS", 0, destroy(fd, ioas));
	expect("destroy the second", EBUSY, destroy(fd, other));
	ioas = odd = new_ioas();
	expect("map odd", 0, map(IOVA, mem, 5));
	expect("replace by one with odd areas", EADDRINUSE,
	       drv(ses, "replace %u %u", id, odd));
	expect("replace by an unknown id", ENOENT,
	       drv(ses, "replace %u 77777", id));
	expect("still busy", EBUSY, destroy(fd, other));
	expect("not busy", 0, destroy(fd, odd));
	expect("detach", 0, drv(ses, "detach %u", id));
	expect("destroy", 0, destroy(fd, other));
	ioas = new_ioas();
	expect("attach", 0, drv(ses, "attach %u %u", id, ioas));
	expect("end", 0, drv(ses, "end %u", id));
	expect("destroy the IOAS", 0, destroy(fd, ioas));
	expect("destroy the access", ENOENT, destroy(fd, id));
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Who has pinned pages is told before they are unmapped, and is waited for. */
static void told(void)
{
	char *mem = room(64 * P);
	uint32_t obey, slow, other, plain;
	struct pins before;
	double start;

	fresh();
	before = pins_now();
	obey = attached("obey");
	slow = attached("slow 300");
	other = attached("obey");
	plain = attached("plain");
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("map", 0, map(IOVA + 16 * P, mem + 16 * P, 16 * P));
	expect("pin", 0, pin(obey, IOVA + P, 2 * P, WRITE));
	expect("pin", 0, pin(slow, IOVA, 16 * P, WRITE));
	expect("pin", 0, pin(other, IOVA + 16 * P, P, WRITE));
	start = seconds();
	expect("unmap", 0, unmap(IOVA, 16 * P));
	expect("waited for the slow one", 1, seconds() - start >= 0.3);
	expect_u64("pinned by the first", 0, pinned(obey));
	expect_u64("pinned by the slow one", 0, pinned(slow));
	expect_u64("pinned elsewhere", 1, pinned(other));
	expect("told", 1, asked(obey) > 0);
	expect("told", 1, asked(slow) > 0);
	expect_u64("held", 1, held_since(before));
	expect("look elsewhere", 0, wr(plain, IOVA + 16 * P, P, 3, 0));
	expect("look elsewhere", 0, look(other, IOVA + 16 * P, P, 3));
	expect("cut", ENOENT, unmap(IOVA + 16 * P, P));
	expect_u64("pinned after a cut", 1, pinned(other));
	expect("unmap all", 0, unmap(0, UINT64_MAX));
	expect_u64("pinned elsewhere", 0, pinned(other));
	expect_u64("held", 0, held_since(before));

	/* The end of an access, and a detach, tell it as well. */
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("pin", 0, pin(obey, IOVA, 16 * P, WRITE));
	expect("detach", 0, drv(ses, "detach %u", obey));
	expect_u64("pinned", 0, pinned(obey));
	expect_u64("held", 0, held_since(before));
	expect("attach", 0, drv(ses, "attach %u %u", obey, ioas));
	expect("pin", 0, pin(obey, IOVA, 16 * P, WRITE));
	expect("end", 0, drv(ses, "end %u", obey));
	expect_u64("held", 0, held_since(before));
}

static void *unmap_first(void *arg)
{
	(void)arg;
	expect("unmap in the meantime", 0, unmap(IOVA, 16 * P));
	return NULL;
}

static pthread_t start(void *(*fn)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, NULL))
		die("pthread_create");
	return thread;
}

/* It knows of no pin any more, and is about to give them up: they are waited for. */
static void late(void)
{
	struct pins before = pins_now();
	char *mem = room(16 * P);
	pthread_t thread;
	uint32_t id, other;
	int i;

	for (i = 0; i < 2; i++) {
		fresh();
		id = attached("late 500");
		other = new_ioas();
		expect("map", 0, map(IOVA, mem, 16 * P));
		expect("pin", 0, pin(id, IOVA, 16 * P, WRITE));
		thread = start(unmap_first);
		usleep(200000);
		expect("leave", 0, i ? drv(ses, "detach %u", id) :
				       drv(ses, "replace %u %u", id, other));
		expect_u64("held", 0, held_since(before));
		pthread_join(thread, NULL);
		expect("destroy", 0, destroy(fd, ioas));
		close(ses);
		close(fd);
	}
	fresh();
}

static uint32_t stalled_id;

static void *pin_both(void *arg)
{
	(void)arg;
	/* Whether it comes in time or not, it must not be lost. */
	if (!pin(stalled_id, IOVA, 32 * P, WRITE))
		unpin(stalled_id, IOVA, 32 * P);
	return NULL;
}

/*
 * A pin has one area and waits for the memory of the next, which nobody can
 * hurry. An unmap of the first waits as long, and blames nobody.
 */
static void stalled(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage zero = { .mode = 0 };
	struct pins before = pins_now();
	char *mem = room(32 * P);
	pthread_t pinner, unmapper;
	int uffd;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	reg.range.start = (uintptr_t)mem + 16 * P;
	reg.range.len = 16 * P;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	fresh();
	stalled_id = attached("obey");
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("map", 0, map(IOVA + 16 * P, mem + 16 * P, 16 * P));
	pinner = start(pin_both);
	sleep(1);
	unmapper = start(unmap_first);
	/* Longer than an access is waited for. */
	sleep(12);
	zero.range = reg.range;
	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
		die("UFFDIO_ZEROPAGE");
	pthread_join(pinner, NULL);
	pthread_join(unmapper, NULL);
	expect("unmap of the second", 0, unmap(IOVA + 16 * P, 16 * P));
	expect_u64("held", 0, held_since(before));
	close(uffd);
}

/* An IOAS whose pages are pinned has no area that is not whole pages. */
static void odd_copy(void)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | R | W,
		.length = P,
		.dst_iova = 16 * IOVA,
		.src_iova = IOVA,
	};
	char *mem = room(4 * P);
	uint32_t id;

	fresh();
	expect("map", 0, map(IOVA, mem, 100));
	expect("map", 0, map(IOVA + 100, mem + 100, P - 100));
	expect("map", 0, map(IOVA + 2 * P, mem + 1, P));
	copy.src_ioas_id = ioas;
	copy.dst_ioas_id = new_ioas();
	id = new_access("obey");
	expect("attach", 0, drv(ses, "attach %u %u", id, copy.dst_ioas_id));
	expect("copy of a page in two", EINVAL,
	       call(fd, IOMMU_IOAS_COPY, &copy));
	copy.flags = R | W;
	expect("wherever there is room", EINVAL,
	       call(fd, IOMMU_IOAS_COPY, &copy));
	copy.src_iova = IOVA + 2 * P;
	expect("copy of odd memory", EINVAL, call(fd, IOMMU_IOAS_COPY, &copy));
	expect("nothing is there", ENOENT, pin(id, 16 * IOVA, P, 0));
}

/* What lies side by side may be kept as one, and still goes piece by piece. */
static void joined(void)
{
	struct pins before = pins_now();
	char *mem = room(4 * HUGE);
	uint32_t id[3];
	int i;

	mem += HUGE - (uintptr_t)mem % HUGE;
	madvise(mem, 2 * HUGE, MADV_HUGEPAGE);
	memset(mem, 1, 2 * HUGE);
	fresh();
	for (i = 0; i < 3; i++)
		id[i] = attached("obey");
	expect("map", 0, map(IOVA, mem, 2 * HUGE));
	expect("0-9", 0, pin(id[0], IOVA, 10 * P, WRITE));
	expect("10-19", 0, pin(id[1], IOVA + 10 * P, 10 * P, WRITE));
	expect("10-19 again", 0, pin(id[2], IOVA + 10 * P, 10 * P, WRITE));
	expect("undo that", 0, unpin(id[2], IOVA + 10 * P, 10 * P));
	expect("undo 0-9", 0, unpin(id[0], IOVA, 10 * P));
	expect_u64("held", 10, held_since(before));
	expect("0-9", 0, pin(id[0], IOVA, 10 * P, WRITE));
	if (munmap(mem + 24 * P, P))
		die("munmap");
	expect("10-29, of which there is no 24", EFAULT,
	       pin(id[2], IOVA + 10 * P, 20 * P, WRITE));
	expect("5-29", EFAULT, pin(id[2], IOVA + 5 * P, 25 * P, WRITE));
	expect_u64("held", 20, held_since(before));
	expect("undo 10-19", 0, unpin(id[1], IOVA + 10 * P, 10 * P));
	expect_u64("held", 10, held_since(before));
	expect("undo 0-9", 0, unpin(id[0], IOVA, 10 * P));
	expect_u64("held", 0, held_since(before));
}

/* Who does not listen is asked again. */
static void asked_again(void)
{
	char *mem = room(16 * P);
	uint32_t id;

	fresh();
	id = attached("refuse 3");
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("pin", 0, pin(id, IOVA, 16 * P, WRITE));
	expect("unmap", 0, unmap(IOVA, 16 * P));
	expect_u64("told so often", 4, asked(id));
	expect_u64("pinned", 0, pinned(id));
}

/* And who never listens does not make the unmap wait for ever. */
static void deaf(void)
{
	char *mem = room(16 * P);
	uint32_t id;

	fresh();
	id = attached("refuse 1000000");
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("map", 0, map(IOVA + 32 * P, mem, 16 * P));
	drv_fill(mem, IOVA, 16 * P, 3);
	expect("pin", 0, pin(id, IOVA, 16 * P, WRITE));
	expect("unmap", EDEADLK, unmap(IOVA, 16 * P));
	expect("the memory is there still", 0, look(id, IOVA, 16 * P, 3));
	expect("unpin", 0, unpin(id, IOVA, 16 * P));
	expect("unmap", 0, unmap(IOVA, 16 * P));
	expect("unmap", 0, unmap(IOVA + 32 * P, 16 * P));
}

/*
 * A program's fork does not part it from what it has mapped: it, not its
 * child, keeps the pages that are pinned.
 */
static char *forked_mem;
static uint32_t forked_id;

static void forked_child(void)
{
	drv_fill(forked_mem, IOVA, 16 * P, 2);
	expect("the child's write is not seen", 0,
	       look(forked_id, IOVA, 8 * P, 1));
	/* Not pinned yet: it is the parent's memory that is read all the same. */
	expect("nor by a read", 0, rd(forked_id, IOVA, 16 * P, 1, 0));
	expect("a write from the child", 0,
	       wr(forked_id, IOVA + 8 * P, 8 * P, 3, 0));
	expect_u64("goes to the parent", 16 * P,
		   drv_match(forked_mem, IOVA, 16 * P, 2));
	expect("a pin from the child", 0,
	       pin(forked_id, IOVA + 8 * P, 4 * P, WRITE));
}

static void forked(void)
{
	forked_mem = room(16 * P);
	fresh();
	forked_id = attached("obey");
	drv_fill(forked_mem, IOVA, 16 * P, 1);
	expect("map", 0, map(IOVA, forked_mem, 16 * P));
	expect("pin", 0, pin(forked_id, IOVA, 8 * P, WRITE));
	in_child(forked_child);
	expect_u64("the child's write", 8 * P,
		   drv_match(forked_mem + 8 * P, IOVA + 8 * P, 8 * P, 3));
	expect_u64("what it left alone", 8 * P,
		   drv_match(forked_mem, IOVA, 8 * P, 1));
	expect("the child's pin", 0, look(forked_id, IOVA + 8 * P, 4 * P, 3));
	drv_fill(forked_mem, IOVA, 16 * P, 4);
	expect("the parent's write is seen", 0,
	       look(forked_id, IOVA, 8 * P, 4));
	expect("there too", 0, look(forked_id, IOVA + 8 * P, 4 * P, 4));
	expect("and by a read", 0, rd(forked_id, IOVA, 16 * P, 4, 0));
}

/* What was pinned outlives the program, and nothing else of its memory does. */
static uint32_t dead_id;

static void dead_child(void)
{
	char *mem = room(32 * P);

	expect("map", 0, map(IOVA, mem, 32 * P));
	drv_fill(mem, IOVA, 32 * P, 1);
	expect("pin", 0, pin(dead_id, IOVA, 16 * P, WRITE));
}

static void dead(void)
{
	struct pins before;

	fresh();
	before = pins_now();
	dead_id = attached("obey");
	in_child(dead_child);
	expect("what was pinned", 0, look(dead_id, IOVA, 16 * P, 1));
	expect("read of that", 0, rd(dead_id, IOVA, 16 * P, 1, 0));
	expect("pin of that", 0, pin(dead_id, IOVA + 4 * P, 4 * P, WRITE));
	expect("read of the rest", EFAULT, rd(dead_id, IOVA + 16 * P, P, 1, 0));
	expect("from a kernel thread", EFAULT,
	       rd(dead_id, IOVA + 16 * P, P, 1, KTHREAD));
	expect("pin of the rest", EFAULT,
	       pin(dead_id, IOVA + 16 * P, P, WRITE));
	expect("partly pinned", EFAULT, pin(dead_id, IOVA, 32 * P, WRITE));
	expect_u64("held", 16, held_since(before));
	expect("unpin", 0, unpin(dead_id, IOVA, 16 * P));
	expect_u64("held", 4, held_since(before));
	expect("unmap", 0, unmap(IOVA, 32 * P));
	expect_u64("held", 0, held_since(before));
}

/* Shared memory is the same for all who have it, and for the device. */
static void shared(int memfd, size_t len, const char *what)
{
	struct pins before = pins_now();
	char *mem, *other;
	uint32_t id;

	if (memfd < 0 || ftruncate(memfd, len))
		die(what);
	mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	other = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (mem == MAP_FAILED || other == MAP_FAILED)
		die(what);
	fresh();
	id = attached("obey");
	expect("map", 0, map(IOVA, mem, len));
	expect("pin", 0, pin(id, IOVA, len, WRITE));
	expect_u64("held", len / P, held_since(before));
	drv_fill(other, IOVA, len, 1);
	expect("a write elsewhere is seen", 0, look(id, IOVA, len, 1));
	expect("write", 0, wr(id, IOVA + 5, len - 9, 2, 0));
	expect_u64("and seen elsewhere", len - 9,
		   drv_match(other + 5, IOVA + 5, len - 9, 2));
	expect("unpin", 0, unpin(id, IOVA, len));
	expect_u64("held", 0, held_since(before));
	expect("read", 0, rd(id, IOVA + 5, len - 9, 2, KTHREAD));
	munmap(mem, len);
	munmap(other, len);
	close(memfd);
}

static void memfd(void)
{
	shared(memfd_create("access", MFD_CLOEXEC), 64 * P, "memfd");
}

static void hugetlb(void)
{
	shared(memfd_create("access", MFD_CLOEXEC | MFD_HUGETLB), 2 * HUGE,
	       "memfd of huge pages");
}

/* Transparent huge pages: the same, and as many pins as there are pages. */
static void thp(void)
{
	struct pins before = pins_now();
	char *mem = room(34 * HUGE);
	size_t len = 32 * HUGE;
	uint32_t id;

	mem += HUGE - (uintptr_t)mem % HUGE;
	madvise(mem, len, MADV_HUGEPAGE);
	memset(mem, 1, len);
	fresh();
	id = attached("obey");
	expect("map", 0, map(IOVA, mem, len));
	expect("pin", 0, pin(id, IOVA, len, WRITE));
	expect_u64("held", len / P, held_since(before));
	drv_fill(mem + HUGE, IOVA + HUGE, HUGE, 1);
	expect("pin", 0, pin(id, IOVA + HUGE, HUGE, READ));
	expect("look", 0, look(id, IOVA + HUGE, HUGE, 1));
	expect_u64("held", len / P, held_since(before));
	expect("unpin", 0, unpin(id, IOVA, len));
	expect_u64("held", HUGE / P, held_since(before));
	expect("unmap", 0, unmap(IOVA, len));
	expect_u64("held", 0, held_since(before));
}

/* A file that the program itself may only read can be mapped to be read. */
static void read_only(void)
{
	int memfd = memfd_create("access", MFD_CLOEXEC);
	char *writer, *mem, *private;
	uint32_t id;

	if (memfd < 0 || ftruncate(memfd, 16 * P))
		die("memfd");
	writer = mmap(NULL, 16 * P, PROT_READ | PROT_WRITE, MAP_SHARED, memfd,
		      0);
	mem = mmap(NULL, 16 * P, PROT_READ, MAP_SHARED, memfd, 0);
	private = mmap(NULL, 16 * P, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (writer == MAP_FAILED || mem == MAP_FAILED || private == MAP_FAILED)
		die("mmap");
	fresh();
	id = attached("obey");
	drv_fill(writer, IOVA, 16 * P, 1);
	expect("map shared", 0, map_in(ioas, IOVA, mem, 16 * P, R));
	expect("pin", 0, pin(id, IOVA, 16 * P, READ));
	expect("look", 0, look(id, IOVA, 16 * P, 1));
	drv_fill(writer, IOVA, 16 * P, 2);
	expect("a later write is seen", 0, look(id, IOVA, 16 * P, 2));
	expect("read", 0, rd(id, IOVA, 16 * P, 2, 0));
	expect("pin to write", EPERM, pin(id, IOVA, P, WRITE));
	expect("write", EPERM, wr(id, IOVA, P, 3, 0));
	expect("unmap", 0, unmap(IOVA, 16 * P));

	/* That the device is to write there is found out when it is pinned. */
	expect("map shared, to write", 0, map(IOVA, mem, 16 * P));
	expect("pin", EFAULT, pin(id, IOVA, P, WRITE));
	expect("write", EFAULT, wr(id, IOVA, P, 3, 0));
	expect("unmap", 0, unmap(IOVA, 16 * P));

	drv_fill(writer, IOVA, 16 * P, 4);
	expect("map private", 0, map_in(ioas, IOVA, private, 16 * P, R));
	expect("pin", 0, pin(id, IOVA, 16 * P, READ));
	expect("look", 0, look(id, IOVA, 16 * P, 4));
	expect("read", 0, rd(id, IOVA, 16 * P, 4, 0));
}

/*
 * The program may throw its pages away. What is pinned by then the device
 * keeps; what is pinned later is what is there then.
 */
static void dontneed(void)
{
	char *mem = room(16 * P);
	struct pins before = pins_now();
	uint32_t id;
	size_t i;

	fresh();
	id = attached("obey");
	drv_fill(mem, IOVA, 16 * P, 1);
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("pin", 0, pin(id, IOVA, 8 * P, WRITE));
	madvise(mem, 16 * P, MADV_DONTNEED);
	for (i = 0; i < 16 * P && !mem[i]; i++)
		;
	expect_u64("zero for the program", 16 * P, i);
	expect("still there for the device", 0, look(id, IOVA, 8 * P, 1));
	drv_fill(mem, IOVA, 16 * P, 2);
	expect("which sees no new page", 0, look(id, IOVA, 8 * P, 1));
	expect("pin of the rest", 0, pin(id, IOVA + 8 * P, 8 * P, WRITE));
	expect("is what is there now", 0, look(id, IOVA + 8 * P, 8 * P, 2));
	expect_u64("held", 16, held_since(before));
	expect("unpin", 0, unpin(id, IOVA, 8 * P));
	expect("pin again", 0, pin(id, IOVA, 8 * P, WRITE));
	expect("is what is there now", 0, look(id, IOVA, 8 * P, 2));
	expect_u64("held", 16, held_since(before));
}

/* A memfd's mapping needs no process. */
static uint32_t file_id;

static int map_memfd(unsigned int flags, uint64_t start, uint64_t len,
		     void **mem)
{
	int memfd = memfd_create("access", MFD_CLOEXEC | flags);
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | R | W,
		.ioas_id = ioas,
		.fd = memfd,
		.start = start,
		.length = len,
		.iova = IOVA,
	};
	int rc;

	if (memfd < 0 || ftruncate(memfd, start + len))
		die("memfd");
	*mem = mmap(NULL, start + len, PROT_READ | PROT_WRITE, MAP_SHARED,
		    memfd, 0);
	if (*mem == MAP_FAILED)
		die("mmap");
	rc = call(fd, IOMMU_IOAS_MAP_FILE, &cmd);
	close(memfd);
	return rc;
}

static void file_child(void)
{
	void *mem;

	expect("map", 0, map_memfd(0, 3 * P, 16 * P, &mem));
	drv_fill((char *)mem + 3 * P, IOVA, 16 * P, 1);
	expect("read", 0, rd(file_id, IOVA, 16 * P, 1, 0));
	expect("pin", 0, pin(file_id, IOVA, 4 * P, WRITE));
	expect("look", 0, look(file_id, IOVA, 4 * P, 1));
}

static void file(void)
{
	fresh();
	file_id = attached("obey");
	in_child(file_child);
	expect("what was pinned", 0, look(file_id, IOVA, 4 * P, 1));
	expect("read", 0, rd(file_id, IOVA, 16 * P, 1, 0));
	expect("read from a kernel thread", 0,
	       rd(file_id, IOVA, 16 * P, 1, KTHREAD));
	expect("write", 0, wr(file_id, IOVA + 9, 10 * P, 2, 0));
	expect("read", 0, rd(file_id, IOVA + 9, 10 * P, 2, 0));
	expect("pin", 0, pin(file_id, IOVA + 2 * P, 8 * P, WRITE));
	expect("look", 0, look(file_id, IOVA + 2 * P, 8 * P, 2));
	expect("pin of all", 0, pin(file_id, IOVA, 16 * P, WRITE));
	expect_u64("pinned", 4 + 8 + 16, pinned(file_id));
	expect("unmap", 0, unmap(IOVA, 16 * P));
	expect_u64("pinned", 0, pinned(file_id));
}

static void file_hugetlb(void)
{
	void *mem;
	int rc;

	fresh();
	file_id = attached("obey");
	rc = map_memfd(MFD_HUGETLB, 0, HUGE, &mem);
	if (rc == EOPNOTSUPP) {
		/* The kernel offers no way: said in iommufd(4). */
		expect("map", EOPNOTSUPP, rc);
		return;
	}
	expect("map", 0, rc);
	drv_fill(mem, IOVA, HUGE, 1);
	expect("pin", 0, pin(file_id, IOVA + P, 5 * P, WRITE));
	expect("look", 0, look(file_id, IOVA + P, 5 * P, 1));
	expect("write", 0, wr(file_id, IOVA + 99, HUGE - 99, 2, 0));
	expect_u64("seen", HUGE - 99,
		   drv_match((char *)mem + 99, IOVA + 99, HUGE - 99, 2));
}

/* A mapping of @memfd at IOVA. */
static int map_fd(int memfd, uint64_t len)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | R | W,
		.ioas_id = ioas,
		.fd = memfd,
		.length = len,
		.iova = IOVA,
	};

	return call(fd, IOMMU_IOAS_MAP_FILE, &cmd);
}

/* @len bytes at @memfd are the pattern's. */
static void expect_file(int memfd, uint64_t len, uint32_t seed)
{
	char *mem = mmap(NULL, len, PROT_READ, MAP_SHARED, memfd, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	expect_u64("what the file has", len, drv_match(mem, IOVA, len, seed));
	munmap(mem, len);
}

/* Nobody has ever touched these pages, nor reserved them. */
static void file_hugetlb_hole(void)
{
	int memfd = memfd_create("access", MFD_CLOEXEC | MFD_HUGETLB), rc;

	if (memfd < 0 || ftruncate(memfd, 2 * HUGE))
		die("memfd");
	fresh();
	file_id = attached("obey");
	rc = map_fd(memfd, 2 * HUGE);
	if (rc == EOPNOTSUPP) {
		expect("map", EOPNOTSUPP, rc);
		return;
	}
	expect("map", 0, rc);
	expect("pin", 0, pin(file_id, IOVA + 3 * P, HUGE, WRITE));
	expect("write", 0, wr(file_id, IOVA, 2 * HUGE, 1, 0));
	expect("look", 0, look(file_id, IOVA + 3 * P, HUGE, 1));
	expect_file(memfd, 2 * HUGE, 1);
	expect("unmap", 0, unmap(IOVA, 2 * HUGE));
	close(memfd);
}

/* How a VMM makes sure of its memory: what a device writes there stays. */
static void file_allocated(void)
{
	int memfd = memfd_create("access", MFD_CLOEXEC);

	if (memfd < 0 || ftruncate(memfd, 32 * P) ||
	    fallocate(memfd, 0, 0, 32 * P))
		die("memfd");
	fresh();
	file_id = attached("obey");
	expect("map", 0, map_fd(memfd, 32 * P));
	expect("pin", 0, pin(file_id, IOVA, 16 * P, WRITE));
	expect("write", 0, wr(file_id, IOVA, 32 * P, 1, 0));
	expect_file(memfd, 32 * P, 1);
	expect("look", 0, look(file_id, IOVA, 16 * P, 1));
	close(memfd);
}

/* The last page of a file is a page, however much of it is the file's. */
static void file_odd_end(void)
{
	int memfd = memfd_create("access", MFD_CLOEXEC);

	if (memfd < 0 || ftruncate(memfd, P + 100))
		die("memfd");
	fresh();
	file_id = attached("obey");
	expect("map", 0, map_fd(memfd, 2 * P));
	expect("pin", 0, pin(file_id, IOVA, 2 * P, WRITE));
	expect("write", 0, wr(file_id, IOVA, P + 100, 1, 0));
	expect_file(memfd, P + 100, 1);
	close(memfd);
}

/* --- limits: RLIMIT_MEMLOCK of 16 pages each --- */

static uint32_t limit_id;
static char *limit_mem;

/* 16 pages can be pinned at @iova, and no more. */
static void just_16(uint64_t iova)
{
	expect("17 pages", ENOMEM, pin(limit_id, iova, 17 * P, WRITE));
	expect("16 pages", 0, pin(limit_id, iova, 16 * P, WRITE));
	expect("one more", ENOMEM, pin(limit_id, iova + 16 * P, P, WRITE));
	/* What is pinned already costs nothing. */
	expect("one of them again", 0, pin(limit_id, iova + 5 * P, P, WRITE));
	expect("unpin", 0, unpin(limit_id, iova + 5 * P, P));
	expect("unpin", 0, unpin(limit_id, iova, 16 * P));
}

static void limited(void)
{
	be_nobody(16 * P);
	limit_mem = room(64 * P);
	expect("map", 0, map(IOVA, limit_mem, 64 * P));
	just_16(IOVA);
	just_16(IOVA + 3 * P);
	expect("8", 0, pin(limit_id, IOVA, 8 * P, WRITE));
	expect("other 8", 0, pin(limit_id, IOVA + 16 * P, 8 * P, WRITE));
	expect("one in between", ENOMEM, pin(limit_id, IOVA + 8 * P, P, WRITE));
	expect("across both", ENOMEM, pin(limit_id, IOVA, 24 * P, WRITE));
	expect("unpin", 0, unpin(limit_id, IOVA, 8 * P));
	expect("one", 0, pin(limit_id, IOVA + 8 * P, P, WRITE));
	/* What is read and written is not kept pinned. */
	expect("write of all", 0, wr(limit_id, IOVA, 64 * P, 1, 0));
	expect("unmap", 0, unmap(IOVA, 64 * P));
	expect("map", 0, map(IOVA, limit_mem, 64 * P));
	just_16(IOVA);
}

/* By user, which is the default: all of nobody's processes have one limit. */
static void by_user_child(void)
{
	be_nobody(16 * P);
	limit_mem = room(64 * P);
	expect("map", 0, map(IOVA, limit_mem, 64 * P));
	expect("10 pages", 0, pin(limit_id, IOVA, 10 * P, WRITE));
}

static void by_user_second(void)
{
	be_nobody(16 * P);
	limit_mem = room(64 * P);
	expect("map", 0, map(2 * IOVA, limit_mem, 64 * P));
	expect("7 pages", ENOMEM, pin(limit_id, 2 * IOVA, 7 * P, WRITE));
	expect("6 pages", 0, pin(limit_id, 2 * IOVA, 6 * P, WRITE));
}

static void limit_user(void)
{
	int first, first_ses;

	fresh();
	limit_id = attached("obey");
	in_child(limited);
	expect("unmap", 0, unmap(0, UINT64_MAX));
	/* The processes go, the charge stays with what is pinned. */
	in_child(by_user_child);
	in_child(by_user_second);
	expect("unmap", 0, unmap(IOVA, 64 * P));
	expect("unmap", 0, unmap(2 * IOVA, 64 * P));
	in_child(limited);
	expect("unmap", 0, unmap(0, UINT64_MAX));

	/* Another context is the same user's. */
	in_child(by_user_child);
	first = fd;
	first_ses = ses;
	fresh();
	limit_id = attached("obey");
	in_child(by_user_second);
	close(first_ses);
	close(first);
}

/* By process: each has its own limit. */
static void by_process_second(void)
{
	be_nobody(16 * P);
	limit_mem = room(64 * P);
	expect("map", 0, map(2 * IOVA, limit_mem, 64 * P));
	just_16(2 * IOVA);
}

static void limit_process(void)
{
	open_context();
	expect("RLIMIT_MODE 1", 0, set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	ioas = new_ioas();
	limit_id = attached("obey");
	in_child(limited);
	expect("unmap", 0, unmap(0, UINT64_MAX));
	in_child(by_user_child);
	in_child(by_process_second);
	expect("unmap", 0, unmap(IOVA, 64 * P));
	expect("unmap", 0, unmap(2 * IOVA, 64 * P));
	in_child(limited);
}

/* CAP_IPC_LOCK at the time of the map exempts, whoever pins. */
static void exempt_child(void)
{
	struct rlimit rlim = { 0, 0 };

	limit_mem = room(64 * P);
	if (setrlimit(RLIMIT_MEMLOCK, &rlim))
		die("setrlimit");
	expect("map", 0, map(IOVA, limit_mem, 64 * P));
	expect("pin", 0, pin(limit_id, IOVA, 4 * P, WRITE));
	be_nobody(0);
	expect("pin", 0, pin(limit_id, IOVA + 4 * P, 60 * P, WRITE));
	expect("map", 0, map(2 * IOVA, limit_mem, 64 * P));
	expect("pin of that", ENOMEM, pin(limit_id, 2 * IOVA, P, WRITE));
}

static void limit_exempt(void)
{
	struct pins before = pins_now();

	fresh();
	limit_id = attached("obey");
	in_child(exempt_child);
	expect_u64("held", 64, held_since(before));
	expect("unmap", 0, unmap(0, UINT64_MAX));
}

/* A memfd is charged to who mapped it, too. */
static void file_limited(void)
{
	void *mem;

	be_nobody(16 * P);
	expect("map", 0, map_memfd(0, 0, 64 * P, &mem));
	just_16(IOVA);
	expect("10 pages", 0, pin(limit_id, IOVA, 10 * P, WRITE));
}

static void limit_file(void)
{
	fresh();
	limit_id = attached("obey");
	in_child(file_limited);
	expect("by root, 7 pages", ENOMEM,
	       pin(limit_id, IOVA + 10 * P, 7 * P, WRITE));
	expect("by root, 6 pages", 0,
	       pin(limit_id, IOVA + 10 * P, 6 * P, WRITE));
	expect("unmap", 0, unmap(0, UINT64_MAX));
	in_child(file_limited);
}

/* The context closes first, or the driver does: in the end all is unpinned. */
static void context_first(void)
{
	struct pins before = pins_now();
	char *mem = room(16 * P);
	uint32_t id;

	fresh();
	id = attached("obey");
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("pin", 0, pin(id, IOVA, 16 * P, WRITE));
	close(fd);
	drv_fill(mem, IOVA, 16 * P, 1);
	expect("look without the file", 0, look(id, IOVA, 16 * P, 1));
	expect("pin without the file", 0, pin(id, IOVA, P, WRITE));
	close(ses);
	expect_u64("held", 0, held_since(before));
	fresh();
	id = attached("obey");
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("pin", 0, pin(id, IOVA, 16 * P, WRITE));
	close(ses);
	expect_u64("held", 0, held_since(before));
	ses = drv_open(fd);
}

static unsigned int steps = 2000;

static void random_test(void)
{
	random_pins(steps);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "lazy", lazy },
	{ "once", once },
	{ "random", random_test },
	{ "rw", rw },
	{ "refused", refused },
	{ "busy", busy },
	{ "told", told },
	{ "asked-again", asked_again },
	{ "deaf", deaf },
	{ "late", late },
	{ "stalled", stalled },
	{ "odd-copy", odd_copy },
	{ "joined", joined },
	{ "forked", forked },
	{ "dead", dead },
	{ "memfd", memfd },
	{ "hugetlb", hugetlb },
	{ "thp", thp },
	{ "read-only", read_only },
	{ "dontneed", dontneed },
	{ "file", file },
	{ "file-hugetlb", file_hugetlb },
	{ "file-hugetlb-hole", file_hugetlb_hole },
	{ "file-allocated", file_allocated },
	{ "file-odd-end", file_odd_end },
	{ "limit-user", limit_user },
	{ "limit-process", limit_process },
	{ "limit-exempt", limit_exempt },
	{ "limit-file", limit_file },
	{ "context-first", context_first },
};

int main(int argc, char **argv)
{
	struct pins before = pins_now();
	unsigned int i;

	if (argc < 2)
		return 64;
	if (argc > 2)
		steps = atoi(argv[2]);
	rng = argc > 3 ? strtoull(argv[3], NULL, 0) :
			 (uint64_t)time(NULL) * 2654435761U + 1;
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(tests[i].name, argv[1]))
			continue;
		tests[i].run();
		close(ses);
		close(fd);
		expect_u64("pins that nobody undid", 0, held_since(before));
		return expect_sum();
	}
	return 64;
}
