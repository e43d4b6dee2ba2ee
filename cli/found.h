/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process holds which context, found in one pass over /proc. */
#ifndef CLI_FOUND_H
#define CLI_FOUND_H

#include <stdbool.h>
#include <stddef.h>

#include "errors.h"
#include "source.h"

/*
 * struct opening - a descriptor of some process that is an iommufd
 * @holder: whose, and where
 * @info: what the driver says of it
 * @group: same number, same context
 */
struct opening {
	struct holder holder;
	struct fdinfo info;
	size_t group;
};

/*
 * struct found - what a look into /proc brought
 * @openings: those of one context side by side, our own process's last
 * @first: @groups + 1 of them: where in @openings each context begins
 * @named: our own descriptor of the context that is looked for by its name
 * @hidden: there are processes that we may not look into
 */
struct found {
	struct opening *openings;
	size_t count;
	size_t room;
	size_t *first;
	size_t groups;
	int named;
	bool hidden;
};

int found_look(struct found *found, pid_t only, struct problem *p);
void found_free(struct found *found);
int found_select(const struct found *found, const struct context_spec *spec,
		 size_t *group, struct problem *p);
bool is_own(const struct opening *opening);
void read_comm(int proc, struct holder *holder);
bool has_gone(int fd, const struct holder *holder);
bool holder_has(int fd, const struct holder *holder);

#endif
