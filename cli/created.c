// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "created.h"
#include "options.h"
#include "render.h"

/*
 * Flushed at once: main's close comes too late to take the object back. Returns
 * 0, or -1 with errno.
 */
int print_created(const struct context *context, const char *type,
		  uint32_t id)
{
	json_t *o;

	if (!option_json()) {
		printf("%" PRIu32 "\n", id);
		return fflush(stdout);
	}
	o = json_start();
	json_add(o, "context", json_number(context->info.context));
	json_add(o, "id", json_number(id));
	json_add(o, "type", json_text(type));
	json_print(o, stdout);
	return fflush(stdout);
}
