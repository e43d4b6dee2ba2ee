/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From plain structs to a table or to JSON on stdout, an object at a time. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "source.h"

/* Raised only by a change that takes something away from a reader. */
#define SCHEMA_VERSION 1

/*
 * struct renderer - a sink that writes to stdout
 * @sink: what the source calls
 * @detail: one object in full ('show')
 * @type: only objects of this type, NULL: all
 *
 * The rest is the renderer's own.
 */
struct renderer {
	struct sink sink;
	bool detail;
	const char *type;

	struct tree *tree;	/* render_tree.c */
	char *before;		/* the context's cells, around an object's */
	char *after;
	bool objects_known;
	size_t contexts;
	size_t objects;		/* of this context */
};

void render_table(struct renderer *r);
void render_labels(struct renderer *r);
void render_tree(struct renderer *r);
void render_dot(struct renderer *r);
void render_json(struct renderer *r);
bool render_wants(const struct renderer *r, const struct object_info *info);

json_t *json_number(uint64_t value);
json_t *json_text(const char *text);
json_t *json_address(uint64_t address);
json_t *json_ids(const struct id_list *list);
json_t *json_ranges(const struct range_list *list, bool mappings);
json_t *json_truth(enum truth truth);
json_t *json_holders(const struct holder *holders, size_t count);
void json_add(json_t *object, const char *key, json_t *value);
json_t *json_start(void);
int json_print(json_t *object, FILE *out);

#endif
