// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>

#include "cli.h"
#include "handover.h"
#include "launch.h"
#include "options.h"

struct recv {
	const char *path;
	const char *fd_word;
	char **program;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct recv *recv = state->input;

	switch (key) {
	case OPTION_FD:
		recv->fd_word = arg;
		break;
	case ARGP_KEY_ARG:
		if (!recv->path) {
			recv->path = arg;
			break;
		}
		recv->program = state->argv + state->next - 1;
		state->next = state->argc;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option recv_options[] = {
	{ "fd", OPTION_FD, "N", 0,
	  "the descriptor that the program has it at (3)", 0 },
	{}
};

const struct argp recv_argp = {
	.options = recv_options,
	.parser = parse,
	.args_doc = "PATH [--] CMD [ARGS]",
	.doc = "Run CMD with the context that is handed over at the socket "
	       "PATH, as 'hold --socket' does.\vWhat CMD gets is as with "
	       "'run'.",
	.children = common_children,
};

int cmd_recv(const struct command *self, int argc, char **argv)
{
	struct launch what = {
		.passed[0] = { .to = LISTEN_FIRST, .name = "iommufd" },
		.count = 1,
	};
	struct context context;
	struct problem problem;
	struct recv recv = {};

	parse_options(self, &recv_argp, argc, argv, &recv);
	if (!recv.path)
		usage_error("from which socket? Say its path");
	if (!recv.program)
		usage_error("which program?");
	if (option_context_given())
		usage_error("the context comes from the socket: leave out -c");
	if (recv.fd_word)
		what.passed[0].to = parse_target(recv.fd_word);
	what.program = recv.program;
	if (handover_take(recv.path, &context, &problem))
		return problem_report(&problem);
	what.passed[0].from = context.fd;
	return launch(&what);
}
