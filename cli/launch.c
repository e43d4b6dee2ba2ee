// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"
#include "parse.h"

/* What a program's arguments name the context's descriptor by. */
#define PLACEHOLDER "{iommufd}"

/* The number of a descriptor from WORD; does not return if it is none. */
int parse_target(const char *word)
{
	uint64_t n;

	if (!parse_number(word, INT_MAX, &n) || n < LISTEN_FIRST)
		usage_error("'%s' is no descriptor for a context: it is a "
			    "number from %d on", word, LISTEN_FIRST);
	return n;
}

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

static const struct passed *passed_at(const struct launch *launch, int to)
{
	for (size_t i = 0; i < launch->count; i++)
		if (launch->passed[i].to == to)
			return &launch->passed[i];
	return NULL;
}

/* "iommufd:vfio", in the order of their numbers, allocated. */
static char *names_in_order(const struct launch *launch)
{
	char *names = NULL;
	size_t size;
	FILE *out = open_memstream(&names, &size);

	if (!out)
		abort();
	for (size_t i = 0; i < launch->count; i++)
		fprintf(out, "%s%s", i ? ":" : "",
			passed_at(launch, LISTEN_FIRST + i)->name);
	if (fclose(out))
		abort();
	return names;
}

/*
 * The protocol of LISTEN_FDS can only tell of descriptors that are all from 3
 * on, without a gap. With other numbers it is left out, as it is where it came
 * from our caller: it would be untrue.
 */
static int set_environment(const struct launch *launch)
{
	char *names;
	int ret;

	if (set_number("IOMMUFD_FD", launch->passed[0].to))
		return -1;
	for (size_t i = 0; i < launch->count; i++)
		if (!passed_at(launch, LISTEN_FIRST + i))
			return unsetenv("LISTEN_FDS") ||
			       unsetenv("LISTEN_PID") ||
			       unsetenv("LISTEN_FDNAMES");
	names = names_in_order(launch);
	ret = set_number("LISTEN_FDS", launch->count) ||
	      set_number("LISTEN_PID", getpid()) ||
	      setenv("LISTEN_FDNAMES", names, 1);
	free(names);
	return ret;
}

/* One that lies where another is to go makes room for it. */
static int make_way(struct launch *launch)
{
	for (size_t i = 0; i < launch->count; i++) {
		struct passed *passed = &launch->passed[i];

		/* what is free at first may be wanted: then the next one */
		while (passed->from != passed->to &&
		       passed_at(launch, passed->from)) {
			int fd = fcntl(passed->from, F_DUPFD_CLOEXEC,
				       LISTEN_FIRST);

			if (fd < 0)
				return -1;
			passed->from = fd;
		}
	}
	return 0;
}

/* Puts each in its place; all else from 3 on closes when the program begins. */
static int place(struct launch *launch, int *failed)
{
	*failed = launch->passed[0].to;
	if (make_way(launch) ||
	    syscall(SYS_close_range, LISTEN_FIRST, UINT_MAX,
		    CLOSE_RANGE_CLOEXEC))
		return -1;
	for (size_t i = 0; i < launch->count; i++) {
		const struct passed *passed = &launch->passed[i];

		*failed = passed->to;
		if (passed->from == passed->to ?
		    fcntl(passed->from, F_SETFD, 0) :
		    dup2(passed->from, passed->to) < 0)
			return -1;
	}
	return 0;
}

/* Limits while we may raise them, then the user, then nothing is ours. */
static int prepare(struct launch *launch, struct problem *p)
{
	int failed;

	if (place(launch, &failed))
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot place a descriptor at %d: %s",
				   failed, errno == EBADF ?
				   "that is beyond 'ulimit -n'" :
				   strerror(errno));
	if (set_environment(launch))
		return problem_errno(p, DOING_ANYTHING, errno, "");
	if (launch->memlock && limit_memlock(*launch->memlock, p))
		return -1;
	return launch->user ? become_user(launch->user, p) : 0;
}

/* Returns only if the program could not be run, with a status; it is told. */
int launch(struct launch *launch)
{
	struct problem problem;
	int status;

	if (prepare(launch, &problem))
		return problem_report(&problem);
	fill_in_all(launch->program, launch->passed[0].to);
	execvp(launch->program[0], launch->program);
	status = errno == ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_EXEC;
	problem_set(&problem, status, errno, "cannot run '%s': %s",
		    launch->program[0], strerror(errno));
	clean_text(problem.text);
	return problem_report(&problem);
}
