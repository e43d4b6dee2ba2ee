/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another program takes our place: its status, its signals and its pid are then
 * what the caller started. Every step that fails ends before it begins.
 */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "errors.h"

/* sd_listen_fds(3) begins to count here. */
#define LISTEN_FIRST 3

#define PASSED_MAX 64

/*
 * struct passed - a descriptor that the program is to have
 * @from: ours
 * @to: its number there
 * @name: in LISTEN_FDNAMES
 */
struct passed {
	int from;
	int to;
	const char *name;
};

/*
 * struct launch - a program, and what it is to have
 * @program: its argv
 * @passed: its descriptors from 3 on; the first of them is the context
 * @memlock: the limit on locked memory, -1 of it: none; NULL: as ours
 * @user: whose it is to be; NULL: ours
 */
struct launch {
	char **program;
	struct passed passed[PASSED_MAX];
	size_t count;
	const uint64_t *memlock;
	const char *user;
};

int parse_target(const char *word);
int launch(struct launch *launch);

/* privilege.c; each 0, or -1 with the problem filled */
int limit_memlock(uint64_t bytes, struct problem *p);
int become_user(const char *name, struct problem *p);

#endif
