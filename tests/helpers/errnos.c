// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * errnos [--all] [--upstream] [SECTION...]: what each command on an I/O address space
 * answers, one row a rule, by raw calls. Prints each rule that does not hold;
 * with --all every rule and its answer, which is how two drivers are compared.
 *
 * The rules are those of the published interface. Where that is silent the
 * answer is what Linux 6.12's own driver gives, on which this passes as well
 * (tests/vm/built/upstream.bats). Rules on sizes are in dispatch.c.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "expect.h"
#include "iommu.h"

/* A row names what differs from what is usual. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define F IOMMU_IOAS_MAP_FIXED_IOVA
#define R IOMMU_IOAS_MAP_READABLE
#define W IOMMU_IOAS_MAP_WRITEABLE
#define FRW (F | R | W)

#define P 4096ULL
#define MB (1ULL << 20)
#define HUGE (2 * MB)
#define TOP UINT64_MAX
#define NO_ID 0x7ffffff0	/* never given */

static int fd;
static uint32_t ioas;
static char *mem;		/* 4 MiB, at a multiple of 2 MiB */
#define VA ((uintptr_t)mem)

/* The last command of each kind, with its answer. */
static struct iommu_ioas_map map;
static struct iommu_ioas_map_file file;
static struct iommu_ioas_unmap unmap;
static struct iommu_ioas_copy copy;
static struct iommu_ioas_iova_ranges ranges;
static struct iommu_ioas_allow_iovas allow;
static struct iommu_option option;
static struct iommu_vfio_ioas vfio_ioas;

#define CALL(cmd, var, ...)                                                    \
	({                                                                     \
		(var) = (typeof(var)){ .size = sizeof(var), __VA_ARGS__ };     \
		call(fd, cmd, &(var));                                         \
	})
#define MAP(...) CALL(IOMMU_IOAS_MAP, map, .ioas_id = ioas, .user_va = VA,     \
		      .length = P, .flags = FRW, __VA_ARGS__)
#define FILE_MAP(...) CALL(IOMMU_IOAS_MAP_FILE, file, .ioas_id = ioas,         \
			   .length = P, .flags = FRW, __VA_ARGS__)
#define UNMAP(...) CALL(IOMMU_IOAS_UNMAP, unmap, .ioas_id = ioas, __VA_ARGS__)
#define COPY(...) CALL(IOMMU_IOAS_COPY, copy, .dst_ioas_id = ioas,             \
		       .src_ioas_id = ioas, .flags = FRW, __VA_ARGS__)
#define RANGES(...) CALL(IOMMU_IOAS_IOVA_RANGES, ranges, .ioas_id = ioas,      \
			 __VA_ARGS__)
#define ALLOW(...) CALL(IOMMU_IOAS_ALLOW_IOVAS, allow, .ioas_id = ioas,        \
			__VA_ARGS__)
#define OPTION(...) CALL(IOMMU_OPTION, option, __VA_ARGS__)
#define VFIO_IOAS(...) CALL(IOMMU_VFIO_IOAS, vfio_ioas, __VA_ARGS__)

/* ALLOW_IOVAS with a list: start, last, start, last, ... */
#define ALLOW_LIST(...)                                                        \
	({                                                                     \
		struct iommu_iova_range list[] = { __VA_ARGS__ };              \
		ALLOW(.num_iovas = sizeof(list) / sizeof(list[0]),             \
		      .allowed_iovas = (uintptr_t)list);                       \
	})

/* Every bit of a flags or reserved field but those in @known is refused. */
#define EACH_BIT(what, known, bit, rule)                                       \
	do {                                                                   \
		int answer = EOPNOTSUPP;                                       \
		for (uint64_t bit = 1; bit < 1ULL << 32 &&                     \
		     answer == EOPNOTSUPP; bit <<= 1)                          \
			if (!(bit & (known)))                                  \
				answer = (rule);                               \
		expect((what), EOPNOTSUPP, answer);                            \
	} while (0)

/* A context with one IOAS in it, and that one is what the rules are about. */
static void fresh(void)
{
	if (fd > 0)
		close(fd);
	fd = open_iommu();
	if (ioas_alloc(fd, &ioas)) {
		perror("errnos: IOAS_ALLOC");
		exit(1);
	}
}

/* @len bytes, before which and after which nothing can be touched. */
static void *guarded(size_t len)
{
	size_t room = (len + P - 1) / P * P;
	char *p = mmap(NULL, room + 2 * P, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + P, room, PROT_READ | PROT_WRITE)) {
		perror("errnos: mmap");
		exit(1);
	}
	return p + P + room - len;
}

/* From now on the kernel's answer cannot be written to @p, of guarded(). */
static void read_only(void *p)
{
	mprotect((char *)p - (uintptr_t)p % P, P, PROT_READ);
}

/* Exits with the errno of @fn, run in a process of its own. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		perror("errnos: child");
		exit(1);
	}
	return WEXITSTATUS(status);
}

static void alloc(void)
{
	struct iommu_ioas_alloc cmd;
	uint32_t id;

	EACH_BIT("a flag", 0, bit,
		 CALL(IOMMU_IOAS_ALLOC, cmd, .flags = bit));
	expect("alloc", 0, CALL(IOMMU_IOAS_ALLOC, cmd, .out_ioas_id = 77));
	id = cmd.out_ioas_id;
	expect_u64("ids ascend", ioas + 1, id);
	expect("destroy", 0, destroy(fd, id));
	expect("IOVA_RANGES of what is gone", ENOENT, RANGES(.ioas_id = id));
	expect("ALLOW_IOVAS of what is gone", ENOENT, ALLOW(.ioas_id = id));
	expect("MAP in what is gone", ENOENT, MAP(.ioas_id = id));
	expect("UNMAP in what is gone", ENOENT,
	       UNMAP(.ioas_id = id, .length = TOP));
}

static struct iommu_iova_range got[8];
#define ROOM .num_iovas = 8, .allowed_iovas = (uintptr_t)got

static void expect_range(const char *what, unsigned int nr, uint64_t start,
			 uint64_t last)
{
	expect_u64(what, start, got[nr].start);
	expect_u64(what, last, got[nr].last);
}

static void iova_ranges(void)
{
	EACH_BIT("a reserved bit", 0, bit, RANGES(.__reserved = bit, ROOM));
	expect("reserved before the id", EOPNOTSUPP,
	       RANGES(.ioas_id = NO_ID, .__reserved = 1));
	expect("id 0", ENOENT, RANGES(.ioas_id = 0, ROOM));
	expect("unknown id", ENOENT, RANGES(.ioas_id = NO_ID, ROOM));
	expect("highest id", ENOENT, RANGES(.ioas_id = UINT32_MAX, ROOM));
	expect("id before the array", ENOENT,
	       RANGES(.ioas_id = NO_ID, .num_iovas = 1));

	memset(got, 0x55, sizeof(got));
	expect("fresh", 0, RANGES(ROOM));
	expect_u64("fresh: how many", 1, ranges.num_iovas);
	expect_u64("fresh: alignment", 1, ranges.out_iova_alignment);
	expect_range("fresh: range", 0, 0, TOP);
	expect_u64("behind the answer", 0x5555555555555555, got[1].start);

	expect("no room", EMSGSIZE, RANGES(.num_iovas = 0));
	expect_u64("no room: how many", 1, ranges.num_iovas);
	expect_u64("no room: alignment", 1, ranges.out_iova_alignment);
	expect("no room, array at null", EMSGSIZE,
	       RANGES(.num_iovas = 0, .allowed_iovas = 0));
	expect("array at null", EFAULT, RANGES(.num_iovas = 1));
	expect("array over the edge", EFAULT,
	       RANGES(.num_iovas = 1, .allowed_iovas =
		      (uintptr_t)guarded(8)));
	expect("room for more than there is", 0,
	       RANGES(.num_iovas = UINT32_MAX,
		      .allowed_iovas = (uintptr_t)guarded(16)));

	/* What is mapped is not a matter of where one may map. */
	expect("map", 0, MAP(.iova = 16 * P));
	expect("with an area", 0, RANGES(ROOM));
	expect_u64("with an area: how many", 1, ranges.num_iovas);
	expect_u64("with an area: alignment", 1, ranges.out_iova_alignment);
	expect_range("with an area", 0, 0, TOP);

	expect("allow", 0, ALLOW_LIST({ P, 2 * P - 1 }));
	expect("with an allowed range", 0, RANGES(ROOM));
	expect_u64("allowed is not what is told", 1, ranges.num_iovas);
	expect_range("allowed is not what is told", 0, 0, TOP);
}

