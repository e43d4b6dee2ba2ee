// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices are read and written one at a time, and all that is kept of one is
 * what a guest's memory map needs to be held against its group later.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "devices.h"
#include "options.h"
#include "render.h"
#include "vfio_users.h"

/* struct wish - what is asked for; @words are the arguments */
struct wish {
	const char *map;
	char **words;
	size_t count;
};

/* struct seen - what is kept of a device that was written */
struct seen {
	const struct device_name *name;
	uint64_t group;
	uint64_t width;
};

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

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct wish *wish = state->input;

	switch (key) {
	case OPTION_CHECK_MAP:
		wish->map = arg;
		return 0;
	case ARGP_KEY_ARG:
		wish->words[wish->count++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option devices_options[] = {
	{ "check-map", OPTION_CHECK_MAP, "PATH", 0,
	  "hold the guest memory map in this file against the addresses that "
	  "the devices cannot be given, and show what collides", 0 },
	{}
};

const struct argp devices_argp = {
	.options = devices_options,
	.parser = parse,
	.args_doc = "[ADDRESS...]",
	.doc = "Show devices and whether they can be given away: all, or those "
	       "named, in full.\v",
	.children = common_children,
	.help_filter = devices_help,
};

/* The device that WORD names, which for PCI may lack its domain; or NULL. */
static const struct device_name *find(const struct device_list *list,
				      const char *word)
{
	char address[PCI_ADDRESS_SIZE];
	bool pci = parse_pci_address(word, strlen(word), address);

	for (size_t i = 0; i < list->count; i++) {
		const struct device_name *name = &list->names[i];

		if (pci && !strcmp(name->bus, "pci") ?
		    !strcmp(name->address, address) :
		    !strcmp(name->address, word))
			return name;
	}
	return NULL;
}

/* Which devices are to be shown, once each. Returns how many, or -1. */
static ssize_t choose(const struct device_list *list, const struct wish *wish,
		      const struct device_name **chosen, struct problem *p)
{
	size_t count = 0;

	for (size_t i = 0; !wish->count && i < list->count; i++)
		chosen[count++] = &list->names[i];
	for (size_t i = 0; i < wish->count; i++) {
		const struct device_name *name = find(list, wish->words[i]);
		size_t k = 0;

		if (!name) {
			problem_set(p, STATUS_NOT_FOUND, 0,
				    "there is no device '%.200s': 'iommufdctl "
				    "devices' shows what there is",
				    wish->words[i]);
			clean_text(p->text);
			return -1;
		}
		while (k < count && chosen[k] != name)
			k++;
		if (k == count)
			chosen[count++] = name;
	}
	return count;
}

static int address_width(const struct device_name *const *chosen, size_t count)
{
	size_t width = strlen("0000:00:00.0");

	for (size_t i = 0; i < count; i++)
		if (strlen(chosen[i]->address) > width)
			width = strlen(chosen[i]->address);
	return width;
}

/* struct view - how devices are written */
struct view {
	bool labels;
	bool quiet;		/* the table is of what collides */
	int width;
	size_t written;
	bool vfio;		/* one of them is VFIO's, and may have a user */
};

static void embed(json_t *object, const char *before)
{
	fputs(before, stdout);
	/* jansson tells no errno; stdout's own state is asked at the end */
	json_dumpf(object, stdout, 0);
	json_decref(object);
}

static void begin(const struct view *view)
{
	if (option_json())
		printf("{\"schema_version\": %d, \"devices\": [",
		       SCHEMA_VERSION);
	else if (!view->labels && !view->quiet)
		device_print_head(view->width);
}

static void write_device(const struct device_row *row, struct view *view)
{
	if (*row->device->cdev || strstr(row->device->driver, "vfio"))
		view->vfio = true;
	if (option_json()) {
		embed(device_json(row), view->written ? ",\n " : "\n ");
	} else if (view->labels && !view->quiet) {
		if (view->written)
			putchar('\n');
		device_print_labels(row);
	} else if (!view->quiet) {
		device_print_row(row, view->width);
	}
	view->written++;
}

/*
 * Writes all that are still there. *SEEN, allocated, has COUNT of them at most.
 * Returns how many.
 */
static size_t write_devices(const struct device_name *const *chosen,
			    size_t count, const struct vfio_users *users,
			    struct view *view, struct seen *seen)
{
	struct group_info group = { .id = UNKNOWN };
	struct device_info device;
	struct device_row row;
	struct holder *holders;
	size_t met = 0;

	for (size_t i = 0; i < count && !ferror(stdout); i++) {
		if (!sysfs_device(chosen[i], &device))
			continue;
		/* those of a group often come one after the other */
		if (device.group != group.id) {
			sysfs_group_free(&group);
			sysfs_group(device.group, &group);
		}
		row = (struct device_row){ .device = &device, .group = &group };
		holders = vfio_holders(users, &device, &row.holder_count);
		row.holders = holders;
		write_device(&row, view);
		free(holders);
		seen[met++] = (struct seen){
			.name = chosen[i],
			.group = device.group,
			.width = device.iommu.address_width,
		};
	}
	sysfs_group_free(&group);
	return met;
}

/* Stable, as the order of devices in a group is the user's. */
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
		embed(collision_json(&row), i ? ",\n " : "\n ");
	else
		collision_print_row(&row);
	return next;
}

/* Returns how many collisions there are. */
static size_t check(const struct guest_map *map, struct seen *seen,
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
	for (i = 0; i < hits.count && !ferror(stdout);)
		i = write_hit(&hits, i, seen, count, devices);
	free(devices);
	free(hits.hits);
	return hits.count;
}

/*
 * Where there is no group nothing is known of what is reserved, and silence
 * would be taken for a yes. Of all devices of a host some have none.
 */
static int check_groups(const struct device_name *const *chosen, size_t count,
			bool named, struct problem *p)
{
	const char *without = NULL;
	struct device_info device;
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (!sysfs_device(chosen[i], &device))
			continue;
		if (device.group != UNKNOWN)
			any = true;
		else
			without = chosen[i]->address;
	}
	if (named && without)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
				   "device %s has no IOMMU group, so what it "
				   "cannot be given is not known", without);
	if (!any)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
				   "no device here has an IOMMU group: this "
				   "host has no IOMMU, or does not use it");
	return 0;
}

