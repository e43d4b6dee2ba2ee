// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * device NODE: times what a device has to do with /dev/iommu, by the
 * device's character device NODE, whichever driver is behind them. Prints one
 * line a row, "NAME NANOSECONDS", for one call:
 *
 *  attach-1g-SIZE   of a device to an address space where 1 GiB is mapped, in
 *                   pages of SIZE, which are pinned and go to the IOMMU then
 *  detach-1g-SIZE   the other way round
 *  map-1g-SIZE      of 1 GiB in pages of SIZE, where a device is attached
 *  unmap-1g-SIZE    of that
 *
 * The pages are there before, so that no page fault is measured.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <time.h>

#include "../helpers/pci.h"

#define GIB (1ULL << 30)
#define IOVA (4 * GIB)
#define ROUNDS 3

static struct pci d;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void *gib(int flags)
{
	char *mem = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	uint64_t at;

	done(mem == MAP_FAILED ? errno : 0, "1 GiB of memory");
	if (!flags)
		done(madvise(mem, GIB, MADV_NOHUGEPAGE) && errno != EINVAL ?
		     errno : 0, "pages of 4 KiB");
	for (at = 0; at < GIB; at += PAGE)
		mem[at] = 1;
	return mem;
}

enum { ATTACH, DETACH, MAP, UNMAP, NR_ROWS };
static const char *const names[] = { "attach", "detach", "map", "unmap" };

static void rows(const char *size, int flags)
{
	uint64_t best[NR_ROWS] = {}, at[NR_ROWS + 1];
	void *mem = gib(flags);
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		/* What is mapped while no device is there pins nothing. */
		done(map_at(d.iommu, d.ioas, mem, GIB, IOVA, MAP_RW), "map");
		at[0] = now();
		done(dev_attach(d.fd, d.ioas, NULL), "attach");
		at[1] = now();
		done(dev_detach(d.fd), "detach");
		at[2] = now();
		for (i = 0; i < 2; i++)
			if (!round || at[i + 1] - at[i] < best[i])
				best[i] = at[i + 1] - at[i];
		done(unmap_at(d.iommu, d.ioas, IOVA, GIB), "unmap");

		done(dev_attach(d.fd, d.ioas, NULL), "attach");
		at[0] = now();
		done(map_at(d.iommu, d.ioas, mem, GIB, IOVA, MAP_RW), "map");
		at[1] = now();
		done(unmap_at(d.iommu, d.ioas, IOVA, GIB), "unmap");
		at[2] = now();
		for (i = 0; i < 2; i++)
			if (!round || at[i + 1] - at[i] < best[MAP + i])
				best[MAP + i] = at[i + 1] - at[i];
		done(dev_detach(d.fd), "detach");
	}
	for (i = 0; i < NR_ROWS; i++)
		printf("%s-1g-%s %llu\n", names[i], size,
		       (unsigned long long)best[i]);
	fflush(stdout);
	munmap(mem, GIB);
}

int main(int argc, char **argv)
{
	cpu_set_t set;

	if (argc != 2)
		return 64;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);

	d.iommu = open_iommu();
	d.fd = open_node(argv[1]);
	done(dev_bind(d.fd, d.iommu, &d.id), "bind");
	done(ioas_alloc(d.iommu, &d.ioas), "ioas");
	rows("4k", 0);
	rows("2m", MAP_HUGETLB);
	return 0;
}
