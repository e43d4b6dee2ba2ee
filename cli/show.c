// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>

#include "cli.h"
#include "errors.h"
#include "options.h"
#include "render.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **word = state->input;

	if (key != ARGP_KEY_ARG || *word)
		return ARGP_ERR_UNKNOWN;
	*word = arg;
	return 0;
}

const struct argp show_argp = {
	.parser = parse,
	.args_doc = "ID",
	.doc = "Show one object in full.",
	.children = common_children,
};

int cmd_show(const struct command *self, int argc, char **argv)
{
	struct renderer renderer = { .detail = true };
	struct context_spec spec;
	struct problem problem;
	const char *word = NULL;
	uint64_t id;

	parse_options(self, &show_argp, argc, argv, &word);
	if (!word)
		usage_error("which object? Say its ID");
	if (!parse_number(word, UINT32_MAX, &id))
		usage_error("'%s' is no object's id", word);
	context_option(&spec);
	if (option_json())
		render_json(&renderer);
	else
		render_labels(&renderer);
	if (source_show(&spec, id, &renderer.sink, &problem) < 0)
		return problem_report(&problem);
	/* a sink that gave up: main says why when it closes stdout */
	return STATUS_DONE;
}
