// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "contexts.h"
#include "errors.h"
#include "ioctls.h"
#include "options.h"

/* Ids stay where they stand in argv until all options are known. */
struct ids {
	char **words;
	int count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ids *ids = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	ids->words[ids->count++] = arg;
	return 0;
}

const struct argp destroy_argp = {
	.parser = parse,
	.args_doc = "ID...",
	.doc = "End the life of objects. Every ID is tried; what is in use "
	       "stays.",
	.children = common_children,
};

int cmd_destroy(const struct command *self, int argc, char **argv)
{
	struct context_spec spec;
	struct context context;
	struct problem problem;
	struct ids ids = {};
	int status = STATUS_DONE, failed;
	uint64_t id;

	ids.words = calloc(argc, sizeof(*ids.words));
	if (!ids.words)
		abort();
	parse_options(self, &destroy_argp, argc, argv, &ids);
	if (!ids.count)
		usage_error("which object? Say its ID");
	for (int i = 0; i < ids.count; i++)
		if (!parse_number(ids.words[i], UINT32_MAX, &id))
			usage_error("'%s' is no object's id", ids.words[i]);
	context_option(&spec);
	if (context_open(&spec, &context, &problem)) {
		status = problem_report(&problem);
		goto out;
	}
	for (int i = 0; i < ids.count; i++) {
		parse_number(ids.words[i], UINT32_MAX, &id);
		if (!object_destroy(context.fd, id))
			continue;
		problem_object(&problem, DOING_DESTROY, errno,
			       context.info.context, id);
		failed = problem_report(&problem);
		if (!status)
			status = failed;
	}
	close(context.fd);
out:
	free(ids.words);
	return status;
}
