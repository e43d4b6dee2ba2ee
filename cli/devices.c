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
		embed_json(device_json(row), view->written ? ",\n " : "\n ");
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
		found = devices_check(map, seen, count);
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
