// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "busy.h"
#include "errors.h"
#include "ioctls.h"
#include "named.h"

/* So many are named in a line for people; JSON has all of them. */
#define NAMED 4

void busy_free(struct busy *busy)
{
	netlink_close(busy->nl);
	if (busy->looked)
		found_free(&busy->found);
	free(busy->ids);
	free(busy->holders);
	free(busy->name);
	*busy = (struct busy){ .spec = busy->spec };
}

/* The name under which CONTEXT is kept, or NULL; looked up once. */
const char *busy_name(struct busy *busy, const struct context *context)
{
	if (!busy->named)
		busy->name = context_name(busy->spec, context);
	busy->named = true;
	return busy->name;
}

/* What the kernel knows of the object now. Returns 0 or -errno. */
static int ask(struct busy *busy, uint64_t context, uint32_t id)
{
	struct problem ignored;

	if (context == UNKNOWN)
		return -EOPNOTSUPP;
	if (!busy->nl && netlink_open(&busy->nl, &ignored))
		return -EOPNOTSUPP;
	return netlink_object(busy->nl, context, id, &busy->object);
}

/* By its id, or where there is none by asking whether it is one open file. */
static bool is_of(const struct opening *o, const struct context *context)
{
	return o->info.context == context->info.context &&
	       (o->info.context != UNKNOWN ||
		!has_gone(context->fd, &o->holder));
}

/* Every process that has CONTEXT open, but this one. */
static void find_holders(struct busy *busy, const struct context *context)
{
	const struct found *found = &busy->found;
	struct problem ignored;

	if (!busy->looked)
		busy->looked = !found_look(&busy->found, 0, &ignored);
	free(busy->holders);
	busy->holders = calloc(found->count + 1, sizeof(*busy->holders));
	busy->holder_count = 0;
	if (!busy->holders)
		abort();
	for (size_t i = 0; busy->looked && i < found->count; i++)
		if (!is_own(&found->openings[i]) &&
		    is_of(&found->openings[i], context))
			busy->holders[busy->holder_count++] =
				found->openings[i].holder;
}

/* "test 2, access 3"; true if one of them is a driver's. */
static bool name_referrers(struct busy *busy, FILE *out)
{
	const struct id_list *list = &busy->object.info.referred_by;
	struct object_reply *referrer = malloc(sizeof(*referrer));
	bool owned = false;

	if (!referrer)
		abort();
	for (size_t i = 0; i < list->count && i < NAMED; i++) {
		/* gone meanwhile: it stood in the way all the same */
		if (netlink_object(busy->nl, busy->object.context,
				   list->ids[i], referrer))
			strcpy(referrer->type, "object");
		else if (referrer->owned)
			owned = true;
		fprintf(out, "%s%s %" PRIu64, i ? ", " : "", referrer->type,
			list->ids[i]);
	}
	if (list->count > NAMED)
		fprintf(out, " and %zu more", list->count - NAMED);
	free(referrer);
	return owned;
}

static void name_holders(const struct busy *busy, FILE *out)
{
	const struct holder *holders = busy->holders;

	for (size_t i = 0; i < busy->holder_count && i < NAMED; i++)
		fprintf(out, "%s%s[%d]", i ? ", " : "", holders[i].comm,
			holders[i].pid);
	if (busy->holder_count > NAMED)
		fprintf(out, " and %zu more", busy->holder_count - NAMED);
	if (!busy->holder_count)
		fputs("no other process", out);
}

/* The line for people: who refers to it, whose it is, and what to do. */
static void write_text(struct busy *busy, const struct context *context,
		       struct problem *p)
{
	bool driver = busy->object.owned;
	FILE *out = fmemopen(p->text, sizeof(p->text), "w");

	if (!out)
		abort();
	if (busy->object.info.referred_by.count) {
		fputs("in use by ", out);
		driver = name_referrers(busy, out);
	} else if (driver) {
		fputs("it belongs to a driver", out);
	} else {
		fputs("in use by a driver", out);
		driver = true;
	}
	fputs(", in a context held by ", out);
	name_holders(busy, out);
	if (!busy_device_step(busy, context, busy->object.info.id, out))
		fputs(driver ? ": the driver has to let go of it first" :
		      ": destroy what uses it first, or add --recursive", out);
	fclose(out);
	p->text[sizeof(p->text) - 1] = '\0';
}

