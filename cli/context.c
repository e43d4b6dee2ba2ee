// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "columns.h"
#include "holder.h"
#include "names.h"
#include "options.h"
#include "render.h"

struct words {
	const char *verb;
	const char *name;
	const char *rlimit_mode;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;

	switch (key) {
	case OPTION_RLIMIT_MODE:
		words->rlimit_mode = arg;
		break;
	case ARGP_KEY_ARG:
		if (words->name)
			return ARGP_ERR_UNKNOWN;
		*(words->verb ? &words->name : &words->verb) = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option context_options[] = {
	{ "rlimit-mode", OPTION_RLIMIT_MODE, RLIMIT_MODES, 0,
	  "whom its pinned memory is charged to", 0 },
	{}
};

/* struct row - a named context, as it is shown */
struct row {
	const char *name;
	uint64_t id;
	uint64_t pid;
	uint64_t objects;
	uint64_t clients;
	const char *since;
};

#define ROW(member) offsetof(struct row, member)

static const struct column columns[] = {
	{ "name", COLUMN_TEXT, ROW(name), PLACE_ALWAYS, "NAME", 16,
	  "what -c takes" },
	{ "id", COLUMN_COUNT, ROW(id), PLACE_ALWAYS, "CONTEXT", 7,
	  "the context, as the kernel numbers it" },
	{ "pid", COLUMN_COUNT, ROW(pid), PLACE_ALWAYS, "PID", 7,
	  "the process that holds it" },
	{ "objects", COLUMN_COUNT, ROW(objects), PLACE_ALWAYS, "OBJECTS", 7,
	  "how many it has" },
	{ "clients", COLUMN_COUNT, ROW(clients), PLACE_ALWAYS, "CLIENTS", 7,
	  "how many it has been handed over to" },
	{ "since", COLUMN_TEXT, ROW(since), PLACE_ALWAYS, "SINCE", 0,
	  "when its holder began" },
	{}
};

static char *help(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return NULL;
	fputs("Columns of the list:\n", out);
	for (const struct column *c = columns; c->key; c++)
		fprintf(out, "  %-10s %s\n", c->head, c->help);
	fputs("\n'-' is what cannot be known.", out);
	return fclose(out) ? NULL : list;
}

const struct argp context_argp = {
	.options = context_options,
	.parser = parse,
	.args_doc = "create NAME\nlist\ndestroy NAME",
	.doc = "Start and end processes that keep a context open under a name, "
	       "and show them.\v ",
	.children = common_children,
	.help_filter = help,
};

/* From outside: its holder is not asked, as it would count that, or hang. */
static void look_into(pid_t pid, struct row *row)
{
	struct problem problem;
	struct found found;

	row->id = UNKNOWN;
	row->objects = UNKNOWN;
	if (!pid || found_look(&found, pid, &problem))
		return;
	if (found.groups == 1) {
		row->id = found.openings[0].info.context;
		row->objects = found.openings[0].info.objects;
	}
	found_free(&found);
}

static void fill(const struct name_info *info, struct row *row, char *since,
		 size_t size)
{
	time_t time = info->since;
	struct tm tm;

	row->name = info->name;
	row->pid = info->pid ? (uint64_t)info->pid : UNKNOWN;
	row->clients = info->clients;
	row->since = NULL;
	if (info->since != UNKNOWN && gmtime_r(&time, &tm) &&
	    strftime(since, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		row->since = since;
	look_into(info->pid, row);
}

static int list_all(struct problem *p)
{
	struct name_list list;
	json_t *o = NULL, *array = NULL;
	char since[32];
	struct row row;

	if (names_list(&list, p))
		return -1;
	if (option_json()) {
		o = json_start();
		array = json_array();
	} else {
		columns_print(columns, NULL);
	}
	for (size_t i = 0; i < list.count; i++) {
		fill(&list.names[i], &row, since, sizeof(since));
		if (!array)
			columns_print(columns, &row);
		else if (json_array_append_new(array,
					       columns_json(columns, &row)))
			abort();
	}
	names_free(&list);
	if (o) {
		json_add(o, "contexts", array);
		json_print(o, stdout);
	}
	return 0;
}

static int create(const struct words *words, struct problem *p)
{
	struct hold hold = {
		.name = words->name,
		.mode = 0600,
		.rlimit_mode = words->rlimit_mode ?
			       rlimit_mode_option(words->rlimit_mode) :
			       RLIMIT_MODE_UNSET,
	};

	return hold_start(&hold, p);
}

static int destroy(const struct words *words, struct problem *p)
{
	return hold_stop(words->name, p);
}

static int list(const struct words *words, struct problem *p)
{
	(void)words;
	return list_all(p);
}

static const struct {
	const char *verb;
	int (*act)(const struct words *words, struct problem *p);
	bool named;
} verbs[] = {
	{ "create", create, true },
	{ "list", list, false },
	{ "destroy", destroy, true },
};

int cmd_context(const struct command *self, int argc, char **argv)
{
	const size_t count = sizeof(verbs) / sizeof(verbs[0]);
	struct words words = {};
	struct problem problem;
	size_t i = 0;

	parse_options(self, &context_argp, argc, argv, &words);
	if (!words.verb)
		usage_error("what about contexts? There is: %s", self->words);
	while (i < count && strcmp(words.verb, verbs[i].verb))
		i++;
	if (i == count)
		usage_error("contexts cannot be told to '%s'; there is: %s",
			    words.verb, self->words);
	if (verbs[i].named && !words.name)
		usage_error("which context? Say its name");
	if (!verbs[i].named && words.name)
		usage_error("'%s' is one argument too many", words.name);
	if (words.name && !parse_name(words.name))
		usage_error("'%s' is no name: it is a letter, then up to %d "
			    "letters, digits, '.', '_' and '-'", words.name,
			    CONTEXT_NAME_MAX - 1);
	if (words.rlimit_mode && verbs[i].act != create)
		usage_error("--rlimit-mode is for 'context create'");
	if (option_context_given())
		usage_error("contexts are named without -c here");
	return verbs[i].act(&words, &problem) ? problem_report(&problem) :
						STATUS_DONE;
}
