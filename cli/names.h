/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of named contexts. A name NAME has these files there:
 *
 * NAME.lock    locked by its holder for as long as it lives, which no kill -9
 *              can forget to end; whatever else there is of a name whose lock
 *              is free is stale
 * NAME.sock    where the holder hands the context over
 * NAME.dev     where it takes devices to keep: keeper.h
 * NAME.kept    what it keeps (parse_kept.h), replaced as a whole; not there
 *              before it keeps anything
 * NAME.status  what the holder says of itself (struct hold_record), replaced
 *              as a whole; made as NAME.tmp
 *
 * Who looks at a lock, a status or this folder takes no lock and asks no
 * holder, so it disturbs none, and none can keep it waiting.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "errors.h"
#include "parse.h"

/* The longest of a name's files is that much longer than the name. */
#define SUFFIX_MAX 8

/*
 * struct name_info - a name, and who holds it
 * @pid: the holder's; 0 where it is out of sight, in another container
 * @clients, @since: as in struct hold_record, or UNKNOWN
 */
struct name_info {
	char name[CONTEXT_NAME_MAX + 1];
	pid_t pid;
	uint64_t clients;
	uint64_t since;
};

/* struct name_list - allocated, sorted by name */
struct name_list {
	struct name_info *names;
	size_t count;
};

char *names_path(struct problem *p);
int names_folder(bool make, struct problem *p);
bool names_place(struct problem *p);
bool name_held(int folder, const char *name, struct name_info *info);
int names_list(struct name_list *list, struct problem *p);
void names_free(struct name_list *list);
const char *name_of(const struct name_list *names,
		    const struct holder *holders, size_t count);

int lock_take(int folder, const char *file, pid_t *owner);
bool lock_in_place(int lock, int folder, const char *file);

#endif
