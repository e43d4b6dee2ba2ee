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
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "iommufd_private.h"

/* How long a walker waits for an address space that is being changed. */
#define LOCK_PATIENCE (5 * HZ)

/* They go on with every change that a walk over contexts, or over the objects
 * of all contexts, could meet.
 */
static atomic_t ctxs_generation = ATOMIC_INIT(1);
static atomic_t objects_generation = ATOMIC_INIT(0);

static const char *const type_names[] = {
	[IOMMUFD_OBJ_IOAS] = "ioas",
	[IOMMUFD_OBJ_HWPT] = "hwpt-paging",
	[IOMMUFD_OBJ_DEVICE] = "device",
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

/**
 * iommufd_show_changed - what a walker would see is no longer the same
 * @ictx: the context in which something changed, with its xa_lock held; or
 *        NULL, if a context came or went
 */
void iommufd_show_changed(struct iommufd_ctx *ictx)
{
	if (ictx) {
		lockdep_assert_held(&ictx->objects.xa_lock);
		/* One user is left, and no walker. */
		if (ictx->closing)
			return;
		ictx->generation++;
		atomic_inc(&objects_generation);
	} else {
		atomic_inc(&ctxs_generation);
	}
}

/**
 * iommufd_show_generation - which state of the whole this is
 * @objects: with the objects of all contexts, not only the contexts
 *
 * Return: another number than before if something changed in between, but for
 * the one that comes round after 2^32 changes.
 */
u32 iommufd_show_generation(bool objects)
{
	u32 generation = atomic_read(&ctxs_generation);

	return objects ? generation + atomic_read(&objects_generation) :
			 generation;
}

/* What the opener may pin, if it is still there to be charged. */
static u64 memlock_limit(const struct iommufd_ctx *ictx)
{
	unsigned long limit = RLIM_INFINITY;
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(ictx->opener, PIDTYPE_TGID);
	if (task)
		limit = task_rlimit(task, RLIMIT_MEMLOCK);
	rcu_read_unlock();
	return limit == RLIM_INFINITY ? U64_MAX : limit;
}

static void describe_ctx(const struct iommufd_ctx *ictx,
			 struct iommufd_ctx_info *info)
{
	info->id = ictx->id;
	info->opener = pid_vnr(ictx->opener);
	strscpy(info->comm, ictx->opener_comm, sizeof(info->comm));
	info->uid = ictx->opener_uid;
	info->nr_objects = READ_ONCE(ictx->nr_objects);
	info->rlimit_process = READ_ONCE(ictx->rlimit_process);
	info->pinned = (u64)atomic_long_read(&ictx->pinned_pages) << PAGE_SHIFT;
	info->limit = memlock_limit(ictx);
}

/* Under the context's xa_lock, where both ends of a link are whole. */
static void describe_refs(const struct iommufd_object *obj,
			  struct iommufd_object_info *info)
{
	const struct iommufd_ref *ref;

	list_for_each_entry(ref, &obj->refs, from_node) {
		if (WARN_ON_ONCE(info->nr_refers_to == IOMMUFD_MAX_REFS))
			break;
		info->refers_to[info->nr_refers_to++] = ref->to->id;
	}
	list_for_each_entry(ref, &obj->referrers, to_node) {
		if (info->nr_referrers == IOMMUFD_SHOW_REFERRERS) {
			info->more_referrers = true;
			break;
		}
		info->referrers[info->nr_referrers++] = ref->from->id;
	}
}

/*
 * Members that the counts or the type say are not used stay as they were: a lock
 * is held, and most of them are not.
 */
static void describe_object(const struct iommufd_object *obj,
			    struct iommufd_object_info *info)
{
	info->id = obj->id;
	info->type = obj->ops->type;
	info->users = refcount_read(&obj->users);
	info->owned = obj->owned;
	info->nr_refers_to = 0;
	info->nr_referrers = 0;
	info->more_referrers = false;
	describe_refs(obj, info);
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
 * @generation: out, unless NULL: of the context; another one means that an
 *              object came or went or changed what it refers to
 *
 * Takes iommufd_contexts_lock and the context's xa_lock.
 *
 * Return: number filled in, which may be 0 before the end too: an id that is
 * reserved costs a place and yields nothing. -ENOENT if there is no such
 * context (any more).
 */
int iommufd_show_objects(u64 ctx, u32 *next, struct iommufd_object_info *infos,
			 unsigned int nr, u32 *generation)
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
		if (generation)
			*generation = ictx->generation;
		xas_for_each(&xas, obj, IOMMUFD_SHOW_END - 1) {
			if (seen++ == nr) {
				*next = xas.xa_index;
				break;
			}
			if (iommufd_object_of(obj))
				describe_object(obj, &infos[n++]);
		}
		xa_unlock(&ictx->objects);
	}
	mutex_unlock(&iommufd_contexts_lock);
	return n;
}

