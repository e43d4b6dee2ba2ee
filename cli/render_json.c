// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For programs. Each context and each object is written by jansson; what lies
 * between them is ours, so that no array is ever in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "errors.h"
#include "render.h"

/* jansson tells no errno; stdout's own state is asked at the end. */
static void embed(json_t *object)
{
	json_dumpf(object, stdout, JSON_EMBED);
	json_decref(object);
}

static json_t *members(const struct column *column, const void *row,
		       enum column_place most)
{
	json_t *object = json_object();

	if (!object)
		abort();
	for (; column->key; column++)
		if (column->place <= most)
			json_add(object, column->key,
				 column_json(column, row));
	return object;
}

/*
 * Objects come by the hundred thousand, and what is most of one, numbers and
 * words of our own, needs no library: such values are put together here.
 */
struct line {
	size_t used;
	char text[4096];
};

static void add(struct line *line, const char *text, size_t len)
{
	if (line->used + len > sizeof(line->text)) {
		fwrite_unlocked(line->text, 1, line->used, stdout);
		line->used = 0;
	}
	memcpy(line->text + line->used, text, len);
	line->used += len;
}

static void add_number(struct line *line, uint64_t value)
{
	char digits[24], *start = digits + sizeof(digits);

	if (value == UNKNOWN) {
		add(line, "null", 4);
		return;
	}
	do {
		*--start = '0' + value % 10;
		value /= 10;
	} while (value);
	add(line, start, digits + sizeof(digits) - start);
}

static void add_ids(struct line *line, const struct id_list *list)
{
	if (!list->known) {
		add(line, "null", 4);
		return;
	}
	add(line, "[", 1);
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			add(line, ", ", 2);
		add_number(line, list->ids[i]);
	}
	add(line, "]", 1);
}

static void add_value(struct line *line, const struct column *column,
		      const void *row)
{
	const void *m = (const char *)row + column->offset;
	json_t *value;
	char *text;

	switch (column->type) {
	case COLUMN_COUNT:
	case COLUMN_SIZE:
		add_number(line, *(const uint64_t *)m);
		return;
	case COLUMN_IDS:
		add_ids(line, m);
		return;
	case COLUMN_WORD:
		text = *(char *const *)m;
		add(line, "\"", 1);
		add(line, text, strlen(text));
		add(line, "\"", 1);
		return;
	default:
		break;
	}
	value = column_json(column, row);
	text = json_dumps(value, JSON_ENCODE_ANY);
	if (!text)
		abort();
	add(line, text, strlen(text));
	free(text);
	json_decref(value);
}

static void add_members(struct line *line, const struct column *column,
			const void *row, enum column_place most)
{
	const char *before = "\"";

	for (; column->key; column++) {
		if (column->place > most)
			continue;
		add(line, before, strlen(before));
		add(line, column->key, strlen(column->key));
		add(line, "\": ", 3);
		add_value(line, column, row);
		before = ", \"";
	}
}

static int json_begin(struct sink *sink, const char *source)
{
	json_t *head = json_start();

	(void)sink;
	json_add(head, "source", json_text(source));
	fputc('{', stdout);
	embed(head);
	fputs(", \"contexts\": [", stdout);
	return ferror(stdout);
}

static int json_context(struct sink *sink, const struct context_info *info)
{
	struct renderer *r = (struct renderer *)sink;

	fputs(r->contexts++ ? ",\n{" : "\n{", stdout);
	embed(members(context_columns, info, PLACE_BRIEF));
	fputs(", \"objects\": ", stdout);
	fputs(info->objects_known ? "[" : "null", stdout);
	r->objects_known = info->objects_known;
	r->objects = 0;
	return ferror(stdout);
}

static int json_object_info(struct sink *sink, const struct object_info *info)
{
	struct renderer *r = (struct renderer *)sink;
	struct line line;

	if (!render_wants(r, info))
		return 0;
	line.used = 0;
	add(&line, ",\n {" + !r->objects, 4 - !r->objects);
	r->objects++;
	add_members(&line, object_columns, info,
		    r->detail ? PLACE_DETAIL : PLACE_BRIEF);
	add(&line, "}", 1);
	fwrite_unlocked(line.text, 1, line.used, stdout);
	return ferror(stdout);
}

static int json_context_end(struct sink *sink)
{
	struct renderer *r = (struct renderer *)sink;

	fputs(r->objects_known ? "]}" : "}", stdout);
	return ferror(stdout);
}

static int json_end(struct sink *sink)
{
	(void)sink;
	fputs("]}\n", stdout);
	return ferror(stdout);
}

static void json_note(struct sink *sink, const char *text)
{
	(void)sink;
	note(text);
}

void render_json(struct renderer *r)
{
	r->sink = (struct sink){
		.begin = json_begin,
		.context = json_context,
		.object = json_object_info,
		.context_end = json_context_end,
		.end = json_end,
		.note = json_note,
	};
}
