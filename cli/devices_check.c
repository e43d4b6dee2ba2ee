// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's memory map, held against the groups of the devices shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "options.h"

struct hit {
	struct collision collision;
	uint64_t group;
};

struct hits {
	struct hit *hits;
	size_t count;
	size_t room;
	uint64_t group;		/* that is being looked at */
};

/* And in a group by address, as names lie in memory in that order. */
static int by_group(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void take_hit(const struct collision *collision, void *data)
{
	struct hits *hits = data;

	if (hits->count == hits->room) {
		hits->room = hits->room ? hits->room * 2 : 16;
		hits->hits = reallocarray(hits->hits, hits->room,
					  sizeof(*hits->hits));
		if (!hits->hits)
			abort();
	}
	hits->hits[hits->count++] = (struct hit){ *collision, hits->group };
}

static int by_region(const struct hit *x, const struct hit *y)
{
	const struct reserved_region *a = &x->collision.region;
	const struct reserved_region *b = &y->collision.region;

	if (x->collision.range != y->collision.range)
		return x->collision.range < y->collision.range ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return strcmp(a->type, b->type);
}

static int by_line(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	int ret = by_region(x, y);

	if (ret)
		return ret;
	return x->group < y->group ? -1 : x->group > y->group;
}

/* The first of SEEN, sorted by group, that is in GROUP. */
static size_t first_of(const struct seen *seen, size_t count, uint64_t group)
{
	size_t low = 0;

	while (count) {
		size_t half = count / 2;

		if (seen[low + half].group < group) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}

/*
 * Writes hit I, and returns what is next: JSON has one for each group, a table
 * one for all groups that it is the same for.
 */
static size_t write_hit(const struct hits *hits, size_t i,
			const struct seen *seen, size_t count,
			const struct device_name **devices)
{
	struct collision_row row = {
		.collision = &hits->hits[i].collision,
		.group = hits->hits[i].group,
		.devices = devices,
	};
	size_t next = i;

	do {
		uint64_t group = hits->hits[next++].group;

		for (size_t k = first_of(seen, count, group);
		     k < count && seen[k].group == group; k++)
			devices[row.device_count++] = seen[k].name;
	} while (!option_json() && next < hits->count &&
		 !by_region(&hits->hits[i], &hits->hits[next]));
	if (option_json())
		embed_json(collision_json(&row), i ? ",\n " : "\n ");
	else
		collision_print_row(&row);
	return next;
}

/*
 * Writes all collisions of MAP with the groups of SEEN, which comes out in
 * another order. Returns how many there are.
 */
size_t devices_check(const struct guest_map *map, struct seen *seen,
		     size_t count)
{
	const struct device_name **devices = calloc(count + 1,
						    sizeof(*devices));
	struct hits hits = {};
	struct group_info group;
	size_t i, k;

	if (!devices)
		abort();
	if (count)
		qsort(seen, count, sizeof(*seen), by_group);
	for (i = 0; i < count && seen[i].group != UNKNOWN; i = k) {
		uint64_t width = UNKNOWN;

		hits.group = seen[i].group;
		for (k = i; k < count && seen[k].group == hits.group; k++)
			if (seen[k].width < width)
				width = seen[k].width;
		sysfs_group(hits.group, &group);
		guest_map_check(map, &group, width, take_hit, &hits);
		sysfs_group_free(&group);
	}
	if (hits.count)
		qsort(hits.hits, hits.count, sizeof(*hits.hits), by_line);
	/* A group may name a region twice; it collides once. */
	for (i = k = 0; i < hits.count; i++)
		if (!i || by_line(&hits.hits[i], &hits.hits[k - 1]))
			hits.hits[k++] = hits.hits[i];
	hits.count = k;
	for (i = 0; i < hits.count && !ferror(stdout);)
		i = write_hit(&hits, i, seen, count, devices);
	free(devices);
	free(hits.hits);
	return hits.count;
}
