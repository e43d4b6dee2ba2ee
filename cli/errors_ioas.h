/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why an IOAS refused something, found out by asking it more. */
#ifndef CLI_ERRORS_IOAS_H
#define CLI_ERRORS_IOAS_H

#include <stdio.h>

#include "contexts.h"
#include "errors.h"

/* What was tried: the table in errors_ioas.c has rows of it. */
enum trying {
	TRYING_MAP,
	TRYING_UNMAP,
	TRYING_ALLOW,		/* to set ranges aside */
	TRYING_HUGE_PAGES,	/* to switch them */
};

/*
 * struct attempt - what an IOAS refused
 * @what: was tried
 * @context: where
 * @id: the IOAS
 * @fixed: the address was chosen by the user
 * @iova: that address; of TRYING_UNMAP the first one
 * @length: in bytes
 * @foreign: of TRYING_MAP: the memory is a device's own
 * @unmapped: of TRYING_UNMAP: how many bytes were all the same
 * @ranges: of TRYING_ALLOW: what was to be set aside
 */
struct attempt {
	enum trying what;
	const struct context *context;
	uint32_t id;
	bool fixed;
	bool foreign;
	uint64_t iova;
	uint64_t length;
	uint64_t unmapped;
	struct range_list ranges;
};

uint64_t pinned_bytes(void);
void explain_memlock(FILE *out, const struct context *context);
int problem_ioas(struct problem *p, const struct attempt *attempt, int err);

#endif
