// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * device NODE: times what a device has to do with /dev/iommu, by its character
 * device NODE, whichever driver is behind them. Prints one line a row, "NAME
 * NANOSECONDS", for one call:
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

#include "clock.h"
#include "pci.h"

#define GIB (1ULL << 30)
#define IOVA (4 * GIB)
#define ROUNDS 3

static struct pci d;

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

/* Of two things in a row, which began and ended AT these times. */
static void keep_best(uint64_t best[2], const uint64_t at[3])
{
	int i;

	for (i = 0; i < 2; i++)
		if (at[i + 1] - at[i] < best[i])
			best[i] = at[i + 1] - at[i];
}

static void rows(const char *size, int flags)
{
	uint64_t best[NR_ROWS], at[3];
	void *mem = gib(flags);
	int round, i;

	memset(best, 0xff, sizeof(best));
	for (round = 0; round < ROUNDS; round++) {
		/* What is mapped while no device is there pins nothing. */
		done(map_at(d.iommu, d.ioas, mem, GIB, IOVA, MAP_RW), "map");
		at[0] = now_ns();
		done(dev_attach(d.fd, d.ioas, NULL), "attach");
		at[1] = now_ns();
		done(dev_detach(d.fd), "detach");
		at[2] = now_ns();
		keep_best(&best[ATTACH], at);
		done(unmap_at(d.iommu, d.ioas, IOVA, GIB), "unmap");

		done(dev_attach(d.fd, d.ioas, NULL), "attach");
		at[0] = now_ns();
		done(map_at(d.iommu, d.ioas, mem, GIB, IOVA, MAP_RW), "map");
		at[1] = now_ns();
		done(unmap_at(d.iommu, d.ioas, IOVA, GIB), "unmap");
		at[2] = now_ns();
		keep_best(&best[MAP], at);
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
