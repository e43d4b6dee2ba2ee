/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What 'create' and 'set' can change of an IOAS. */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "contexts.h"
#include "source.h"

/*
 * struct change - what is not known is left as it is
 * @huge_pages: whether page tables may use large pages
 * @allow: ranges that are set aside for mappings, in place of those before
 */
struct change {
	enum truth huge_pages;
	struct range_list allow;
};

int change_ioas(const struct context *context, uint32_t id,
		const struct change *change, struct problem *p);
void change_free(struct change *change);

#endif
