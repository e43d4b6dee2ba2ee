/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source finds out, a sink shows. A source fills the plain structs below,
 * prints nothing and keeps no more than one object at a time; a sink asks the
 * kernel nothing. Whatever a source cannot know is UNKNOWN, a NULL string, or
 * a list that is not known.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "parse.h"
#include "parse_range.h"

struct problem;

struct id_list {
	bool known;
	size_t count;
	const uint64_t *ids;
};

struct range_list {
	bool known;
	size_t count;
	const struct range *ranges;
};

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

/* A process that has the context open, and where. */
struct holder {
	pid_t pid;
	int fd;
	char comm[64];
};

/*
 * struct context_info - one context
 * @id: as the kernel numbers it
 * @name: that 'hold' gave it
 * @uid: of who opened it, and is charged for it
 * @rlimit_mode: "user" or "process"
 * @pinned_bytes: against the limit
 * @limit_bytes: what the opener may pin; UNKNOWN also where there is no limit
 * @holders: every process that has it open, but this one
 * @objects_known: false where the context may not be looked into
 */
struct context_info {
	uint64_t id;
	const char *name;
	uint64_t uid;
	const char *rlimit_mode;
	uint64_t pinned_bytes;
	uint64_t limit_bytes;
	size_t holder_count;
	const struct holder *holders;
	bool objects_known;
};

/*
 * struct object_info - one object
 *
 * @areas and @mapped_bytes are an IOAS's, @pinned_bytes also an access's, and
 * @owner is that alone: the driver that has it. From @ranges on it is what only
 * 'show' asks for, of an IOAS. What a type does not have is as if unknown.
 */
struct object_info {
	uint64_t id;
	const char *type;
	uint64_t users;
	struct id_list refers_to;
	struct id_list referred_by;
	uint64_t areas;
	uint64_t mapped_bytes;
	uint64_t pinned_bytes;
	const char *owner;

	struct range_list ranges;
	struct range_list allowed;
	struct range_list reserved;
	struct range_list mappings;
	uint64_t alignment;
	enum truth huge_pages;
};

/*
 * struct sink - called in this order: begin, for each context (context, its
 *               objects, context_end), end. A return other than 0 ends the
 *               source's work: the output is broken, and the sink's owner
 *               knows why.
 * @begin: from here on something is written, so what can fail has not failed
 * @note: a remark for the user that is no part of the result
 */
struct sink {
	int (*begin)(struct sink *sink, const char *source);
	int (*context)(struct sink *sink, const struct context_info *info);
	int (*object)(struct sink *sink, const struct object_info *info);
	int (*context_end)(struct sink *sink);
	int (*end)(struct sink *sink);
	void (*note)(struct sink *sink, const char *text);
};

/*
 * struct query - what is wanted of a list
 * @only: this context, NULL: all that can be seen
 * @type: objects of this type, NULL: of any
 */
struct query {
	const struct context_spec *only;
	const char *type;
};

/* A source cannot tell anything here; nothing was given to the sink. */
#define SOURCE_ABSENT 2

/*
 * struct source - a way to find out
 * @list: contexts and their objects
 * @show: one context with one object, in full
 *
 * Both return 0, -1 with the problem filled, 1 where the sink gave up, or
 * SOURCE_ABSENT.
 */
struct source {
	const char *name;
	int (*list)(const struct query *query, struct sink *sink,
		    struct problem *p);
	int (*show)(const struct context_spec *spec, uint32_t id,
		    struct sink *sink, struct problem *p);
};

extern const struct source source_netlink, source_probe;

/* The same by the best source that there is. */
int source_list(const struct query *query, struct sink *sink,
		struct problem *p);
int source_show(const struct context_spec *spec, uint32_t id,
		struct sink *sink, struct problem *p);

#endif
