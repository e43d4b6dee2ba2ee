// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an object. The rules stand at the top of iommufd_private.h; this
 * file knows ids and counts, and nothing of any one type.
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "iommufd_private.h"

#ifdef CONFIG_LOCKDEP
static struct lock_class_key iommufd_type_keys[IOMMUFD_OBJ_TYPES];
static struct lockdep_map iommufd_type_maps[IOMMUFD_OBJ_TYPES];
static struct lockdep_map iommufd_free_map =
	STATIC_LOCKDEP_MAP_INIT("iommufd_free", &iommufd_free_map);

/**
 * iommufd_objects_init - once, before the first context
 */
void iommufd_objects_init(void)
{
	unsigned int i;

	for (i = 0; i < IOMMUFD_OBJ_TYPES; i++)
		lockdep_init_map(&iommufd_type_maps[i],
				 iommufd_object_type_name(i),
				 &iommufd_type_keys[i], 0);
}

#define type_map(obj) (&iommufd_type_maps[(obj)->ops->type])
#else
void iommufd_objects_init(void)
{
}
#endif

/**
 * iommufd_object_alloc_sized - memory and an id for a new object
 * @ictx: its context
 * @size: bytes of the struct that begins with struct iommufd_object
 * @ops: operations of its type
 *
 * The id is taken: no lookup finds the object until iommufd_object_finalize().
 * The caller ends with that, or with one of the two aborts. May sleep.
 *
 * Return: the object, or ERR_PTR: -ENOMEM, -EBUSY if all ids are taken.
 */
struct iommufd_object *
iommufd_object_alloc_sized(struct iommufd_ctx *ictx, size_t size,
			   const struct iommufd_object_ops *ops)
{
	struct iommufd_object *obj;
	int rc;

	obj = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->ops = ops;
	refcount_set(&obj->users, 1);
	atomic_set(&obj->inflight, 1);
	INIT_LIST_HEAD(&obj->refs);
	INIT_LIST_HEAD(&obj->referrers);

	rc = xa_alloc(&ictx->objects, &obj->id, obj, xa_limit_31b,
		      GFP_KERNEL_ACCOUNT);
	if (rc) {
		kfree(obj);
		return ERR_PTR(rc);
	}
	__module_get(ops->owner);
	return obj;
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_alloc_sized, IOMMUFD_INTERNAL);

/* The entry of @xas; what is to be found there is told by iommufd_object_of(). */
static struct iommufd_object *find(struct xa_state *xas)
{
	return iommufd_object_of(xas_load(xas));
}

static void count_object(struct iommufd_ctx *ictx,
			 const struct iommufd_object *obj, int by)
{
	lockdep_assert_held(&ictx->objects.xa_lock);
	WRITE_ONCE(ictx->nr_objects, ictx->nr_objects + by);
	WRITE_ONCE(ictx->nr_by_type[obj->ops->type],
		   ictx->nr_by_type[obj->ops->type] + by);
	iommufd_show_changed(ictx);
}

/* Step 3, but for the memory. */
static void drop_contents(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	lock_map_acquire(&iommufd_free_map);
	obj->ops->destroy(ictx, obj);
	lock_map_release(&iommufd_free_map);
}

/* The last thing that happens to an object, wherever its life took it. */
static void free_object(struct iommufd_object *obj)
{
	struct module *owner = obj->ops->owner;

	kfree(obj);
	module_put(owner);
}

/* Step 3, of an object that could be found once. */
static void end_object(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	enum iommufd_object_type type = obj->ops->type;
	u32 id = obj->id;

	drop_contents(ictx, obj);
	free_object(obj);
	/* Last, so that who hears of it can destroy what it referred to. */
	iommufd_event_object(ictx->id, id, type, false);
}

/**
 * iommufd_object_finalize - makes a finished object findable
 * @ictx: its context
 * @obj: from iommufd_object_alloc(), not published yet
 *
 * Cannot fail: the object has its id already. From here on it belongs to the
 * context, and another task may destroy it before this returns. May sleep.
 */
void iommufd_object_finalize(struct iommufd_ctx *ictx,
			     struct iommufd_object *obj)
{
	enum iommufd_object_type type = obj->ops->type;
	u32 id = obj->id;

	xa_lock(&ictx->objects);
	if (WARN_ON_ONCE(obj->live)) {
		xa_unlock(&ictx->objects);
		return;
	}
	obj->live = true;
	count_object(ictx, obj, 1);
	xa_unlock(&ictx->objects);
	iommufd_event_object(ictx->id, id, type, true);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_finalize, IOMMUFD_INTERNAL);

/**
 * iommufd_object_abort - undoes iommufd_object_alloc()
 * @ictx: its context
 * @obj: never published, and holding nothing that its type's destroy
 *       operation would have to drop
 */
