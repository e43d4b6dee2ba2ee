/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a context's pinned memory is charged to: --rlimit-mode. */
#ifndef CLI_RLIMIT_MODE_H
#define CLI_RLIMIT_MODE_H

#include "contexts.h"

/* What --rlimit-mode takes, for its help and for completion. */
#define RLIMIT_MODES "user|process"

enum rlimit_mode {
	RLIMIT_MODE_USER,	/* as the kernel's interface numbers them */
	RLIMIT_MODE_PROCESS,
	RLIMIT_MODE_UNSET,	/* left as the driver has it: the user */
};

enum rlimit_mode rlimit_mode_option(const char *word);
int rlimit_mode_set(int fd, enum rlimit_mode mode, struct problem *p);
int rlimit_mode_check(int fd, enum rlimit_mode mode, struct problem *p);

#endif
