/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Getting hold of a context. */
#ifndef CLI_CONTEXTS_H
#define CLI_CONTEXTS_H

#include "found.h"

/*
 * struct context - one context, held
 * @fd: a descriptor of ours
 * @info: what the driver said of it when it was taken
 */
struct context {
	int fd;
	struct fdinfo info;
};

int found_all(struct found *found, const struct context_spec *spec,
	      struct problem *p);
int found_take(const struct found *found, size_t group,
	       struct context *context, struct problem *p);
int context_open(const struct context_spec *spec, struct context *context,
		 struct problem *p);
int context_new(struct context *context, struct problem *p);
void own_fdinfo(int fd, struct fdinfo *info);

#endif
