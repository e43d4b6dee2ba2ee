// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts and objects as they are seen from outside. The walkers here are the
 * only code that looks into contexts of others; debugfs, fdinfo and netlink
 * format what they yield.
 *
 * A walk of any length is a row of batches. Each starts from an id, so a walk
 * resumes wherever it stopped, whatever came and went in between: what lived
 * all the time is seen exactly once. Locks are held for one batch at a time,
 * and no count of anything is raised, so looking never makes a destroy fail.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/string.h>

#include "iommufd_private.h"

static const char *const type_names[] = {
	[IOMMUFD_OBJ_IOAS] = "ioas",
	[IOMMUFD_OBJ_ACCESS] = "access",
	[IOMMUFD_OBJ_TEST] = "test",
};

/**
 * iommufd_object_type_name - the name of a type, as users know it
 * @type: below IOMMUFD_OBJ_TYPES
 *
 * Return: a constant string.
 */
const char *iommufd_object_type_name(enum iommufd_object_type type)
{
	static_assert(ARRAY_SIZE(type_names) == IOMMUFD_OBJ_TYPES);

	return type_names[type];
}

static void describe_ctx(const struct iommufd_ctx *ictx,
			 struct iommufd_ctx_info *info)
{
	info->id = ictx->id;
	info->opener = pid_vnr(ictx->opener);
	strscpy(info->comm, ictx->opener_comm, sizeof(info->comm));
	info->uid = ictx->opener_uid;
	info->nr_objects = READ_ONCE(ictx->nr_objects);
}

static void describe_object(const struct iommufd_object *obj,
			    struct iommufd_object_info *info)
{
	memset(info, 0, sizeof(*info));
	info->id = obj->id;
	info->type = obj->ops->type;
	info->users = refcount_read(&obj->users);
	if (obj->ops->describe)
		obj->ops->describe(obj, info);
}

/**
 * iommufd_show_contexts - one batch of a walk over all contexts
 * @first: lowest id wanted
 * @infos: array that is filled in the order of ids
 * @nr: its length; bounds how long the lock is held
 *
 * Takes iommufd_contexts_lock.
 *
 * Return: number filled in; less than @nr at the end of the walk.
 */
unsigned int iommufd_show_contexts(u64 first, struct iommufd_ctx_info *infos,
				   unsigned int nr)
{
	struct iommufd_ctx *ictx;
	unsigned int n;

	mutex_lock(&iommufd_contexts_lock);
	ictx = iommufd_ctx_next(first);
	for (n = 0; ictx && n < nr; n++) {
		struct rb_node *next = rb_next(&ictx->node);

		describe_ctx(ictx, &infos[n]);
		ictx = next ? rb_entry(next, struct iommufd_ctx, node) : NULL;
	}
	mutex_unlock(&iommufd_contexts_lock);
	return n;
}

/**
 * iommufd_show_objects - one batch of a walk over the objects of a context
 * @ctx: id of the context
 * @next: in: lowest object id wanted; out: where the next batch starts, or
 *        IOMMUFD_SHOW_END
 * @infos: array that is filled in the order of ids
 * @nr: its length; bounds how long the locks are held
 *
 * Takes iommufd_contexts_lock and the context's xa_lock.
 *
 * Return: number filled in, which may be 0 before the end too: an id that is
 * reserved costs a place and yields nothing. -ENOENT if there is no such
 * context (any more).
 */
int iommufd_show_objects(u64 ctx, u32 *next, struct iommufd_object_info *infos,
			 unsigned int nr)
{
	struct iommufd_object *obj;
	struct iommufd_ctx *ictx;
	unsigned int seen = 0;
	int n = -ENOENT;

	mutex_lock(&iommufd_contexts_lock);
	ictx = iommufd_ctx_next(ctx);
	if (ictx && ictx->id == ctx) {
		XA_STATE(xas, &ictx->objects, *next);

		n = 0;
		*next = IOMMUFD_SHOW_END;
		xa_lock(&ictx->objects);
		xas_for_each(&xas, obj, IOMMUFD_SHOW_END - 1) {
			if (seen++ == nr) {
				*next = xas.xa_index;
				break;
			}
			/* Unlike xa_load(), this also meets reserved ids. */
			if (!xa_is_zero(obj))
				describe_object(obj, &infos[n++]);
		}
		xa_unlock(&ictx->objects);
	}
	mutex_unlock(&iommufd_contexts_lock);
	return n;
}
