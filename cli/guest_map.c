// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_map.h"
#include "parse_guest_map.h"

static void append(struct guest_map *map, size_t number,
		   const struct map_line *line)
{
	if (map->count == map->room) {
		map->room = map->room ? map->room * 2 : 16;
		map->ranges = reallocarray(map->ranges, map->room,
					   sizeof(*map->ranges));
		if (!map->ranges)
			abort();
	}
	map->ranges[map->count++] = (struct guest_range){
		.line = number,
		.start = line->start,
		.last = line->last,
	};
}

/* What is in a loop is held once: a map that collides does so each time. */
static void take_line(const char *path, size_t number, const char *text,
		      struct guest_map *map, size_t *loop)
{
	struct map_line line;
	const char *expected = parse_map_line(text, &line);

	if (!expected && line.word == MAP_LOOP && *loop)
		expected = "'end' of the loop before";
	if (!expected && line.word == MAP_END && !*loop)
		expected = "'loop' before";
	if (expected)
		usage_error("%s:%zu: expected %s", path, number, expected);
	if (line.word == MAP_MAP)
		append(map, number, &line);
	else if (line.word == MAP_LOOP)
		*loop = number;
	else if (line.word == MAP_END)
		*loop = 0;
}

static int cannot_read(const char *path, int err, struct problem *p)
{
	problem_set(p, err == EACCES || err == EPERM ? STATUS_NOT_PERMITTED :
		    STATUS_FAILED, err, "cannot read '%.200s': %s", path,
		    strerror(err));
	clean_text(p->text);
	return -1;
}

int guest_map_read(const char *path, struct guest_map *map, struct problem *p)
{
	FILE *file = fopen(path, "re");
	size_t number = 0, loop = 0, size = 0;
	char *text = NULL;
	ssize_t len;
	int err;

	*map = (struct guest_map){};
	if (!file)
		return cannot_read(path, errno, p);
	errno = 0;
	while ((len = getline(&text, &size, file)) >= 0) {
		number++;
		if (strlen(text) != (size_t)len)
			usage_error("%s:%zu: expected text", path, number);
		take_line(path, number, text, map, &loop);
	}
	err = ferror(file) ? errno : 0;
	fclose(file);
	free(text);
	if (err) {
		guest_map_free(map);
		return cannot_read(path, err, p);
	}
	if (loop)
		usage_error("%s:%zu: expected 'end' of this loop", path, loop);
	return 0;
}

void guest_map_free(struct guest_map *map)
{
	free(map->ranges);
	*map = (struct guest_map){};
}

/* Firmware's use of such a region ends when the device gets a driver. */
static bool may_be_mapped(const struct reserved_region *region)
{
	return !strcmp(region->type, "direct-relaxable");
}

static bool meet(const struct guest_range *range,
		 const struct reserved_region *region)
{
	return range->start <= region->last && region->start <= range->last;
}

void guest_map_check(const struct guest_map *map,
		     const struct group_info *group, uint64_t width,
		     void (*call)(const struct collision *collision,
				  void *data), void *data)
{
	struct reserved_region beyond = {
		.last = UINT64_MAX,
		.type = BEYOND_WIDTH,
	};

	if (width < 64)
		beyond.start = UINT64_C(1) << width;
	for (size_t i = 0; i < map->count; i++) {
		struct collision collision = { .range = &map->ranges[i] };

		for (size_t k = 0; k < group->reserved_count; k++) {
			collision.region = group->reserved[k];
			if (meet(collision.range, &collision.region) &&
			    !may_be_mapped(&collision.region))
				call(&collision, data);
		}
		collision.region = beyond;
		if (width < 64 && meet(collision.range, &beyond))
			call(&collision, data);
	}
}
