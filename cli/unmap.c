// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "errors_ioas.h"
#include "ioctls.h"
#include "options.h"
#include "ranges.h"
#include "render.h"

struct unmap {
	const char *id_word;
	bool all;
	char **words;
	int count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct unmap *unmap = state->input;

	switch (key) {
	case OPTION_ALL:
		unmap->all = true;
		break;
	case ARGP_KEY_ARG:
		if (unmap->id_word)
			unmap->words[unmap->count++] = arg;
		else
			unmap->id_word = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option unmap_options[] = {
	{ "all", OPTION_ALL, NULL, 0, "all that is mapped, if anything is", 0 },
	{}
};

const struct argp unmap_argp = {
	.options = unmap_options,
	.parser = parse,
	.args_doc = "ID RANGE...\nID --all",
	.doc = "End mappings of IOAS ID. Every RANGE is tried; one that cuts a "
	       "mapping, or has none, fails.\vA RANGE is START-LAST or "
	       "START+LENGTH. Numbers are decimal, or hexadecimal with 0x; "
	       "START and LENGTH may end in K, M, G or T.",
	.children = common_children,
};

static int unmap_one(const struct context *context, uint32_t id,
		     const struct range *range, uint64_t *total)
{
	struct attempt attempt = {
		.what = TRYING_UNMAP,
		.context = context,
		.id = id,
		.iova = range->start,
		.length = range->last - range->start + 1,
	};
	struct problem problem;

	if (!ioas_unmap(context->fd, id, range, &attempt.unmapped)) {
		*total += attempt.unmapped;
		return STATUS_DONE;
	}
	problem_ioas(&problem, &attempt, errno);
	return problem_report(&problem);
}

static void print_unmapped(const struct context *context, uint32_t id,
			   uint64_t total)
{
	json_t *o = json_start();

	json_add(o, "context", json_number(context->info.context));
	json_add(o, "id", json_number(id));
	json_add(o, "type", json_text("ioas"));
	json_add(o, "unmapped_bytes", json_number(total));
	json_print(o, stdout);
}

/* Every range; the status is the first failure's. */
static int unmap_all(const struct context *context, uint32_t id,
		     const struct range *ranges, int count)
{
	int status = STATUS_DONE, failed;
	uint64_t total = 0;

	for (int i = 0; i < count; i++) {
		failed = unmap_one(context, id, &ranges[i], &total);
		if (!status)
			status = failed;
	}
	if (!status && option_json())
		print_unmapped(context, id, total);
	return status;
}

int cmd_unmap(const struct command *self, int argc, char **argv)
{
	struct unmap unmap = {};
	struct range *ranges;
	struct context_spec spec;
	struct context context;
	struct problem problem;
	uint32_t id;
	int status;

	unmap.words = calloc(argc, sizeof(*unmap.words));
	ranges = calloc(argc, sizeof(*ranges));
	if (!unmap.words || !ranges)
		abort();
	parse_options(self, &unmap_argp, argc, argv, &unmap);
	id = id_argument(unmap.id_word);
	if (!unmap.count == !unmap.all)
		usage_error(unmap.all ?
			    "--all and a range say two things: choose one" :
			    "which mappings? Say RANGE or --all");
	for (int i = 0; i < unmap.count; i++)
		ranges[i] = range_argument(unmap.words[i]);
	if (unmap.all)
		ranges[unmap.count++] = (struct range){
			.last = UINT64_MAX,
		};
	context_option(&spec);
	if (context_open(&spec, &context, &problem)) {
		status = problem_report(&problem);
	} else {
		status = unmap_all(&context, id, ranges, unmap.count);
		close(context.fd);
	}
	free(unmap.words);
	free(ranges);
	return status;
}
