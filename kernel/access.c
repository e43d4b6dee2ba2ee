// SPDX-License-Identifier: GPL-2.0-only
/*
 * The in-kernel user of an IOAS: pins its pages, and reads and writes through
 * it. Names and signatures are those of <linux/iommufd.h>.
 *
 * An access is an object of its own, which the kernel owns: only its driver can
 * end it. While it is attached it has a lasting reference on the IOAS.
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommufd.h>
#include <linux/kallsyms.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

/* How often a driver is asked to unpin, and how long it is waited for then. */
#define UNPIN_TRIES 100
#define UNPIN_WAIT (HZ / 10)

/*
 * Who waits for the pins of an access to go. Not the context's queue: with the
 * last pin the access may go, and the context with it.
 */
static DECLARE_WAIT_QUEUE_HEAD(access_unpinned);

static void access_obj_destroy(struct iommufd_ctx *ictx,
			       struct iommufd_object *obj)
{
	/* It is detached before: a detach calls the driver. */
}

static void access_obj_describe(const struct iommufd_object *obj,
				struct iommufd_object_info *info)
{
	const struct iommufd_access *access =
		container_of(obj, struct iommufd_access, obj);

	strscpy(info->owner, access->owner, sizeof(info->owner));
	info->pinned = (u64)atomic_long_read(&access->pinned_pages)
		       << PAGE_SHIFT;
}

const struct iommufd_object_ops iommufd_access_obj_ops = {
	.type = IOMMUFD_OBJ_ACCESS,
	.destroy = access_obj_destroy,
	.describe = access_obj_describe,
};

/* The module that the code at @caller is in, for people. */
static void name_owner(struct iommufd_access *access, const void *caller)
{
	char text[KSYM_SYMBOL_LEN];
	char *name, *end;

	snprintf(text, sizeof(text), "%ps", caller);
	name = strchr(text, '[');
	end = name ? strpbrk(name, " ]") : NULL;
	if (end)
		*end = '\0';
	strscpy(access->owner, end ? name + 1 : "kernel",
		sizeof(access->owner));
}

/**
 * iommufd_access_create - makes an in-kernel user of a context
 * @ictx: the context; the access takes a reference of its own
 * @ops: what it can do; stays valid as long as the access does. NULL for one
 *       that only reads and writes
 * @data: for the operations
 * @id: written: id of the object in the context; may be NULL
 *
 * It is attached to no IOAS yet. May sleep.
 *
 * Return: the access, which ends with iommufd_access_destroy(), or an ERR_PTR:
 * -EINVAL if it wants to pin and has no unmap operation, -ENOMEM, -EBUSY when
 * out of ids.
 */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ictx,
		      const struct iommufd_access_ops *ops, void *data, u32 *id)
{
	struct iommufd_access *access;

	if (ops && ops->needs_pin_pages && !ops->unmap)
		return ERR_PTR(-EINVAL);
	access = iommufd_object_alloc(ictx, access, &iommufd_access_obj_ops);
	if (IS_ERR(access))
		return access;
	access->ictx = ictx;
	access->ops = ops;
	access->data = data;
	init_rwsem(&access->lock);
	iommufd_ctx_get(ictx);
	name_owner(access, __builtin_return_address(0));
	iommufd_object_own(&access->obj);
	if (id)
		*id = access->obj.id;
	iommufd_object_finalize(ictx, &access->obj);
	return access;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, IOMMUFD);

static bool can_pin(const struct iommufd_access *access)
{
	return access->ops && access->ops->needs_pin_pages;
}

/* The reference on @to; NULL: one that is not held. Its driver's calls only. */
static struct iommufd_ref *ref_on(struct iommufd_access *access,
				  const struct iommufd_object *to)
{
	return &access->refs[access->refs[0].to != to];
}

/* Everything that an attachment is, but for what the access itself knows. */
static int join(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	u32 id = access->obj.id;
	int rc = 0;

	if (!iommufd_object_link(access->ictx, ref_on(access, NULL),
				 &access->obj, &ioas->obj))
		return -ENOENT;
	rc = xa_err(xa_store(&ioas->accesses, id, access, GFP_KERNEL_ACCOUNT));
	if (rc)
		goto err_unref;
	if (can_pin(access)) {
		down_write(&ioas->lock);
		ioas->nr_pinners++;
		rc = iommufd_ioas_align(ioas);
		if (rc)
			ioas->nr_pinners--;
		up_write(&ioas->lock);
		if (rc)
			goto err_erase;
	}
	return 0;

err_erase:
	xa_erase(&ioas->accesses, id);
err_unref:
	iommufd_object_unlink(access->ictx, ref_on(access, &ioas->obj));
	return rc;
}

