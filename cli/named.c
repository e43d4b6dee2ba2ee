// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "named.h"
#include "names.h"

/*
 * By whoever of those who have it is the holder of a name. Where the driver
 * tells no id the kernel has to say that it is one open file: what it does not
 * say is not assumed, as devices would go to another's context.
 */
static const char *find(const struct found *found, const struct context *context,
			const struct name_list *names)
{
	const char *name = NULL;

	for (size_t i = 0; !name && i < found->count; i++) {
		const struct opening *o = &found->openings[i];

		if (o->info.context != context->info.context ||
		    (o->info.context == UNKNOWN ?
		     !holder_has(context->fd, &o->holder) :
		     has_gone(context->fd, &o->holder)))
			continue;
		name = name_of(names, &o->holder, 1);
	}
	return name;
}

/*
 * The name under which CONTEXT, which was opened by SPEC, is kept; allocated.
 * NULL where it is kept under none, or by someone whom we may not look into.
 */
char *context_name(const struct context_spec *spec,
		   const struct context *context)
{
	struct problem ignored;
	struct name_list names;
	const char *name = NULL;
	struct found found;

	if (spec->form == CONTEXT_NAME)
		return strdup(spec->text);
	if (names_list(&names, &ignored))
		return NULL;
	if (names.count && !found_look(&found, 0, &ignored)) {
		name = find(&found, context, &names);
		found_free(&found);
	}
	name = name ? strdup(name) : NULL;
	names_free(&names);
	return (char *)name;
}
