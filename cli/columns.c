// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "render.h"
#include "source.h"

#define CONTEXT(member) offsetof(struct context_info, member)
#define OBJECT(member) offsetof(struct object_info, member)

const char *const object_types[] = {
	"ioas", "hwpt-paging", "hwpt-nested", "device", "access", "fault", NULL
};

/* The first is the table's first column, the holders are its last. */
const struct column context_columns[] = {
	{ "id", COLUMN_COUNT, CONTEXT(id), PLACE_ALWAYS, "CONTEXT", 7,
	  "the context, as the kernel numbers it" },
	{ "name", COLUMN_TEXT, CONTEXT(name), PLACE_BRIEF, NULL, 0,
	  "its name, where one was given" },
	{ "uid", COLUMN_COUNT, CONTEXT(uid), PLACE_BRIEF, NULL, 0,
	  "the user who opened it" },
	{ "rlimit_mode", COLUMN_TEXT, CONTEXT(rlimit_mode), PLACE_BRIEF,
	  NULL, 0, "whose limit pinned memory counts against" },
	{ "pinned_bytes", COLUMN_SIZE, CONTEXT(pinned_bytes), PLACE_BRIEF,
	  NULL, 0, "memory pinned by the whole context" },
	{ "limit_bytes", COLUMN_SIZE, CONTEXT(limit_bytes), PLACE_BRIEF,
	  NULL, 0, "how much may be: the memlock limit of who opened it" },
	{ "holders", COLUMN_HOLDERS, 0, PLACE_ALWAYS, "HOLDERS", 0,
	  "processes that have it open: name[pid]:descriptor" },
	{}
};

const struct column object_columns[] = {
	{ "id", COLUMN_COUNT, OBJECT(id), PLACE_ALWAYS, "ID", 6,
	  "the object, as the context numbers it" },
	{ "type", COLUMN_WORD, OBJECT(type), PLACE_ALWAYS, "TYPE", 11,
	  "ioas, hwpt-paging, hwpt-nested, device, access or fault" },
	{ "users", COLUMN_COUNT, OBJECT(users), PLACE_ALWAYS, "USERS", 5,
	  "how many lasting references it has" },
	{ "refers_to", COLUMN_IDS, OBJECT(refers_to), PLACE_ALWAYS,
	  "REFERS-TO", 9, "objects that it uses" },
	{ "referred_by", COLUMN_IDS, OBJECT(referred_by), PLACE_BRIEF,
	  NULL, 0, "objects that use it" },
	{ "areas", COLUMN_COUNT, OBJECT(areas), PLACE_ALWAYS, "AREAS", 5,
	  "how many mappings it holds" },
	{ "mapped_bytes", COLUMN_SIZE, OBJECT(mapped_bytes), PLACE_ALWAYS,
	  "MAPPED", 9, "how much they cover" },
	{ "pinned_bytes", COLUMN_SIZE, OBJECT(pinned_bytes), PLACE_ALWAYS,
	  "PINNED", 9, "how much of it is pinned in memory" },
	{ "owner", COLUMN_TEXT, OBJECT(owner), PLACE_BRIEF, NULL, 0,
	  "the driver that an access belongs to" },
	{ "alignment", COLUMN_SIZE, OBJECT(alignment), PLACE_DETAIL, NULL, 0,
	  "what an address and a length must be a multiple of" },
	{ "huge_pages", COLUMN_TRUTH, OBJECT(huge_pages), PLACE_DETAIL,
	  NULL, 0, "whether large pages may be used" },
	{ "ranges", COLUMN_RANGES, OBJECT(ranges), PLACE_DETAIL, NULL, 0,
	  "where mappings may be placed" },
	{ "allowed", COLUMN_RANGES, OBJECT(allowed), PLACE_DETAIL, NULL, 0,
	  "ranges that were set aside for mappings" },
	{ "reserved", COLUMN_RANGES, OBJECT(reserved), PLACE_DETAIL, NULL, 0,
	  "ranges that no mapping may touch" },
	{ "mappings", COLUMN_MAPPINGS, OBJECT(mappings), PLACE_DETAIL, NULL, 0,
	  "what is mapped" },
	{}
};

static const void *member(const struct column *column, const void *row)
{
	return (const char *)row + column->offset;
}

