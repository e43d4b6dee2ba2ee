/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects a context has, found out by ioctls that change nothing.
 *
 * Each asks about one id as if it were of one type, in a way that does nothing
 * even if it is. Answered with ENOENT, it is not of that type; any other answer
 * means that it is. What Linux 6.12 answers is held on to in
 * tests/vm/built/cli-probe.bats.
 */
#ifndef CLI_SCAN_H
#define CLI_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many ways there are to ask. */
#define SCAN_QUESTIONS 4

/*
 * struct scanner - what this driver can be asked
 * @fd: the context
 * @types: an object's type if the question of that number is answered with yes;
 *         NULL where the driver does not know the question; the last one is a
 *         fault queue, which no question is answered for
 */
struct scanner {
	int fd;
	const char *types[SCAN_QUESTIONS + 1];
};

/* struct scanned - one object: its type by its question's number */
struct scanned {
	uint32_t id;
	uint32_t question;
};

/*
 * struct scan - what a context has
 * @objects: by id
 * @ioas: how many of them are IOASes
 * @unsteady: it changed as often as we looked
 */
struct scan {
	struct scanner scanner;
	struct scanned *objects;
	size_t count;
	size_t room;
	uint64_t ioas;
	bool unsteady;
};

void scanner_begin(struct scanner *scanner, int fd);
int scan_context(struct scan *scan, int fd);
int scan_one(struct scan *scan, uint32_t id);
void scan_add_fault(struct scan *scan, uint32_t id);
const char *scan_type(const struct scan *scan, uint32_t id);
void scan_free(struct scan *scan);

struct fdinfo;
uint64_t count_ioas(const struct fdinfo *info);

#endif
