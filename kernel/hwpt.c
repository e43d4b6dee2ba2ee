// SPDX-License-Identifier: GPL-2.0-only
/*
 * An I/O page table as an object: made by the user with IOMMU_HWPT_ALLOC, or by
 * an attach to an IOAS, and then gone with the last device that goes through it.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "compat.h"
#include "iommufd_private.h"

static void hwpt_destroy(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	struct iommufd_hwpt *hwpt = container_of(obj, struct iommufd_hwpt, obj);

	if (hwpt->domain) {
		if (!list_empty(&hwpt->in_ioas))
			iommufd_domain_remove(hwpt);
		iommu_domain_free(hwpt->domain);
	}
	iommufd_object_unlink(ictx, &hwpt->ref);
}

static void hwpt_describe(const struct iommufd_object *obj,
			  struct iommufd_object_info *info)
{
	const struct iommufd_hwpt *hwpt =
		container_of(obj, struct iommufd_hwpt, obj);

	info->automatic = hwpt->automatic;
	info->page_sizes = READ_ONCE(hwpt->domain->pgsize_bitmap);
}

const struct iommufd_object_ops iommufd_hwpt_ops = {
	.type = IOMMUFD_OBJ_HWPT,
	.destroy = hwpt_destroy,
	.describe = hwpt_describe,
};

/**
 * iommufd_hwpt_make - a new page table over an IOAS
 * @ictx: the context
 * @ioas: the IOAS, held by the caller; its attach_lock is held
 * @dev: the device that it is for
 * @automatic: it is to go with the last device
 *
 * It is one of its IOAS's, and empty: see iommufd_domain_fill().
 *
 * Return: the page table, not published, or an ERR_PTR: -ENOENT if the IOAS is
 * about to go; as iommufd_domain_add(); -EBUSY when out of ids; an errno of the
 * kernel's.
 */
struct iommufd_hwpt *iommufd_hwpt_make(struct iommufd_ctx *ictx,
				       struct iommufd_ioas *ioas,
				       struct device *dev, bool automatic)
{
	struct iommufd_hwpt *hwpt;
	int rc = -ENOENT;

	lockdep_assert_held(&ioas->attach_lock);
	hwpt = iommufd_object_alloc(ictx, hwpt, &iommufd_hwpt_ops);
	if (IS_ERR(hwpt))
		return hwpt;
	hwpt->ioas = ioas;
	hwpt->automatic = automatic;
	INIT_LIST_HEAD(&hwpt->in_ioas);
	if (!iommufd_object_link(ictx, &hwpt->ref, &hwpt->obj, &ioas->obj))
		goto err;
	hwpt->domain = iommufd_compat_domain_alloc(dev);
	if (IS_ERR(hwpt->domain)) {
		rc = PTR_ERR(hwpt->domain);
		hwpt->domain = NULL;
		goto err;
	}
	rc = iommufd_domain_add(hwpt);
	if (rc)
		goto err;
	return hwpt;

err:
	iommufd_object_abort_and_destroy(ictx, &hwpt->obj);
	return ERR_PTR(rc);
}

/**
 * iommufd_hwpt_next - the next page table that devices may share
 * @ictx: the context
 * @ioas: the IOAS; its attach_lock is held
 * @after: id of the one before, or 0
 *
 * Return: an automatic one with a higher id, for iommufd_object_put(), or NULL.
 */
struct iommufd_hwpt *iommufd_hwpt_next(struct iommufd_ctx *ictx,
				       struct iommufd_ioas *ioas, u32 after)
{
	const struct iommufd_hwpt *hwpt;
	struct iommufd_object *obj;
	u32 id;

	do {
		id = U32_MAX;
		down_read(&ioas->lock);
		list_for_each_entry(hwpt, &ioas->hwpts, in_ioas)
			if (hwpt->automatic && hwpt->obj.id > after)
				id = min(id, hwpt->obj.id);
		up_read(&ioas->lock);
		if (id == U32_MAX)
			return NULL;
		after = id;
		/* It may be about to go, or be gone and the id another's. */
		obj = iommufd_object_get(ictx, id, &iommufd_hwpt_ops);
		if (IS_ERR(obj))
			continue;
		hwpt = container_of(obj, struct iommufd_hwpt, obj);
		if (hwpt->automatic && hwpt->ioas == ioas)
			break;
		iommufd_object_put(ictx, obj);
	} while (true);
	return container_of(obj, struct iommufd_hwpt, obj);
}

/* The device is held for no longer than it takes to make the page table. */
static struct iommufd_hwpt *alloc_for(struct iommufd_ctx *ictx,
				      struct iommufd_ioas *ioas, u32 dev_id)
{
	struct iommufd_object *obj;
	struct iommufd_device *idev;
	struct iommufd_hwpt *hwpt;

