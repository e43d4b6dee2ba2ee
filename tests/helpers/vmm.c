// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmm FD ID: what a virtual machine monitor does with a context that it
 * inherits, by plain ioctls: asks where in the IOAS it may map, maps a page of
 * its memory (where the driver can), says "mapped" or "cannot map", and runs
 * until its standard input ends; then it unmaps.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "iommu.h"

static void done(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "vmm: %s: %s\n", what, strerrorname_np(rc));
	exit(1);
}

int main(int argc, char **argv)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.length = 4096,
	};
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap) };
	void *page;
	int rc, fd;

	if (argc != 3)
		return 64;
	fd = atoi(argv[1]);
	map.ioas_id = strtoul(argv[2], NULL, 0);
	rc = ioas_use(fd, map.ioas_id);
	done(rc == EMSGSIZE ? 0 : rc, "ranges");
	page = mmap(NULL, map.length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		done(errno, "memory");
	map.user_va = (uintptr_t)page;
	rc = call(fd, IOMMU_IOAS_MAP, &map);
	done(rc == ENOTTY ? 0 : rc, "map");
	puts(rc ? "cannot map" : "mapped");
	fflush(stdout);
	while (getchar() != EOF)
		;
	if (rc)
		return 0;
	unmap.ioas_id = map.ioas_id;
	unmap.iova = map.iova;
	unmap.length = map.length;
	done(call(fd, IOMMU_IOAS_UNMAP, &unmap), "unmap");
	return 0;
}
