// SPDX-License-Identifier: GPL-2.0-or-later
/* For people: a table of objects, and one object as labels and values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "errors.h"
#include "render.h"

#define LABEL_WIDTH 13

bool render_wants(const struct renderer *r, const struct object_info *info)
{
	return !r->type || !strcmp(r->type, info->type);
}

static int nothing(struct sink *sink)
{
	(void)sink;
	return 0;
}

static void say(struct sink *sink, const char *text)
{
	(void)sink;
	note(text);
}

/* What needs no text of its own first. False: nothing was written. */
static bool print_simple(FILE *out, const struct column *column,
			 const void *row)
{
	const void *m = (const char *)row + column->offset;
	const char *word;

	switch (column->type) {
	case COLUMN_COUNT:
	case COLUMN_SIZE:
		if (*(const uint64_t *)m == UNKNOWN)
			fprintf(out, "%*s", column->width, "-");
		else if (column->type == COLUMN_COUNT)
			fprintf(out, "%*ju", column->width,
				(uintmax_t)*(const uint64_t *)m);
		else
			return false;
		return true;
	case COLUMN_WORD:
		word = *(const char *const *)m;
		fprintf(out, "%-*s", column->width, word ? word : "-");
		return true;
	default:
		return false;
	}
}

static bool is_number(const struct column *column)
{
	return column->type == COLUMN_COUNT || column->type == COLUMN_SIZE;
}

/*
 * The cells of ROW, or without one the headers. A column without a width is
 * the line's last, and is asked for by LAST.
 */
static void print_cells(FILE *out, const struct column *column,
			const void *row, bool last)
{
	for (; column->key; column++) {
		char *text;

		if (column->place != PLACE_ALWAYS || last == !!column->width)
			continue;
		if (row && !last && print_simple(out, column, row)) {
			fputs("  ", out);
			continue;
		}
		text = row ? column_text(column, row) : strdup(column->head);
		if (!text)
			abort();
		fprintf(out, "%*s%s",
			is_number(column) ? column->width : -column->width,
			text, last ? "\n" : "  ");
		free(text);
	}
}

static char *context_cells(const struct context_info *info, bool last)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	print_cells(out, context_columns, info, last);
	if (fclose(out))
		abort();
	return text;
}

static int table_begin(struct sink *sink, const char *source)
{
	(void)sink;
	(void)source;
	print_cells(stdout, context_columns, NULL, false);
	print_cells(stdout, object_columns, NULL, false);
	print_cells(stdout, context_columns, NULL, true);
	return ferror(stdout);
}

static int table_context(struct sink *sink, const struct context_info *info)
{
	struct renderer *r = (struct renderer *)sink;

	r->before = context_cells(info, false);
	r->after = context_cells(info, true);
	r->objects_known = info->objects_known;
	r->objects = 0;
	return 0;
}

static int table_row(const struct renderer *r, const struct object_info *info)
{
	fputs(r->before, stdout);
	print_cells(stdout, object_columns, info, false);
	fputs(r->after, stdout);
	return ferror(stdout);
}

static int table_object(struct sink *sink, const struct object_info *info)
{
	struct renderer *r = (struct renderer *)sink;

	r->objects++;
	return render_wants(r, info) ? table_row(r, info) : 0;
}

/* A context that shows no object has a row too, unless some were asked for. */
static int table_context_end(struct sink *sink)
{
	struct renderer *r = (struct renderer *)sink;
	const struct object_info none = {
		.id = UNKNOWN,
		.type = r->objects_known ? "none" : NULL,
		.users = UNKNOWN,
		.areas = UNKNOWN,
		.mapped_bytes = UNKNOWN,
		.pinned_bytes = UNKNOWN,
	};
	int ret = 0;

	if (!r->objects && !r->type)
		ret = table_row(r, &none);
	free(r->before);
	free(r->after);
	r->before = NULL;
	r->after = NULL;
	return ret;
}

void render_table(struct renderer *r)
{
	r->sink = (struct sink){
		.begin = table_begin,
		.context = table_context,
		.object = table_object,
		.context_end = table_context_end,
		.end = nothing,
		.note = say,
	};
}

static void print_label(const char *label, const struct column *column,
			const void *row)
{
	char *text = column_text(column, row), *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		printf("%-*s  %s\n", LABEL_WIDTH, label, line);
		label = "";
	}
	free(text);
}

static int labels_begin(struct sink *sink, const char *source)
{
	(void)sink;
	(void)source;
	return 0;
}

/* Only what the table shows of it: an object's page is about the object. */
static int labels_context(struct sink *sink, const struct context_info *info)
{
	(void)sink;
	for (const struct column *c = context_columns; c->key; c++)
		if (c->place == PLACE_ALWAYS)
			print_label(strcmp(c->key, "id") ? c->key : "context",
				    c, info);
	return ferror(stdout);
}

static int labels_object(struct sink *sink, const struct object_info *info)
{
	(void)sink;
	for (const struct column *c = object_columns; c->key; c++)
		print_label(c->key, c, info);
	return ferror(stdout);
}

void render_labels(struct renderer *r)
{
	r->sink = (struct sink){
		.begin = labels_begin,
		.context = labels_context,
		.object = labels_object,
		.context_end = nothing,
		.end = nothing,
		.note = say,
	};
}
