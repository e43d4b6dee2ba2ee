// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio [--all] [--upstream]: what the VFIO type 1 ioctls answer on /dev/iommu, one row a
 * rule; see errnos.c. They take sizes and flags as <linux/vfio.h> has them:
 * argsz is what the caller has room for, not the struct's size.
 */
#define _GNU_SOURCE
#include <linux/vfio.h>
#include <stddef.h>
#include <sys/mman.h>

#include "expect.h"
#include "iommu.h"

/* A row names what differs from what is usual. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define P 4096ULL
#define TOP UINT64_MAX
#define R VFIO_DMA_MAP_FLAG_READ
#define W VFIO_DMA_MAP_FLAG_WRITE
#define ALL VFIO_DMA_UNMAP_FLAG_ALL

static int fd;
static uint32_t ioas;
static char mem[16 * 4096] __attribute__((aligned(4096)));

static struct vfio_iommu_type1_dma_map map;
static struct vfio_iommu_type1_dma_unmap unmap;

#define CALL(cmd, var, ...)                                                    \
	({                                                                     \
		(var) = (typeof(var)){ .argsz = sizeof(var), __VA_ARGS__ };    \
		call(fd, cmd, &(var));                                         \
	})
#define MAP(...) CALL(VFIO_IOMMU_MAP_DMA, map, .flags = R | W,                 \
		      .vaddr = (uintptr_t)mem, .size = P, __VA_ARGS__)
#define UNMAP(...) CALL(VFIO_IOMMU_UNMAP_DMA, unmap, __VA_ARGS__)

/* The result, or minus the errno, of one that takes a number. */
static int number(unsigned long cmd, unsigned long arg)
{
	int rc = ioctl(fd, cmd, arg);

	return rc < 0 ? -errno : rc;
}

static void expect_number(const char *what, int want, int got)
{
	if (want < 0 || got < 0)
		expect(what, want < 0 ? -want : 0, got < 0 ? -got : 0);
	else
		expect_u64(what, want, got);
}

static int set_compat(uint32_t id)
{
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd), .ioas_id = id, .op = IOMMU_VFIO_IOAS_SET,
	};

	return call(fd, IOMMU_VFIO_IOAS, &cmd);
}

static void fresh(bool compat)
{
	if (fd > 0)
		close(fd);
	fd = open_iommu();
	expect("alloc", 0, ioas_alloc(fd, &ioas));
	if (compat)
		expect("set", 0, set_compat(ioas));
}

/* @coherent: the one that is of the IOAS and not of the driver. */
static void extensions(const char *when, int coherent)
{
	const uint32_t yes = 1 << VFIO_TYPE1_IOMMU | 1 << VFIO_TYPE1v2_IOMMU |
			     1 << VFIO_UNMAP_ALL;
	char what[64];
	int ext;

	for (ext = 0; ext < 32; ext++) {
		snprintf(what, sizeof(what), "%s: extension %d", when, ext);
		expect_number(what, ext == VFIO_DMA_CC_IOMMU ? coherent :
				    (int)(yes >> ext & 1),
			      number(VFIO_CHECK_EXTENSION, ext));
	}
	snprintf(what, sizeof(what), "%s: extension 2^31", when);
	expect_number(what, 0, number(VFIO_CHECK_EXTENSION, 1UL << 31));
}

/* @min: bytes of the struct's first published version. */
static void sizes(unsigned long cmd, const char *name, uint32_t min, int none)
{
	static uint32_t buf[1024];
	uint32_t argsz;
	char what[64];

	for (argsz = 0; argsz < min; argsz++) {
		memset(buf, 0, sizeof(buf));
		buf[0] = argsz;
		snprintf(what, sizeof(what), "%s, argsz %u", name, argsz);
		expect(what, EINVAL, call(fd, cmd, buf));
	}
	memset(buf, 0, sizeof(buf));
	buf[0] = min;
	snprintf(what, sizeof(what), "%s, all zero", name);
	expect(what, none, call(fd, cmd, buf));
	/* What is behind the struct is not looked at. */
	memset(buf, 0, sizeof(buf));
	buf[0] = sizeof(buf);
	buf[1023] = 1;
	snprintf(what, sizeof(what), "%s, more room", name);
	expect(what, none, call(fd, cmd, buf));
	snprintf(what, sizeof(what), "%s at null", name);
	expect(what, EFAULT, call(fd, cmd, NULL));
}

