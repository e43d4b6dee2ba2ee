/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which holder keeps a context. */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include "contexts.h"

char *context_name(const struct context_spec *spec,
		   const struct context *context);

#endif
