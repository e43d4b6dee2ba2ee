// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench [ROW...]: times calls on /dev/iommu, whichever driver is behind it, of
 * all rows or of these. Prints one line a row, "NAME NANOSECONDS": for one call; for one object or area of N where the
 * name ends in -N; for one call where there are N areas already if it ends in
 * -among-N. Nothing is pinned in any of them. The rows of areas are:
 *
 *  map-unmap-among-N   a page at a fixed IOVA, in the middle of N pages with
 *                      holes between them
 *  auto-unmap-among-N  a page wherever there is room, which is behind N pages
 *                      without holes
 *  auto-2m-among-N     2 MiB, behind N pages with holes that are too small
 *  copy-unmap-among-N  one area of N to another IOAS
 *  allow-iovas-N       a list of N allowed ranges, per range
 *  map-N, unmap-all-N  N areas one after the other, and all at once, per area
 *
 * A figure alone says little about an emulated machine: tests/bench/compare
 * runs this on two drivers in turn, in one boot, and gives the ratio.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdbool.h>

#include "clock.h"
#include "iommu.h"

/* Long enough to drown a timer interrupt, short enough for many rounds. */
#define WANTED_NS 200000000ULL

static int fd;
static char **rows;		/* those that are wanted; none: all */

static bool wanted(const char *name)
{
	char **row;

	for (row = rows; *row; row++)
		if (!strcmp(*row, name))
			return true;
	return !*rows;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void destroy_unknown(void)
{
	must(destroy(fd, 0x7ffffff0) == ENOENT, "destroy of an unknown id");
}

static void unknown_ioctl(void)
{
	must(call(fd, _IO(';', 0xff), NULL) == ENOTTY, "unknown ioctl");
}

static void alloc_destroy(void)
{
	uint32_t id;

	must(!ioas_alloc(fd, &id), "IOAS alloc");
	must(!destroy(fd, id), "IOAS destroy");
}

static void iova_ranges(void)
{
	must(!ioas_use(fd, 1), "IOVA ranges");
}

static void open_close(void)
{
	int other = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	must(other >= 0, "open");
	close(other);
}

/* Doubles the number of calls until they take long enough. */
static void row(const char *name, void (*fn)(void))
{
	uint64_t calls, i, took;

	if (!wanted(name))
		return;
	for (calls = 1; ; calls *= 2) {
		uint64_t start = now_ns();

		for (i = 0; i < calls; i++)
			fn();
		took = now_ns() - start;
		if (took >= WANTED_NS)
			break;
	}
	printf("%s %.1f\n", name, (double)took / calls);
	fflush(stdout);
}

/* The close of a context that holds @nr objects, per object. */
static void teardown(unsigned int nr)
{
	uint64_t start;
	unsigned int i;
	uint32_t id;
	char name[64];
	int other;

	snprintf(name, sizeof(name), "teardown-%u", nr);
	if (!wanted(name))
		return;
	other = open_iommu();
	for (i = 0; i < nr; i++)
		must(!ioas_alloc(other, &id), "IOAS alloc");
	start = now_ns();
	close(other);
	printf("%s %.1f\n", name, (double)(now_ns() - start) / nr);
	fflush(stdout);
}

/*
 * Reading all of a big context in debugfs, per object. Only our driver has it;
 * another gets no row.
 */
static void dump(unsigned int nr)
{
	char path[96], line[128], buf[16384];
	unsigned long ctx = 0;
	uint64_t start;
	unsigned int i;
	ssize_t n;
	uint32_t id;
	FILE *f;
	int other, in;

	if (!wanted("dump-100000"))
		return;
	other = open_iommu();
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", other);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "iommufd-ctx: %lu", &ctx);
	if (f)
		fclose(f);
	if (!ctx) {
		close(other);
		return;
	}
	for (i = 0; i < nr; i++)
		must(!ioas_alloc(other, &id), "IOAS alloc");
	snprintf(path, sizeof(path), "/sys/kernel/debug/iommufd/%lu/objects",
		 ctx);
	start = now_ns();
	in = open(path, O_RDONLY | O_CLOEXEC);
	must(in >= 0, path);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		;
	must(!n, path);
	printf("dump-%u %.1f\n", nr, (double)(now_ns() - start) / nr);
	close(in);
	close(other);
}

#define P 4096ULL
#define VA 0x40000000	/* nothing is pinned, so nothing needs to be there */

/* The IOAS that a row of areas is about, and where it maps. */
static uint32_t ioas, other_ioas;
static uint64_t place;

static uint64_t map(uint32_t id, uint64_t iova, uint64_t length, bool fixed)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
			 (fixed ? IOMMU_IOAS_MAP_FIXED_IOVA : 0),
		.ioas_id = id,
		.user_va = VA,
		.length = length,
		.iova = iova,
	};

	must(!call(fd, IOMMU_IOAS_MAP, &cmd), "map");
	return cmd.iova;
}

