/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the C helpers of the tests share: raw ioctls, with the errno as the
 * result, and nothing of the tool's own code.
 */
#ifndef TESTS_IOMMU_H
#define TESTS_IOMMU_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/iommufd.h>

/* 0, or the errno. */
static inline int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? errno : 0;
}

static inline int ioas_alloc(int fd, uint32_t *id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int rc = call(fd, IOMMU_IOAS_ALLOC, &cmd);

	*id = cmd.out_ioas_id;
	return rc;
}

static inline int destroy(int fd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return call(fd, IOMMU_DESTROY, &cmd);
}

/* An ioctl that uses an IOAS and changes nothing. */
static inline int ioas_use(int fd, uint32_t id)
{
	struct iommu_iova_range range;
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)&range,
	};

	return call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd);
}

static inline int open_iommu(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror("/dev/iommu");
		exit(1);
	}
	return fd;
}

#endif
