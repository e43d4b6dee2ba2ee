/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's memory map, held against what a group's devices cannot be given. */
#ifndef CLI_GUEST_MAP_H
#define CLI_GUEST_MAP_H

#include "errors.h"
#include "sysfs.h"

/* struct guest_range - what line LINE of the file maps */
struct guest_range {
	size_t line;
	uint64_t start;
	uint64_t last;
};

struct guest_map {
	struct guest_range *ranges;
	size_t count;
	size_t room;
};

/* Of a region that is no device's: past what the IOMMU can translate. */
#define BEYOND_WIDTH "beyond-address-width"

/*
 * struct collision - a guest's range that meets a reserved region
 * @region: the group's, or of type BEYOND_WIDTH
 */
struct collision {
	const struct guest_range *range;
	struct reserved_region region;
};

/* A file that is none ends the program. 0, or -1 with the problem filled. */
int guest_map_read(const char *path, struct guest_map *map, struct problem *p);
void guest_map_free(struct guest_map *map);

/*
 * Calls back for each collision with GROUP, whose devices' IOMMU translates
 * WIDTH bits (or UNKNOWN), in the order of the file.
 */
void guest_map_check(const struct guest_map *map,
		     const struct group_info *group, uint64_t width,
		     void (*call)(const struct collision *collision,
				  void *data), void *data);

#endif