static void allow_iovas(void)
{
	struct iommu_iova_range one = { 16 * P, 32 * P - 1 };

	EACH_BIT("a reserved bit", 0, bit, ALLOW(.__reserved = bit));
	expect("reserved before the id", EOPNOTSUPP,
	       ALLOW(.ioas_id = NO_ID, .__reserved = 1));
	expect("id 0", ENOENT, ALLOW(.ioas_id = 0));
	expect("unknown id", ENOENT, ALLOW(.ioas_id = NO_ID));
	expect("id before the array", ENOENT,
	       ALLOW(.ioas_id = NO_ID, .num_iovas = 1));
	expect("array at null", EFAULT, ALLOW(.num_iovas = 1));
	expect("array over the edge", EFAULT,
	       ALLOW(.num_iovas = 2, .allowed_iovas =
		     (uintptr_t)memcpy(guarded(16), &one, 16)));
	expect("count that no memory holds", EFAULT,
	       ALLOW(.num_iovas = UINT32_MAX,
		     .allowed_iovas = (uintptr_t)memcpy(guarded(16), &one, 16)));
	expect("nothing", 0, ALLOW(.num_iovas = 0));
	expect("nothing, array at null", 0,
	       ALLOW(.num_iovas = 0, .allowed_iovas = 0));

	expect("start after last", EINVAL, ALLOW_LIST({ 2, 1 }));
	expect("one address", EINVAL, ALLOW_LIST({ P, P }));
	expect("two addresses", 0, ALLOW_LIST({ P, P + 1 }));
	expect("all there is", 0, ALLOW_LIST({ 0, TOP }));
	expect("the last two", 0, ALLOW_LIST({ TOP - 1, TOP }));
	expect("unaligned", 0, ALLOW_LIST({ 1, 10 }));
	expect("apart", 0, ALLOW_LIST({ 0, P - 1 }, { 2 * P, 3 * P - 1 }));
	expect("unsorted", 0, ALLOW_LIST({ 2 * P, 3 * P - 1 }, { 0, P - 1 }));
	expect("touching", 0, ALLOW_LIST({ 0, P - 1 }, { P, 2 * P - 1 }));
	expect("overlapping in one", EINVAL,
	       ALLOW_LIST({ 0, P }, { P, 2 * P - 1 }));
	expect("one in another", EINVAL,
	       ALLOW_LIST({ 0, TOP }, { P, 2 * P - 1 }));
	expect("twice the same", EINVAL,
	       ALLOW_LIST({ P, 2 * P - 1 }, { P, 2 * P - 1 }));

	/* A list that was refused leaves the old one. */
	expect("a list", 0, ALLOW_LIST({ 16 * P, 32 * P - 1 }));
	expect("another, refused", EINVAL,
	       ALLOW_LIST({ 64 * P, 65 * P - 1 }, { 2, 1 }));
	expect("automatic", 0, MAP(.flags = R | W));
	expect("automatic, from the old list", 0,
	       map.iova < 16 * P || map.iova > 31 * P);
	expect("a new list", 0, ALLOW_LIST({ 64 * P, 65 * P - 1 }));
	expect("automatic, from the new list", 0, MAP(.flags = R | W));
	expect_u64("automatic, from the new list", 64 * P, map.iova);
	expect("automatic, list full", ENOSPC, MAP(.flags = R | W));
	expect("larger than any range", ENOSPC,
	       MAP(.flags = R | W, .length = 2 * P));
	/* The list is about automatic IOVAs, and about devices to come. */
	expect("fixed, outside the list", 0, MAP(.iova = 128 * P));
	expect("a list over what is mapped", 0,
	       ALLOW_LIST({ 128 * P, 129 * P - 1 }));
	expect("automatic, all is mapped", ENOSPC, MAP(.flags = R | W));
	expect("no list again", 0, ALLOW(.num_iovas = 0));
	expect("automatic, no list", 0, MAP(.flags = R | W));

	/* Two ranges that touch are one. */
	expect("touching", 0, ALLOW_LIST({ 256 * P, 257 * P - 1 },
					 { 257 * P, 258 * P - 1 }));
	expect("over the seam", 0, MAP(.flags = R | W, .length = 2 * P));
	expect_u64("over the seam", 256 * P, map.iova);
	expect("unaligned list", 0,
	       ALLOW_LIST({ 512 * P + 1, 514 * P - 1 }));
	expect("automatic in it", 0, MAP(.flags = R | W));
	expect_u64("automatic in it", 513 * P, map.iova);
}

