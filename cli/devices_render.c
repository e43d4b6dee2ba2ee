// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "devices.h"
#include "render.h"

#define LABEL_WIDTH 13

/* How many a cell names before it only counts. */
#define NAMED_BLOCKERS 1
#define NAMED_DEVICES 2

/* BEFORE is what stands between it and what was before. */
void embed_json(json_t *object, const char *before)
{
	fputs(before, stdout);
	/* jansson tells no errno; stdout's own state is asked at the end */
	json_dumpf(object, stdout, 0);
	json_decref(object);
}

/* struct flat - what of a row are simple values, as columns.c takes them */
struct flat {
	const char *address;
	const char *bus;
	uint64_t group;
	const char *group_type;
	const char *driver;
	const char *vfio_cdev;
	uint64_t numa_node;
	const char *iommu;
	const char *iommu_kind;
	uint64_t address_width;
	enum truth viable;
	char path[SYSFS_NAME + 32];
};

static const char *text_or_null(const char *text)
{
	return *text ? text : NULL;
}

/* The devices of its group, but for itself, that keep it from being given away. */
static const struct group_member *next_blocker(const struct device_row *row,
					       const struct group_member *m)
{
	const struct group_info *group = row->group;
	const struct group_member *end = group->members + group->member_count;

	for (m = m ? m + 1 : group->members; m < end; m++)
		if (m->blocks && strcmp(m->name.address,
					row->device->name.address))
			return m;
	return NULL;
}

static size_t count_blockers(const struct device_row *row)
{
	const struct group_member *m = NULL;
	size_t count = 0;

	while ((m = next_blocker(row, m)))
		count++;
	return count;
}

static void flatten(const struct device_row *row, struct flat *flat)
{
	const struct device_info *device = row->device;

	*flat = (struct flat){
		.address = device->name.address,
		.bus = device->name.bus,
		.group = device->group,
		.group_type = text_or_null(row->group->type),
		.driver = text_or_null(device->driver),
		.numa_node = device->numa_node,
		.iommu = text_or_null(device->iommu.name),
		.iommu_kind = iommu_kind_name(device->iommu.kind),
		.address_width = device->iommu.address_width,
		.viable = device->group == UNKNOWN ? TRUTH_UNKNOWN :
			  next_blocker(row, NULL) ? TRUTH_NO : TRUTH_YES,
	};
	snprintf(flat->path, sizeof(flat->path), "/dev/vfio/devices/%s",
		 device->cdev);
	if (*device->cdev)
		flat->vfio_cdev = flat->path;
}

static void append(json_t *array, json_t *item)
{
	if (json_array_append_new(array, item))
		abort();
}

static json_t *fresh(json_t *value)
{
	if (!value)
		abort();
	return value;
}

static json_t *region_json(const struct reserved_region *region)
{
	json_t *item = fresh(json_object());

	json_add(item, "start", json_address(region->start));
	json_add(item, "last", json_address(region->last));
	json_add(item, "type", json_text(region->type));
	return item;
}

static json_t *blockers_json(const struct device_row *row)
{
	json_t *array = fresh(json_array()), *item;
	const struct group_member *m = NULL;

	while ((m = next_blocker(row, m))) {
		item = fresh(json_object());
		json_add(item, "address", json_text(m->name.address));
		json_add(item, "bus", json_text(m->name.bus));
		json_add(item, "driver", json_text(m->driver));
		append(array, item);
	}
	return array;
}

static json_t *holders_json(const struct device_row *row)
{
	return json_holders(row->holders, row->holder_count);
}

static json_t *reserved_json(const struct device_row *row)
{
	json_t *array;

	if (!row->group->reserved_known)
		return fresh(json_null());
	array = fresh(json_array());
	for (size_t i = 0; i < row->group->reserved_count; i++)
		append(array, region_json(&row->group->reserved[i]));
	return array;
}

/* One a line; the table, for which BRIEF is, has room for the first. */
static void print_blockers(const struct device_row *row, FILE *out, bool brief)
{
	const struct group_member *m = NULL;
	size_t count = count_blockers(row), i = 0;

	if (!count)
		fputs(row->device->group == UNKNOWN || brief ? "-" : "none",
		      out);
	while ((!brief || i < NAMED_BLOCKERS) && (m = next_blocker(row, m)))
		fprintf(out, "%s%s (%s)", i++ ? "\n" : "", m->name.address,
			m->driver);
	if (count > i)
		fprintf(out, " and %zu more", count - i);
}