static void leave(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	xa_erase(&ioas->accesses, access->obj.id);
	if (can_pin(access)) {
		down_write(&ioas->lock);
		ioas->nr_pinners--;
		iommufd_ioas_align(ioas);
		up_write(&ioas->lock);
	}
	iommufd_object_unlink(access->ictx, ref_on(access, &ioas->obj));
}

/* Shuts out new pins and copies, and waits for those that are on their way. */
static struct iommufd_ioas *shut(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas;

	down_write(&access->lock);
	ioas = access->ioas;
	access->ioas = NULL;
	up_write(&access->lock);
	return ioas;
}

/*
 * Has the driver unpin all that it pinned, of which it may not know yet when it
 * is asked first. False if it does not, which is a mistake of the driver's.
 */
static bool unpin_all(struct iommufd_access *access)
{
	int i;

	for (i = 0; i < UNPIN_TRIES; i++) {
		if (access->ops && access->ops->unmap)
			access->ops->unmap(access->data, 0, ULONG_MAX);
		if (wait_event_timeout(access_unpinned,
				       !atomic_long_read_acquire(&access->pinned_pages),
				       UNPIN_WAIT))
			return true;
	}
	pr_err("context %llu: access %u is detached with pages pinned, which are leaked\n",
	       access->ictx->id, access->obj.id);
	return false;
}

static void set_ioas(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	down_write(&access->lock);
	WRITE_ONCE(access->bound, ioas);
	access->ioas = ioas;
	up_write(&access->lock);
}

/**
 * iommufd_access_attach - starts the use of an IOAS
 * @access: attached to none
 * @ioas_id: the IOAS, in the access's context
 *
 * Attach, replace, detach and destroy of one access are for its driver to call
 * one after the other. May sleep.
 *
 * Return: 0; -ENOENT; -EINVAL if it is attached already; -EADDRINUSE if it can
 * pin and what is mapped is not aligned to whole pages; -ENOMEM.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas;
	int rc;

	if (access->bound)
		return -EINVAL;
	ioas = iommufd_ioas_get(access->ictx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = join(access, ioas);
	if (!rc)
		set_ioas(access, ioas);
	iommufd_ioas_put(ioas);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, IOMMUFD);

/**
 * iommufd_access_detach - ends the use of an IOAS
 * @access: attached or not
 *
 * Its unmap operation is called for all IOVAs, and has to unpin what is pinned.
 * May sleep, for as long as a pin or a copy takes.
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas = shut(access);
	bool unpinned;

	if (!ioas)
		return;
	unpinned = unpin_all(access);
	set_ioas(access, NULL);
	/* What is leaked keeps the IOAS as it is. */
	if (unpinned)
		leave(access, ioas);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, IOMMUFD);

/**
 * iommufd_access_replace - goes from one IOAS to another
 * @access: attached or not
 * @ioas_id: the other one, in the access's context
 *
 * What is pinned in the old one goes as with a detach. The old one stays
 * attached if this fails.
 *
 * Return: as iommufd_access_attach().
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas, *old;
	bool unpinned = true;
	int rc = 0;

	ioas = iommufd_ioas_get(access->ictx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (ioas == access->bound)
		goto out;
	rc = join(access, ioas);
	if (rc)
		goto out;
	old = shut(access);
	if (old)
		unpinned = unpin_all(access);
	set_ioas(access, ioas);
	if (old && unpinned)
		leave(access, old);
out:
	iommufd_ioas_put(ioas);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, IOMMUFD);

/**
 * iommufd_access_destroy - ends an in-kernel user
 * @access: not to be touched afterwards
 *
 * Detaches it first. When this returns, none of its operations is running or
 * will be called any more. May sleep.
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	struct iommufd_ctx *ictx = access->ictx;

	iommufd_access_detach(access);
	iommufd_object_destroy_owned(ictx, &access->obj);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, IOMMUFD);

/**
 * iommufd_access_call_unmap - tells all accesses that a range is unmapped
 * @ioas: the IOAS, held by the caller; none of its locks is
 * @start: first IOVA
 * @last: last one
 *
 * An access that is about to go is held by a call in flight meanwhile, as any
 * object is.
 */
void iommufd_access_call_unmap(struct iommufd_ioas *ioas, unsigned long start,
			       unsigned long last)
{
	struct iommufd_ctx *ictx = ioas->ictx;
	struct iommufd_object *obj;
	unsigned long id;
	void *entry;

	/* The entry itself may be gone: the id is what is asked for. */
	xa_for_each(&ioas->accesses, id, entry) {
		struct iommufd_access *access;

		obj = iommufd_object_get(ictx, id, &iommufd_access_obj_ops);
		if (IS_ERR(obj))
			continue;
		access = container_of(obj, struct iommufd_access, obj);
		if (access->ops && access->ops->unmap &&
		    READ_ONCE(access->bound) == ioas)
			access->ops->unmap(access->data, start,
					   last - start + 1);
		iommufd_object_put(ictx, obj);
	}
}

