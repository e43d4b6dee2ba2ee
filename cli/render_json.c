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
 * words of our own, needs no library: such values are put together here, into a
 * buffer that is written when it is full or the context ends.
 */
static struct {
	size_t used;
	char text[16384];
} out;

/* More than a key, and more than a number, so that these need not be measured. */
#define ROOM 64

/*
 * struct key - what comes before a value: a comma, the column's key, a colon
 * @text: copied as a whole, which is quicker than to count
 * @length: what of it counts
 */
struct key {
	char text[ROOM];
	size_t length;
};

static struct key keys[32];

static void make_keys(void)
{
	const struct column *column = object_columns;

	for (size_t i = 0; column[i].key; i++) {
		struct key *key = &keys[i];

		if (i == sizeof(keys) / sizeof(keys[0]))
			abort();
		key->length = snprintf(key->text, ROOM, "%s\"%s\": ",
				       i ? ", " : "", column[i].key);
		if (key->length >= ROOM)
			abort();
	}
}

static void flush(void)
{
	fwrite_unlocked(out.text, 1, out.used, stdout);
	out.used = 0;
}

static void need_room(void)
{
	if (out.used + ROOM > sizeof(out.text))
		flush();
}

static void add(const char *text, size_t len)
{
	if (len > sizeof(out.text) - out.used) {
		flush();
		if (len > sizeof(out.text)) {
			fwrite_unlocked(text, 1, len, stdout);
			return;
		}
	}
	memcpy(out.text + out.used, text, len);
	out.used += len;
}

static void add_null(void)
{
	need_room();
	memcpy(out.text + out.used, "null", 4);
	out.used += 4;
}

static void add_number(uint64_t value)
{
	char digits[24], *start = digits + sizeof(digits);

	if (value == UNKNOWN) {
		add_null();
		return;
	}
	need_room();
	do {
		*--start = '0' + value % 10;
		value /= 10;
	} while (value);
	while (start < digits + sizeof(digits))
		out.text[out.used++] = *start++;
}

static void add_ids(const struct id_list *list)
{
	if (!list->known) {
		add_null();
		return;
	}
	need_room();
	out.text[out.used++] = '[';
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			add(", ", 2);
		add_number(list->ids[i]);
	}
	need_room();
	out.text[out.used++] = ']';
}

/* Of small letters and '-', which nothing has to be done about. */
static void add_word(const char *word)
{
	need_room();
	out.text[out.used++] = '"';
	for (; *word; word++) {
		need_room();
		out.text[out.used++] = *word;
	}
	out.text[out.used++] = '"';
}

/* By jansson, whatever it is. */
static void add_any(const struct column *column, const void *row)
{
	json_t *value = column_json(column, row);
	char *text = json_dumps(value, JSON_ENCODE_ANY);

	if (!text)
		abort();
	add(text, strlen(text));
	free(text);
	json_decref(value);
}

static void add_value(const struct column *column, const void *row)
{
	const void *m = (const char *)row + column->offset;

	switch (column->type) {
	case COLUMN_COUNT:
	case COLUMN_SIZE:
		add_number(*(const uint64_t *)m);
		break;
	case COLUMN_IDS:
		add_ids(m);
		break;
	case COLUMN_WORD:
		add_word(*(const char *const *)m);
		break;
	case COLUMN_TEXT:
		if (!*(const char *const *)m) {
			add_null();
			break;
		}
		/* fallthrough */
	default:
		add_any(column, row);
		break;
	}
}

static void add_object(const struct object_info *info, enum column_place most)
{
	const struct column *column = object_columns;

	for (size_t i = 0; column[i].key; i++) {
		if (column[i].place > most)
			continue;
		need_room();
		memcpy(out.text + out.used, keys[i].text, ROOM);
		out.used += keys[i].length;
		add_value(&column[i], info);
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

	if (!render_wants(r, info))
		return 0;
	add(",\n {" + !r->objects, 4 - !r->objects);
	r->objects++;
	add_object(info, r->detail ? PLACE_DETAIL : PLACE_BRIEF);
	add("}", 1);
	return ferror(stdout);
}

static int json_context_end(struct sink *sink)
{
	struct renderer *r = (struct renderer *)sink;

	flush();
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
	make_keys();
	r->sink = (struct sink){
		.begin = json_begin,
		.context = json_context,
		.object = json_object_info,
		.context_end = json_context_end,
		.end = json_end,
		.note = json_note,
	};
}