static void print_holders(const struct device_row *row, FILE *out, bool brief)
{
	for (size_t i = 0; i < row->holder_count; i++)
		fprintf(out, "%s%s[%d]:%d", !i ? "" : brief ? "," : "\n",
			row->holders[i].comm, row->holders[i].pid,
			row->holders[i].fd);
	if (!row->holder_count)
		fputs("none", out);
}

static void print_reserved(const struct device_row *row, FILE *out, bool brief)
{
	(void)brief;
	for (size_t i = 0; i < row->group->reserved_count; i++) {
		const struct reserved_region *r = &row->group->reserved[i];

		fprintf(out, "%s0x%jx-0x%jx %s", i ? "\n" : "",
			(uintmax_t)r->start, (uintmax_t)r->last, r->type);
	}
	if (!row->group->reserved_count)
		fputs(row->group->reserved_known ? "none" : "-", out);
}

#define FLAT(member) offsetof(struct flat, member)

/* struct datum - a column; with what prints it where it is no simple value */
struct datum {
	struct column column;
	json_t *(*json)(const struct device_row *row);
	void (*print)(const struct device_row *row, FILE *out, bool brief);
};

static const struct datum data[] = {
	{ { "address", COLUMN_TEXT, FLAT(address), PLACE_ALWAYS, "ADDRESS", 12,
	    "the device, as its bus numbers it" }, NULL, NULL },
	{ { "bus", COLUMN_TEXT, FLAT(bus), PLACE_BRIEF, NULL, 0,
	    "pci, platform or another" }, NULL, NULL },
	{ { "group", COLUMN_COUNT, FLAT(group), PLACE_ALWAYS, "GROUP", 5,
	    "its IOMMU group: devices that go to one user together" },
	  NULL, NULL },
	{ { "group_type", COLUMN_TEXT, FLAT(group_type), PLACE_BRIEF, NULL, 0,
	    "the group's own domain: DMA, DMA-FQ or identity" }, NULL, NULL },
	{ { "driver", COLUMN_TEXT, FLAT(driver), PLACE_ALWAYS, "DRIVER", 17,
	    "what has it bound" }, NULL, NULL },
	{ { "vfio_cdev", COLUMN_TEXT, FLAT(vfio_cdev), PLACE_ALWAYS, "CDEV", 7,
	    "its VFIO character device, in /dev/vfio/devices" }, NULL, NULL },
	{ { "numa_node", COLUMN_COUNT, FLAT(numa_node), PLACE_ALWAYS, "NUMA", 4,
	    "the node of the memory that is nearest" }, NULL, NULL },
	{ { "iommu", COLUMN_TEXT, FLAT(iommu), PLACE_BRIEF, NULL, 0,
	    "what translates for it" }, NULL, NULL },
	{ { "iommu_kind", COLUMN_TEXT, FLAT(iommu_kind), PLACE_BRIEF, NULL, 0,
	    "intel, amd, arm-smmu-v3 or arm-smmu" }, NULL, NULL },
	{ { "address_width", COLUMN_COUNT, FLAT(address_width), PLACE_BRIEF,
	    NULL, 0, "of the addresses that it can translate, in bits" },
	  NULL, NULL },
	{ { "viable", COLUMN_TRUTH, FLAT(viable), PLACE_ALWAYS, "VIABLE", 6,
	    "whether the rest of its group lets it be given away" },
	  NULL, NULL },
	{ { "holders", COLUMN_HOLDERS, 0, PLACE_ALWAYS, "HOLDERS", 24,
	    "processes that have it open: name[pid]:descriptor" },
	  holders_json, print_holders },
	{ { "blockers", COLUMN_TEXT, 0, PLACE_ALWAYS, "BLOCKED-BY", 0,
	    "devices of the group whose drivers the host uses" },
	  blockers_json, print_blockers },
	{ { "reserved", COLUMN_RANGES, 0, PLACE_BRIEF, NULL, 0,
	    "addresses that a guest cannot have with it" },
	  reserved_json, print_reserved },
	{}
};