	obj = iommufd_object_get(ictx, dev_id, &iommufd_device_ops);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	idev = container_of(obj, struct iommufd_device, obj);
	hwpt = iommufd_hwpt_make(ictx, ioas, idev->dev, false);
	iommufd_object_put(ictx, obj);
	return hwpt;
}

static int alloc_over(struct iommufd_ucmd *ucmd, struct iommufd_ioas *ioas)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct iommufd_hwpt *hwpt;
	int rc;

	if (mutex_lock_killable(&ioas->attach_lock))
		return -EINTR;
	hwpt = alloc_for(ucmd->ictx, ioas, cmd->dev_id);
	rc = PTR_ERR_OR_ZERO(hwpt);
	if (!rc) {
		rc = iommufd_domain_fill(hwpt);
		if (rc)
			iommufd_object_abort_and_destroy(ucmd->ictx,
							 &hwpt->obj);
	}
	mutex_unlock(&ioas->attach_lock);
	if (rc)
		return rc;
	cmd->out_hwpt_id = hwpt->obj.id;
	ucmd->new_obj = &hwpt->obj;
	return 0;
}

/**
 * iommufd_hwpt_alloc - IOMMU_HWPT_ALLOC
 * @ucmd: struct iommu_hwpt_alloc
 *
 * Return: 0; -EOPNOTSUPP for the reserved field, for any flag, for data of a
 * driver's, and for a page table upon a page table: none of them can be had
 * here; -EINVAL for data without a type, a type without data, or a @pt_id that
 * is no IOAS; -ENOENT; else as iommufd_hwpt_make() and iommufd_domain_fill().
 */
int iommufd_hwpt_alloc(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct iommufd_ctx *ictx = ucmd->ictx;
	struct iommufd_object *obj;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	if (!cmd->data_type != !cmd->data_len)
		return -EINVAL;
	obj = iommufd_object_get(ictx, cmd->dev_id, &iommufd_device_ops);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	iommufd_object_put(ictx, obj);
	obj = iommufd_object_get(ictx, cmd->pt_id, NULL);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (obj->ops != &iommufd_ioas_ops && obj->ops != &iommufd_hwpt_ops)
		rc = -EINVAL;
	else if (cmd->flags || cmd->data_type || obj->ops == &iommufd_hwpt_ops)
		rc = -EOPNOTSUPP;
	else
		rc = alloc_over(ucmd, container_of(obj, struct iommufd_ioas,
						   obj));
	iommufd_object_put(ictx, obj);
	return rc;
}

static int find_hwpt(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ictx, id, &iommufd_hwpt_ops);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	iommufd_object_put(ictx, obj);
	return 0;
}

/**
 * iommufd_hwpt_set_dirty_tracking - IOMMU_HWPT_SET_DIRTY_TRACKING
 * @ucmd: struct iommu_hwpt_set_dirty_tracking
 *
 * Return: -ENOENT; else -EOPNOTSUPP: a kernel without an iommufd of its own has
 * its IOMMU drivers built without what they would report to.
 */
int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;

	if (cmd->__reserved || cmd->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return -EOPNOTSUPP;
	return find_hwpt(ucmd->ictx, cmd->hwpt_id) ?: -EOPNOTSUPP;
}

/**
 * iommufd_hwpt_get_dirty_bitmap - IOMMU_HWPT_GET_DIRTY_BITMAP
 * @ucmd: struct iommu_hwpt_get_dirty_bitmap
 *
 * Return: -EOPNOTSUPP for a reserved field or an unknown flag; -ENOENT; else
 * -EINVAL: no page table tracks, so none can be asked.
 */
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;

	if (cmd->__reserved ||
	    cmd->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR)
		return -EOPNOTSUPP;
	return find_hwpt(ucmd->ictx, cmd->hwpt_id) ?: -EINVAL;
}

/**
 * iommufd_hwpt_invalidate - IOMMU_HWPT_INVALIDATE
 * @ucmd: struct iommu_hwpt_invalidate
 *
 * Return: -EOPNOTSUPP for the reserved field; -EINVAL for requests without a
 * size or a place; -ENOENT; else -EINVAL: what it is for are page tables in
 * the user's memory. None was carried out.
 */
int iommufd_hwpt_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	int rc;

	if (cmd->__reserved)
		rc = -EOPNOTSUPP;
	else if (cmd->entry_num && (!cmd->data_uptr || !cmd->entry_len))
		rc = -EINVAL;
	else
		rc = find_hwpt(ucmd->ictx, cmd->hwpt_id) ?: -EINVAL;
	cmd->entry_num = 0;
	ucmd->reply_on_error = true;
	return rc;
}

/**
 * iommufd_fault_queue_alloc - IOMMU_FAULT_QUEUE_ALLOC
 * @ucmd: struct iommu_fault_alloc
 *
 * Return: -EOPNOTSUPP: no page table here could report a fault to a queue.
 */
int iommufd_fault_queue_alloc(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}
