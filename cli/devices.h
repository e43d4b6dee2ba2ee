/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a device, its group and what collides are shown. */
#ifndef CLI_DEVICES_H
#define CLI_DEVICES_H

#include <jansson.h>
#include <stddef.h>

#include "guest_map.h"
#include "source.h"
#include "sysfs.h"

/* struct device_row - all that is shown of a device */
struct device_row {
	const struct device_info *device;
	const struct group_info *group;
	const struct holder *holders;
	size_t holder_count;
};

/*
 * struct collision_row - what collides, and for whom
 * @group: whose region it is; of the first device's, in a table
 * @devices: those in the group, or in a table in all groups that it is the same
 *           for
 */
struct collision_row {
	const struct collision *collision;
	uint64_t group;
	const struct device_name **devices;
	size_t device_count;
};

/* struct seen - what is kept of a device that was written */
struct seen {
	const struct device_name *name;
	uint64_t group;
	uint64_t width;
};

char *devices_help(int key, const char *text, void *input);

void embed_json(json_t *object, const char *before);

/* ADDRESS_WIDTH: of the table's first column. */
void device_print_head(int address_width);
void device_print_row(const struct device_row *row, int address_width);
void device_print_labels(const struct device_row *row);
json_t *device_json(const struct device_row *row);

void collision_print_head(void);
void collision_print_row(const struct collision_row *row);
json_t *collision_json(const struct collision_row *row);

size_t devices_check(const struct guest_map *map, struct seen *seen,
		     size_t count);

#endif