static void map_refused(void)
{
	uint32_t other;

	EACH_BIT("a flag", FRW, bit, MAP(.flags = FRW | bit));
	EACH_BIT("a reserved bit", 0, bit, MAP(.__reserved = bit));
	expect("flag before the id", EOPNOTSUPP,
	       MAP(.ioas_id = NO_ID, .flags = FRW | 8));
	expect("reserved before the id", EOPNOTSUPP,
	       MAP(.ioas_id = NO_ID, .__reserved = 1));
	expect("flag before the length", EOPNOTSUPP,
	       MAP(.flags = FRW | 8, .length = 0));
	expect("flag before neither R nor W", EOPNOTSUPP, MAP(.flags = F | 8));
	expect("id 0", ENOENT, MAP(.ioas_id = 0));
	expect("unknown id", ENOENT, MAP(.ioas_id = NO_ID));

	expect("neither R nor W", EINVAL, MAP(.flags = F));
	expect("no flags", EINVAL, MAP(.flags = 0));
	expect("neither R nor W, unknown id", EINVAL,
	       MAP(.ioas_id = NO_ID, .flags = F));
	expect("neither R nor W, length 0", EINVAL,
	       MAP(.flags = F, .length = 0));
	expect("neither R nor W, length 2^64-1", EOVERFLOW,
	       MAP(.flags = F, .length = TOP));
	expect("length 0", EINVAL, MAP(.length = 0));
	expect("length 0, automatic", EINVAL, MAP(.flags = R, .length = 0));
	expect("length 0, unknown id", ENOENT,
	       MAP(.ioas_id = NO_ID, .length = 0));
	expect("length 2^64-1", EOVERFLOW, MAP(.length = TOP));
	expect("length 2^64-1, unknown id", EOVERFLOW,
	       MAP(.ioas_id = NO_ID, .length = TOP));
	expect("length 2^64-1, automatic", EOVERFLOW,
	       MAP(.flags = R, .length = TOP));
	expect("iova 2^64-1", EOVERFLOW, MAP(.iova = TOP, .length = 1));
	expect("iova 2^64-1, automatic", EOVERFLOW,
	       MAP(.flags = R, .iova = TOP));
	expect("iova wraps", EOVERFLOW, MAP(.iova = TOP - P + 1,
					    .length = 2 * P));
	expect("iova wraps to 0", EOVERFLOW, MAP(.iova = TOP - P + 2));
	expect("user_va wraps", EOVERFLOW,
	       MAP(.user_va = TOP - P + 1, .length = 2 * P));
	expect("user_va wraps, automatic", EOVERFLOW,
	       MAP(.user_va = TOP - P + 1, .length = 2 * P, .flags = R));
	expect("user_va ends at 2^64", EOVERFLOW,
	       MAP(.user_va = TOP - P + 1, .length = P));
	expect("nothing was mapped", ENOENT, UNMAP(.iova = 0, .length = P));
	expect("nothing was mapped", 0, UNMAP(.iova = 0, .length = TOP));
	expect_u64("nothing was mapped", 0, unmap.length);

	expect("one page", 0, MAP(.iova = 16 * P));
	expect("the same again", EEXIST, MAP(.iova = 16 * P));
	expect("its first byte", EEXIST, MAP(.iova = 15 * P, .length = P + 1));
	expect("its last byte", EEXIST,
	       MAP(.iova = 17 * P - 1, .length = 1));
	expect("around it", EEXIST, MAP(.iova = 15 * P, .length = 3 * P));
	expect("before it", 0, MAP(.iova = 15 * P));
	expect("after it", 0, MAP(.iova = 17 * P));
	expect("read only", 0, MAP(.iova = 18 * P, .flags = F | R));
	expect("write only", 0, MAP(.iova = 19 * P, .flags = F | W));
	expect("alloc", 0, ioas_alloc(fd, &other));
	expect("in another IOAS", 0, MAP(.ioas_id = other, .iova = 16 * P));
	expect("destroy with an area", 0, destroy(fd, other));
}

static void map_taken(void)
{
	expect("iova 0", 0, MAP(.iova = 0));
	expect("unaligned iova", 0, MAP(.iova = 2 * P + 1));
	expect("unaligned user_va", 0,
	       MAP(.iova = 4 * P, .user_va = VA + 1));
	expect("unaligned both, not the same", 0,
	       MAP(.iova = 6 * P + 1, .user_va = VA + 2));
	expect("one byte", 0, MAP(.iova = 8 * P, .length = 1));
	expect("next byte, other memory", 0,
	       MAP(.iova = 8 * P + 1, .length = 1));
	expect("last byte before 2^64-1", 0,
	       MAP(.iova = TOP - P, .length = P));
	expect("up to 2^64-1", 0, MAP(.iova = TOP - 3 * P, .length = P));
	expect("no memory there", 0, MAP(.iova = 10 * P, .user_va = 0));
	expect("memory of the kernel's half", 0,
	       MAP(.iova = 11 * P, .user_va = 0xffff888000000000));
	expect("memory that cannot be touched", 0,
	       MAP(.iova = 12 * P, .user_va = (uintptr_t)guarded(P) + P));
	expect("more than any process has", 0,
	       MAP(.iova = 1ULL << 60, .user_va = 0, .length = 1ULL << 60));
	expect("half of all", EEXIST,
	       MAP(.iova = 1ULL << 60, .user_va = 0, .length = 1ULL << 63));
	expect("all gone", 0, UNMAP(.iova = 0, .length = TOP));
	expect_u64("all gone", (1ULL << 60) + 9 * P + 2, unmap.length);
}

/* The top of the space, byte by byte. */
static void map_top(void)
{
	expect("the last page", 0, MAP(.iova = TOP - P + 1));
	expect("the page before it", 0, MAP(.iova = TOP - 2 * P + 1));
	expect("the last page, one byte less", EEXIST,
	       MAP(.iova = TOP - P + 1, .length = P - 1));
	expect("one byte but the last", EEXIST,
	       MAP(.iova = TOP - 1, .length = 1));
	expect("unmap the last page", 0,
	       UNMAP(.iova = TOP - P + 1, .length = P));
	expect_u64("unmap the last page", P, unmap.length);
	expect("the last page, one byte less", 0,
	       MAP(.iova = TOP - P + 1, .length = P - 1));
	expect("all", 0, UNMAP(.length = TOP));
	expect_u64("all", 2 * P - 1, unmap.length);
}

/* Where an automatic IOVA is, and what it is a multiple of. */
static void automatic(uint64_t offset, uint64_t length, uint64_t align,
		      uint64_t at)
{
	char what[96];

	snprintf(what, sizeof(what), "automatic, user_va +%#" PRIx64
		 ", length %#" PRIx64, offset, length);
	expect(what, 0, MAP(.flags = R | W, .user_va = VA + offset,
			    .length = length, .iova = 77 * P));
	strcat(what, ": offset");
	expect_u64(what, (VA + offset) % align, map.iova % align);
	*strchr(what, ':') = 0;
	strcat(what, ": first that fits");
	expect_u64(what, at, map.iova);
}

static void map_automatic(void)
{
	fresh();
	automatic(0, P, P, P);
	automatic(0, P, P, 2 * P);
	automatic(P, P, P, 3 * P);
	fresh();
	automatic(0, 2 * P, 2 * P, 2 * P);
	/* See below. */
	automatic(P, 2 * P, DIFFERS(2 * P, P), DIFFERS(5 * P, 4 * P));
	automatic(0, P, P, P);
	fresh();
	automatic(0, 3 * P, 4 * P, 4 * P);
	automatic(0, 5 * P, 8 * P, 8 * P);
	automatic(0, P, P, P);
	fresh();
	automatic(0, MB, MB, MB);
	automatic(0, HUGE, HUGE, HUGE);
	automatic(0, HUGE + P, HUGE, 2 * HUGE);
	automatic(0, 2 * HUGE, HUGE, 4 * HUGE);
	fresh();
	automatic(0, 1ULL << 30, HUGE, HUGE);
	automatic(0, 1ULL << 40, HUGE, (1ULL << 30) + HUGE);
	/* What is not whole pages is where it is in its page. */
	fresh();
	automatic(1, P, P, P + 1);
	fresh();
	automatic(0x800, P, P, P + 0x800);
	automatic(0x800, P, P, 2 * P + 0x800);
	/*
	 * Memory that is not where a huge page begins: upstream's driver goes
	 * by how the address is aligned, ours by where in a huge page it is,
	 * so that what is huge in it can be so in the IOMMU as well.
	 */
	fresh();
	automatic(P, HUGE, DIFFERS(HUGE, P), P);
	fresh();
	automatic(MB, 4 * HUGE, DIFFERS(HUGE, MB), MB);
	fresh();
	automatic(HUGE - P, HUGE, DIFFERS(HUGE, P), DIFFERS(HUGE - P, P));

	fresh();
	expect("fixed", 0, MAP(.iova = 2 * P, .length = 2 * P));
	automatic(0, P, P, P);
	automatic(0, P, P, 4 * P);
	automatic(0, 4 * P, 4 * P, 8 * P);
	automatic(0, 2 * P, P, 6 * P);
	automatic(0, P, P, 5 * P);

	fresh();
	expect("fixed, half of all", 0,
	       MAP(.iova = 0, .user_va = 0, .length = 1ULL << 63));
	automatic(0, P, P, 1ULL << 63);
	expect("fixed, the rest", 0,
	       MAP(.iova = (1ULL << 63) + P, .user_va = 0,
		   .length = (1ULL << 63) - P));
	expect("automatic, nothing left", ENOSPC, MAP(.flags = R));
	expect("unmap the first", 0, UNMAP(.length = 1ULL << 63));
	expect("fixed, all but two pages of it", 0,
	       MAP(.iova = 2 * P, .user_va = 0,
		   .length = (1ULL << 63) - 2 * P));
	automatic(0, P, P, P);
	/* There is one left, which is nobody's choice. */
	expect("automatic, only page 0 left", ENOSPC, MAP(.flags = R));

	fresh();
	expect("automatic, the answer cannot be written", EFAULT, ({
		struct iommu_ioas_map *page = guarded(sizeof(*page));

		*page = (struct iommu_ioas_map){
			.size = sizeof(*page), .flags = R, .ioas_id = ioas,
			.user_va = VA, .length = P,
		};
		read_only(page);
		call(fd, IOMMU_IOAS_MAP, page);
	}));
	expect("what stays mapped", 0, UNMAP(.length = TOP));
	expect_u64("what stays mapped", DIFFERS(0, P), unmap.length);
}

