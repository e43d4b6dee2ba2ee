// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>

#include "cli.h"
#include "errors.h"
#include "options.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **name = state->input;

	if (key != ARGP_KEY_ARG || *name)
		return ARGP_ERR_UNKNOWN;
	*name = arg;
	return 0;
}

const struct argp help_argp = {
	.parser = parse,
	.args_doc = "[COMMAND]",
	.doc = "Tell what there is, or more of one command.",
	.children = common_children,
};

int cmd_help(const struct command *self, int argc, char **argv)
{
	const struct command *command = NULL;
	const char *name = NULL;

	parse_options(self, &help_argp, argc, argv, &name);
	if (name) {
		command = command_find(name);
		if (!command)
			usage_error("there is no command '%s'", name);
	}
	print_help(command);
}
