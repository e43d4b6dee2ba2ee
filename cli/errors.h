/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What went wrong, from where it is noticed to the one line that says it. */
#ifndef CLI_ERRORS_H
#define CLI_ERRORS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"
#include "source.h"

/*
 * struct problem - filled where something fails, printed by the command
 * @status: what the command ends with
 * @err: errno, 0 where no system call failed
 * @context: its id, or UNKNOWN
 * @id: the object's, or UNKNOWN
 * @referred_by: what stands in the way
 * @holders: who has the context open, if @holders_known
 * @text: cause and next step, one line, no full stop
 */
struct problem {
	enum exit_status status;
	int err;
	uint64_t context;
	uint64_t id;
	struct id_list referred_by;
	bool holders_known;
	size_t holder_count;
	const struct holder *holders;
	char text[640];
};

/* What was being done when errno came: the table in errors.c has rows of it. */
enum doing {
	DOING_ANYTHING,
	DOING_OPEN_DEVICE,
	DOING_LOOK,		/* into a process */
	DOING_TAKE,		/* a process's descriptor */
	DOING_CREATE,
	DOING_DESTROY,
	DOING_ASK,		/* about an object, one that may not answer */
	DOING_FIND,		/* an object, of any type */
	DOING_CHANGE,		/* an ioas: see errors_ioas.c for more */
};

int problem_set(struct problem *p, enum exit_status status, int err,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int problem_errno(struct problem *p, enum doing doing, int err,
		  const char *subject);
int problem_object(struct problem *p, enum doing doing, int err,
		   uint64_t context, uint64_t id);
int problem_report(const struct problem *p);
void explain_node(const char *path, char *buf, size_t size);

_Noreturn void usage_error(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
int write_failed(int err);
int close_output(int status);
void note(const char *text);

#endif
