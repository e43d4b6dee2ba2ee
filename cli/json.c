// SPDX-License-Identifier: GPL-2.0-or-later
/* Our plain types as jansson's. None returns NULL: out of memory aborts. */
#include <stdio.h>
#include <stdlib.h>

#include "render.h"

static json_t *must(json_t *value)
{
	if (!value)
		abort();
	return value;
}

void json_add(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, must(value)))
		abort();
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, must(value)))
		abort();
}

json_t *json_number(uint64_t value)
{
	return must(value == UNKNOWN ? json_null() : json_integer(value));
}

json_t *json_text(const char *text)
{
	return must(text ? json_string(text) : json_null());
}

json_t *json_ids(const struct id_list *list)
{
	json_t *array;

	if (!list->known)
		return must(json_null());
	array = must(json_array());
	for (size_t i = 0; i < list->count; i++)
		append(array, json_number(list->ids[i]));
	return array;
}

/* A JSON number would lose what lies past 2^53. */
json_t *json_address(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%jx", (uintmax_t)address);
	return json_text(text);
}

/* With MAPPINGS also what each of them allows. */
json_t *json_ranges(const struct range_list *list, bool mappings)
{
	json_t *array, *item;

	if (!list->known)
		return must(json_null());
	array = must(json_array());
	for (size_t i = 0; i < list->count; i++) {
		item = must(json_object());
		json_add(item, "start", json_address(list->ranges[i].start));
		json_add(item, "last", json_address(list->ranges[i].last));
		if (mappings) {
			json_add(item, "readable",
				 json_boolean(list->ranges[i].readable));
			json_add(item, "writeable",
				 json_boolean(list->ranges[i].writeable));
		}
		append(array, item);
	}
	return array;
}

json_t *json_truth(enum truth truth)
{
	return must(truth == TRUTH_UNKNOWN ? json_null() :
		    json_boolean(truth == TRUTH_YES));
}

json_t *json_holders(const struct holder *holders, size_t count)
{
	json_t *array = must(json_array()), *item;

	for (size_t i = 0; i < count; i++) {
		const struct holder *holder = &holders[i];

		item = must(json_object());
		json_add(item, "pid", json_number(holder->pid));
		json_add(item, "comm", json_text(holder->comm));
		json_add(item, "fd", json_number(holder->fd));
		append(array, item);
	}
	return array;
}

/* What every object that we write begins with. */
json_t *json_start(void)
{
	json_t *object = must(json_object());

	json_add(object, "schema_version", json_number(SCHEMA_VERSION));
	return object;
}

/* On a line of its own; lets go of OBJECT. Returns 0, or -1 with errno. */
int json_print(json_t *object, FILE *out)
{
	int ret = json_dumpf(object, out, 0);

	json_decref(object);
	return ret || fputc('\n', out) == EOF ? -1 : 0;
}