static bool is_number(const struct column *column)
{
	return column->type == COLUMN_COUNT;
}

/* What is in one cell; for the table, BRIEF. The caller frees it. */
static char *cell(const struct datum *d, const struct device_row *row,
		  const struct flat *flat, bool brief)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	/* the node's name is enough, as all are in one folder */
	if (brief && d->column.offset == FLAT(vfio_cdev) && flat->vfio_cdev)
		text = strdup(row->device->cdev);
	else if (!d->print)
		text = column_text(&d->column, flat);
	if (text)
		return text;
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	d->print(row, out, brief);
	if (fclose(out))
		abort();
	return text;
}

static void print_cell(const struct datum *d, const char *text,
		       int address_width)
{
	int width = d == data ? address_width : d->column.width;

	if (!width)
		printf("%s\n", text);
	else
		printf("%*s  ", is_number(&d->column) ? width : -width, text);
}

void device_print_head(int address_width)
{
	for (const struct datum *d = data; d->column.key; d++)
		if (d->column.head)
			print_cell(d, d->column.head, address_width);
}

void device_print_row(const struct device_row *row, int address_width)
{
	struct flat flat;

	flatten(row, &flat);
	for (const struct datum *d = data; d->column.key; d++) {
		char *text;

		if (!d->column.head)
			continue;
		text = cell(d, row, &flat, true);
		print_cell(d, text, address_width);
		free(text);
	}
}

/* All that there is: several values are several lines. */
void device_print_labels(const struct device_row *row)
{
	struct flat flat;

	flatten(row, &flat);
	for (const struct datum *d = data; d->column.key; d++) {
		char *text = cell(d, row, &flat, false), *rest = text, *line;
		const char *label = d->column.key;

		while ((line = strsep(&rest, "\n"))) {
			printf("%-*s  %s\n", LABEL_WIDTH, label, line);
			label = "";
		}
		free(text);
	}
}

json_t *device_json(const struct device_row *row)
{
	json_t *object = fresh(json_object());
	struct flat flat;

	flatten(row, &flat);
	for (const struct datum *d = data; d->column.key; d++)
		json_add(object, d->column.key,
			 d->json ? d->json(row) :
				   column_json(&d->column, &flat));
	return object;
}

/* argp's help_filter: says after the options what the table's columns are. */
char *devices_help(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&help, &size);
	if (!out)
		return NULL;
	fputs("Columns:\n", out);
	for (const struct datum *d = data; d->column.key; d++)
		if (d->column.head)
			fprintf(out, "  %-10s %s\n", d->column.head,
				d->column.help);
	fputs("\n'-' is what cannot be known, or is not there.", out);
	return fclose(out) ? NULL : help;
}

void collision_print_head(void)
{
	printf("%4s  %-27s  %-27s  %-10s  %s\n", "LINE", "GUEST", "RESERVED",
	       "TYPE", "DEVICES");
}

static void print_range(uint64_t start, uint64_t last)
{
	char text[48];

	snprintf(text, sizeof(text), "0x%jx-0x%jx", (uintmax_t)start,
		 (uintmax_t)last);
	printf("  %-27s", text);
}

void collision_print_row(const struct collision_row *row)
{
	const struct collision *c = row->collision;
	size_t i;

	printf("%4zu", c->range->line);
	print_range(c->range->start, c->range->last);
	print_range(c->region.start, c->region.last);
	printf("  %-10s", c->region.type);
	for (i = 0; i < row->device_count && i < NAMED_DEVICES; i++)
		printf("%s%s", i ? "," : "  ", row->devices[i]->address);
	if (row->device_count > i)
		printf(" and %zu more", row->device_count - i);
	putchar('\n');
}

json_t *collision_json(const struct collision_row *row)
{
	const struct collision *c = row->collision;
	json_t *object = fresh(json_object()), *devices = fresh(json_array());

	json_add(object, "line", json_number(c->range->line));
	json_add(object, "start", json_address(c->range->start));
	json_add(object, "last", json_address(c->range->last));
	json_add(object, "region", region_json(&c->region));
	json_add(object, "group", json_number(row->group));
	for (size_t i = 0; i < row->device_count; i++)
		append(devices, json_text(row->devices[i]->address));
	json_add(object, "devices", devices);
	return object;
}