/* Never NULL: out of memory ends the program. */
json_t *column_json(const struct column *column, const void *row)
{
	const struct context_info *context = row;
	const void *m = member(column, row);

	switch (column->type) {
	case COLUMN_COUNT:
	case COLUMN_SIZE:
		return json_number(*(const uint64_t *)m);
	case COLUMN_TEXT:
	case COLUMN_WORD:
		return json_text(*(const char *const *)m);
	case COLUMN_IDS:
		return json_ids(m);
	case COLUMN_RANGES:
		return json_ranges(m, false);
	case COLUMN_MAPPINGS:
		return json_ranges(m, true);
	case COLUMN_TRUTH:
		return json_truth(*(const enum truth *)m);
	case COLUMN_HOLDERS:
		return json_holders(context->holders, context->holder_count);
	}
	abort();
}

static void print_size(FILE *out, uint64_t bytes)
{
	static const char unit[] = "BKMGTPE";
	int i = 0;
	uint64_t whole = bytes, rest = 0;

	while (whole >= 1024) {
		rest = whole % 1024;
		whole /= 1024;
		i++;
	}
	/* cut, not rounded: a limit must not look reached before it is */
	fprintf(out, "%ju", (uintmax_t)whole);
	if (rest * 10 / 1024)
		fprintf(out, ".%d", (int)(rest * 10 / 1024));
	fprintf(out, i ? " %ciB" : " %c", unit[i]);
}

static void print_ids(FILE *out, const struct id_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%ju", i ? "," : "", (uintmax_t)list->ids[i]);
	if (!list->count)
		fputs(list->known ? "none" : "-", out);
}

static void print_ranges(FILE *out, const struct range_list *list,
			 bool mappings)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct range *r = &list->ranges[i];

		fprintf(out, "%s0x%jx-0x%jx", i ? "\n" : "",
			(uintmax_t)r->start, (uintmax_t)r->last);
		if (mappings)
			fprintf(out, " %c%c", r->readable ? 'r' : '-',
				r->writeable ? 'w' : '-');
	}
	if (!list->count)
		fputs(list->known ? "none" : "-", out);
}

static void print_holders(FILE *out, const struct context_info *info)
{
	for (size_t i = 0; i < info->holder_count; i++)
		fprintf(out, "%s%s[%d]:%d", i ? "," : "",
			info->holders[i].comm, info->holders[i].pid,
			info->holders[i].fd);
	if (!info->holder_count)
		fputs("none", out);
}

static void print(const struct column *column, const void *row, FILE *out)
{
	const void *m = member(column, row);
	const char *text;

	switch (column->type) {
	case COLUMN_COUNT:
	case COLUMN_SIZE:
		if (*(const uint64_t *)m == UNKNOWN)
			fputc('-', out);
		else if (column->type == COLUMN_COUNT)
			fprintf(out, "%ju", (uintmax_t)*(const uint64_t *)m);
		else
			print_size(out, *(const uint64_t *)m);
		break;
	case COLUMN_TEXT:
	case COLUMN_WORD:
		text = *(const char *const *)m;
		fputs(text ? text : "-", out);
		break;
	case COLUMN_IDS:
		print_ids(out, m);
		break;
	case COLUMN_RANGES:
	case COLUMN_MAPPINGS:
		print_ranges(out, m, column->type == COLUMN_MAPPINGS);
		break;
	case COLUMN_TRUTH:
		text = *(const enum truth *)m == TRUTH_YES ? "yes" :
		       *(const enum truth *)m == TRUTH_NO ? "no" : "-";
		fputs(text, out);
		break;
	case COLUMN_HOLDERS:
		print_holders(out, row);
		break;
	}
}

/* For people; several ranges are several lines. The caller frees it. */
char *column_text(const struct column *column, const void *row)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	print(column, row, out);
	if (fclose(out))
		abort();
	return text;
}

/* A line of a table in which every column has a head; ROW NULL: the heads. */
void columns_print(const struct column *columns, const void *row)
{
	for (const struct column *c = columns; c->key; c++) {
		char *text = row ? column_text(c, row) : strdup(c->head);

		if (!text)
			abort();
		printf("%*s%s", c->type == COLUMN_TEXT ? -c->width : c->width,
		       text, c[1].key ? "  " : "\n");
		free(text);
	}
}

json_t *columns_json(const struct column *columns, const void *row)
{
	json_t *object = json_object();

	if (!object)
		abort();
	for (const struct column *c = columns; c->key; c++)
		json_add(object, c->key, column_json(c, row));
	return object;
}

static void describe(FILE *out, const struct column *column, bool last)
{
	for (; column->key; column++)
		if (column->head && last == !column->width)
			fprintf(out, "  %-10s %s\n", column->head,
				column->help);
}

/* argp's help_filter: says after the options what the table's columns are. */
char *columns_help(int key, const char *text, void *input)
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
	describe(out, context_columns, false);
	describe(out, object_columns, false);
	describe(out, context_columns, true);
	fputs("\n'-' is what cannot be known.", out);
	return fclose(out) ? NULL : help;
}