void iommufd_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	XA_STATE(xas, &ictx->objects, obj->id);
	bool ours;

	xa_lock(&ictx->objects);
	ours = !WARN_ON_ONCE(xas_load(&xas) != obj || obj->live);
	if (ours)
		xas_store(&xas, NULL);
	xa_unlock(&ictx->objects);

	/* Somebody else's id: then nobody knows who knows of this memory. */
	if (ours)
		free_object(obj);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_abort, IOMMUFD_INTERNAL);

/**
 * iommufd_object_abort_and_destroy - undoes the making of a whole object
 * @ictx: its context
 * @obj: never published, but otherwise finished
 */
void iommufd_object_abort_and_destroy(struct iommufd_ctx *ictx,
				      struct iommufd_object *obj)
{
	drop_contents(ictx, obj);
	iommufd_object_abort(ictx, obj);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_abort_and_destroy, IOMMUFD_INTERNAL);

/**
 * iommufd_object_get - finds an object for the duration of a call
 * @ictx: the context, which the caller holds until after the put
 * @id: as the user gave it
 * @ops: the type that it must be of, or NULL for any
 *
 * A destroy of the object waits for iommufd_object_put(), by this same task.
 *
 * Return: the object, or ERR_PTR(-ENOENT) where there is none of that type.
 */
struct iommufd_object *
iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
		   const struct iommufd_object_ops *ops)
{
	XA_STATE(xas, &ictx->objects, id);
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	obj = find(&xas);
	if (!obj || (ops && obj->ops != ops)) {
		xa_unlock(&ictx->objects);
		return ERR_PTR(-ENOENT);
	}
	atomic_inc(&obj->inflight);
	xa_unlock(&ictx->objects);

	lock_map_acquire_read(type_map(obj));
	return obj;
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_get, IOMMUFD_INTERNAL);

/**
 * iommufd_object_put - ends what iommufd_object_get() began
 * @ictx: the context
 * @obj: not to be touched afterwards
 *
 * May sleep: this can be what frees the object.
 */
void iommufd_object_put(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	int left;

	/*
	 * Seldom does this free the object, so a caller that must not let it
	 * is to be told at every call, not on that one.
	 */
	might_sleep();
	lock_map_release(type_map(obj));
	lock_map_acquire(&iommufd_free_map);
	lock_map_release(&iommufd_free_map);

	/* Unless the count says 0, the object may be gone after this line. */
	left = atomic_dec_return(&obj->inflight);
	if (left == 0) {
		/* Its destroyer was killed while it waited for us. */
		end_object(ictx, obj);
		return;
	}
	/*
	 * The full ordering of the atomic pairs with that of prepare_to_wait()
	 * in the waiter: either it is seen here, or it sees the decrement.
	 */
	if (left == 1 && waitqueue_active(&ictx->drained))
		wake_up_all(&ictx->drained);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_put, IOMMUFD_INTERNAL);

/**
 * iommufd_object_ref - takes a lasting reference
 * @obj: held by the caller with iommufd_object_get()
 *
 * Return: true, and from now on IOMMU_DESTROY answers EBUSY; or false, if a
 * destroy came first: the caller answers -ENOENT, as if its lookup had come
 * that much later. Also false for an object that the kernel owns: its owner
 * must be able to end it at any time.
 */
bool iommufd_object_ref(struct iommufd_object *obj)
{
	return !obj->owned && refcount_inc_not_zero(&obj->users);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_ref, IOMMUFD_INTERNAL);

/**
 * iommufd_object_own - makes a new object the kernel's own
 * @obj: not published yet
 *
 * It gets a lasting reference on itself, so that a user's IOMMU_DESTROY is
 * EBUSY until iommufd_object_destroy_owned().
 */
void iommufd_object_own(struct iommufd_object *obj)
{
	obj->owned = true;
	refcount_inc(&obj->users);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_own, IOMMUFD_INTERNAL);

static void push_leaf(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	obj->next_leaf = ictx->leaves;
	ictx->leaves = obj;
}

/**
 * iommufd_object_unref - drops a lasting reference
 * @ictx: the context
 * @obj: not to be touched afterwards
 */
void iommufd_object_unref(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	refcount_dec(&obj->users);
	/*
	 * While the context is torn down nobody else is left, so there the
	 * object can still be looked at: the last one to let go of it has found
	 * the next leaf without a search.
	 */
	if (ictx->closing && refcount_read(&obj->users) == 1)
		push_leaf(ictx, obj);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_unref, IOMMUFD_INTERNAL);

/**
 * iommufd_object_link - takes a lasting reference on behalf of another object
 * @ictx: the context of both
 * @ref: in @from, not held; stays where it is until iommufd_object_unlink()
 * @from: who will refer to @to, and be named as the reason for an EBUSY
 * @to: held by the caller with iommufd_object_get()
 *
 * Takes xa_lock.
 *
 * Return: as iommufd_object_ref().
 */
