// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hands a context to another program, in our own process: its status, its
 * signals and its pid are then what the caller started. Every step that fails
 * ends before the program begins.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli.h"
#include "contexts.h"
#include "errors.h"
#include "options.h"

/* What a program's arguments name the descriptor by. */
#define PLACEHOLDER "{iommufd}"

/* sd_listen_fds(3) begins to count here. */
#define LISTEN_FIRST 3

struct run {
	bool fresh;
	const char *fd_word;
	int fd;
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
	{}
};

const struct argp run_argp = {
	.options = run_options,
	.parser = parse,
	.args_doc = "[--] CMD [ARGS]",
	.doc = "Run CMD with a context at a descriptor of its own, and nothing "
	       "else open.\vIn ARGS " PLACEHOLDER " stands for the "
	       "descriptor's number; IOMMUFD_FD has it too, and LISTEN_FDS, "
	       "LISTEN_FDNAMES and LISTEN_PID tell of it as sd_listen_fds(3) "
	       "has it. Ends with CMD's status.",
	.children = common_children,
};

/* WORD with every placeholder replaced by NUMBER, allocated. */
static char *fill_in(const char *word, const char *number)
{
	const char *hit;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	while ((hit = strstr(word, PLACEHOLDER))) {
		fwrite(word, 1, hit - word, out);
		fputs(number, out);
		word = hit + strlen(PLACEHOLDER);
	}
	fputs(word, out);
	if (fclose(out))
		abort();
	return text;
}

static void fill_in_all(char **program, int fd)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	for (char **word = program + 1; *word; word++)
		if (strstr(*word, PLACEHOLDER))
			*word = fill_in(*word, number);
}

static int set_number(const char *name, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	return setenv(name, text, 1);
}

/*
 * The protocol of LISTEN_FDS can only tell of descriptors from 3 on. With
 * another number it is left out, as it is where it came from our caller: it
 * would be untrue.
 */
static int set_environment(int fd)
{
	if (fd != LISTEN_FIRST)
		return set_number("IOMMUFD_FD", fd) ||
		       unsetenv("LISTEN_FDS") || unsetenv("LISTEN_PID") ||
		       unsetenv("LISTEN_FDNAMES");
	return set_number("IOMMUFD_FD", fd) || set_number("LISTEN_FDS", 1) ||
	       set_number("LISTEN_PID", getpid()) ||
	       setenv("LISTEN_FDNAMES", "iommufd", 1);
}

/* Puts it at FD; everything else from 3 on closes when the program begins. */
static int place(int from, int fd)
{
	if (syscall(SYS_close_range, 3, UINT_MAX, CLOSE_RANGE_CLOEXEC))
		return -1;
	if (from == fd)
		return fcntl(fd, F_SETFD, 0);
	return dup2(from, fd) < 0 ? -1 : 0;
}

static int start(struct run *run, const struct context *context)
{
	struct problem problem;
	int status;

	if (place(context->fd, run->fd)) {
		problem_set(&problem, STATUS_FAILED, errno,
			    "cannot place the context at descriptor %d: %s",
			    run->fd, errno == EBADF ?
			    "that is beyond 'ulimit -n'" : strerror(errno));
		return problem_report(&problem);
	}
	if (set_environment(run->fd)) {
		problem_errno(&problem, DOING_ANYTHING, errno, "");
		return problem_report(&problem);
	}
	fill_in_all(run->program, run->fd);
	execvp(run->program[0], run->program);
	status = errno == ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_EXEC;
	problem_set(&problem, status, errno, "cannot run '%s': %s",
		    run->program[0], strerror(errno));
	clean_text(problem.text);
	return problem_report(&problem);
}

int cmd_run(const struct command *self, int argc, char **argv)
{
	struct run run = { .fd = LISTEN_FIRST };
	struct context_spec spec;
	struct context context;
	struct problem problem;
	uint64_t n;

	parse_options(self, &run_argp, argc, argv, &run);
	if (!run.program)
		usage_error("which program?");
	if (run.fd_word) {
		if (!parse_number(run.fd_word, INT_MAX, &n) || n < 3)
			usage_error("'%s' is no descriptor for a context: it "
				    "is a number from 3 on", run.fd_word);
		run.fd = n;
	}
	if (run.fresh && option_context_given())
		usage_error("--new and -c say two things: choose one");
	if (!context_option(&spec))
		run.fresh = true;
	if (run.fresh ? context_new(&context, &problem) :
			context_open(&spec, &context, &problem))
		return problem_report(&problem);
	return start(&run, &context);
}
