// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O address space as an object, and the ioctls on where in it something
 * may be mapped.
 */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

static void iommufd_ioas_destroy(struct iommufd_ctx *ictx,
				 struct iommufd_object *obj)
{
	struct iommufd_ioas *ioas = container_of(obj, struct iommufd_ioas, obj);

	/* Who makes it the one holds it, and no one does any more. */
	if (READ_ONCE(ictx->vfio_ioas) == ioas)
		iommufd_vfio_ioas_forget(ictx, ioas);
	/* What pins would refer to it, so none is left, and no pin. */
	iommufd_unmap_teardown(ioas);
	iommufd_ranges_free(&ioas->allowed);
	iommufd_ranges_free(&ioas->reserved);
	/* Nodes without an entry, which a store that failed can leave. */
	if (!xa_empty(&ioas->accesses))
		xa_destroy(&ioas->accesses);
	mutex_destroy(&ioas->attach_lock);
}

static void iommufd_ioas_describe(const struct iommufd_object *obj,
				  struct iommufd_object_info *info)
{
	const struct iommufd_ioas *ioas =
		container_of(obj, struct iommufd_ioas, obj);

	info->areas = READ_ONCE(ioas->nr_areas);
	info->mapped = READ_ONCE(ioas->mapped);
	info->pinned = (u64)atomic_long_read(&ioas->pinned_pages) << PAGE_SHIFT;
	info->alignment = READ_ONCE(ioas->alignment);
	info->huge_pages = READ_ONCE(ioas->huge_pages);
}

const struct iommufd_object_ops iommufd_ioas_ops = {
	.type = IOMMUFD_OBJ_IOAS,
	.destroy = iommufd_ioas_destroy,
	.describe = iommufd_ioas_describe,
};

/**
 * iommufd_ioas_get - finds an IOAS for the duration of a call
 * @ictx: its context
 * @id: as the user gave it
 *
 * Return: the IOAS, for iommufd_ioas_put(), or ERR_PTR(-ENOENT).
 */
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ictx, id, &iommufd_ioas_ops);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	return container_of(obj, struct iommufd_ioas, obj);
}

/**
 * iommufd_ioas_make - a new, empty IOAS
 * @ictx: its context
 *
 * Return: the IOAS, not published, or ERR_PTR: -ENOMEM, -EBUSY when out of ids.
 */
struct iommufd_ioas *iommufd_ioas_make(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;

	ioas = iommufd_object_alloc(ictx, ioas, &iommufd_ioas_ops);
	if (IS_ERR(ioas))
		return ioas;
	/* Trees that are all zero are empty ones. */
	ioas->ictx = ictx;
	init_rwsem(&ioas->lock);
	xa_init_flags(&ioas->accesses, XA_FLAGS_ACCOUNT);
	mutex_init(&ioas->attach_lock);
	INIT_LIST_HEAD(&ioas->hwpts);
	ioas->alignment = 1;
	ioas->huge_pages = true;
	return ioas;
}

/**
 * iommufd_ioas_alloc_ioctl - IOMMU_IOAS_ALLOC
 * @ucmd: struct iommu_ioas_alloc
 *
 * Return: 0, -EOPNOTSUPP for a flag, -ENOMEM, -EBUSY when out of ids.
 */
int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_alloc *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;

	if (cmd->flags)
		return -EOPNOTSUPP;
	ioas = iommufd_ioas_make(ucmd->ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	cmd->out_ioas_id = ioas->obj.id;
	ucmd->new_obj = &ioas->obj;
	return 0;
}

/**
 * iommufd_ioas_usable - a batch of the ranges where something may be mapped
 * @ioas: the IOAS; its lock is taken
 * @pos: where to look from; becomes the place to go on from
 * @more: becomes false with the last range
 * @batch: room for IOMMUFD_RANGES_BATCH
 *
 * Return: number of ranges in @batch.
 */
unsigned int iommufd_ioas_usable(struct iommufd_ioas *ioas, unsigned long *pos,
				 bool *more, struct iommu_iova_range *batch)
{
	unsigned long start, last;
	unsigned int n = 0;

	down_read(&ioas->lock);
	while (*more && n < IOMMUFD_RANGES_BATCH) {
		*more = iommufd_next_usable(ioas, *pos, ULONG_MAX, &start,
					    &last);
		if (!*more)
			break;
		batch[n].start = start;
		batch[n++].last = last;
		*more = last != ULONG_MAX;
		*pos = last + 1;
	}
	up_read(&ioas->lock);
	return n;
}