/* The next allowed range that ends at @from or later. */
static bool next_allowed(const struct iommufd_ioas *ioas, unsigned long from,
			 struct iommufd_range_info *info)
{
	/* The kernel's interval tree does not know const. */
	struct rb_root_cached *allowed = (struct rb_root_cached *)&ioas->allowed;
	const struct interval_tree_node *node =
		interval_tree_iter_first(allowed, from, ULONG_MAX);

	if (!node)
		return false;
	info->start = node->start;
	info->last = node->last;
	return true;
}

/* What lies between two usable ranges, whoever it is reserved by. */
static bool next_reserved(const struct iommufd_ioas *ioas, unsigned long from,
			  struct iommufd_range_info *info)
{
	unsigned long start, last;

	if (!iommufd_next_usable(ioas, from, ULONG_MAX, &start, &last)) {
		info->start = from;
		info->last = ULONG_MAX;
		return true;
	}
	if (start == from) {
		if (last == ULONG_MAX)
			return false;
		from = last + 1;
		if (!iommufd_next_usable(ioas, from, ULONG_MAX, &start, &last))
			start = 0;
	}
	info->start = from;
	/* Up to the end of the space, if that wraps. */
	info->last = start - 1;
	return true;
}

static bool next_mapped(const struct iommufd_ioas *ioas, unsigned long from,
			struct iommufd_range_info *info)
{
	const struct iommufd_area *area = iommufd_area_first(ioas, from,
							     ULONG_MAX);

	if (!area)
		return false;
	info->start = area->start;
	info->last = area->last;
	info->flags = area->flags;
	return true;
}

static bool next_range(const struct iommufd_ioas *ioas,
		       enum iommufd_range_kind kind, unsigned long from,
		       struct iommufd_range_info *info)
{
	info->flags = 0;
	switch (kind) {
	case IOMMUFD_RANGES_USABLE:
		return iommufd_next_usable(ioas, from, ULONG_MAX, &info->start,
					   &info->last);
	case IOMMUFD_RANGES_ALLOWED:
		return next_allowed(ioas, from, info);
	case IOMMUFD_RANGES_RESERVED:
		return next_reserved(ioas, from, info);
	case IOMMUFD_RANGES_MAPPED:
		return next_mapped(ioas, from, info);
	default:
		return false;
	}
}

/* One batch, under the context's xa_lock. */
static int fill_ranges(struct iommufd_ioas *ioas, enum iommufd_range_kind kind,
		       unsigned long *from, bool *more,
		       struct iommufd_range_info *infos, unsigned int nr)
{
	int n = 0;

	/* Its holder may sleep, and we may not. */
	if (!down_read_trylock(&ioas->lock))
		return -EAGAIN;
	while (*more && n < nr) {
		*more = next_range(ioas, kind, *from, &infos[n]);
		if (!*more)
			break;
		*more = infos[n].last != ULONG_MAX;
		*from = infos[n++].last + 1;
	}
	up_read(&ioas->lock);
	return n;
}

static int try_ranges(u64 ctx, u32 id, enum iommufd_range_kind kind,
		      unsigned long *from, bool *more,
		      struct iommufd_range_info *infos, unsigned int nr)
{
	struct iommufd_object *obj;
	struct iommufd_ctx *ictx;
	int n = -ENOENT;

	mutex_lock(&iommufd_contexts_lock);
	ictx = iommufd_ctx_next(ctx);
	if (ictx && ictx->id == ctx) {
		xa_lock(&ictx->objects);
		obj = iommufd_object_of(xa_load(&ictx->objects, id));
		if (obj && obj->ops == &iommufd_ioas_ops)
			n = fill_ranges(container_of(obj, struct iommufd_ioas,
						     obj),
					kind, from, more, infos, nr);
		else if (obj)
			n = -EOPNOTSUPP;
		xa_unlock(&ictx->objects);
	}
	mutex_unlock(&iommufd_contexts_lock);
	return n;
}

/**
 * iommufd_show_ranges - one batch of a walk over the ranges of an IOAS
 * @ctx: id of the context
 * @id: id of the IOAS in it
 * @kind: which ranges
 * @from: in: lowest IOVA wanted; out: where the next batch starts
 * @more: true when the walk begins; false when it is over
 * @infos: array that is filled in the order of IOVAs
 * @nr: its length; bounds how long the locks are held
 *
 * Takes iommufd_contexts_lock, the context's xa_lock and, when it is free, the
 * IOAS's lock. May sleep.
 *
 * Return: number filled in. -ENOENT if there is no such context or object (any
 * more), -EOPNOTSUPP if that is no IOAS, -EAGAIN if it is being changed all the
 * time, -EINTR for a task that is killed.
 */
int iommufd_show_ranges(u64 ctx, u32 id, enum iommufd_range_kind kind,
			unsigned long *from, bool *more,
			struct iommufd_range_info *infos, unsigned int nr)
{
	unsigned long patience = jiffies + LOCK_PATIENCE;
	int n;

	while ((n = try_ranges(ctx, id, kind, from, more, infos, nr)) ==
	       -EAGAIN) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, patience))
			break;
		usleep_range(50, 500);
	}
	return n;
}
