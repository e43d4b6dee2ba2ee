// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "busy.h"
#include "cli.h"
#include "errors.h"
#include "ioctls.h"
#include "kept.h"
#include "named.h"
#include "options.h"

/* Ids stay where they stand in argv until all options are known. */
struct ids {
	char **words;
	int count;
	bool recursive;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ids *ids = state->input;

	if (key == OPTION_RECURSIVE) {
		ids->recursive = true;
		return 0;
	}
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	ids->words[ids->count++] = arg;
	return 0;
}

static const struct argp_option destroy_options[] = {
	{ "recursive", OPTION_RECURSIVE, NULL, 0,
	  "destroy what uses an object before the object", 0 },
	{}
};

const struct argp destroy_argp = {
	.options = destroy_options,
	.parser = parse,
	.args_doc = "ID...",
	.doc = "End the life of objects. Every ID is tried; what is in use "
	       "stays.",
	.children = common_children,
};

/*
 * A fault queue lives as long as its descriptor, which the context's holder has
 * where 'create' made it. True if it is gone; else errno is as destroy had it.
 */
static bool release_queue(struct busy *busy, const struct context *context,
			  uint32_t id)
{
	const char *name = busy_name(busy, context);
	struct problem ignored;
	struct kept_list kept;
	int err = EBUSY;

	kept_read(name, &kept);
	if (!kept_find(&kept, KEPT_FAULT, id) || keeper_drop(name, id, &ignored))
		goto out;
	/* A service manager that has it, too, lets go of it in its own time. */
	for (int i = 0; i < 20 && err == EBUSY; i++) {
		if (i)
			usleep(50000);
		err = object_destroy(context->fd, id) ? errno : 0;
	}
out:
	kept_free(&kept);
	errno = err;
	return !err;
}

/* Returns 0, or -1 with the problem filled. */
static int destroy(struct busy *busy, const struct context *context,
		   uint32_t id, bool recursive, struct problem *p)
{
	if (!object_destroy(context->fd, id)) {
		busy_forget(busy, context, id);
		return 0;
	}
	if (errno == EBUSY && release_queue(busy, context, id))
		return 0;
	if (errno == EBUSY && recursive)
		return busy_destroy(busy, context, id, p);
	if (errno == EBUSY)
		busy_explain(busy, context, id, p);
	else
		problem_object(p, DOING_DESTROY, errno, context->info.context,
			       id);
	return -1;
}

int cmd_destroy(const struct command *self, int argc, char **argv)
{
	struct context_spec spec;
	struct context context;
	struct problem problem;
	struct busy busy = { .spec = &spec };
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
		if (!destroy(&busy, &context, id, ids.recursive, &problem))
			continue;
		failed = problem_report(&problem);
		if (!status)
			status = failed;
	}
	busy_free(&busy);
	close(context.fd);
out:
	free(ids.words);
	return status;
}
