// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "contexts.h"
#include "launch.h"
#include "options.h"
#include "ranges.h"
#include "rlimit_mode.h"
#include "vfio_cdev.h"

struct device {
	char address[PCI_ADDRESS_SIZE];
	int to;
};

struct run {
	bool fresh;
	const char *fd_word;
	const char *mode_word;
	const char *memlock_word;
	const char *user;
	const char *device_words[PASSED_MAX];
	size_t device_count;
	char **program;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;

	switch (key) {
	case OPTION_NEW:
		run->fresh = true;
		break;
	case OPTION_FD:
		run->fd_word = arg;
		break;
	case OPTION_RLIMIT_MODE:
		run->mode_word = arg;
		break;
	case OPTION_MEMLOCK:
		run->memlock_word = arg;
		break;
	case OPTION_USER:
		run->user = arg;
		break;
	case OPTION_VFIO:
		/* one place is the context's */
		if (run->device_count == PASSED_MAX - 1)
			usage_error("more than %d devices", PASSED_MAX - 1);
		run->device_words[run->device_count++] = arg;
		break;
	case ARGP_KEY_ARG:
		run->program = state->argv + state->next - 1;
		state->next = state->argc;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option run_options[] = {
	{ "new", OPTION_NEW, NULL, 0,
	  "with a fresh context (so it is without -c)", 0 },
	{ "fd", OPTION_FD, "N", 0,
	  "the descriptor that the program has it at (3)", 0 },
	{ "rlimit-mode", OPTION_RLIMIT_MODE, RLIMIT_MODES, 0,
	  "whom a fresh context's pinned memory is charged to", 0 },
	{ "vfio", OPTION_VFIO, "BDF=FD", 0,
	  "with this PCI device's VFIO character device, too; can be repeated",
	  0 },
	{ "memlock", OPTION_MEMLOCK, "SIZE", 0,
	  "the program's limit on locked memory: bytes, 512M, 8G, or "
	  "'unlimited'", 0 },
	{ "user", OPTION_USER, "NAME", 0,
	  "run it as this user, with the user's groups", 0 },
	{}
};

const struct argp run_argp = {
	.options = run_options,
	.parser = parse,
	.args_doc = "[--] CMD [ARGS]",
	.doc = "Run CMD with a context at a descriptor of its own, and nothing "
	       "else open.\vIn ARGS {iommufd} stands for the "
	       "descriptor's number; IOMMUFD_FD has it too, and LISTEN_FDS, "
	       "LISTEN_FDNAMES and LISTEN_PID tell of it as sd_listen_fds(3) "
	       "has it. Ends with CMD's status.",
	.children = common_children,
};

/* Ends the program where two would have one number. */
static void check_numbers(int fd, const struct device *devices, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool taken = devices[i].to == fd;

		for (size_t k = 0; k < i; k++)
			taken |= devices[k].to == devices[i].to;
		if (taken)
			usage_error("descriptor %d cannot be two things",
				    devices[i].to);
	}
}

static void take_device(const char *word, struct device *device)
{
	const char *equals = strrchr(word, '=');

	if (!equals || !parse_pci_address(word, equals - word, device->address))
		usage_error("'%s' is no device and descriptor: as in "
			    "'--vfio 0000:01:00.0=4'", word);
	device->to = parse_target(equals + 1);
}

static uint64_t take_limit(const char *word)
{
	return strcmp(word, "unlimited") ? length_argument("--memlock", word) :
					   UINT64_MAX;
}

/* All descriptors, before any limit or privilege changes. */
static int open_all(bool fresh, const struct context_spec *spec,
		    enum rlimit_mode mode, const struct device *devices,
		    size_t count, struct launch *what, struct problem *p)
{
	struct context context;

	if (fresh ? context_new(&context, p) : context_open(spec, &context, p))
		return -1;
	/* the first call on it */
	if (rlimit_mode_set(context.fd, mode, p))
		return -1;
	what->passed[what->count].from = context.fd;
	what->passed[what->count++].name = "iommufd";
	for (size_t i = 0; i < count; i++) {
		int fd = vfio_cdev_open(devices[i].address, p);

		if (fd < 0)
			return -1;
		what->passed[what->count++] = (struct passed){
			.from = fd,
			.to = devices[i].to,
			.name = "vfio",
		};
	}
	return 0;
}

int cmd_run(const struct command *self, int argc, char **argv)
{
	struct run run = {};
	struct device devices[PASSED_MAX];
	struct launch what = { .passed[0].to = LISTEN_FIRST };
	enum rlimit_mode mode = RLIMIT_MODE_UNSET;
	struct context_spec spec;
	struct problem problem;
	uint64_t memlock;

	parse_options(self, &run_argp, argc, argv, &run);
	if (!run.program)
		usage_error("which program?");
	what.program = run.program;
	what.user = run.user;
	if (run.fd_word)
		what.passed[0].to = parse_target(run.fd_word);
	for (size_t i = 0; i < run.device_count; i++)
		take_device(run.device_words[i], &devices[i]);
	check_numbers(what.passed[0].to, devices, run.device_count);
	if (run.memlock_word) {
		memlock = take_limit(run.memlock_word);
		what.memlock = &memlock;
	}
	if (run.mode_word)
		mode = rlimit_mode_option(run.mode_word);
	if (run.fresh && option_context_given())
		usage_error("--new and -c say two things: choose one");
	if (!context_option(&spec))
		run.fresh = true;
	if (run.mode_word && !run.fresh)
		usage_error("--rlimit-mode is for a fresh context: add --new, "
			    "or leave it out");
	if (open_all(run.fresh, &spec, mode, devices, run.device_count, &what,
		     &problem))
		return problem_report(&problem);
	return launch(&what);
}