static uint64_t unmap(uint32_t id, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.iova = iova,
		.length = length,
	};

	must(!call(fd, IOMMU_IOAS_UNMAP, &cmd), "unmap");
	return cmd.length;
}

static void map_unmap(void)
{
	map(ioas, place, P, true);
	unmap(ioas, place, P);
}

static void auto_unmap(void)
{
	unmap(ioas, map(ioas, 0, P, false), P);
}

static void auto_2m(void)
{
	unmap(ioas, map(ioas, 0, 2 << 20, false), 2 << 20);
}

static void copy_unmap(void)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.dst_ioas_id = other_ioas,
		.src_ioas_id = ioas,
		.length = P,
		.dst_iova = place,
		.src_iova = place - P,
	};

	must(!call(fd, IOMMU_IOAS_COPY, &cmd), "copy");
	unmap(other_ioas, place, P);
}

/* @nr pages, each @apart from the next, and @place behind the middle one. */
static void areas(unsigned int nr, uint64_t apart)
{
	unsigned int i;

	must(!ioas_alloc(fd, &ioas), "IOAS alloc");
	for (i = 0; i < nr; i++)
		map(ioas, P + i * apart, P, true);
	place = P + nr / 2 * apart + P;
}

static void among(const char *name, void (*fn)(void), unsigned int nr,
		  uint64_t apart)
{
	char what[64];

	snprintf(what, sizeof(what), "%s-among-%u", name, nr);
	if (!wanted(what))
		return;
	areas(nr, apart);
	row(what, fn);
	must(!destroy(fd, ioas), "IOAS destroy");
}

/* What a VMM does at its start and at its end, per area. */
static void map_all(unsigned int nr)
{
	char map[64], unmap_all[64];
	uint64_t start;

	snprintf(map, sizeof(map), "map-%u", nr);
	snprintf(unmap_all, sizeof(unmap_all), "unmap-all-%u", nr);
	if (!wanted(map) && !wanted(unmap_all))
		return;
	start = now_ns();
	areas(nr, 2 * P);
	printf("%s %.1f\n", map, (double)(now_ns() - start) / nr);
	start = now_ns();
	must(unmap(ioas, 0, UINT64_MAX) == nr * P, "unmap of all");
	printf("%s %.1f\n", unmap_all, (double)(now_ns() - start) / nr);
	fflush(stdout);
	must(!destroy(fd, ioas), "IOAS destroy");
}

#define NR_ALLOWED 1000

static void allow_iovas(void)
{
	static struct iommu_iova_range list[NR_ALLOWED];
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = NR_ALLOWED,
		.allowed_iovas = (uintptr_t)list,
	};
	unsigned int i, round;
	uint64_t start;

	if (!wanted("allow-iovas-1000"))
		return;
	must(!ioas_alloc(fd, &ioas), "IOAS alloc");
	for (i = 0; i < NR_ALLOWED; i++) {
		list[i].start = 2 * i * P;
		list[i].last = list[i].start + P - 1;
	}
	start = now_ns();
	for (round = 0; round < 20; round++)
		must(!call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd), "allow");
	printf("allow-iovas-1000 %.1f\n",
	       (double)(now_ns() - start) / round / NR_ALLOWED);
	fflush(stdout);
	must(!destroy(fd, ioas), "IOAS destroy");
}

static void area_rows(void)
{
	must(!ioas_alloc(fd, &other_ioas), "IOAS alloc");
	among("map-unmap", map_unmap, 1, 2 * P);
	among("map-unmap", map_unmap, 20000, 2 * P);
	among("map-unmap", map_unmap, 65000, 2 * P);
	among("auto-unmap", auto_unmap, 1, P);
	among("auto-unmap", auto_unmap, 20000, P);
	among("auto-2m", auto_2m, 20000, 2 * P);
	among("copy-unmap", copy_unmap, 1, 2 * P);
	among("copy-unmap", copy_unmap, 20000, 2 * P);
	allow_iovas();
	map_all(20000);
	map_all(65000);
	must(!destroy(fd, other_ioas), "IOAS destroy");
}

int main(int argc, char **argv)
{
	cpu_set_t set;
	uint32_t id;

	(void)argc;
	rows = argv + 1;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);

	fd = open_iommu();
	must(!ioas_alloc(fd, &id) && id == 1, "first IOAS");
	row("destroy-unknown-id", destroy_unknown);
	row("unknown-ioctl", unknown_ioctl);
	row("ioas-alloc-destroy", alloc_destroy);
	row("ioas-iova-ranges", iova_ranges);
	row("open-close", open_close);
	area_rows();
	teardown(10000);
	teardown(40000);
	teardown(160000);
	dump(100000);
	return 0;
}