static void map_file(void)
{
	int memfd = memfd_create("errnos", MFD_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int text = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int sealed = memfd_create("errnos", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (memfd < 0 || null < 0 || text < 0 || sealed < 0 ||
	    ftruncate(memfd, 16 * P) || ftruncate(sealed, 16 * P)) {
		perror("errnos: memfd");
		exit(1);
	}
	if (FILE_MAP(.fd = memfd) == ENOTTY) {
		printf("skipped: this driver is older than MAP_FILE\n");
		checked++;
		return;
	}
	fresh();
	EACH_BIT("a flag", FRW, bit,
		 FILE_MAP(.fd = memfd, .flags = FRW | bit));
	expect("flag before the id", EOPNOTSUPP,
	       FILE_MAP(.fd = memfd, .ioas_id = NO_ID, .flags = FRW | 8));
	expect("id 0", ENOENT, FILE_MAP(.fd = memfd, .ioas_id = 0));
	expect("unknown id", ENOENT, FILE_MAP(.fd = memfd, .ioas_id = NO_ID));
	expect("id before the file", ENOENT,
	       FILE_MAP(.fd = -1, .ioas_id = NO_ID));
	expect("neither R nor W", EINVAL, FILE_MAP(.fd = memfd, .flags = F));
	expect("length 0", EINVAL, FILE_MAP(.fd = memfd, .length = 0));
	expect("length 2^64-1", EOVERFLOW,
	       FILE_MAP(.fd = memfd, .length = TOP));
	expect("iova 2^64-1", EOVERFLOW, FILE_MAP(.fd = memfd, .iova = TOP));
	expect("start wraps", EOVERFLOW,
	       FILE_MAP(.fd = memfd, .start = TOP - P + 1, .length = 2 * P));
	expect("no descriptor", EBADF, FILE_MAP(.fd = -1));
	expect("closed descriptor", EBADF, FILE_MAP(.fd = 1000000));
	expect("device", EINVAL, FILE_MAP(.fd = null));
	expect("file of a disk", EINVAL, FILE_MAP(.fd = text));
	expect("/dev/iommu", EINVAL, FILE_MAP(.fd = fd));
	/* As with any memory: what is there is found out when it is pinned. */
	expect("beyond the end", 0,
	       FILE_MAP(.fd = memfd, .iova = 30 * P, .start = 16 * P));
	expect("over the end", 0,
	       FILE_MAP(.fd = memfd, .iova = 32 * P, .start = 15 * P,
			.length = 2 * P));
	expect("unmap", 0, UNMAP(.length = TOP));

	expect("a memfd", 0, FILE_MAP(.fd = memfd, .iova = 16 * P));
	expect("its last page", 0,
	       FILE_MAP(.fd = memfd, .iova = 17 * P, .start = 15 * P));
	expect("the same again", EEXIST,
	       FILE_MAP(.fd = memfd, .iova = 16 * P));
	expect("an odd start", 0,
	       FILE_MAP(.fd = memfd, .iova = 18 * P + 1, .start = 1));
	expect("automatic", 0,
	       FILE_MAP(.fd = memfd, .flags = R, .start = P + 1));
	expect_u64("automatic: offset", 1, file.iova % P);
	expect("without its descriptor", 0, (close(memfd), 0));
	expect("all gone", 0, UNMAP(.length = TOP));
	expect_u64("all gone", 4 * P, unmap.length);

	expect("seal", 0, fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE));
	expect("sealed, to write", EPERM, FILE_MAP(.fd = sealed, .iova = P));
	expect("sealed, to read", 0,
	       FILE_MAP(.fd = sealed, .iova = P, .flags = F | R));
	close(sealed);
	close(null);
	close(text);
}

static void unmap_rules(void)
{
	expect("id 0", ENOENT, UNMAP(.ioas_id = 0, .length = P));
	expect("unknown id", ENOENT, UNMAP(.ioas_id = NO_ID, .length = P));
	expect("length 0, unknown id", ENOENT, UNMAP(.ioas_id = NO_ID));
	expect("wraps, unknown id", ENOENT,
	       UNMAP(.ioas_id = NO_ID, .iova = TOP, .length = P));
	expect("length 0", EINVAL, UNMAP(.length = 0));
	expect_u64("length 0", 0, unmap.length);
	expect("length 0, iova", EINVAL, UNMAP(.iova = P, .length = 0));
	expect("wraps", EOVERFLOW, UNMAP(.iova = TOP - P + 1,
					 .length = 2 * P));
	expect("iova 2^64-1", EOVERFLOW, UNMAP(.iova = TOP, .length = 1));
	expect("iova 2^64-1, length 2^64-1", EOVERFLOW,
	       UNMAP(.iova = TOP, .length = TOP));
	expect("iova 1, length 2^64-1", EOVERFLOW,
	       UNMAP(.iova = 1, .length = TOP));
	expect("iova 1, to the end", ENOENT,
	       UNMAP(.iova = 1, .length = TOP - 1));
	/* Ours tells after an error as well, upstream's leaves it alone. */
	expect("nothing there", ENOENT, UNMAP(.iova = P, .length = P));
	expect_u64("nothing there: length", DIFFERS(0, P), unmap.length);
	expect("all of nothing", 0, UNMAP(.length = TOP));
	expect_u64("all of nothing: length", 0, unmap.length);
	expect("nearly all of nothing", ENOENT, UNMAP(.length = TOP - 1));

	/* Areas at 4, 6-7, 8 and 16. */
	expect("map", 0, MAP(.iova = 4 * P));
	expect("map", 0, MAP(.iova = 6 * P, .length = 2 * P));
	expect("map", 0, MAP(.iova = 8 * P));
	expect("map", 0, MAP(.iova = 16 * P));
	expect("cuts at the start", ENOENT,
	       UNMAP(.iova = 7 * P, .length = 2 * P));
	expect_u64("cuts at the start: length", DIFFERS(0, 2 * P),
		   unmap.length);
	expect("cuts at the end", ENOENT, UNMAP(.iova = 6 * P, .length = P));
	expect("cuts by a byte", ENOENT,
	       UNMAP(.iova = 6 * P, .length = 2 * P - 1));
	expect("within one", ENOENT, UNMAP(.iova = 6 * P + 1, .length = P));
	/* Ours changes nothing then, upstream's has unmapped what is before. */
	expect("whole ones, then cut", ENOENT,
	       UNMAP(.iova = 4 * P, .length = 3 * P));
	expect_u64("whole ones, then cut: length", DIFFERS(0, 3 * P),
		   unmap.length);
	expect("what was before the cut", DIFFERS(0, ENOENT),
	       UNMAP(.iova = 4 * P, .length = P));
	expect("map", 0, MAP(.iova = 4 * P));
	expect("cut, then whole ones", ENOENT,
	       UNMAP(.iova = 7 * P, .length = 16 * P));
	expect("what was behind the cut", 0,
	       UNMAP(.iova = 16 * P, .length = P));
	expect("map", 0, MAP(.iova = 16 * P));
	expect("just one", 0, UNMAP(.iova = 4 * P, .length = P));
	expect_u64("just one: length", P, unmap.length);
	expect("the same again", ENOENT, UNMAP(.iova = 4 * P, .length = P));
	expect("a hole before it", 0, UNMAP(.iova = 5 * P, .length = 3 * P));
	expect_u64("a hole before it: length", 2 * P, unmap.length);
	expect("holes on all sides", 0,
	       UNMAP(.iova = 3 * P, .length = 100 * P));
	expect_u64("holes on all sides: length", 2 * P, unmap.length);

	expect("map", 0, MAP(.iova = 4 * P));
	expect("map", 0, MAP(.iova = TOP - P));
	expect("all", 0, UNMAP(.iova = 0, .length = TOP));
	expect_u64("all: length", 2 * P, unmap.length);
	expect("map", 0, MAP(.iova = TOP - P));
	expect("all but the last byte", 0,
	       UNMAP(.iova = 1, .length = TOP - 1));
	expect_u64("all but the last byte: length", P, unmap.length);

	expect("map", 0, MAP(.iova = 4 * P));
	expect("the answer cannot be written", EFAULT, ({
		struct iommu_ioas_unmap *page = guarded(sizeof(*page));

		*page = (struct iommu_ioas_unmap){
			.size = sizeof(*page), .ioas_id = ioas,
			.iova = 4 * P, .length = P,
		};
		read_only(page);
		call(fd, IOMMU_IOAS_UNMAP, page);
	}));
	expect("it is unmapped all the same", ENOENT,
	       UNMAP(.iova = 4 * P, .length = P));
}

static void copy_rules(void)
{
	uint32_t dst;

	expect("alloc", 0, ioas_alloc(fd, &dst));
	EACH_BIT("a flag", FRW, bit,
		 COPY(.flags = FRW | bit, .length = P));
	expect("flag before the ids", EOPNOTSUPP,
	       COPY(.flags = FRW | 8, .src_ioas_id = NO_ID, .length = P));
	expect("neither R nor W", EINVAL, COPY(.flags = F, .length = P));
	expect("neither R nor W, unknown source", EINVAL,
	       COPY(.flags = F, .src_ioas_id = NO_ID, .length = P));
	expect("source 0", ENOENT, COPY(.src_ioas_id = 0, .length = P));
	expect("unknown source", ENOENT,
	       COPY(.src_ioas_id = NO_ID, .length = P));
	expect("unknown destination, nothing to copy", ENOENT,
	       COPY(.dst_ioas_id = NO_ID, .length = P));
	expect("length 2^64-1", EOVERFLOW, COPY(.length = TOP));
	expect("destination 2^64-1", EOVERFLOW,
	       COPY(.length = P, .dst_iova = TOP));
	expect("destination 2^64-1, automatic", EOVERFLOW,
	       COPY(.flags = R | W, .length = P, .dst_iova = TOP));
	expect("source iova 2^64-1", EOVERFLOW,
	       COPY(.length = P, .src_iova = TOP));
	expect("length 0", EINVAL, COPY(.length = 0));
	expect("length 0, unknown source", ENOENT,
	       COPY(.length = 0, .src_ioas_id = NO_ID));
	expect("source wraps", EOVERFLOW,
	       COPY(.src_iova = TOP - P + 1, .length = 2 * P));
	expect("nothing there", ENOENT, COPY(.src_iova = 4 * P, .length = P));
	expect("nothing there, destination wraps", ENOENT,
	       COPY(.src_iova = 4 * P, .dst_iova = TOP - P + 1,
		    .length = 2 * P));

	/* Areas at 4-7, 8-9 (read only), 12. */
	expect("map", 0, MAP(.iova = 4 * P, .length = 4 * P));
	expect("map", 0, MAP(.iova = 8 * P, .length = 2 * P, .flags = F | R,
			     .user_va = VA + 4 * P));
	expect("map", 0, MAP(.iova = 12 * P));
	expect("unknown destination", ENOENT,
	       COPY(.dst_ioas_id = NO_ID, .src_iova = 4 * P, .length = P));
	expect("unknown destination, wraps", ENOENT,
	       COPY(.dst_ioas_id = NO_ID, .src_iova = 4 * P,
		    .dst_iova = TOP - P + 1, .length = 2 * P));
	expect("destination wraps", EOVERFLOW,
	       COPY(.dst_ioas_id = dst, .src_iova = 4 * P,
		    .dst_iova = TOP - P + 1, .length = 2 * P));
	expect("destination ends at 2^64-1", 0,
	       COPY(.dst_ioas_id = dst, .src_iova = 4 * P,
		    .dst_iova = TOP - P + 1, .length = P));
	expect("source ends at 2^64-1", 0,
	       COPY(.dst_ioas_id = dst, .src_ioas_id = dst,
		    .src_iova = TOP - P + 1, .dst_iova = 400 * P,
		    .length = P));
	expect("a whole area", 0,
	       COPY(.dst_ioas_id = dst, .dst_iova = 64 * P, .src_iova = 4 * P,
		    .length = 4 * P));
	expect_u64("a whole area: iova", 64 * P, copy.dst_iova);
	expect("the same again", EEXIST,
	       COPY(.dst_ioas_id = dst, .dst_iova = 64 * P, .src_iova = 4 * P,
		    .length = 4 * P));
	expect("a part of an area", 0,
	       COPY(.dst_ioas_id = dst, .dst_iova = 72 * P,
		    .src_iova = 5 * P, .length = P));
	expect("an odd part of an area", 0,
	       COPY(.dst_ioas_id = dst, .dst_iova = 73 * P + 5,
		    .src_iova = 5 * P + 5, .length = 7));
	expect("two areas", 0,
	       COPY(.dst_ioas_id = dst, .dst_iova = 80 * P,
		    .src_iova = 4 * P, .length = 6 * P, .flags = F | R));
	expect("two areas are two there", 0,
	       UNMAP(.ioas_id = dst, .iova = 80 * P, .length = 4 * P));
	expect_u64("two areas are two there", 4 * P, unmap.length);
	expect("parts of two areas", 0,
	       COPY(.dst_ioas_id = dst, .dst_iova = 90 * P,
		    .src_iova = 7 * P, .length = 2 * P, .flags = F | R));
	expect("a hole at the end", ENOENT,
	       COPY(.dst_ioas_id = dst, .dst_iova = 96 * P,
		    .src_iova = 9 * P, .length = 2 * P, .flags = F | R));
	expect("a hole at the start", ENOENT,
	       COPY(.dst_ioas_id = dst, .dst_iova = 96 * P,
		    .src_iova = 3 * P, .length = 2 * P));
	expect("a hole in the middle", ENOENT,
	       COPY(.dst_ioas_id = dst, .dst_iova = 96 * P,
		    .src_iova = 8 * P, .length = 5 * P, .flags = F | R));
	expect("nothing of these stays", ENOENT,
	       UNMAP(.ioas_id = dst, .iova = 96 * P, .length = 64 * P));
	expect("to write what the source only reads", EPERM,
	       COPY(.dst_ioas_id = dst, .dst_iova = 100 * P,
		    .src_iova = 8 * P, .length = P));
	expect("to read", 0,
	       COPY(.dst_ioas_id = dst, .dst_iova = 110 * P,
		    .src_iova = 4 * P, .length = P, .flags = F | R));
	expect("to write what is a copy to read", 0,
	       COPY(.dst_ioas_id = dst, .src_ioas_id = dst,
		    .dst_iova = 112 * P, .src_iova = 110 * P, .length = P));
	expect("within one IOAS", 0,
	       COPY(.dst_iova = 200 * P, .src_iova = 4 * P, .length = 4 * P));
	expect("onto itself", EEXIST,
	       COPY(.dst_iova = 4 * P, .src_iova = 4 * P, .length = 4 * P));
	expect("a copy of a copy", 0,
	       COPY(.dst_iova = 208 * P, .src_iova = 200 * P,
		    .length = 4 * P));
	expect("automatic", 0,
	       COPY(.dst_ioas_id = dst, .flags = R | W, .src_iova = 4 * P,
		    .length = 4 * P, .dst_iova = 77 * P));
	expect_u64("automatic: iova", 4 * P, copy.dst_iova);
	expect("the source goes", 0, UNMAP(.iova = 4 * P, .length = 4 * P));
	expect("a copy stays", 0,
	       UNMAP(.ioas_id = dst, .iova = 64 * P, .length = 4 * P));
	expect("destroy the source", 0, destroy(fd, ioas));
	expect("copies are there", 0,
	       UNMAP(.ioas_id = dst, .iova = 0, .length = TOP));
}

#define GET .op = IOMMU_OPTION_OP_GET
#define SET .op = IOMMU_OPTION_OP_SET
#define RLIMIT .option_id = IOMMU_OPTION_RLIMIT_MODE
#define HUGE_PAGES .option_id = IOMMU_OPTION_HUGE_PAGES

static int drop_sys_resource(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return errno;
	data[0].effective &= ~(1U << CAP_SYS_RESOURCE);
	return syscall(SYS_capset, &head, data) ? errno : 0;
}

static int set_without_cap(void)
{
	return drop_sys_resource() ?: OPTION(RLIMIT, SET, .val64 = 1);
}

static int get_without_cap(void)
{
	return drop_sys_resource() ?: OPTION(RLIMIT, GET);
}

static int set_as_nobody(void)
{
	if (setresuid(65534, 65534, 65534))
		return errno;
	return OPTION(RLIMIT, SET, .val64 = 1);
}

static int bad_value_as_nobody(void)
{
	if (setresuid(65534, 65534, 65534))
		return errno;
	return OPTION(RLIMIT, SET, .val64 = 2);
}

static int huge_pages_as_nobody(void)
{
	if (setresuid(65534, 65534, 65534))
		return errno;
	return OPTION(HUGE_PAGES, SET, .object_id = ioas, .val64 = 0);
}

static void options(void)
{
	expect("unknown option", EOPNOTSUPP, OPTION(.option_id = 2, GET));
	expect("unknown option, to set", EOPNOTSUPP,
	       OPTION(.option_id = UINT32_MAX, SET));
	expect("unknown option before the id", EOPNOTSUPP,
	       OPTION(.option_id = 2, .object_id = NO_ID, GET));
	EACH_BIT("a reserved bit", ~0xffffULL, bit,
		 OPTION(RLIMIT, GET, .__reserved = bit));
	expect("reserved before the id", EOPNOTSUPP,
	       OPTION(HUGE_PAGES, GET, .object_id = NO_ID, .__reserved = 1));

	/* The process's own limit, with an object there. */
	expect("RLIMIT_MODE", 0, OPTION(RLIMIT, GET, .val64 = 77));
	expect_u64("RLIMIT_MODE", 0, option.val64);
	expect("RLIMIT_MODE of an object", EOPNOTSUPP,
	       OPTION(RLIMIT, GET, .object_id = ioas));
	expect("RLIMIT_MODE of an unknown id", EOPNOTSUPP,
	       OPTION(RLIMIT, GET, .object_id = NO_ID));
	expect("RLIMIT_MODE, to set, of an object", EOPNOTSUPP,
	       OPTION(RLIMIT, SET, .object_id = ioas, .val64 = 1));
	expect("RLIMIT_MODE, unknown op", EOPNOTSUPP, OPTION(RLIMIT, .op = 2));
	expect("RLIMIT_MODE, last op", EOPNOTSUPP,
	       OPTION(RLIMIT, .op = UINT16_MAX));
	expect("RLIMIT_MODE 1 with an object", EBUSY,
	       OPTION(RLIMIT, SET, .val64 = 1));
	expect("RLIMIT_MODE 0 with an object", EBUSY,
	       OPTION(RLIMIT, SET, .val64 = 0));
	expect("RLIMIT_MODE 2 with an object", EBUSY,
	       OPTION(RLIMIT, SET, .val64 = 2));
	expect("without CAP_SYS_RESOURCE, with an object", EPERM,
	       in_child(set_without_cap));
	expect("destroy", 0, destroy(fd, ioas));
	expect("RLIMIT_MODE 2", EINVAL, OPTION(RLIMIT, SET, .val64 = 2));
	expect("RLIMIT_MODE 2^32", EINVAL,
	       OPTION(RLIMIT, SET, .val64 = 1ULL << 32));
	expect("without CAP_SYS_RESOURCE", EPERM, in_child(set_without_cap));
	expect("as nobody", EPERM, in_child(set_as_nobody));
	expect("a bad value, as nobody", EPERM,
	       in_child(bad_value_as_nobody));
	expect("to get, without CAP_SYS_RESOURCE", 0,
	       in_child(get_without_cap));
	expect("RLIMIT_MODE 1", 0, OPTION(RLIMIT, SET, .val64 = 1));
	expect("RLIMIT_MODE now", 0, OPTION(RLIMIT, GET));
	expect_u64("RLIMIT_MODE now", 1, option.val64);
	expect("RLIMIT_MODE 1 again", 0, OPTION(RLIMIT, SET, .val64 = 1));
	expect("RLIMIT_MODE back", 0, OPTION(RLIMIT, SET, .val64 = 0));
	expect("RLIMIT_MODE now", 0, OPTION(RLIMIT, GET));
	expect_u64("RLIMIT_MODE now", 0, option.val64);

	expect("alloc", 0, ioas_alloc(fd, &ioas));
	expect("HUGE_PAGES", 0,
	       OPTION(HUGE_PAGES, GET, .object_id = ioas, .val64 = 77));
	expect_u64("HUGE_PAGES", 1, option.val64);
	expect("HUGE_PAGES of 0", ENOENT, OPTION(HUGE_PAGES, GET));
	expect("HUGE_PAGES of an unknown id", ENOENT,
	       OPTION(HUGE_PAGES, GET, .object_id = NO_ID));
	expect("HUGE_PAGES, to set, of an unknown id", ENOENT,
	       OPTION(HUGE_PAGES, SET, .object_id = NO_ID));
	expect("HUGE_PAGES, unknown op", EOPNOTSUPP,
	       OPTION(HUGE_PAGES, .op = 2, .object_id = ioas));
	expect("HUGE_PAGES, unknown op, unknown id", ENOENT,
	       OPTION(HUGE_PAGES, .op = 2, .object_id = NO_ID));
	expect("HUGE_PAGES 2", EINVAL,
	       OPTION(HUGE_PAGES, SET, .object_id = ioas, .val64 = 2));
	expect("HUGE_PAGES 2^32", EINVAL,
	       OPTION(HUGE_PAGES, SET, .object_id = ioas,
		      .val64 = 1ULL << 32));
	expect("HUGE_PAGES 1 again", 0,
	       OPTION(HUGE_PAGES, SET, .object_id = ioas, .val64 = 1));
	expect("an odd area", 0, MAP(.iova = P + 1, .length = 3));
	expect("HUGE_PAGES 0 with an odd area", EADDRINUSE,
	       OPTION(HUGE_PAGES, SET, .object_id = ioas, .val64 = 0));
	expect("HUGE_PAGES now", 0,
	       OPTION(HUGE_PAGES, GET, .object_id = ioas));
	expect_u64("HUGE_PAGES now", 1, option.val64);
	expect("unmap", 0, UNMAP(.length = TOP));
	expect("a whole page", 0, MAP(.iova = 16 * P));
	expect("HUGE_PAGES 0", 0,
	       OPTION(HUGE_PAGES, SET, .object_id = ioas, .val64 = 0));
	expect("HUGE_PAGES now", 0,
	       OPTION(HUGE_PAGES, GET, .object_id = ioas));
	expect_u64("HUGE_PAGES now", 0, option.val64);
	expect("ranges", 0, RANGES(ROOM));
	expect_u64("alignment without huge pages", P,
		   ranges.out_iova_alignment);
	expect("odd iova", EINVAL, MAP(.iova = 20 * P + 1));
	expect("odd length", EINVAL, MAP(.iova = 20 * P, .length = P + 1));
	expect("odd user_va", EINVAL,
	       MAP(.iova = 20 * P, .user_va = VA + 1));
	expect("odd both", EINVAL,
	       MAP(.iova = 20 * P + 1, .user_va = VA + 1));
	expect("odd iova that wraps", EINVAL,
	       MAP(.iova = TOP - P + 2, .length = 2 * P));
	expect("odd length that wraps", EINVAL,
	       MAP(.iova = TOP - P + 1, .length = 2 * P + 1));
	expect("iova that wraps", EOVERFLOW,
	       MAP(.iova = TOP - P + 1, .length = 2 * P));
	expect("odd length, automatic", EINVAL,
	       MAP(.flags = R, .length = P + 1));
	expect("odd user_va, automatic", EINVAL,
	       MAP(.flags = R, .user_va = VA + 1));
	expect("odd copy", EINVAL,
	       COPY(.src_iova = 16 * P, .dst_iova = 20 * P + 1, .length = P));
	expect("half a copy", EINVAL,
	       COPY(.src_iova = 16 * P, .dst_iova = 20 * P, .length = P / 2));
	expect("automatic", 0, MAP(.flags = R | W, .length = HUGE));
	expect_u64("automatic, without huge pages", 0, map.iova % P);
	expect("HUGE_PAGES 1", 0,
	       OPTION(HUGE_PAGES, SET, .object_id = ioas, .val64 = 1));
	expect("ranges", 0, RANGES(ROOM));
	expect_u64("alignment with huge pages", 1, ranges.out_iova_alignment);
	expect("HUGE_PAGES as nobody", 0, in_child(huge_pages_as_nobody));
}

#define VFIO_GET .op = IOMMU_VFIO_IOAS_GET
#define VFIO_SET .op = IOMMU_VFIO_IOAS_SET
#define VFIO_CLEAR .op = IOMMU_VFIO_IOAS_CLEAR

static void vfio_ioas_rules(void)
{
	EACH_BIT("a reserved bit", ~0xffffULL, bit,
		 VFIO_IOAS(VFIO_GET, .__reserved = bit));
	expect("unknown op", EOPNOTSUPP, VFIO_IOAS(.op = 3));
	expect("last op", EOPNOTSUPP, VFIO_IOAS(.op = UINT16_MAX));
	expect("unknown op, unknown id", EOPNOTSUPP,
	       VFIO_IOAS(.op = 3, .ioas_id = NO_ID));
	expect("none yet", ENODEV, VFIO_IOAS(VFIO_GET));
	expect("clear none", 0, VFIO_IOAS(VFIO_CLEAR));
	expect("set to 0", ENOENT, VFIO_IOAS(VFIO_SET));
	expect("set to an unknown id", ENOENT,
	       VFIO_IOAS(VFIO_SET, .ioas_id = NO_ID));
	expect("set", 0, VFIO_IOAS(VFIO_SET, .ioas_id = ioas));
	expect("get", 0, VFIO_IOAS(VFIO_GET, .ioas_id = 77));
	expect_u64("get", ioas, vfio_ioas.ioas_id);
	expect("set again", 0, VFIO_IOAS(VFIO_SET, .ioas_id = ioas));
	expect("set to an unknown id", ENOENT,
	       VFIO_IOAS(VFIO_SET, .ioas_id = NO_ID));
	expect("get: it is the old one", 0, VFIO_IOAS(VFIO_GET));
	expect_u64("get: it is the old one", ioas, vfio_ioas.ioas_id);
	/* To be it is no reason to stay. */
	expect("destroy it", 0, destroy(fd, ioas));
	expect("get after that", ENODEV, VFIO_IOAS(VFIO_GET));
	expect("alloc", 0, ioas_alloc(fd, &ioas));
	expect("set", 0, VFIO_IOAS(VFIO_SET, .ioas_id = ioas));
	expect("clear, with an id", 0,
	       VFIO_IOAS(VFIO_CLEAR, .ioas_id = NO_ID));
	expect("get after that", ENODEV, VFIO_IOAS(VFIO_GET));
}

/* What a context without devices says to commands for devices. */
static void devices(void)
{
	struct iommu_hwpt_alloc hwpt;
	struct iommu_hw_info info;
	struct iommu_hwpt_set_dirty_tracking track;
	struct iommu_hwpt_get_dirty_bitmap bitmap;
	struct iommu_hwpt_invalidate inval;
	struct iommu_fault_alloc fault;
	uint64_t word = 0;

#define HWPT(...) CALL(IOMMU_HWPT_ALLOC, hwpt, .dev_id = NO_ID,                \
		       .pt_id = ioas, __VA_ARGS__)
	expect("HWPT_ALLOC", ENOENT, HWPT());
	expect("HWPT_ALLOC, device 0", ENOENT, HWPT(.dev_id = 0));
	expect("HWPT_ALLOC, device is an IOAS", ENOENT, HWPT(.dev_id = ioas));
	expect("HWPT_ALLOC, unknown page table", ENOENT, HWPT(.pt_id = NO_ID));
	/* What a device would have to say to is not looked at without one. */
	expect("HWPT_ALLOC, a flag", ENOENT, HWPT(.flags = 1));
	expect("HWPT_ALLOC, all flags", ENOENT, HWPT(.flags = UINT32_MAX));
	EACH_BIT("HWPT_ALLOC, a reserved bit", 0, bit,
		 HWPT(.__reserved = bit));
	expect("HWPT_ALLOC, the second reserved", ENOENT,
	       HWPT(.__reserved2 = 1));
	expect("HWPT_ALLOC, data of no type", EINVAL, HWPT(.data_len = 8));
	expect("HWPT_ALLOC, a type without data", EINVAL,
	       HWPT(.data_type = 1));
	expect("HWPT_ALLOC, a type with data", ENOENT,
	       HWPT(.data_type = 1, .data_len = 8,
		    .data_uptr = (uintptr_t)&word));
	expect("HWPT_ALLOC, unknown fault queue", ENOENT,
	       HWPT(.flags = 4, .fault_id = NO_ID));
	expect("HWPT_ALLOC, a fault queue without the flag", ENOENT,
	       HWPT(.fault_id = NO_ID));

#define HW_INFO(...) CALL(IOMMU_GET_HW_INFO, info, .dev_id = NO_ID, __VA_ARGS__)
	expect("GET_HW_INFO", ENOENT, HW_INFO());
	expect("GET_HW_INFO, device 0", ENOENT, HW_INFO(.dev_id = 0));
	expect("GET_HW_INFO, device is an IOAS", ENOENT,
	       HW_INFO(.dev_id = ioas));
	EACH_BIT("GET_HW_INFO, a flag", 0, bit, HW_INFO(.flags = bit));
	for (int i = 0; i < 3; i++)
		expect("GET_HW_INFO, reserved", EOPNOTSUPP,
		       HW_INFO(.__reserved = { i == 0, i == 1, i == 2 }));
	expect("GET_HW_INFO, room at null", ENOENT, HW_INFO(.data_len = 8));

#define TRACK(...) CALL(IOMMU_HWPT_SET_DIRTY_TRACKING, track,                  \
			.hwpt_id = NO_ID, __VA_ARGS__)
	expect("SET_DIRTY_TRACKING", ENOENT, TRACK());
	expect("SET_DIRTY_TRACKING, to begin", ENOENT, TRACK(.flags = 1));
	expect("SET_DIRTY_TRACKING of an IOAS", ENOENT,
	       TRACK(.hwpt_id = ioas));
	EACH_BIT("SET_DIRTY_TRACKING, a flag", 1, bit, TRACK(.flags = bit));
	/* Rule of all commands; upstream's does not look at it. */
	EACH_BIT("SET_DIRTY_TRACKING, reserved", upstream ? -1ULL : 0, bit,
		 TRACK(.__reserved = bit));

