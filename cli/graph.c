// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>

#include "cli.h"
#include "errors.h"
#include "options.h"
#include "render.h"

const struct argp graph_argp = {
	.doc = "Print contexts and their objects as a graph in Graphviz's "
	       "language DOT: all that can be seen, or with -c that one.",
	.children = common_children,
};

int cmd_graph(const struct command *self, int argc, char **argv)
{
	struct renderer renderer = {};
	struct context_spec spec;
	struct query query = {};
	struct problem problem;

	parse_options(self, &graph_argp, argc, argv, NULL);
	if (option_json())
		usage_error("a graph is written as DOT: for JSON there is "
			    "'iommufdctl list --json'");
	if (context_option(&spec))
		query.only = &spec;
	render_dot(&renderer);
	if (source_list(&query, &renderer.sink, &problem) < 0)
		return problem_report(&problem);
	/* a sink that gave up: main says why when it closes stdout */
	return STATUS_DONE;
}
