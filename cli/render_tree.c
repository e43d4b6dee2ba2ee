// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For people: each context with what nobody refers to, below that what it
 * refers to, and so on. This takes a whole context at a time.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "columns.h"
#include "errors.h"
#include "render.h"

/* Devices, domains and address spaces are three deep. */
#define DEPTH_MAX 32

/*
 * struct node - one object
 * @id: they lie in the order of ids
 * @first: in the tree's ids: what it refers to
 * @count: how many
 * @referred: something here refers to it
 * @shown: with all that lies below it
 */
struct node {
	uint64_t id;
	uint64_t areas;
	uint64_t mapped_bytes;
	uint64_t pinned_bytes;
	size_t first;
	size_t count;
	bool referred;
	bool shown;
	char type[32];
};

/* struct art - what lines are made of */
struct art {
	const char *branch;
	const char *last;
	const char *line;
};

static const struct art ascii = { "|- ", "`- ", "|  " };
static const struct art boxes = { "├─ ", "└─ ", "│  " };

/* struct tree - one context */
struct tree {
	const struct art *art;
	struct node *nodes;
	size_t count;
	size_t room;
	uint64_t *ids;
	size_t id_count;
	size_t id_room;
	bool last[DEPTH_MAX];	/* of what lies above: is it the last one? */
};

static struct tree *tree_of(struct sink *sink)
{
	return ((struct renderer *)sink)->tree;
}

static const struct art *choose_art(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool utf8 = locale && !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");

	if (locale)
		freelocale(locale);
	return utf8 && isatty(STDOUT_FILENO) ? &boxes : &ascii;
}

static int tree_begin(struct sink *sink, const char *source)
{
	struct renderer *r = (struct renderer *)sink;

	(void)source;
	r->tree = calloc(1, sizeof(*r->tree));
	if (!r->tree)
		abort();
	r->tree->art = choose_art();
	return 0;
}

static int tree_context(struct sink *sink, const struct context_info *info)
{
	const struct column *c = context_columns;
	struct tree *tree = tree_of(sink);
	char *text;

	tree->count = 0;
	tree->id_count = 0;
	fputs("context", stdout);
	if (info->id != UNKNOWN)
		printf(" %" PRIu64, info->id);
	if (info->name)
		printf(" '%s'", info->name);
	while (strcmp(c->key, "holders"))
		c++;
	text = column_text(c, info);
	printf("  held by %s%s\n", text,
	       info->objects_known ? "" : "  (may not be looked into)");
	free(text);
	return ferror(stdout);
}

static void *grown(void *array, size_t *room, size_t count, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = reallocarray(array, *room, size);
	if (!array)
		abort();
	return array;
}

static int tree_object(struct sink *sink, const struct object_info *info)
{
	struct tree *tree = tree_of(sink);
	struct node *node;

	if (!render_wants((struct renderer *)sink, info))
		return 0;
	tree->nodes = grown(tree->nodes, &tree->room, tree->count,
			    sizeof(*node));
	node = &tree->nodes[tree->count++];
	*node = (struct node){
		.id = info->id,
		.areas = info->areas,
		.mapped_bytes = info->mapped_bytes,
		.pinned_bytes = info->pinned_bytes,
		.first = tree->id_count,
		.count = info->refers_to.count,
	};
	snprintf(node->type, sizeof(node->type), "%s", info->type);
	for (size_t i = 0; i < info->refers_to.count; i++) {
		tree->ids = grown(tree->ids, &tree->id_room, tree->id_count,
				  sizeof(*tree->ids));
		tree->ids[tree->id_count++] = info->refers_to.ids[i];
	}
	return 0;
}

static int by_id(const void *key, const void *node)
{
	uint64_t a = *(const uint64_t *)key, b = ((const struct node *)node)->id;

	return a < b ? -1 : a > b;
}

/* NULL of what was left out, or came later. */
static struct node *find(const struct tree *tree, uint64_t id)
{
	return bsearch(&id, tree->nodes, tree->count, sizeof(*tree->nodes),
		       by_id);
}

static void print_bytes(uint64_t bytes, const char *what)
{
	const struct column size = { .type = COLUMN_SIZE };
	char *text = column_text(&size, &bytes);

	printf(", %s %s", text, what);
	free(text);
}

static void print_node(const struct tree *tree, const struct node *node,
		       unsigned int depth)
{
	for (unsigned int i = 0; i < depth; i++)
		fputs(tree->last[i] ? "   " : tree->art->line, stdout);
	printf("%s%s %" PRIu64,
	       tree->last[depth] ? tree->art->last : tree->art->branch,
	       node->type, node->id);
	if (node->areas != UNKNOWN)
		printf("  %" PRIu64 " area%s", node->areas,
		       node->areas == 1 ? "" : "s");
	if (node->areas != UNKNOWN && node->mapped_bytes != UNKNOWN)
		print_bytes(node->mapped_bytes, "mapped");
	if (node->areas != UNKNOWN && node->pinned_bytes != UNKNOWN)
		print_bytes(node->pinned_bytes, "pinned");
}

/* An object that several others refer to is there under each of them. */
static void print_below(struct tree *tree, struct node *node,
			unsigned int depth, bool last)
{
	size_t left = 0;
	struct node *child;

	tree->last[depth] = last;
	print_node(tree, node, depth);
	for (size_t i = 0; i < node->count; i++)
		left += !!find(tree, tree->ids[node->first + i]);
	if (left && (node->shown || depth + 1 == DEPTH_MAX)) {
		puts(node->shown ? "  (its own: above)" : "  (and more below)");
		return;
	}
	node->shown = true;
	putchar('\n');
	for (size_t i = 0; i < node->count; i++) {
		child = find(tree, tree->ids[node->first + i]);
		if (child)
			print_below(tree, child, depth + 1, !--left);
	}
}

static int tree_context_end(struct sink *sink)
{
	struct tree *tree = tree_of(sink);
	struct node *node, *end = tree->nodes + tree->count, *last = NULL;

	for (size_t i = 0; i < tree->id_count; i++) {
		node = find(tree, tree->ids[i]);
		if (node)
			node->referred = true;
	}
	for (node = tree->nodes; node < end; node++)
		if (!node->referred)
			last = node;
	for (node = tree->nodes; node < end; node++)
		if (!node->referred)
			print_below(tree, node, 0, node == last);
	/* what is only reached from itself, or lies too deep */
	for (node = tree->nodes; node < end; node++)
		if (!node->shown)
			print_below(tree, node, 0, true);
	return ferror(stdout);
}

static int tree_end(struct sink *sink)
{
	struct tree *tree = tree_of(sink);

	free(tree->nodes);
	free(tree->ids);
	free(tree);
	return 0;
}

static void tree_note(struct sink *sink, const char *text)
{
	(void)sink;
	note(text);
}

void render_tree(struct renderer *r)
{
	r->sink = (struct sink){
		.begin = tree_begin,
		.context = tree_context,
		.object = tree_object,
		.context_end = tree_context_end,
		.end = tree_end,
		.note = tree_note,
	};
}
