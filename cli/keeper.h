/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a holder keeps for its context besides it: descriptors of VFIO devices,
 * which stay bound for as long as one is open, and of fault queues. Its socket
 * is NAME.dev, of SOCK_SEQPACKET, for its own user and root alone, whatever
 * mode the one has at which the context is handed over.
 *
 * A client sends one packet and gets one. Requests, with a line as
 * parse_kept.h has it:
 *
 * keep LINE   from now on, with the descriptor that comes along (not of hwpt)
 * tell LINE   that is how it is now with what is kept under LINE's id
 * copy ID     answered with that one's descriptor
 * drop ID     forget it, and close its descriptor
 *
 * The answer is an errno in decimal, 0 for done. All that is kept is to be read
 * in NAME.kept, so that no one has to ask.
 */
#ifndef CLI_KEEPER_H
#define CLI_KEEPER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "parse_kept.h"

struct hold;
struct problem;

/* That many at once; others wait in the socket's queue. */
#define ASKERS_MAX 16

/* A request's verb and its blank come before the line. */
#define KEEPER_PACKET_SIZE (KEPT_LINE_SIZE + 8)

/* struct kept - a record, and its descriptor, or -1 */
struct kept {
	struct kept_record record;
	int fd;
};

/*
 * struct keeper - the holder's state
 * @listener: -1 of a holder without a name, which keeps nothing
 * @accept_after: where a descriptor could not be had: not before this time
 * @askers: clients whose request has not come yet
 */
struct keeper {
	int listener;
	int64_t accept_after;
	struct asker {
		int fd;
		int64_t deadline;
	} askers[ASKERS_MAX];
	size_t asker_count;
	struct kept *kept;
	size_t count;
};

void keeper_restore(struct hold *hold, int fd, const char *name, size_t len);
int keeper_begin(struct hold *hold, struct problem *p);
size_t keeper_poll(const struct keeper *keeper, struct pollfd *fds,
		   int64_t now);
void keeper_step(struct hold *hold, const struct pollfd *fds, int64_t now);
int64_t keeper_deadline(const struct keeper *keeper);
void keeper_end(struct keeper *keeper);

#endif