bool iommufd_object_link(struct iommufd_ctx *ictx, struct iommufd_ref *ref,
			 struct iommufd_object *from,
			 struct iommufd_object *to)
{
	bool held;

	xa_lock(&ictx->objects);
	held = iommufd_object_ref(to);
	if (held) {
		ref->from = from;
		ref->to = to;
		list_add_tail(&ref->from_node, &from->refs);
		list_add_tail(&ref->to_node, &to->referrers);
		iommufd_show_changed(ictx);
	}
	xa_unlock(&ictx->objects);
	return held;
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_link, IOMMUFD_INTERNAL);

static void unlink_locked(struct iommufd_ctx *ictx, struct iommufd_ref *ref)
{
	struct iommufd_object *to = ref->to;

	lockdep_assert_held(&ictx->objects.xa_lock);
	list_del(&ref->from_node);
	list_del(&ref->to_node);
	ref->to = NULL;
	iommufd_show_changed(ictx);
	/* Under the lock, so that there is no EBUSY for which no one is named. */
	iommufd_object_unref(ictx, to);
}

/**
 * iommufd_object_unlink - drops what iommufd_object_link() took
 * @ictx: the context
 * @ref: may be one that is not held
 *
 * Takes xa_lock. What @ref->to was is not to be touched afterwards.
 */
void iommufd_object_unlink(struct iommufd_ctx *ictx, struct iommufd_ref *ref)
{
	if (!ref->to)
		return;
	xa_lock(&ictx->objects);
	unlink_locked(ictx, ref);
	xa_unlock(&ictx->objects);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_unlink, IOMMUFD_INTERNAL);

/* Tells lockdep that the caller is about to wait for calls in flight. */
static void will_drain(struct iommufd_object *obj)
{
	lock_map_acquire(type_map(obj));
	lock_map_release(type_map(obj));
}

/* Acquire: all that the last call did to the object is seen after a true. */
static bool drained(struct iommufd_object *obj)
{
	return atomic_read_acquire(&obj->inflight) == 1;
}

/* Step 1, of what @xas found. From a true on, the object is the caller's alone. */
static bool claim(struct iommufd_ctx *ictx, struct xa_state *xas,
		  struct iommufd_object *obj)
{
	lockdep_assert_held(&ictx->objects.xa_lock);
	if (!refcount_dec_if_one(&obj->users))
		return false;
	/* What the last one to hold a lasting reference did is seen from here. */
	smp_acquire__after_ctrl_dep();
	xas_store(xas, NULL);
	count_object(ictx, obj, -1);
	return true;
}

/* The same, of an object that was not come to by its id. */
static bool claim_object(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	XA_STATE(xas, &ictx->objects, obj->id);

	lockdep_assert_held(&ictx->objects.xa_lock);
	if (WARN_ON_ONCE(find(&xas) != obj))
		return false;
	return claim(ictx, &xas, obj);
}

/*
 * Only a fatal signal ends the wait, since there is nothing left to come back
 * to. Then, and that is what a false says, the last call in flight does the rest.
 */
static noinline bool drain(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	return !wait_event_killable(ictx->drained, drained(obj)) ||
	       atomic_dec_and_test(&obj->inflight);
}

/* Steps 2 and 3, of an object whose memory nobody waits for. */
static void end_claimed(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	might_sleep();
	will_drain(obj);
	if (drained(obj) || drain(ictx, obj))
		end_object(ictx, obj);
}

/**
 * iommufd_object_destroy - ends an object on behalf of the user
 * @ictx: its context
 * @id: as the user gave it
 *
 * Waits for calls that are in flight on the object; they are no reason to
 * refuse. May sleep.
 *
 * Return: 0, or -ENOENT if there is no such object or it is not finished, or
 * -EBUSY if anything refers to it. A task that is killed while it waits also
 * gets 0: the object is gone for everyone, and is freed by its last caller.
 */
int iommufd_object_destroy(struct iommufd_ctx *ictx, u32 id)
{
	XA_STATE(xas, &ictx->objects, id);
	struct iommufd_object *obj;
	int rc = 0;

	xa_lock(&ictx->objects);
	obj = find(&xas);
	if (!obj)
		rc = -ENOENT;
	else if (!claim(ictx, &xas, obj))
		rc = -EBUSY;
	xa_unlock(&ictx->objects);

	if (!rc)
		end_claimed(ictx, obj);
	return rc;
}

/**
 * iommufd_object_unlink_last - drops a reference, and claims what it was the last on
 * @ictx: the context
 * @ref: is held
 *
 * For an object that is there for others only. What refers to it still, or a
 * user's IOMMU_DESTROY that comes first, ends it instead. Takes xa_lock.
 *
 * Return: the object, for iommufd_object_end(), or NULL.
 */
