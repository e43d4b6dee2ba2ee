// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For Graphviz: a box around each context, and an arrow from an object to each
 * that it uses. DOT does not mind an arrow to what is named only later, so each
 * object is written as it comes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns.h"
#include "errors.h"
#include "render.h"

static int dot_begin(struct sink *sink, const char *source)
{
	(void)sink;
	(void)source;
	puts("digraph iommufd {\n"
	     "\trankdir = LR;\n"
	     "\tnode [shape = box, fontname = \"sans-serif\"];\n"
	     "\tfontname = \"sans-serif\";");
	return ferror(stdout);
}

/* Inside quotes. A process chooses its name. */
static void quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static int dot_context(struct sink *sink, const struct context_info *info)
{
	struct renderer *r = (struct renderer *)sink;

	printf("\tsubgraph cluster_%zu {\n\t\tlabel = \"context", ++r->contexts);
	if (info->id != UNKNOWN)
		printf(" %" PRIu64, info->id);
	if (info->name) {
		fputs(" ", stdout);
		quoted(info->name);
	}
	for (size_t i = 0; i < info->holder_count; i++) {
		fputs("\\n", stdout);
		quoted(info->holders[i].comm);
		printf("[%d]:%d", info->holders[i].pid, info->holders[i].fd);
	}
	puts("\";");
	/* a box with nothing in it would not be drawn */
	printf("\t\tc%zu [label = \"\", style = invis];\n", r->contexts);
	return ferror(stdout);
}

static void dot_detail(const char *what, uint64_t bytes)
{
	const struct column size = { .type = COLUMN_SIZE };
	char *text;

	if (bytes == UNKNOWN)
		return;
	text = column_text(&size, &bytes);
	printf("\\n%s %s", text, what);
	free(text);
}

static int dot_object(struct sink *sink, const struct object_info *info)
{
	const struct renderer *r = (struct renderer *)sink;

	printf("\t\tc%zu_%" PRIu64 " [label = \"%s %" PRIu64, r->contexts,
	       info->id, info->type, info->id);
	dot_detail("mapped", info->mapped_bytes);
	dot_detail("pinned", info->pinned_bytes);
	puts("\"];");
	for (size_t i = 0; i < info->refers_to.count; i++)
		printf("\t\tc%zu_%" PRIu64 " -> c%zu_%" PRIu64 ";\n",
		       r->contexts, info->id, r->contexts,
		       info->refers_to.ids[i]);
	return ferror(stdout);
}

static int dot_close(struct sink *sink)
{
	(void)sink;
	puts("\t}");
	return ferror(stdout);
}

static int dot_end(struct sink *sink)
{
	(void)sink;
	puts("}");
	return ferror(stdout);
}

static void dot_note(struct sink *sink, const char *text)
{
	(void)sink;
	note(text);
}

void render_dot(struct renderer *r)
{
	r->sink = (struct sink){
		.begin = dot_begin,
		.context = dot_context,
		.object = dot_object,
		.context_end = dot_close,
		.end = dot_end,
		.note = dot_note,
	};
}
