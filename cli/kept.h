/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the holder of a named context keeps: read, and asked for. */
#ifndef CLI_KEPT_H
#define CLI_KEPT_H

#include "contexts.h"
#include "parse_kept.h"

/* struct kept_list - in the order of their coming; empty where there is none */
struct kept_list {
	struct kept_record *records;
	size_t count;
};

void kept_read(const char *name, struct kept_list *list);
void kept_free(struct kept_list *list);
const struct kept_record *kept_find(const struct kept_list *list,
				    enum kept_kind kind, uint32_t id);
uint32_t kept_ioas_of(const struct kept_list *list, uint32_t hwpt);

int keeper_ask(const char *name, const char *verb,
	       const struct kept_record *record, int fd, struct problem *p);
int keeper_copy(const char *name, uint32_t id, int *fd, struct problem *p);
int keeper_drop(const char *name, uint32_t id, struct problem *p);

#endif