/* Returns the status; nothing was written where it is -1. */
static int show(const struct wish *wish, const struct guest_map *map,
		const struct device_name *const *chosen, size_t asked,
		struct problem *p)
{
	struct view view = {
		.labels = wish->count,
		.quiet = wish->map,
		.width = address_width(chosen, asked),
	};
	struct seen *seen = calloc(asked + 1, sizeof(*seen));
	struct vfio_users users;
	size_t count, found = 0;

	if (!seen)
		abort();
	if (vfio_users_look(&users, p)) {
		free(seen);
		return -1;
	}
	begin(&view);
	count = write_devices(chosen, asked, &users, &view, seen);
	if (option_json())
		fputs("],\n\"collisions\": [", stdout);
	else if (wish->map)
		collision_print_head();
	if (wish->map)
		found = check(map, seen, count);
	if (option_json())
		fputs("]}\n", stdout);
	if (users.hidden && view.vfio && (option_json() || !view.quiet))
		note("not permitted to look into all processes: more may hold "
		     "these devices");
	vfio_users_free(&users);
	free(seen);
	return found ? STATUS_FAILED : STATUS_DONE;
}

static int choose_and_show(const struct wish *wish,
			   const struct guest_map *map, struct problem *p)
{
	const struct device_name **chosen;
	struct device_list list;
	ssize_t count;
	int ret = -1;

	if (sysfs_devices(&list, p))
		return -1;
	chosen = calloc(list.count + 1, sizeof(*chosen));
	if (!chosen)
		abort();
	count = choose(&list, wish, chosen, p);
	if (count >= 0 && (!wish->map ||
			   !check_groups(chosen, count, wish->count, p)))
		ret = show(wish, map, chosen, count, p);
	free(chosen);
	sysfs_devices_free(&list);
	return ret;
}

int cmd_devices(const struct command *self, int argc, char **argv)
{
	struct guest_map map = {};
	struct wish wish = {};
	struct problem problem;
	int ret;

	wish.words = calloc(argc, sizeof(*wish.words));
	if (!wish.words)
		abort();
	parse_options(self, &devices_argp, argc, argv, &wish);
	if (option_context_given())
		usage_error("devices are the host's, not a context's: leave "
			    "-c out");
	if (wish.map && guest_map_read(wish.map, &map, &problem))
		ret = -1;
	else
		ret = choose_and_show(&wish, &map, &problem);
	guest_map_free(&map);
	free(wish.words);
	return ret < 0 ? problem_report(&problem) : ret;
}