/* Hardly anything is answered while no IOAS is meant. */
static void without(void)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };

	fresh(false);
	expect_number("API version", 0, number(VFIO_GET_API_VERSION, 0));
	expect_number("API version, argument", 0,
		      number(VFIO_GET_API_VERSION, 77));
	extensions("no IOAS", -ENODEV);
	expect_number("SET_IOMMU 1", -ENODEV,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	expect_number("SET_IOMMU 3", -ENODEV,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	expect_number("SET_IOMMU 8", -EINVAL,
		      number(VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));
	expect_number("SET_IOMMU 77", -EINVAL, number(VFIO_SET_IOMMU, 77));
	expect("GET_INFO", ENODEV, call(fd, VFIO_IOMMU_GET_INFO, &info));
	expect("MAP_DMA", ENODEV, MAP());
	expect("MAP_DMA, a flag", EINVAL, MAP(.flags = 8));
	expect("UNMAP_DMA", ENODEV, UNMAP(.size = P));
	expect("UNMAP_DMA, all", ENODEV, UNMAP(.flags = ALL));
	expect("UNMAP_DMA, a flag", EINVAL, UNMAP(.flags = 8));
	sizes(VFIO_IOMMU_MAP_DMA, "MAP_DMA, no IOAS", 32, ENODEV);
	sizes(VFIO_IOMMU_UNMAP_DMA, "UNMAP_DMA, no IOAS", 24, ENODEV);
	sizes(VFIO_IOMMU_GET_INFO, "GET_INFO, no IOAS", 16, ENODEV);
}

/* Numbers of <linux/vfio.h> that are for others, or for later. */
static void numbers(void)
{
	static uint32_t buf[64] = { sizeof(buf) };
	char what[64];
	unsigned int nr;

	fresh(true);
	for (nr = 0; nr < IOMMUFD_CMD_BASE; nr++) {
		unsigned long cmd = _IO(VFIO_TYPE, nr);

		if (cmd == VFIO_GET_API_VERSION ||
		    cmd == VFIO_CHECK_EXTENSION || cmd == VFIO_SET_IOMMU ||
		    cmd == VFIO_IOMMU_GET_INFO || cmd == VFIO_IOMMU_MAP_DMA ||
		    cmd == VFIO_IOMMU_UNMAP_DMA)
			continue;
		snprintf(what, sizeof(what), "number %u", nr);
		expect(what, ENOTTY, call(fd, cmd, buf));
	}
	expect("MAP_DMA, direction read", ENOTTY,
	       call(fd, _IOC(_IOC_READ, VFIO_TYPE, VFIO_BASE + 13, 0), buf));
	expect("API version, a size in the word", ENOTTY,
	       call(fd, _IOC(0, VFIO_TYPE, VFIO_BASE, 4), buf));
}

static void set_iommu(void)
{
	fresh(true);
	expect_number("API version", 0, number(VFIO_GET_API_VERSION, 0));
	extensions("with an IOAS", 1);
	expect_number("SET_IOMMU 0", -EINVAL, number(VFIO_SET_IOMMU, 0));
	expect_number("SET_IOMMU 3", 0,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	expect_number("SET_IOMMU 3 again", 0,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	expect_number("SET_IOMMU 1", 0,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	expect_number("SET_IOMMU 8", -EINVAL,
		      number(VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));
	expect_number("SET_IOMMU 6", -EINVAL,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1_NESTING_IOMMU));
	expect_number("SET_IOMMU 77", -EINVAL, number(VFIO_SET_IOMMU, 77));
	expect_number("SET_IOMMU 2^32+3", -EINVAL,
		      sizeof(long) == 4 ? -EINVAL :
		      number(VFIO_SET_IOMMU, (1ULL << 32) + 3));
	extensions("SET_IOMMU changes nothing", 1);
}

/*
 * The answer is a struct and a chain of capabilities behind it, for which the
 * caller needs the room that argsz comes back with. Upstream's driver writes
 * those that fit, and does not tell where.
 */
#define AVAIL_AT 24
#define RANGES_AT 40
#define INFO_SIZE 72

static void info_of(uint32_t argsz)
{
	static union {
		struct vfio_iommu_type1_info info;
		unsigned char bytes[256];
		uint32_t words[64];
	} buf;
	const struct vfio_iommu_type1_info_dma_avail *avail =
		(void *)&buf.bytes[AVAIL_AT];
	const struct vfio_iommu_type1_info_cap_iova_range *ranges =
		(void *)&buf.bytes[RANGES_AT];
	const struct vfio_iova_range *range = ranges->iova_ranges;
	char what[64];

	snprintf(what, sizeof(what), "GET_INFO, argsz %u", argsz);
	memset(&buf, 0x55, sizeof(buf));
	buf.info.argsz = argsz;
	expect(what, 0, call(fd, VFIO_IOMMU_GET_INFO, &buf));
	expect_u64(what, INFO_SIZE, buf.info.argsz);
	expect_u64(what, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
		   buf.info.flags);
	expect_u64(what, -P, buf.info.iova_pgsizes);
	expect_u64(what, argsz < 20 ? 0x55555555 : argsz < INFO_SIZE ? 0 :
		   AVAIL_AT, buf.info.cap_offset);
	if (argsz < DIFFERS(INFO_SIZE, AVAIL_AT + 12)) {
		expect_u64(what, 0x55555555, buf.words[AVAIL_AT / 4]);
	} else {
		expect_u64(what, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
			   avail->header.id);
		expect_u64(what, 1, avail->header.version);
		expect_u64(what, RANGES_AT, avail->header.next);
		expect_u64(what, UINT32_MAX, avail->avail);
	}
	if (argsz < INFO_SIZE) {
		expect_u64(what, 0x55555555, buf.words[RANGES_AT / 4]);
	} else {
		expect_u64(what, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
			   ranges->header.id);
		expect_u64(what, 1, ranges->header.version);
		expect_u64(what, 0, ranges->header.next);
		expect_u64(what, 1, ranges->nr_iovas);
		expect_u64(what, 0, range->start);
		expect_u64(what, TOP, range->end);
	}
	expect_u64(what, 0x55555555, buf.words[INFO_SIZE / 4]);
}

static void get_info(void)
{
	static const uint32_t rooms[] = {
		16, 20, 23, 24, 32, 40, 44, 64, 71, 72, 73, 128, 256,
	};
	unsigned int i;

	fresh(true);
	sizes(VFIO_IOMMU_GET_INFO, "GET_INFO", 16, 0);
	for (i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		info_of(rooms[i]);
}

static void map_dma(void)
{
	uint32_t bit;

	fresh(true);
	sizes(VFIO_IOMMU_MAP_DMA, "MAP_DMA", 32, EINVAL);
	for (bit = 1; bit; bit <<= 1)
		if (bit != R && bit != W)
			expect("MAP_DMA, a flag", EINVAL,
			       MAP(.flags = R | W | bit));
	/* VFIO's own type 1 refuses it, upstream's iommufd does not. */
	expect("MAP_DMA, neither", DIFFERS(EINVAL, 0),
	       MAP(.iova = 1024 * P, .flags = 0));
	expect("MAP_DMA, size 0", EINVAL, MAP(.size = 0));
	expect("MAP_DMA, size 2^64-1", EINVAL, MAP(.size = TOP));
	expect("MAP_DMA, iova wraps", EOVERFLOW,
	       MAP(.iova = TOP - P + 1, .size = 2 * P));
	expect("MAP_DMA, iova 2^64-1", EOVERFLOW, MAP(.iova = TOP));
	expect("MAP_DMA, vaddr wraps", EOVERFLOW,
	       MAP(.vaddr = TOP - P + 1, .size = 2 * P));
	expect("MAP_DMA, odd iova", 0, MAP(.iova = 64 * P + 1));
	expect("MAP_DMA, odd size", 0, MAP(.iova = 66 * P, .size = 1));
	expect("MAP_DMA, odd vaddr", 0,
	       MAP(.iova = 68 * P, .vaddr = (uintptr_t)mem + 1));
	expect("MAP_DMA", 0, MAP(.iova = 16 * P));
	expect("MAP_DMA again", EEXIST, MAP(.iova = 16 * P));
	expect("MAP_DMA over it", EEXIST, MAP(.iova = 15 * P, .size = 4 * P));
	expect("MAP_DMA, read", 0, MAP(.iova = 18 * P, .flags = R));
	expect("MAP_DMA, write", 0, MAP(.iova = 19 * P, .flags = W));
	expect("MAP_DMA at 0", 0, MAP(.iova = 0));
	expect("MAP_DMA, struct over the edge", EFAULT,
	       call(fd, VFIO_IOMMU_MAP_DMA, ({
		char *page = mmap(NULL, 2 * P, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		mprotect(page + P, P, PROT_NONE);
		*(uint32_t *)(page + P - 16) = 32;
		page + P - 16;
	       })));
}

static void unmap_dma(void)
{
	uint32_t bit;

	fresh(true);
	sizes(VFIO_IOMMU_UNMAP_DMA, "UNMAP_DMA", 24, EINVAL);
	for (bit = 1; bit; bit <<= 1)
		if (bit != ALL)
			expect("UNMAP_DMA, a flag", EINVAL,
			       UNMAP(.flags = bit, .size = P));
	expect("UNMAP_DMA, size 0", EINVAL, UNMAP(.size = 0));
	expect("UNMAP_DMA, nothing there", 0, UNMAP(.iova = P, .size = P));
	expect_u64("UNMAP_DMA, nothing there: size", 0, unmap.size);
	expect("UNMAP_DMA, size 2^64-1", EOVERFLOW,
	       UNMAP(.iova = P, .size = TOP));
	expect("UNMAP_DMA, all by size", 0, UNMAP(.size = TOP));
	expect("UNMAP_DMA, wraps", EOVERFLOW,
	       UNMAP(.iova = TOP - P + 1, .size = 2 * P));
	expect("UNMAP_DMA, all, with iova", EINVAL,
	       UNMAP(.flags = ALL, .iova = P));
	expect("UNMAP_DMA, all, with size", EINVAL,
	       UNMAP(.flags = ALL, .size = P));
	expect("UNMAP_DMA, all, nothing there", 0, UNMAP(.flags = ALL));
	expect_u64("UNMAP_DMA, all, nothing there: size", 0, unmap.size);

	expect("map", 0, MAP(.iova = 4 * P, .size = 4 * P));
	expect("map", 0, MAP(.iova = 8 * P, .size = P));
	expect("UNMAP_DMA, cuts at the end", ENOENT,
	       UNMAP(.iova = 4 * P, .size = 2 * P));
	expect_u64("UNMAP_DMA, cuts at the end: size", 0, unmap.size);
	expect("UNMAP_DMA, cuts at the start", ENOENT,
	       UNMAP(.iova = 6 * P, .size = 3 * P));
	expect_u64("UNMAP_DMA, cuts at the start: size", 0, unmap.size);
	expect("UNMAP_DMA, with a hole", 0, UNMAP(.iova = 2 * P, .size = 6 * P));
	expect_u64("UNMAP_DMA, with a hole: size", 4 * P, unmap.size);
	expect("UNMAP_DMA again", 0, UNMAP(.iova = 4 * P, .size = 4 * P));
	expect_u64("UNMAP_DMA again: size", 0, unmap.size);
	expect("map", 0, MAP(.iova = 4 * P, .size = 4 * P));
	expect("UNMAP_DMA, all", 0, UNMAP(.flags = ALL));
	expect_u64("UNMAP_DMA, all: size", 5 * P, unmap.size);
}

/*
 * VFIO's first type can unmap a part of what was mapped. With upstream's driver
 * it stays so once it was asked for.
 */
static void type1(void)
{
	fresh(true);
	expect_number("SET_IOMMU 1", 0,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	expect("type 1: map", 0, MAP(.iova = 4 * P, .size = 4 * P));
	expect("type 1: map", 0, MAP(.iova = 8 * P, .size = 4 * P));
	expect("type 1: cuts at the end", 0,
	       UNMAP(.iova = 4 * P, .size = 2 * P));
	expect_u64("type 1: cuts at the end: size", 2 * P, unmap.size);
	expect("type 1: what is left", EEXIST, MAP(.iova = 6 * P));
	expect("type 1: what is free", 0, MAP(.iova = 4 * P, .size = 2 * P));
	expect("type 1: out of the middle", 0, UNMAP(.iova = 9 * P, .size = P));
	expect_u64("type 1: out of the middle: size", P, unmap.size);
	expect("type 1: what is free", 0, MAP(.iova = 9 * P, .size = P));
	expect("type 1: cuts two", 0, UNMAP(.iova = 7 * P, .size = 2 * P));
	expect_u64("type 1: cuts two: size", 2 * P, unmap.size);
	expect("type 1: odd", EINVAL,
	       UNMAP(.iova = 10 * P + 5, .size = 7));
	expect("type 1: odd, wraps", EINVAL,
	       MAP(.iova = TOP - P + 2, .size = 2 * P));
	expect("type 1: wraps", EOVERFLOW,
	       MAP(.iova = TOP - P + 1, .size = 2 * P));
	expect_number("SET_IOMMU 3", 0,
		      number(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	expect("type 1v2 after that: map", 0,
	       MAP(.iova = 64 * P, .size = 4 * P));
	expect("type 1v2 after that: cuts", DIFFERS(ENOENT, 0),
	       UNMAP(.iova = 64 * P, .size = 2 * P));
	expect("all", 0, UNMAP(.flags = ALL));
	expect_u64("all: size", DIFFERS(10 * P, 8 * P), unmap.size);
}

/* What is seen by the ioctls of VFIO is what is in that IOAS. */
static void same_ioas(void)
{
	struct iommu_ioas_unmap cmd = { .size = sizeof(cmd), .length = TOP };

	fresh(true);
	expect("map", 0, MAP(.iova = 4 * P, .size = 4 * P));
	cmd.ioas_id = ioas;
	expect("unmap there", 0, call(fd, IOMMU_IOAS_UNMAP, &cmd));
	expect_u64("unmap there: length", 4 * P, cmd.length);
	expect("destroy", 0, destroy(fd, ioas));
	expect("map after that", ENODEV, MAP(.iova = 4 * P));
	expect("unmap after that", ENODEV, UNMAP(.iova = 4 * P, .size = P));
	extensions("after that", -ENODEV);
}

int main(int argc, char **argv)
{
	expect_options(&argc, &argv);
	without();
	numbers();
	set_iommu();
	get_info();
	map_dma();
	unmap_dma();
	type1();
	same_ioas();
	return expect_sum();
}
