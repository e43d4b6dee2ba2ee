/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's netlink messages say, as plain structs. Pure functions:
 * whatever the bytes are, they read none that is not in the message.
 */
#ifndef CLI_REPLIES_H
#define CLI_REPLIES_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "source.h"

/* Longest text of the kernel's that is shown. */
#define REASON_MAX 128

/* More than the kernel tells of one object. */
#define REPLY_IDS_MAX 64

/*
 * struct family_reply - where to find a family
 * @id: its number
 * @group: of its group "events", 0 where it has none
 */
struct family_reply {
	uint16_t id;
	uint32_t group;
};

/*
 * struct context_reply - a context
 * @info: without its name and holders
 * @opener: name of the process that opened it
 */
struct context_reply {
	struct context_info info;
	char opener[32];
};

/*
 * struct object_reply - an object
 * @info: its type and lists are those below
 * @context: its context
 * @cut: more objects refer to it than are told
 * @owned: by a driver
 * @owner: which
 */
struct object_reply {
	struct object_info info;
	uint64_t context;
	bool cut;
	bool owned;
	char type[32];
	char owner[64];
	uint64_t refers_to[REPLY_IDS_MAX];
	uint64_t referred_by[REPLY_IDS_MAX];
};

/* struct range_reply - a range, and what it is */
struct range_reply {
	uint32_t kind;
	struct range range;
};

/*
 * struct event_reply - something happened
 * @name: as in JSON
 * @id: of the object, UNKNOWN if it is about a context
 * @type: of the object
 */
struct event_reply {
	const char *name;
	uint64_t context;
	uint64_t id;
	char type[32];
};

bool message_ok(const struct nlmsghdr *nlh, int left);
bool parse_family(const struct nlmsghdr *nlh, const char *group,
		  struct family_reply *reply);
bool parse_context_reply(const struct nlmsghdr *nlh,
			 struct context_reply *reply);
bool parse_object_reply(const struct nlmsghdr *nlh,
			struct object_reply *reply);
bool parse_range_reply(const struct nlmsghdr *nlh, struct range_reply *reply);
bool parse_event(const struct nlmsghdr *nlh, struct event_reply *reply);
int parse_end(const struct nlmsghdr *nlh, char *reason);
bool parse_family_gone(const struct nlmsghdr *nlh, uint16_t id);

#endif