struct iommufd_object *iommufd_object_unlink_last(struct iommufd_ctx *ictx,
						  struct iommufd_ref *ref)
{
	struct iommufd_object *obj = ref->to;
	bool claimed;

	xa_lock(&ictx->objects);
	unlink_locked(ictx, ref);
	claimed = claim_object(ictx, obj);
	xa_unlock(&ictx->objects);
	return claimed ? obj : NULL;
}

/**
 * iommufd_object_end - ends what was claimed
 * @ictx: the context
 * @obj: from iommufd_object_unlink_last()
 *
 * Waits for calls in flight, so no lock is to be held. May sleep.
 */
void iommufd_object_end(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	end_claimed(ictx, obj);
}

/**
 * iommufd_object_destroy_owned - ends an object that the kernel owns
 * @ictx: its context
 * @obj: made its caller's own with iommufd_object_own()
 *
 * The object's reference on itself is dropped under the lock under which
 * destroys claim, so that none can slip in between. Cannot fail, and does not
 * return before the last call in flight is over, not even to a task that is
 * killed: the owner may free what such a call uses.
 */
void iommufd_object_destroy_owned(struct iommufd_ctx *ictx,
				  struct iommufd_object *obj)
{
	bool claimed;

	xa_lock(&ictx->objects);
	refcount_dec(&obj->users);
	claimed = claim_object(ictx, obj);
	xa_unlock(&ictx->objects);
	if (WARN_ON_ONCE(!claimed))
		return;

	will_drain(obj);
	wait_event(ictx->drained, drained(obj));
	end_object(ictx, obj);
}
EXPORT_SYMBOL_NS_GPL(iommufd_object_destroy_owned, IOMMUFD_INTERNAL);

/**
 * iommufd_objects_none - whether a context has no object at all
 * @ictx: whose xa_lock is held
 *
 * Return: true if no id is taken, not even by an object that is not finished.
 */
bool iommufd_objects_none(struct iommufd_ctx *ictx)
{
	XA_STATE(xas, &ictx->objects, 1);

	lockdep_assert_held(&ictx->objects.xa_lock);
	return !xas_find(&xas, ULONG_MAX);
}

/*
 * Takes the ids of a chunk, from @id on, out of a context that is torn down, and
 * puts what nothing refers to among its leaves. Returns where to go on, or 0.
 */
static unsigned long take_chunk(struct iommufd_ctx *ictx, unsigned long id)
{
	XA_STATE(xas, &ictx->objects, id);
	struct iommufd_object *obj;
	unsigned long last;

	xas_lock(&xas);
	obj = xas_find(&xas, ULONG_MAX);
	if (!obj) {
		xas_unlock(&xas);
		return 0;
	}
	id = round_down(xas.xa_index, XA_CHUNK_SIZE);
	last = id + XA_CHUNK_SIZE - 1;
	for (; obj; obj = xas_next_entry(&xas, last))
		if (iommufd_object_of(obj) && refcount_read(&obj->users) == 1)
			push_leaf(ictx, obj);
	/* All at once, which costs next to nothing. */
	if (IS_ENABLED(CONFIG_XARRAY_MULTI)) {
		xas_set_order(&xas, id, XA_CHUNK_SHIFT);
		xas_store(&xas, NULL);
	}
	xas_unlock(&xas);
	return last + 1;
}

/**
 * iommufd_objects_teardown - ends all objects of a context
 * @ictx: a context whose last reference is gone
 *
 * Leaves first: what nothing refers to goes, and what it referred to may be
 * the next to go. Each object is visited once to find the first leaves and
 * once to be freed, in whatever order the ids are. What is left then refers to
 * itself in a circle, or somebody forgot a reference: it is reported and
 * leaked, since to free it would be worse.
 */
void iommufd_objects_teardown(struct iommufd_ctx *ictx)
{
	unsigned long left = ictx->nr_objects, id = 0;
	struct iommufd_object *obj;

	if (xa_empty(&ictx->objects))
		return;
	ictx->closing = true;
	/*
	 * From the leaves all others are reached, so the ids go on the way, where
	 * the kernel can do that: xa_destroy() would free all that holds them
	 * with interrupts off.
	 */
	while ((id = take_chunk(ictx, id)))
		cond_resched();

	while (ictx->leaves) {
		obj = ictx->leaves;
		ictx->leaves = obj->next_leaf;
		drop_contents(ictx, obj);
		free_object(obj);
		left--;
		cond_resched();
	}
	WARN(left, "context %llu: %lu objects are still referred to, leaked\n",
	     ictx->id, left);
	xa_destroy(&ictx->objects);
}
