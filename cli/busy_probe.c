// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why an object cannot be destroyed, where the kernel does not tell: by what
 * the context's holder has written down, and else by what it can be at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "busy.h"
#include "ioctls.h"
#include "kept.h"
#include "scan.h"

/* So many candidates are named. */
#define NAMED 4

/* Each page table of ID that was written down, once. */
static size_t tables_of(const struct kept_list *kept, uint32_t id,
			uint64_t *ids)
{
	size_t count = 0;

	for (size_t i = 0; i < kept->count; i++) {
		const struct kept_record *r = &kept->records[i];
		uint32_t table = r->kind == KEPT_DEVICE ? r->pt : r->id;
		bool met = false;

		if (r->ioas != id || !table)
			continue;
		for (size_t k = 0; k < count; k++)
			met |= ids[k] == table;
		if (!met)
			ids[count++] = table;
	}
	return count;
}

/* Each device that is attached to page table ID. */
static size_t devices_of(const struct kept_list *kept, uint32_t id,
			 uint64_t *ids)
{
	size_t count = 0;

	for (size_t i = 0; i < kept->count; i++)
		if (kept->records[i].kind == KEPT_DEVICE &&
		    kept->records[i].pt == id)
			ids[count++] = kept->records[i].id;
	return count;
}

static uint64_t *room_for(const struct kept_list *kept)
{
	uint64_t *ids = calloc(kept->count + 1, sizeof(*ids));

	if (!ids)
		abort();
	return ids;
}

/*
 * The page tables of IOAS ID that were written down, which may be destroyed
 * before it. *IDS are the caller's to free.
 */
size_t busy_recorded(struct busy *busy, const struct context *context,
		     uint32_t id, uint64_t **ids)
{
	struct kept_list kept;
	size_t count;

	kept_read(busy_name(busy, context), &kept);
	*ids = room_for(&kept);
	count = tables_of(&kept, id, *ids);
	kept_free(&kept);
	/* Others may have destroyed one, and its number be another object's. */
	for (size_t i = count; i-- > 0;)
		if (hwpt_paging_exists(context->fd, (*ids)[i]))
			memmove(*ids + i, *ids + i + 1,
				(--count - i) * sizeof(**ids));
	return count;
}

/*
 * Object ID is no more, and its number may come to stand for another one: what
 * the context's holder has written down of a page table is not to be taken for
 * that one's.
 */
void busy_forget(struct busy *busy, const struct context *context, uint32_t id)
{
	const char *name = busy_name(busy, context);
	struct problem ignored;
	struct kept_list kept;

	kept_read(name, &kept);
	if (kept_find(&kept, KEPT_HWPT, id))
		keeper_drop(name, id, &ignored);
	kept_free(&kept);
}

static void name_device(FILE *out, const struct kept_list *kept, uint32_t id)
{
	const struct kept_record *device = kept_find(kept, KEPT_DEVICE, id);

	fprintf(out, "device %" PRIu32 " (%s)", id,
		device ? device->address : "?");
}

/* "device 3, hwpt-nested 5": whatever is of a type that could use another. */
static size_t name_candidates(FILE *out, const struct scan *scan,
			      uint32_t id, const char *const *types)
{
	size_t count = 0;

	for (size_t i = 0; i < scan->count; i++) {
		uint32_t other = scan->objects[i].id;
		const char *type = scan_type(scan, other);

		if (other == id || (strcmp(type, types[0]) &&
				    (!types[1] || strcmp(type, types[1]))))
			continue;
		if (count++ < NAMED)
			fprintf(out, "%s%s %" PRIu32, count > 1 ? ", " : "",
				type, other);
	}
	if (count > NAMED)
		fprintf(out, " and %zu more", count - NAMED);
	return count;
}

/* Prints nothing where there is nothing that it could be. */
static void explain_unknown(FILE *out, const struct scan *scan, uint32_t id,
			    const char *type)
{
	static const char *const of_ioas[] = { "hwpt-paging", NULL };
	static const char *const of_hwpt[] = { "device", "hwpt-nested" };
	const char *const *types = strcmp(type, "ioas") ? of_hwpt : of_ioas;
	char *names = NULL;
	size_t size, count;
	FILE *list = open_memstream(&names, &size);

	if (!list)
		abort();
	count = name_candidates(list, scan, id, types);
	if (fclose(list))
		abort();
	if (count)
		fprintf(out, "in use, and this kernel's iommufd does not tell "
			"by what: by %s or a driver; end that use of this %s "
			"first", names, type);
	free(names);
}