#define BITMAP(...) CALL(IOMMU_HWPT_GET_DIRTY_BITMAP, bitmap,                  \
			 .hwpt_id = NO_ID, .length = P, .page_size = P,        \
			 .data = (uintptr_t)&word, __VA_ARGS__)
	expect("GET_DIRTY_BITMAP", ENOENT, BITMAP());
	expect("GET_DIRTY_BITMAP, to forget nothing", ENOENT,
	       BITMAP(.flags = 1));
	expect("GET_DIRTY_BITMAP of an IOAS", ENOENT, BITMAP(.hwpt_id = ioas));
	EACH_BIT("GET_DIRTY_BITMAP, a flag", 1, bit, BITMAP(.flags = bit));
	EACH_BIT("GET_DIRTY_BITMAP, reserved", 0, bit,
		 BITMAP(.__reserved = bit));
	expect("GET_DIRTY_BITMAP, length 0", ENOENT, BITMAP(.length = 0));
	expect("GET_DIRTY_BITMAP, page size 0", ENOENT, BITMAP(.page_size = 0));
	expect("GET_DIRTY_BITMAP, data at null", ENOENT, BITMAP(.data = 0));

#define INVAL(...) CALL(IOMMU_HWPT_INVALIDATE, inval, .hwpt_id = NO_ID,        \
			.entry_len = 8, .entry_num = 1,                        \
			.data_uptr = (uintptr_t)&word, __VA_ARGS__)
	expect("HWPT_INVALIDATE", ENOENT, INVAL());
	expect_u64("HWPT_INVALIDATE: done", 0, inval.entry_num);
	expect("HWPT_INVALIDATE of an IOAS", ENOENT, INVAL(.hwpt_id = ioas));
	expect("HWPT_INVALIDATE, nothing", ENOENT, INVAL(.entry_num = 0));
	expect("HWPT_INVALIDATE, entries of length 0", EINVAL,
	       INVAL(.entry_len = 0));
	expect_u64("HWPT_INVALIDATE, entries of length 0: done", 0,
		   inval.entry_num);
	expect("HWPT_INVALIDATE, data at null", EINVAL, INVAL(.data_uptr = 0));
	expect("HWPT_INVALIDATE, all zero", ENOENT,
	       INVAL(.data_uptr = 0, .entry_len = 0, .entry_num = 0));
	EACH_BIT("HWPT_INVALIDATE, reserved", 0, bit,
		 INVAL(.__reserved = bit));
	expect_u64("HWPT_INVALIDATE, reserved: done", 0, inval.entry_num);
	expect("HWPT_INVALIDATE, a type", ENOENT, INVAL(.data_type = 77));

