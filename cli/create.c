// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "contexts.h"
#include "errors.h"
#include "holder.h"
#include "ioctls.h"
#include "options.h"
#include "render.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **type = state->input;

	if (key != ARGP_KEY_ARG || *type)
		return ARGP_ERR_UNKNOWN;
	*type = arg;
	return 0;
}

const struct argp create_argp = {
	.parser = parse,
	.args_doc = "ioas",
	.doc = "Make an object in the context and print its id. An 'ioas' is "
	       "an I/O address space, empty at first.",
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

int cmd_create(const struct command *self, int argc, char **argv)
{
	struct context_spec spec;
	struct context context;
	struct problem problem;
	const char *type = NULL;
	uint32_t id;
	int status = STATUS_DONE;

	parse_options(self, &create_argp, argc, argv, &type);
	if (!type)
		usage_error("which type of object? There is: ioas");
	if (strcmp(type, "ioas"))
		usage_error("'%s' cannot be created; there is: ioas", type);
	context_option(&spec);
	/* a closed pipe must not end us before we took the object back */
	signal(SIGPIPE, SIG_IGN);
	if (open_or_start(&spec, &context, &problem))
		return problem_report(&problem);
	if (ioas_create(context.fd, &id)) {
		problem_errno(&problem, DOING_CREATE, errno, "ioas");
		problem.context = context.info.context;
		status = problem_report(&problem);
	} else if (print_created(&context, type, id)) {
		status = write_failed(errno);
		/* no one knows its id, so no one could */
		object_destroy(context.fd, id);
	}
	close(context.fd);
	return status;
}