/* The command that ends a device's use, as it is to be typed. */
static void put_command(FILE *out, const char *context, const char *command,
			uint64_t id)
{
	fputs("'iommufdctl ", out);
	if (context)
		fprintf(out, "-c %s ", context);
	fprintf(out, "device %s %" PRIu64 "'", command, id);
}

static void explain_device(FILE *out, const char *context,
			   const struct kept_list *kept, uint32_t id)
{
	const struct kept_record *device = kept_find(kept, KEPT_DEVICE, id);

	if (!device) {
		fputs("a device is bound for as long as a process has it open: "
		      "end that first", out);
		return;
	}
	fprintf(out, "device %s is bound: ", device->address);
	put_command(out, context, "unbind", id);
	fputs(" lets go of it", out);
}

/*
 * Prints what ends the use of object ID by a device that the context's holder
 * keeps, if there is one: of the device itself, or of what it is attached to.
 */
bool busy_device_step(struct busy *busy, const struct context *context,
		      uint32_t id, FILE *out)
{
	const char *name = busy_name(busy, context);
	const struct kept_record *device = NULL;
	struct kept_list kept;

	kept_read(name, &kept);
	for (size_t i = 0; !device && i < kept.count; i++) {
		const struct kept_record *r = &kept.records[i];

		if (r->kind == KEPT_DEVICE &&
		    (r->id == id || r->pt == id || r->ioas == id))
			device = r;
	}
	if (device) {
		fputs(": ", out);
		put_command(out, name, device->id == id ? "unbind" : "detach",
			    device->id);
		fputs(device->id == id ? " lets go of it" : " first", out);
	}
	kept_free(&kept);
	return device;
}

static void explain_tables(FILE *out, const char *context,
			   const struct kept_list *kept, const uint64_t *ids,
			   size_t count)
{
	uint64_t *devices = room_for(kept);
	uint64_t attached = 0;

	fputs("in use by ", out);
	for (size_t i = 0; i < count; i++) {
		size_t n = devices_of(kept, ids[i], devices);

		fprintf(out, "%shwpt-paging %" PRIu64, i ? ", " : "", ids[i]);
		for (size_t k = 0; k < n; k++) {
			fputs(k ? ", " : ", to which is attached ", out);
			name_device(out, kept, devices[k]);
			if (!attached)
				attached = devices[k];
		}
	}
	if (attached) {
		fputs(": ", out);
		put_command(out, context, "detach", attached);
		fputs(" first", out);
	} else {
		fputs(": destroy that first, or add --recursive", out);
	}
	free(devices);
}

static void explain_attached(FILE *out, const char *context,
			     const struct kept_list *kept, const uint64_t *ids,
			     size_t count)
{
	fputs("in use by ", out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		name_device(out, kept, ids[i]);
	}
	fputs(", which is attached to it: ", out);
	put_command(out, context, "detach", ids[0]);
	fputs(" first", out);
}

/* Fills P's text, and who refers to ID where that is known. */
void busy_guess(struct busy *busy, const struct context *context, uint32_t id,
		struct problem *p)
{
	const char *name = busy_name(busy, context);
	struct kept_list kept;
	struct scan scan;
	const char *type = NULL;
	size_t tables, count, size;
	char *text = NULL;
	FILE *out;

	if (!scan_context(&scan, context->fd))
		type = scan_type(&scan, id);
	kept_read(name, &kept);
	busy->ids = room_for(&kept);
	p->holders_known = true;
	p->holders = busy->holders;
	p->holder_count = busy->holder_count;
	if (!type)
		goto done;
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	tables = tables_of(&kept, id, busy->ids);
	count = tables ? tables : devices_of(&kept, id, busy->ids);
	if (!strcmp(type, "device"))
		explain_device(out, name, &kept, id);
	else if (tables)
		explain_tables(out, name, &kept, busy->ids, count);
	else if (count)
		explain_attached(out, name, &kept, busy->ids, count);
	else
		explain_unknown(out, &scan, id, type);
	if (count)
		p->referred_by = (struct id_list){ true, count, busy->ids };
	if (fclose(out))
		abort();
	/* without anything to add, what it says already */
	if (*text)
		snprintf(p->text, sizeof(p->text), "%s", text);
	free(text);
done:
	kept_free(&kept);
	scan_free(&scan);
}
