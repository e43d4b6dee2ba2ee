/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iommufd's ioctls as functions: 0, or -1 with errno. */
#ifndef CLI_IOCTLS_H
#define CLI_IOCTLS_H

#include <stdint.h>

#include <linux/iommufd.h>

int ioas_create(int fd, uint32_t *id);
int object_destroy(int fd, uint32_t id);
int iommu_option(int fd, uint32_t option, uint16_t op, uint32_t object,
		 uint64_t *value);
int ioas_exists(int fd, uint32_t id);
int ioas_ranges(int fd, uint32_t id, struct iommu_iova_range **ranges,
		uint32_t *count, uint64_t *alignment);

#endif
