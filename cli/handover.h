/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts over a Unix socket. Who gives sends one byte, 0x00, with one
 * descriptor in SCM_RIGHTS; who takes answers with one byte, whatever it is.
 */
#ifndef CLI_HANDOVER_H
#define CLI_HANDOVER_H

#include <sys/un.h>

#include "contexts.h"

/* What either side has to do takes no time; so long it may take, in seconds. */
#define HANDOVER_TIMEOUT 10

int handover_address(const char *path, struct sockaddr_un *address,
		     struct problem *p);
int handover_send(int sock, int fd);
int handover_take(const char *path, struct context *context,
		  struct problem *p);
int named_take(const char *name, struct context *context, struct problem *p);

#endif
