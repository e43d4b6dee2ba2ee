// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "ioctls.h"

static int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret;
}

int ioas_create(int fd, uint32_t *id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };

	if (call(fd, IOMMU_IOAS_ALLOC, &cmd))
		return -1;
	*id = cmd.out_ioas_id;
	return 0;
}

int object_destroy(int fd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return call(fd, IOMMU_DESTROY, &cmd);
}

/* Sets an option to *VALUE, or gets it there, as OP says. */
int iommu_option(int fd, uint32_t option, uint16_t op, uint32_t object,
		 uint64_t *value)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = option,
		.op = op,
		.object_id = object,
		.val64 = op == IOMMU_OPTION_OP_SET ? *value : 0,
	};

	if (call(fd, IOMMU_OPTION, &cmd))
		return -1;
	*value = cmd.val64;
	return 0;
}

/*
 * Asks for no ranges at all: changes nothing and costs little. That there are
 * more ranges than asked for (EMSGSIZE) is a yes too. -1 with ENOENT is a no.
 */
int ioas_exists(int fd, uint32_t id)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
	};

	if (call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd) && errno != EMSGSIZE)
		return -1;
	return 0;
}

/* *RANGES is the caller's to free, also where *COUNT is 0. */
int ioas_ranges(int fd, uint32_t id, struct iommu_iova_range **ranges,
		uint32_t *count, uint64_t *alignment)
{
	struct iommu_iova_range *room;
	uint32_t size = 16;

	/* It may grow between two calls, but not for ever. */
	for (int tries = 0; tries < 8; tries++) {
		struct iommu_ioas_iova_ranges cmd = {
			.size = sizeof(cmd),
			.ioas_id = id,
			.num_iovas = size,
		};

		room = calloc(size, sizeof(*room));
		if (!room)
			return -1;
		cmd.allowed_iovas = (uintptr_t)room;
		if (!call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd)) {
			*ranges = room;
			*count = cmd.num_iovas < size ? cmd.num_iovas : size;
			*alignment = cmd.out_iova_alignment;
			return 0;
		}
		free(room);
		if (errno != EMSGSIZE)
			return -1;
		size = cmd.num_iovas;
	}
	return -1;
}