/* As copy_to_user(), which costs more than these few words. */
static bool put_ranges(struct iommu_iova_range __user *out,
		       const struct iommu_iova_range *ranges, unsigned int n)
{
	unsigned int i;

	might_fault();
	if (!user_write_access_begin(out, n * sizeof(*out)))
		return false;
	for (i = 0; i < n; i++) {
		unsafe_put_user(ranges[i].start, &out[i].start, fault);
		unsafe_put_user(ranges[i].last, &out[i].last, fault);
	}
	user_write_access_end();
	return true;
fault:
	user_write_access_end();
	return false;
}

/**
 * iommufd_ioas_iova_ranges - IOMMU_IOAS_IOVA_RANGES
 * @ucmd: struct iommu_ioas_iova_ranges
 *
 * Changes nothing, which makes it the way to ask from outside whether an id is
 * an IOAS. One that no device narrows answers the whole space.
 *
 * Return: 0, -EOPNOTSUPP for the reserved field, -ENOENT, -EFAULT for the
 * array, -EMSGSIZE when it is too short (and the count needed in num_iovas).
 */
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	struct iommu_iova_range __user *out =
		u64_to_user_ptr(cmd->allowed_iovas);
	struct iommu_iova_range batch[IOMMUFD_RANGES_BATCH] __uninitialized;
	u32 room = cmd->num_iovas, total = 0, n, fit;
	unsigned long pos = 0;
	bool more = true;

	if (cmd->__reserved)
		return -EOPNOTSUPP;

	while (more) {
		/*
		 * No user memory is touched with a hold, since a fault may take
		 * forever. So it is looked up anew for each batch.
		 */
		struct iommufd_ioas *ioas = iommufd_ioas_get(ucmd->ictx,
							     cmd->ioas_id);

		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		n = iommufd_ioas_usable(ioas, &pos, &more, batch);
		cmd->out_iova_alignment = READ_ONCE(ioas->alignment);
		iommufd_ioas_put(ioas);

		fit = min(n, room - min(room, total));
		if (fit && !put_ranges(out + total, batch, fit))
			return -EFAULT;
		total += n;
	}
	cmd->num_iovas = total;
	if (total > room) {
		ucmd->reply_on_error = true;
		return -EMSGSIZE;
	}
	return 0;
}

/* As copy_from_user(), likewise. */
static bool get_range(struct iommu_iova_range *range,
		      const struct iommu_iova_range __user *in)
{
	might_fault();
	if (!user_read_access_begin(in, sizeof(*in)))
		return false;
	unsafe_get_user(range->start, &in->start, fault);
	unsafe_get_user(range->last, &in->last, fault);
	user_read_access_end();
	return true;
fault:
	user_read_access_end();
	return false;
}

/* The user's array as a tree, whose ranges do not overlap. */
static int read_allowed(const struct iommu_ioas_allow_iovas *cmd,
			struct rb_root_cached *allowed)
{
	struct iommu_iova_range __user *in =
		u64_to_user_ptr(cmd->allowed_iovas);
	struct iommu_iova_range range;
	u32 i;
	int rc;

	for (i = 0; i < cmd->num_iovas; i++) {
		if (!get_range(&range, in + i))
			return -EFAULT;
		if (range.start >= range.last ||
		    iommufd_range_overlaps(allowed, range.start, range.last))
			return -EINVAL;
		rc = iommufd_range_add(allowed, range.start, range.last, NULL);
		if (rc)
			return rc;
		/* A range is soon read: after each this would be felt. */
		if (i % 64)
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * iommufd_ioas_allow_iovas - IOMMU_IOAS_ALLOW_IOVAS
 * @ucmd: struct iommu_ioas_allow_iovas
 *
 * Return: 0, -EOPNOTSUPP for the reserved field, -ENOENT, -EFAULT for the
 * array, -EINVAL for a range that does not end behind its start or overlaps another,
 * -EADDRINUSE for one that is reserved in part, -ENOMEM. On error the list is
 * as before.
 */
int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_allow_iovas *cmd = ucmd->cmd;
	struct rb_root_cached allowed = RB_ROOT_CACHED;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	/* The id first, and then again: see above. */
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	iommufd_ioas_put(ioas);

	rc = read_allowed(cmd, &allowed);
	if (!rc) {
		ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
		if (IS_ERR(ioas)) {
			rc = PTR_ERR(ioas);
		} else {
			rc = iommufd_ioas_allow(ioas, &allowed);
			iommufd_ioas_put(ioas);
		}
	}
	iommufd_ranges_free(&allowed);
	return rc;
}
