// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "cli.h"
#include "options.h"
#include "ranges.h"

struct set {
	const char *id_word;
	char **words;
	int count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct set *set = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (set->id_word)
		set->words[set->count++] = arg;
	else
		set->id_word = arg;
	return 0;
}

const struct argp set_argp = {
	.parser = parse,
	.args_doc = "ID KEY=VALUE...",
	.doc = "Change IOAS ID: all that is said, or nothing.\v"
	       "  huge-pages=on|off       whether page tables may use large "
	       "pages\n"
	       "  allow=RANGE[,RANGE...]  ranges set aside for mappings, in "
	       "place of those before\n"
	       "  allow=none              none is\n\n"
	       "A RANGE is START-LAST or START+LENGTH. Numbers are decimal, "
	       "or hexadecimal with 0x; START and LENGTH may end in K, M, G "
	       "or T.",
	.children = common_children,
};

static void set_huge_pages(struct change *change, const char *word,
			   const char *value)
{
	if (change->huge_pages != TRUTH_UNKNOWN)
		usage_error("huge-pages is said twice");
	if (!strcmp(value, "on"))
		change->huge_pages = TRUTH_YES;
	else if (!strcmp(value, "off"))
		change->huge_pages = TRUTH_NO;
	else
		usage_error("'%s' is neither huge-pages=on nor huge-pages=off",
			    word);
}

static void set_allow(struct change *change, const char *word,
		      const char *value)
{
	if (change->allow.known)
		usage_error("allow is said twice: a list has commas between "
			    "its ranges");
	if (!strcmp(value, "none"))
		change->allow.known = true;
	else
		ranges_argument(word, value - word, &change->allow);
}

static const struct {
	const char *key;
	void (*set)(struct change *change, const char *word,
		    const char *value);
} keys[] = {
	{ "huge-pages=", set_huge_pages },
	{ "allow=", set_allow },
};

static void read_word(struct change *change, const char *word)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(word, keys[i].key, len))
			continue;
		keys[i].set(change, word, word + len);
		return;
	}
	usage_error("'%s' is nothing to set: there is huge-pages=on|off, "
		    "allow=RANGE[,RANGE...] and allow=none", word);
}

int cmd_set(const struct command *self, int argc, char **argv)
{
	struct change change = { .huge_pages = TRUTH_UNKNOWN };
	struct set set = {};
	struct context_spec spec;
	struct context context;
	struct problem problem;
	int status = STATUS_DONE;
	uint32_t id;

	set.words = calloc(argc, sizeof(*set.words));
	if (!set.words)
		abort();
	parse_options(self, &set_argp, argc, argv, &set);
	id = id_argument(set.id_word);
	if (!set.count)
		usage_error("what is to be set? Say KEY=VALUE");
	for (int i = 0; i < set.count; i++)
		read_word(&change, set.words[i]);
	context_option(&spec);
	if (context_open(&spec, &context, &problem)) {
		status = problem_report(&problem);
	} else {
		if (change_ioas(&context, id, &change, &problem))
			status = problem_report(&problem);
		close(context.fd);
	}
	change_free(&change);
	free(set.words);
	return status;
}
