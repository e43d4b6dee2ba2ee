// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * space FD IOAS map IOVA LENGTH r|w|rw: maps fresh memory of its own there
 * space FD IOAS allow [START LAST]...: sets the allowed ranges
 * space FD IOAS small: no huge pages from now on
 *
 * Numbers as in C. Prints the errno's name.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "iommu.h"

static int map(int fd, uint32_t ioas, char **args)
{
	size_t length = strtoull(args[1], NULL, 0);
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = length,
		.iova = strtoull(args[0], NULL, 0),
	};

	if (memory == MAP_FAILED)
		return errno;
	if (strchr(args[2], 'r'))
		cmd.flags |= IOMMU_IOAS_MAP_READABLE;
	if (strchr(args[2], 'w'))
		cmd.flags |= IOMMU_IOAS_MAP_WRITEABLE;
	return call(fd, IOMMU_IOAS_MAP, &cmd);
}

static int allow(int fd, uint32_t ioas, char **args, int count)
{
	struct iommu_iova_range ranges[16];
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = count / 2,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int i;

	for (i = 0; i < count / 2 && i < 16; i++) {
		ranges[i].start = strtoull(args[2 * i], NULL, 0);
		ranges[i].last = strtoull(args[2 * i + 1], NULL, 0);
	}
	return call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

static int small(int fd, uint32_t ioas)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = ioas,
		.val64 = 0,
	};

	return call(fd, IOMMU_OPTION, &cmd);
}

int main(int argc, char **argv)
{
	int fd, rc = EINVAL;
	uint32_t ioas;

	if (argc < 4)
		return 64;
	fd = atoi(argv[1]);
	ioas = atoi(argv[2]);
	if (!strcmp(argv[3], "map") && argc == 7)
		rc = map(fd, ioas, argv + 4);
	else if (!strcmp(argv[3], "allow"))
		rc = allow(fd, ioas, argv + 4, argc - 4);
	else if (!strcmp(argv[3], "small"))
		rc = small(fd, ioas);
	if (rc)
		puts(strerrorname_np(rc));
	return rc != 0;
}
