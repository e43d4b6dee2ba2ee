// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "holder.h"
#include "notify.h"
#include "options.h"

struct words {
	struct hold *hold;
	const char *mode;
	const char *timeout;
	const char *rlimit_mode;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;

	switch (key) {
	case OPTION_SOCKET:
		words->hold->path = arg;
		break;
	case OPTION_ONCE:
		words->hold->once = true;
		break;
	case OPTION_TIMEOUT:
		words->timeout = arg;
		break;
	case OPTION_MODE:
		words->mode = arg;
		break;
	case OPTION_RLIMIT_MODE:
		words->rlimit_mode = arg;
		break;
	case ARGP_KEY_ARG:
		if (words->hold->name)
			return ARGP_ERR_UNKNOWN;
		words->hold->name = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option hold_options[] = {
	{ "socket", OPTION_SOCKET, "PATH", 0,
	  "hand over at this socket, and give the context no name", 0 },
	{ "once", OPTION_ONCE, NULL, 0,
	  "end when one client has been served", 0 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0,
	  "the time that a client has to answer (10), and with --once also "
	  "until one has been served (any)", 0 },
	{ "mode", OPTION_MODE, "MODE", 0,
	  "the socket's permissions (0600); with any for others than its user, "
	  "whoever can connect may have the context", 0 },
	{ "rlimit-mode", OPTION_RLIMIT_MODE, RLIMIT_MODES, 0,
	  "whom pinned memory is charged to", 0 },
	{}
};

const struct argp hold_argp = {
	.options = hold_options,
	.parser = parse,
	.args_doc = "NAME\n--socket PATH",
	.doc = "Keep a fresh context open under a name, or at a socket, and "
	       "hand it over to whoever asks and may have it. Ends by a signal.",
	.children = common_children,
};

static void check_options(const struct words *words)
{
	struct hold *hold = words->hold;
	unsigned int mode;
	uint64_t n;

	if (!hold->name == !hold->path)
		usage_error(hold->name ? "a name and --socket say two things: "
			    "choose one" : "under which name? Or at which "
			    "--socket?");
	if (hold->name && !parse_name(hold->name))
		usage_error("'%s' is no name: it is a letter, then up to %d "
			    "letters, digits, '.', '_' and '-'", hold->name,
			    CONTEXT_NAME_MAX - 1);
	if (words->timeout) {
		if (!parse_number(words->timeout, 1000000, &n) || !n)
			usage_error("'%s' is no time in seconds",
				    words->timeout);
		hold->timeout = n;
	}
	if (words->mode) {
		if (!parse_mode(words->mode, &mode))
			usage_error("'%s' is no mode: it is as in 0660",
				    words->mode);
		hold->mode = mode;
	}
	if (words->rlimit_mode)
		hold->rlimit_mode = rlimit_mode_option(words->rlimit_mode);
	if (option_context_given())
		usage_error("it holds a fresh context: leave out -c");
}

/* That a manager does not take it is no reason not to hold. */
static void tell_manager(const struct hold *hold)
{
	if ((!hold->kept &&
	     notify_manager("FDSTORE=1\nFDNAME=iommufd\nFDPOLL=0",
			    hold->context.fd)) ||
	    notify_manager("READY=1\nSTATUS=Handing over the context", -1))
		hold_remark(hold, "cannot speak to the service manager: %s",
			    strerror(errno));
}

int cmd_hold(const struct command *self, int argc, char **argv)
{
	struct hold hold = {
		.mode = 0600,
		.rlimit_mode = RLIMIT_MODE_UNSET,
		.service = true,
	};
	struct words words = { .hold = &hold };
	struct problem problem;
	int ret;

	parse_options(self, &hold_argp, argc, argv, &words);
	check_options(&words);
	ret = hold_begin(&hold, &problem);
	if (!ret) {
		tell_manager(&hold);
		ret = hold_serve(&hold, &problem);
		notify_manager("STOPPING=1", -1);
	}
	hold_end(&hold);
	return ret ? problem_report(&problem) : STATUS_DONE;
}
