// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * argp parses; what it would say of a mistake is said by us, so that it has
 * the one form that errors have, in JSON too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "errors.h"
#include "options.h"

static struct {
	const struct command *command;	/* NULL before its name is met */
	const struct argp *argp;
	const char *context;
	bool json;
} options;

const char *option_command(void)
{
	return options.command ? options.command->name : NULL;
}

bool option_json(void)
{
	return options.json;
}

/* By an option; the environment is not meant. */
bool option_context_given(void)
{
	return options.context;
}

/*
 * What was chosen, or NULL where nothing was. An empty variable chooses
 * nothing; an empty option is a script's unset one, and a mistake.
 */
const char *option_context(void)
{
	const char *context = options.context;

	if (context)
		return context;
	context = getenv("IOMMUFDCTL_CONTEXT");
	return context && *context ? context : NULL;
}

/*
 * The context that a command is to work on, the one named "default" where none
 * is chosen. Returns whether one was chosen; does not return if it has no form
 * that a context can have.
 */
bool context_option(struct context_spec *spec)
{
	const char *context = option_context();

	if (!parse_context(context ? context : "default", spec))
		usage_error("'%s' is no context: it is fd:N, pid:PID, "
			    "pid:PID:FD, a context's id, or a name", context);
	return context;
}

void each_option(const struct argp *argp,
		 void (*call)(const struct argp_option *option, void *data),
		 void *data)
{
	const struct argp_option *o = argp->options;
	const struct argp_child *child = argp->children;

	for (; o && (o->name || o->key); o++)
		if (!(o->flags & OPTION_HIDDEN))
			call(o, data);
	for (; child && child->argp; child++)
		each_option(child->argp, call, data);
}

/* struct search - which options a word on the command line could mean */
struct search {
	const char *name;	/* of a long option */
	size_t len;
	int letter;		/* of a short one, with no name */
	int hits;
	const struct argp_option *hit;
};

static void search(const struct argp_option *option, void *data)
{
	struct search *s = data;

	if (s->letter ? option->key != s->letter :
	    !option->name || strncmp(option->name, s->name, s->len))
		return;
	if (!s->letter && strlen(option->name) == s->len)
		s->hits = -1000;	/* in full: the others do not count */
	s->hits++;
	s->hit = option;
}

/* Ends the program if WORD is a wrong use of an option, returns if not. */
static void judge_long(const char *word)
{
	const char *equals = strchr(word, '=');
	struct search s = { .name = word + 2 };

	s.len = equals ? (size_t)(equals - s.name) : strlen(s.name);
	each_option(options.argp, search, &s);
	if (!s.hits)
		usage_error("unknown option '%s'", word);
	if (s.hits > 1)
		usage_error("'%s' could be more than one option", word);
	if (equals && !s.hit->arg)
		usage_error("option '--%s' takes no value", s.hit->name);
	if (!equals && s.hit->arg)
		usage_error("option '%s' needs a value", word);
}

static void judge(const char *word)
{
	if (word[0] != '-' || !word[1] || !strcmp(word, "--"))
		return;
	if (word[1] == '-') {
		judge_long(word);
		return;
	}
	while (*++word) {
		struct search s = { .letter = (unsigned char)*word };

		each_option(options.argp, search, &s);
		if (!s.hits)
			usage_error("unknown option '-%c'", *word);
		if (s.hit->arg && word[1])
			return;
		if (s.hit->arg)
			usage_error("option '-%c' needs a value", *word);
	}
}

/*
 * An error's form must not depend on whether --json stands before it: looks
 * for it in words that will not be parsed any more.
 */
void look_ahead(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++) {
		if (argv[i][0] != '-' && options.command &&
		    options.command->in_order)
			return;
		if (!strcmp(argv[i], "--json"))
			options.json = true;
	}
}

/*
 * getopt knows what is wrong and does not tell. It has stepped over the word,
 * unless that is a row of letters whose last is not yet read.
 */
_Noreturn static void bad_option(const struct argp_state *state)
{
	look_ahead(state->argc - state->next, state->argv + state->next);
	judge(state->argv[state->next - 1]);
	if (state->next < state->argc)
		judge(state->argv[state->next]);
	usage_error("wrong option");
}

_Noreturn static void leave(void)
{
	exit(close_output(STATUS_DONE));
}

/* Prints the page of COMMAND, or with NULL the tool's, and ends. */
void print_help(const struct command *command)
{
	char name[64];

	snprintf(name, sizeof(name), "iommufdctl%s%s", command ? " " : "",
		 command ? command->name : "");
	argp_help(command ? command->argp : &top_argp, stdout,
		  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
		  name);
	leave();
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'c':
		options.context = arg;
		break;
	case OPTION_JSON:
		options.json = true;
		break;
	case 'h':
		print_help(options.command);
	case 'V':
		puts("iommufdctl " VERSION);
		leave();
	case ARGP_KEY_ARG:
		/* the command's own parser comes first, and took it not */
		look_ahead(state->argc - state->next, state->argv + state->next);
		usage_error("'%s' is one argument too many", arg);
	case ARGP_KEY_ERROR:
		bad_option(state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option common_options[] = {
	{ "context", 'c', "CONTEXT", 0,
	  "the context: fd:N, pid:PID, pid:PID:FD, its id, or a name; else "
	  "$IOMMUFDCTL_CONTEXT, else the one named 'default'", -2 },
	{ "json", OPTION_JSON, NULL, 0, "write JSON, errors too", -2 },
	{ "help", 'h', NULL, 0, "print this text", -1 },
	{ "version", 'V', NULL, 0, "print the version", -1 },
	{}
};

const struct argp common_argp = {
	.options = common_options,
	.parser = parse_common,
};

const struct argp_child common_children[] = {
	{ &common_argp, 0, "Options of every command:", -1 },
	{}
};

/*
 * Parses ARGV for COMMAND (NULL: for the tool, up to the command's name). A
 * mistake ends the program, and so do --help and --version.
 */
void parse_options(const struct command *command, const struct argp *argp,
		   int argc, char **argv, void *input)
{
	unsigned int flags = ARGP_NO_ERRS | ARGP_NO_HELP;

	options.command = command;
	options.argp = argp;
	if (!command || command->in_order)
		flags |= ARGP_IN_ORDER;
	if (argp_parse(argp, argc, argv, flags, NULL, input))
		usage_error("wrong usage");
}