/*
 * Fills P, of an object whose destruction was EBUSY, with who stands in the
 * way; where the kernel cannot be asked, as far as that is known. What P points
 * to is BUSY's until the next call.
 */
void busy_explain(struct busy *busy, const struct context *context,
		  uint32_t id, struct problem *p)
{
	problem_object(p, DOING_DESTROY, EBUSY, context->info.context, id);
	free(busy->ids);
	busy->ids = NULL;
	if (ask(busy, context->info.context, id)) {
		find_holders(busy, context);
		busy_guess(busy, context, id, p);
		return;
	}
	if (busy->object.cut &&
	    netlink_complete(busy->nl, &busy->object, &busy->ids))
		return;
	find_holders(busy, context);
	p->referred_by = busy->object.info.referred_by;
	p->holders_known = true;
	p->holders = busy->holders;
	p->holder_count = busy->holder_count;
	write_text(busy, context, p);
}

/* What uses an object cannot be found, or cannot be destroyed. */
static int cannot_ask(struct busy *busy, const struct context *context,
		      uint32_t id, int err, struct problem *p)
{
	if (busy->nl && err == EPERM)
		return problem_set(p, STATUS_NOT_PERMITTED, err,
			"in use, and the kernel does not tell by what: %s",
			busy->nl->reason);
	busy_explain(busy, context, id, p);
	return -1;
}

/* struct path - objects to destroy: each uses one below it */
struct path {
	uint32_t *ids;
	size_t count;
	size_t room;
};

static void push(struct path *path, uint32_t id)
{
	if (path->count == path->room) {
		path->room = path->room ? path->room * 2 : 64;
		path->ids = reallocarray(path->ids, path->room,
					 sizeof(*path->ids));
		if (!path->ids)
			abort();
	}
	path->ids[path->count++] = id;
}

/* The kernel does not tell, but page tables of ID were written down. */
static bool push_recorded(struct busy *busy,
			  const struct context *context, struct path *path,
			  uint32_t id)
{
	uint64_t *ids;
	size_t count = busy_recorded(busy, context, id, &ids);

	/* each is below what it uses, so one that is there comes round again */
	for (size_t i = 0; i < path->count; i++)
		if (count && path->ids[i] == ids[0])
			count = 0;
	for (size_t i = 0; i < count; i++)
		push(path, ids[i]);
	free(ids);
	return count;
}

/*
 * The last object of PATH is EBUSY: adds what uses it. Returns 0, or -1 with
 * the problem filled.
 */
static int push_referrers(struct busy *busy, const struct context *context,
			  struct path *path, struct problem *p)
{
	uint32_t id = path->ids[path->count - 1];
	const struct object_info *info = &busy->object.info;
	struct fdinfo now;
	int ret = ask(busy, context->info.context, id);

	if (ret == -ENOENT)
		return 0;
	if (ret && push_recorded(busy, context, path, id))
		return 0;
	if (ret)
		return cannot_ask(busy, context, id, -ret, p);
	/* nothing any more, that is, as there was something when we tried */
	if (info->users == 1)
		return 0;
	own_fdinfo(context->fd, &now);
	if (!info->referred_by.count ||
	    (now.objects != UNKNOWN && path->count > now.objects + NAMED)) {
		busy_explain(busy, context, id, p);
		return -1;
	}
	/* those that are told will do: the others are when we come back */
	for (size_t i = 0; i < info->referred_by.count; i++)
		push(path, info->referred_by.ids[i]);
	return 0;
}

/*
 * Destroys an object after all that uses it, which goes even if the object
 * then cannot. Returns 0, or -1 with the problem filled.
 */
int busy_destroy(struct busy *busy, const struct context *context,
		 uint32_t id, struct problem *p)
{
	struct path path = {};
	int ret = 0;

	push(&path, id);
	while (!ret && path.count) {
		uint32_t last = path.ids[path.count - 1];

		if (!object_destroy(context->fd, last)) {
			busy_forget(busy, context, last);
			path.count--;
		} else if (errno == ENOENT && path.count > 1) {
			path.count--;
		} else if (errno == EBUSY) {
			ret = push_referrers(busy, context, &path, p);
		} else {
			ret = problem_object(p, DOING_DESTROY, errno,
					     context->info.context, last);
		}
	}
	free(path.ids);
	return ret;
}