/* What a pin or a copy looks at, area by area. */
struct portion {
	struct iommufd_area *area;
	unsigned long start;
	unsigned long last;
};

static u64 portion_pos(const struct portion *p)
{
	return ((u64)p->area->in_pages.start << PAGE_SHIFT) + p->area->offset +
	       (p->start - p->area->start);
}

static unsigned long first_page(const struct portion *p)
{
	return portion_pos(p) >> PAGE_SHIFT;
}

static unsigned long last_page(const struct portion *p)
{
	return (portion_pos(p) + (p->last - p->start)) >> PAGE_SHIFT;
}

/*
 * The area at @start, as far as @last; it stays until end_portion() or, if
 * pins were counted on it, beyond that.
 */
static int begin_portion(struct iommufd_ioas *ioas, unsigned long start,
			 unsigned long last, u8 flags, struct portion *p)
{
	struct iommufd_area *area;
	int rc = 0;

	if (down_read_killable(&ioas->lock))
		return -EINTR;
	area = iommufd_area_first(ioas, start, start);
	if (!area || area->closing)
		rc = -ENOENT;
	else if ((area->flags & flags) != flags)
		rc = -EPERM;
	else
		atomic_inc(&area->pinning);
	up_read(&ioas->lock);
	p->area = area;
	p->start = start;
	p->last = rc ? last : min(last, area->last);
	return rc;
}

/**
 * iommufd_area_drop - one less of what keeps an area
 * @ioas: where it is
 * @count: its pinning or pins; not to be touched afterwards
 */
void iommufd_area_drop(struct iommufd_ioas *ioas, atomic_t *count)
{
	wait_queue_head_t *wait = &ioas->ictx->drained;

	/*
	 * The decrement is the last touch of the area; the context is still
	 * there. Its full ordering pairs with that of prepare_to_wait() in the
	 * waiter: either it is seen here, or it sees the decrement.
	 */
	if (!atomic_dec_return(count) && waitqueue_active(wait))
		wake_up_all(wait);
}

static void end_portion(struct iommufd_ioas *ioas, struct portion *p)
{
	iommufd_area_drop(ioas, &p->area->pinning);
}

/* An area on which there are pins. */
static bool find_pinned(struct iommufd_ioas *ioas, unsigned long start,
			unsigned long last, struct portion *p)
{
	down_read(&ioas->lock);
	p->area = iommufd_area_first(ioas, start, start);
	up_read(&ioas->lock);
	/* Pins keep it in the tree. */
	if (WARN_ON(!p->area || !atomic_read(&p->area->pins)))
		return false;
	p->start = start;
	p->last = min(last, p->area->last);
	return true;
}

static void unpin(struct iommufd_access *access, struct iommufd_ioas *ioas,
		  unsigned long start, unsigned long last)
{
	unsigned long nr = 0;
	struct portion p;

	for (; find_pinned(ioas, start, last, &p); start = p.last + 1) {
		bool end = p.last == last;

		nr += last_page(&p) - first_page(&p) + 1;
		iommufd_pages_unpin(p.area->pages, first_page(&p),
				    last_page(&p));
		iommufd_area_drop(ioas, &p.area->pins);
		if (end)
			break;
	}
	/* After this a detach may be over: nothing of it is touched any more. */
	if (!atomic_long_sub_return(nr, &access->pinned_pages))
		wake_up_all(&access_unpinned);
}

static u8 wanted_flags(unsigned int flags)
{
	return flags & IOMMUFD_ACCESS_RW_WRITE ? IOMMU_IOAS_MAP_WRITEABLE :
						 IOMMU_IOAS_MAP_READABLE;
}

/* Pins one portion; p->area keeps its hold, whatever the result. */
static int pin_portion(struct iommufd_access *access, struct portion *p,
		       struct page **out)
{
	unsigned long first = first_page(p), last = last_page(p);
	int rc;

	rc = iommufd_pages_pin(p->area->pages, first, last, out);
	if (rc)
		return rc;
	atomic_inc(&p->area->pins);
	atomic_long_add(last - first + 1, &access->pinned_pages);
	return 0;
}

/*
 * Ends the holds on all portions from @start to @last. Returns true if one of
 * them is being unmapped.
 */
static bool end_portions(struct iommufd_ioas *ioas, unsigned long start,
			 unsigned long last)
{
	bool closing = false;
	struct portion p;

	for (;;) {
		down_read(&ioas->lock);
		p.area = iommufd_area_first(ioas, start, start);
		up_read(&ioas->lock);
		/* The hold keeps it in the tree. */
		if (WARN_ON(!p.area))
			return closing;
		p.last = min(last, p.area->last);
		closing |= READ_ONCE(p.area->closing);
		end_portion(ioas, &p);
		if (p.last == last)
			return closing;
		start = p.last + 1;
	}
}

