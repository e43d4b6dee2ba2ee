/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iommufd's ioctls as functions: 0, or -1 with errno. */
#ifndef CLI_IOCTLS_H
#define CLI_IOCTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/iommufd.h>

#include "parse_range.h"

int ioas_create(int fd, uint32_t *id);
int object_destroy(int fd, uint32_t id);
int iommu_option(int fd, uint32_t option, uint16_t op, uint32_t object,
		 uint64_t *value);

/* Does ID have that type? -1 with ENOENT is a no; all else is a yes, or no answer. */
int ioas_exists(int fd, uint32_t id);
int device_exists(int fd, uint32_t id);
int hwpt_paging_exists(int fd, uint32_t id);
int hwpt_nested_exists(int fd, uint32_t id);
bool has_viommu(int fd);

unsigned int device_width(int fd, uint32_t id);

int hwpt_create(int fd, uint32_t device, uint32_t ioas, uint32_t *id);
int fault_create(int fd, uint32_t *id, int *queue);
int ioas_ranges(int fd, uint32_t id, struct iommu_iova_range **ranges,
		uint32_t *count, uint64_t *alignment);
int ioas_allow(int fd, uint32_t id, const struct range *ranges, size_t count);
int ioas_unmap(int fd, uint32_t id, const struct range *range,
	       uint64_t *unmapped);

/*
 * struct mapping - what is mapped, and where to
 * @id: the IOAS
 * @flags: of enum iommufd_ioas_map_flags
 * @length: in bytes
 * @iova: in with IOMMU_IOAS_MAP_FIXED_IOVA, and out
 */
struct mapping {
	uint32_t id;
	uint32_t flags;
	uint64_t length;
	uint64_t iova;
};

int ioas_map(int fd, struct mapping *mapping, const void *memory);
int ioas_map_file(int fd, struct mapping *mapping, int file);

#endif
