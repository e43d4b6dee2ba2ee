// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <string.h>

#include "cli.h"
#include "columns.h"
#include "errors.h"
#include "options.h"
#include "render.h"

struct wish {
	const char *type;
	bool tree;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct wish *wish = state->input;

	switch (key) {
	case OPTION_TYPE:
		wish->type = arg;
		return 0;
	case OPTION_TREE:
		wish->tree = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option list_options[] = {
	{ "type", OPTION_TYPE, "TYPE", 0,
	  "only objects of this type: ioas, hwpt-paging, hwpt-nested, device, "
	  "access or fault", 0 },
	{ "tree", OPTION_TREE, NULL, 0,
	  "as a tree: below each object what it uses", 0 },
	{}
};

const struct argp list_argp = {
	.options = list_options,
	.parser = parse,
	.doc = "Show contexts, their objects and who holds them: all that can "
	       "be seen, or with -c that one.\v",
	.children = common_children,
	.help_filter = columns_help,
};

static void check_type(const char *type)
{
	for (const char *const *t = object_types; *t; t++)
		if (!strcmp(*t, type))
			return;
	usage_error("there is no type '%s'", type);
}

int cmd_list(const struct command *self, int argc, char **argv)
{
	struct renderer renderer = {};
	struct context_spec spec;
	struct query query = {};
	struct wish wish = {};
	struct problem problem;
	int ret;

	parse_options(self, &list_argp, argc, argv, &wish);
	if (wish.type)
		check_type(wish.type);
	query.type = wish.type;
	renderer.type = wish.type;
	if (context_option(&spec))
		query.only = &spec;
	if (option_json())
		render_json(&renderer);
	else if (wish.tree)
		render_tree(&renderer);
	else
		render_table(&renderer);
	ret = source_list(&query, &renderer.sink, &problem);
	if (ret < 0)
		return problem_report(&problem);
	/* a sink that gave up: main says why when it closes stdout */
	return STATUS_DONE;
}