/*
 * The holds on all areas last until the whole pin is over: otherwise who unmaps
 * the first of them would ask the driver for a pin that it does not have yet,
 * for as long as a fault in the second one takes.
 */
static int pin(struct iommufd_access *access, struct iommufd_ioas *ioas,
	       unsigned long iova, unsigned long last, struct page **out,
	       unsigned int flags)
{
	unsigned long pinned = iova, held = iova;
	struct portion p;
	bool closing = false;
	int rc;

	for (;;) {
		rc = begin_portion(ioas, held, last, wanted_flags(flags), &p);
		if (rc)
			break;
		held = p.last + 1;
		rc = pin_portion(access, &p, out);
		if (rc)
			break;
		pinned = held;
		if (p.last == last)
			break;
		out += last_page(&p) - first_page(&p) + 1;
	}
	if (held != iova)
		closing = end_portions(ioas, iova, held - 1);
	if (!rc && closing)
		rc = -ENOENT;
	if (rc && pinned != iova)
		unpin(access, ioas, iova, pinned - 1);
	return rc;
}

/**
 * iommufd_access_pin_pages - pins all pages of a range
 * @access: one whose operations say that it pins
 * @iova: first IOVA
 * @length: in bytes, not 0
 * @out_pages: the page of each page-sized part that the range touches, in order
 * @flags: IOMMUFD_ACCESS_RW_WRITE if they will be written to
 *
 * The pages stay until iommufd_access_unpin_pages() with the same range, which
 * has to come at the latest when the unmap operation is called for a range that
 * has an IOVA in common with it. May sleep for long: memory is faulted in.
 *
 * Return: 0; -EINVAL for an access that does not pin, a flag or no length;
 * -EOVERFLOW; -ENOENT if it is detached, or not all of the range is mapped;
 * -EPERM if the mapping does not allow it; -ENOMEM over the limit of who
 * mapped; -EFAULT if there is no memory to pin; -EINTR. Nothing is pinned then.
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	unsigned long last;
	int rc;

	if (!can_pin(access) || !length || flags & ~IOMMUFD_ACCESS_RW_WRITE)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	if (down_read_killable(&access->lock))
		return -EINTR;
	rc = access->ioas ? pin(access, access->ioas, iova, last, out_pages,
				flags) : -ENOENT;
	up_read(&access->lock);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pin_pages, IOMMUFD);

/**
 * iommufd_access_unpin_pages - undoes one iommufd_access_pin_pages()
 * @access: the same
 * @iova: the same
 * @length: the same
 *
 * May be called from the unmap operation. Waits for no fault. Not with the
 * mmap_lock of who mapped held, which it may take.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length)
{
	/* What a detach waits for may be just this call. */
	struct iommufd_ioas *ioas = READ_ONCE(access->bound);

	if (WARN_ON(!ioas || !length || iova + (length - 1) < iova))
		return;
	unpin(access, ioas, iova, iova + (length - 1));
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_unpin_pages, IOMMUFD);

/**
 * iommufd_access_rw - copies from or to a range
 * @access: the access
 * @iova: first IOVA; of any alignment
 * @data: kernel memory
 * @len: in bytes, not 0
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * May sleep for long: memory is faulted in.
 *
 * Return: 0; -EINVAL for an unknown flag or no length; -EOVERFLOW; -ENOENT if
 * it is detached, or not all of the range is mapped; -EPERM if the mapping does
 * not allow it; -EFAULT if there is no memory; -ENOMEM; -EINTR. After an error
 * a part may have been copied.
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t len, unsigned int flags)
{
	struct portion p = { .last = iova - 1 };
	unsigned long last;
	int rc = 0;

	if (!len || flags & ~(IOMMUFD_ACCESS_RW_WRITE |
			      IOMMUFD_ACCESS_RW_KTHREAD |
			      __IOMMUFD_ACCESS_RW_SLOW_PATH))
		return -EINVAL;
	if (check_add_overflow(iova, len - 1, &last))
		return -EOVERFLOW;
	if (down_read_killable(&access->lock))
		return -EINTR;
	if (!access->ioas)
		rc = -ENOENT;
	do {
		rc = rc ?: begin_portion(access->ioas, p.last + 1, last,
					 wanted_flags(flags), &p);
		if (rc)
			break;
		rc = iommufd_pages_rw(p.area->pages, portion_pos(&p), data,
				      p.last - p.start + 1, flags);
		data += p.last - p.start + 1;
		end_portion(access->ioas, &p);
	} while (!rc && p.last != last);
	up_read(&access->lock);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_rw, IOMMUFD);
