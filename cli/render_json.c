// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For programs. Each context and each object is written by jansson; what lies
 * between them is ours, so that no array is ever in memory.
 */
#include <stdio.h>
#include <stdlib.h>

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

	if (!render_wants(r, info))
		return 0;
	fputs(r->objects++ ? ",\n {" : "\n {", stdout);
	embed(members(object_columns, info,
		      r->detail ? PLACE_DETAIL : PLACE_BRIEF));
	fputc('}', stdout);
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
