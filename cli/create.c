// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "cli.h"
#include "contexts.h"
#include "errors.h"
#include "holder.h"
#include "ioctls.h"
#include "options.h"
#include "ranges.h"
#include "render.h"

struct create {
	const char *type;
	char **allow;
	int allow_count;
	bool no_huge_pages;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct create *create = state->input;

	switch (key) {
	case OPTION_ALLOW:
		create->allow[create->allow_count++] = arg;
		break;
	case OPTION_NO_HUGE_PAGES:
		create->no_huge_pages = true;
		break;
	case ARGP_KEY_ARG:
		if (create->type)
			return ARGP_ERR_UNKNOWN;
		create->type = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option create_options[] = {
	{ "allow", OPTION_ALLOW, "RANGE", 0,
	  "set this range aside for mappings; may be given again", 0 },
	{ "no-huge-pages", OPTION_NO_HUGE_PAGES, NULL, 0,
	  "page tables may not use large pages", 0 },
	{}
};

const struct argp create_argp = {
	.options = create_options,
	.parser = parse,
	.args_doc = "ioas",
	.doc = "Make an object in the context and print its id. An 'ioas' is "
	       "an I/O address space, empty at first.\v"
	       "A RANGE is START-LAST or START+LENGTH. Numbers are decimal, "
	       "or hexadecimal with 0x; START and LENGTH may end in K, M, G "
	       "or T.",
	.children = common_children,
};

/* Flushed at once: main's close comes too late to take the object back. */
static int print_created(const struct context *context, const char *type,
			 uint32_t id)
{
	json_t *o;

	if (!option_json()) {
		printf("%" PRIu32 "\n", id);
		return fflush(stdout);
	}
	o = json_start();
	json_add(o, "context", json_number(context->info.context));
	json_add(o, "id", json_number(id));
	json_add(o, "type", json_text(type));
	json_print(o, stdout);
	return fflush(stdout);
}

/*
 * The context named 'default' begins with the first object that is made in it.
 * Who starts it at the same time as another finds that one's.
 */
static int open_or_start(const struct context_spec *spec,
			 struct context *context, struct problem *p)
{
	struct hold hold = {
		.name = "default",
		.mode = 0600,
		.rlimit_mode = RLIMIT_MODE_UNSET,
	};

	if (!context_open(spec, context, p))
		return 0;
	if (spec->form != CONTEXT_NAME || strcmp(spec->text, hold.name) ||
	    p->status != STATUS_NOT_FOUND)
		return -1;
	if (hold_start(&hold, p) && p->status != STATUS_IN_USE)
		return -1;
	return context_open(spec, context, p);
}

/* Returns a status. On a failure nothing is left. */
static int create_ioas(const struct context *context,
		       const struct change *change)
{
	struct problem problem;
	uint32_t id;
	int status;

	if (ioas_create(context->fd, &id)) {
		problem_errno(&problem, DOING_CREATE, errno, "ioas");
		problem.context = context->info.context;
		return problem_report(&problem);
	}
	if (change_ioas(context, id, change, &problem)) {
		/* it is not to be seen by anyone, so its id tells nothing */
		problem.id = UNKNOWN;
		status = problem_report(&problem);
	} else if (print_created(context, "ioas", id)) {
		/* no one knows its id, so no one could destroy it */
		status = write_failed(errno);
	} else {
		return STATUS_DONE;
	}
	object_destroy(context->fd, id);
	return status;
}

static void read_change(struct change *change, const struct create *create)
{
	struct range *ranges;

	*change = (struct change){
		.huge_pages = create->no_huge_pages ? TRUTH_NO : TRUTH_UNKNOWN,
	};
	if (!create->allow_count)
		return;
	ranges = calloc(create->allow_count, sizeof(*ranges));
	if (!ranges)
		abort();
	for (int i = 0; i < create->allow_count; i++)
		ranges[i] = range_argument(create->allow[i]);
	change->allow = (struct range_list){ true, create->allow_count,
					     ranges };
}

int cmd_create(const struct command *self, int argc, char **argv)
{
	struct create create = {};
	struct change change;
	struct context_spec spec;
	struct context context;
	struct problem problem;
	int status;

	create.allow = calloc(argc, sizeof(*create.allow));
	if (!create.allow)
		abort();
	parse_options(self, &create_argp, argc, argv, &create);
	if (!create.type)
		usage_error("which type of object? There is: ioas");
	if (strcmp(create.type, "ioas"))
		usage_error("'%s' cannot be created; there is: ioas",
			    create.type);
	read_change(&change, &create);
	context_option(&spec);
	/* a closed pipe must not end us before we took the object back */
	signal(SIGPIPE, SIG_IGN);
	if (open_or_start(&spec, &context, &problem)) {
		status = problem_report(&problem);
	} else {
		status = create_ioas(&context, &change);
		close(context.fd);
	}
	change_free(&change);
	free(create.allow);
	return status;
}
