/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that keeps a context open and hands it over at a socket.
 *
 * hold_begin() takes the context, then the lock, then makes the socket: most
 * that can fail fails while nothing has been made, who finds the lock free may
 * clear away all else, and who finds the socket gets a context that is all that
 * was asked for.
 */
#ifndef CLI_HOLDER_H
#define CLI_HOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "contexts.h"
#include "keeper.h"
#include "rlimit_mode.h"

/*
 * struct hold - what is to be held, how, and the holder's own state
 * @name: of the context; NULL with a socket elsewhere
 * @path: of the socket; NULL with a name
 * @mode: of the socket; open to others (077) means that whoever can connect
 *        may have the context
 * @once: end with the first client that has been served
 * @timeout: seconds that a client has, and with @once all of them together;
 *           0: a client has HANDOVER_TIMEOUT, and the first one may take its
 *           time
 * @rlimit_mode: of a fresh context
 * @service: in the foreground, perhaps of a service manager; else a process of
 *           its own, which speaks to the system's log
 *
 * The rest is holder.c's.
 */
struct hold {
	const char *name;
	const char *path;
	mode_t mode;
	bool once;
	unsigned int timeout;
	enum rlimit_mode rlimit_mode;
	bool service;

	char *socket_path;
	struct sockaddr_un address;
	char *base;		/* its files' names, without a suffix */
	const char *socket_suffix;
	int folder;
	int lock;
	int listener;
	int signals;
	struct context context;
	struct keeper keeper;
	bool kept;		/* by the service manager, which has it still */
	uint64_t clients;
	uint64_t since;
};

int hold_begin(struct hold *hold, struct problem *p);
void hold_count(struct hold *hold);
void hold_end(struct hold *hold);
void hold_remark(const struct hold *hold, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* holder_files.c */
const char *hold_file(const struct hold *hold, const char *suffix);
int hold_clear_stale(struct hold *hold, struct problem *p);
int hold_listen(struct hold *hold, struct problem *p);
int hold_listen_too(struct hold *hold, const char *suffix, int type,
		    mode_t mode, struct problem *p);
int hold_write(struct hold *hold, const char *suffix, const char *text,
	       size_t len);

/* serve.c: until a signal, or the end of @once. 0, or -1 with the problem. */
int hold_serve(struct hold *hold, struct problem *p);

/* start.c: a holder as a process of its own */
int hold_start(struct hold *hold, struct problem *p);
int hold_stop(const char *name, struct problem *p);

#endif
