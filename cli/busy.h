/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why an object cannot be destroyed, and getting it out of the way. */
#ifndef CLI_BUSY_H
#define CLI_BUSY_H

#include <stdio.h>

#include "contexts.h"
#include "netlink.h"

/*
 * struct busy - what is needed to find out, opened when it first is
 * @spec: how the context was chosen
 * @nl: NULL before, and where the kernel cannot be asked
 * @found: who holds what
 * @looked: @found is filled
 * @name: of the context, once @named
 * @ids: what a list of referrers is in, if it is not in @object
 * @object: the one that is busy
 * @holders: of its context
 */
struct busy {
	const struct context_spec *spec;
	struct netlink *nl;
	struct found found;
	bool looked;
	bool named;
	char *name;
	uint64_t *ids;
	struct object_reply object;
	struct holder *holders;
	size_t holder_count;
};

void busy_explain(struct busy *busy, const struct context *context,
		  uint32_t id, struct problem *p);
int busy_destroy(struct busy *busy, const struct context *context,
		 uint32_t id, struct problem *p);
const char *busy_name(struct busy *busy, const struct context *context);
void busy_free(struct busy *busy);

/* busy_probe.c: the same where the kernel does not tell */
size_t busy_recorded(struct busy *busy, const struct context *context,
		     uint32_t id, uint64_t **ids);
void busy_forget(struct busy *busy, const struct context *context,
		 uint32_t id);
bool busy_device_step(struct busy *busy, const struct context *context,
		      uint32_t id, FILE *out);
void busy_guess(struct busy *busy, const struct context *context, uint32_t id,
		struct problem *p);

#endif
