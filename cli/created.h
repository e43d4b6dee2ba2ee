/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An object that was made is told of by its id. */
#ifndef CLI_CREATED_H
#define CLI_CREATED_H

#include "contexts.h"

int print_created(const struct context *context, const char *type,
		  uint32_t id);

#endif
