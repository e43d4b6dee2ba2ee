/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One descriptor a datum: the table, the JSON and --help are all made from
 * these two arrays, so that they cannot tell different things.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

enum column_type {
	COLUMN_COUNT,	/* uint64_t */
	COLUMN_SIZE,	/* uint64_t, bytes */
	COLUMN_TEXT,	/* const char * */
	COLUMN_WORD,	/* the same: never NULL, small letters and '-' only */
	COLUMN_IDS,	/* struct id_list */
	COLUMN_RANGES,	/* struct range_list */
	COLUMN_MAPPINGS, /* the same, with what each allows */
	COLUMN_TRUTH,	/* enum truth */
	COLUMN_HOLDERS,	/* in struct context_info */
};

enum column_place {
	PLACE_ALWAYS,	/* in the table, in 'show', in JSON */
	PLACE_BRIEF,	/* in 'show' and in JSON */
	PLACE_DETAIL,	/* in 'show' and in its JSON */
};

/*
 * struct column - one datum of a context or of an object
 * @key: in JSON, and the label in 'show'
 * @type: of the member
 * @offset: of the member in its struct
 * @place: where it is seen
 * @head: in the table
 * @width: of the table's column; numbers are flush right, the last column is
 *         as long as it likes
 * @help: one line
 */
struct column {
	const char *key;
	enum column_type type;
	size_t offset;
	enum column_place place;
	const char *head;
	int width;
	const char *help;
};

extern const struct column context_columns[];
extern const struct column object_columns[];

/* As the kernel names them; ends with NULL. */
extern const char *const object_types[];

json_t *column_json(const struct column *column, const void *row);
char *columns_help(int key, const char *text, void *input);
char *column_text(const struct column *column, const void *row);
void columns_print(const struct column *columns, const void *row);
json_t *columns_json(const struct column *columns, const void *row);

#endif
