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
	if (context_open(&spec, &context, &problem))
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