#define FAULT(...) CALL(IOMMU_FAULT_QUEUE_ALLOC, fault, __VA_ARGS__)
	EACH_BIT("FAULT_QUEUE_ALLOC, a flag", 0, bit, FAULT(.flags = bit));
}

/* Ids of one context mean nothing in another. */
static void contexts(void)
{
	int first = fd, second;
	uint32_t a = ioas, b;

	second = fd = open_iommu();
	expect("unknown there", ENOENT, MAP(.iova = P));
	expect("alloc", 0, ioas_alloc(fd, &b));
	expect_u64("its own numbers", a, b);
	expect("map", 0, MAP(.iova = P));
	fd = first;
	expect("not mapped here", ENOENT, UNMAP(.iova = P, .length = P));
	close(second);
}

static const struct {
	const char *name;
	void (*run)(void);
} sections[] = {
	{ "alloc", alloc },
	{ "ranges", iova_ranges },
	{ "allow", allow_iovas },
	{ "map-refused", map_refused },
	{ "map-taken", map_taken },
	{ "map-top", map_top },
	{ "map-automatic", map_automatic },
	{ "map-file", map_file },
	{ "unmap", unmap_rules },
	{ "copy", copy_rules },
	{ "option", options },
	{ "vfio-ioas", vfio_ioas_rules },
	{ "devices", devices },
	{ "contexts", contexts },
};

#define NR_SECTIONS (sizeof(sections) / sizeof(sections[0]))

static void run(unsigned int i)
{
	int before = failed;

	if (show_all)
		printf("# %s\n", sections[i].name);
	fresh();
	sections[i].run();
	if (failed > before)
		printf("# in section %s\n", sections[i].name);
}

int main(int argc, char **argv)
{
	unsigned int i;
	char *room;

	expect_options(&argc, &argv);
	room = mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED) {
		perror("errnos: mmap");
		return 1;
	}
	mem = room + HUGE - (uintptr_t)room % HUGE;

	for (i = 0; i < NR_SECTIONS; i++) {
		int arg, wanted = argc == 1;

		for (arg = 1; arg < argc; arg++)
			wanted |= !strcmp(argv[arg], sections[i].name);
		if (wanted)
			run(i);
	}
	return expect_sum();
}
