// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that drivers bind to a context, and what they go through. Names and
 * signatures are those of <linux/iommufd.h>.
 *
 * A device is an object that the kernel owns: only its driver can end it. While
 * it is attached it has a lasting reference on a page table, and that on its
 * IOAS.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "compat.h"
#include "iommufd_private.h"

static void device_obj_destroy(struct iommufd_ctx *ictx,
			       struct iommufd_object *obj)
{
	/* It is detached, and out of its group: see iommufd_device_unbind(). */
}

static void device_obj_describe(const struct iommufd_object *obj,
				struct iommufd_object_info *info)
{
	const struct iommufd_device *idev =
		container_of(obj, struct iommufd_device, obj);

	strscpy(info->owner, dev_name(idev->dev), sizeof(info->owner));
	info->group = iommu_group_id(idev->igroup->group);
}

const struct iommufd_object_ops iommufd_device_ops = {
	.type = IOMMUFD_OBJ_DEVICE,
	.destroy = device_obj_destroy,
	.describe = device_obj_describe,
};

/* One device is bound once. */
static int enter_group(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_device *other;
	int rc = 0;

	mutex_lock(&igroup->lock);
	list_for_each_entry(other, &igroup->devices, in_group)
		if (other->dev == idev->dev)
			rc = -EBUSY;
	if (!rc)
		list_add_tail(&idev->in_group, &igroup->devices);
	mutex_unlock(&igroup->lock);
	return rc;
}

/**
 * iommufd_device_bind - a device becomes one of a context
 * @ictx: the context; the device takes a reference of its own
 * @dev: the device; its driver keeps it until iommufd_device_unbind()
 * @id: written: id of the object in the context
 *
 * From now on it reaches no memory, until iommufd_device_attach(). No driver that
 * uses DMA can be bound to any device of its IOMMU group. May sleep.
 *
 * Return: the device, or an ERR_PTR: -EINVAL if its DMA is not coherent with the
 * CPU's caches; -EBUSY if it is bound to this context already; as
 * iommufd_group_get(); -ENOMEM; -EBUSY when out of ids.
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx,
					   struct device *dev, u32 *id)
{
	struct iommufd_device *idev;
	int rc;

	/* All mappings are made so. False without an IOMMU, too. */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(-EINVAL);
	idev = iommufd_object_alloc(ictx, idev, &iommufd_device_ops);
	if (IS_ERR(idev))
		return idev;
	idev->ictx = ictx;
	idev->dev = dev;
	idev->igroup = iommufd_group_get(ictx, dev);
	if (IS_ERR(idev->igroup)) {
		rc = PTR_ERR(idev->igroup);
		goto err_abort;
	}
	rc = enter_group(idev);
	if (rc)
		goto err_group;
	get_device(dev);
	iommufd_ctx_get(ictx);
	iommufd_object_own(&idev->obj);
	*id = idev->obj.id;
	iommufd_object_finalize(ictx, &idev->obj);
	return idev;

err_group:
	iommufd_group_put(idev->igroup);
err_abort:
	iommufd_object_abort(ictx, &idev->obj);
	return ERR_PTR(rc);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind, IOMMUFD);

/**
 * iommufd_device_unbind - undoes iommufd_device_bind()
 * @idev: detached; not to be touched afterwards
 *
 * Waits for ioctls that use it. May sleep.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_ctx *ictx = idev->ictx;
	struct device *dev = idev->dev;

	if (WARN_ON(idev->attached))
		iommufd_device_detach(idev);
	mutex_lock(&igroup->lock);
	list_del(&idev->in_group);
	mutex_unlock(&igroup->lock);
	iommufd_object_destroy_owned(ictx, &idev->obj);
	iommufd_group_put(igroup);
	put_device(dev);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind, IOMMUFD);

/**
 * iommufd_device_to_ictx - the context that a device is bound to
 * @idev: the device
 *
 * Return: the context, without a reference of its own.
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_ictx, IOMMUFD);

/**
 * iommufd_device_to_id - the id of a device's object
 * @idev: the device
 *
 * Return: the id, as iommufd_device_bind() wrote it.
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_id, IOMMUFD);

/* The reference on @to; NULL: one that is not held. */
static struct iommufd_ref *ref_on(struct iommufd_device *idev,
				  const struct iommufd_hwpt *to)
{
	const struct iommufd_object *obj = to ? &to->obj : NULL;

	return &idev->refs[idev->refs[0].to != obj];
}

static bool refer(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	return iommufd_object_link(idev->ictx, ref_on(idev, NULL), &idev->obj,
				   &hwpt->obj);
}

/*
 * An automatic page table goes with the last reference: then it is returned, for
 * iommufd_object_end() when no lock is held any more.
 */
static struct iommufd_object *unrefer(struct iommufd_device *idev,
				      struct iommufd_hwpt *hwpt)
{
	struct iommufd_ref *ref = ref_on(idev, hwpt);

	if (hwpt->automatic)
		return iommufd_object_unlink_last(idev->ictx, ref);
	iommufd_object_unlink(idev->ictx, ref);
	return NULL;
}

/* All devices that go with @idev: those attached, and it. */
static bool moves(const struct iommufd_device *other,
		  const struct iommufd_device *idev)
{
	return other->attached || other == idev;
}

static struct iommufd_object *unrefer_all(struct iommufd_device *idev,
					  struct iommufd_hwpt *hwpt)
{
	struct iommufd_object *gone = NULL;
	struct iommufd_device *other;

	/* With the last of them it is, and not before. */
	list_for_each_entry(other, &idev->igroup->devices, in_group)
		if (moves(other, idev))
			gone = unrefer(other, hwpt);
	return gone;
}

/* All of them refer to @hwpt, or none. */
static bool refer_all(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct list_head *devices = &idev->igroup->devices;
	struct iommufd_device *other;

	list_for_each_entry(other, devices, in_group)
		if (moves(other, idev) && !refer(other, hwpt))
			goto err;
	return true;
err:
	list_for_each_entry_continue_reverse(other, devices, in_group)
		if (moves(other, idev))
			iommufd_object_unlink(other->ictx,
					      ref_on(other, hwpt));
	return false;
}

static void count_in(struct iommufd_device *idev)
{
	if (!idev->attached)
		idev->igroup->attached++;
	idev->attached = true;
}

/* One more device of a group that goes through @hwpt already. */
static int join(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	if (idev->attached)
		return 0;
	if (!refer(idev, hwpt))
		return -ENOENT;
	count_in(idev);
	return 0;
}

/*
 * The whole group goes to @hwpt, for which it is prepared. *@gone becomes what is
 * to be ended, if anything.
 */
static int move(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		struct iommufd_object **gone)
{
	struct iommufd_hwpt *old = idev->igroup->hwpt;
	int rc;

	if (!refer_all(idev, hwpt))
		return -ENOENT;
	rc = iommufd_group_set(idev->igroup, hwpt);
	if (rc) {
		struct iommufd_device *other;

		list_for_each_entry(other, &idev->igroup->devices, in_group)
			if (moves(other, idev))
				iommufd_object_unlink(other->ictx,
						      ref_on(other, hwpt));
		return rc;
	}
	if (old)
		*gone = unrefer_all(idev, old);
	count_in(idev);
	return 0;
}

/* To one that is there already. */
static int move_to(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		   struct iommufd_object **gone)
{
	int rc;

	rc = iommufd_group_prepare(idev->igroup, hwpt, idev->dev);
	if (rc)
		return rc;
	rc = move(idev, hwpt, gone);
	if (rc)
		iommufd_group_unprepare(idev->igroup, hwpt);
	return rc;
}

/* The first device of its group to go anywhere goes nowhere after all. */
static void move_back(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	iommufd_group_unset(idev->igroup);
	idev->igroup->attached = 0;
	idev->attached = false;
	iommufd_object_unlink(idev->ictx, ref_on(idev, hwpt));
}

static int fill_and_move(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
			 struct iommufd_object **gone)
{
	int rc;

	rc = iommufd_group_prepare(idev->igroup, hwpt, idev->dev);
	if (rc)
		return rc;
	/* What a device uses already should not be without what is mapped. */
	if (idev->igroup->hwpt || IOMMUFD_COMPAT_DOMAIN_KNOWS) {
		rc = iommufd_domain_fill(hwpt);
		if (!rc)
			rc = move(idev, hwpt, gone);
		if (rc)
			iommufd_group_unprepare(idev->igroup, hwpt);
		return rc;
	}
	rc = move(idev, hwpt, gone);
	if (rc) {
		iommufd_group_unprepare(idev->igroup, hwpt);
		return rc;
	}
	rc = iommufd_domain_fill(hwpt);
	if (rc)
		move_back(idev, hwpt);
	return rc;
}

static int move_to_new(struct iommufd_device *idev, struct iommufd_ioas *ioas,
		       u32 *pt_id, struct iommufd_object **gone)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	hwpt = iommufd_hwpt_make(idev->ictx, ioas, idev->dev, true);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = fill_and_move(idev, hwpt, gone);
	if (rc) {
		iommufd_object_abort_and_destroy(idev->ictx, &hwpt->obj);
		return rc;
	}
	*pt_id = hwpt->obj.id;
	iommufd_object_finalize(idev->ictx, &hwpt->obj);
	return 0;
}

/* To a page table that others share already, or to a new one. */
static int move_to_ioas(struct iommufd_device *idev, struct iommufd_ioas *ioas,
			u32 *pt_id, struct iommufd_object **gone)
{
	struct iommufd_hwpt *hwpt;
	u32 after = 0;
	int rc;

	while ((hwpt = iommufd_hwpt_next(idev->ictx, ioas, after))) {
		after = hwpt->obj.id;
		rc = move_to(idev, hwpt, gone);
		iommufd_object_put(idev->ictx, &hwpt->obj);
		if (!rc)
			*pt_id = after;
		/* That one is no good for this device, or is gone. */
		if (rc != -EINVAL && rc != -ENOENT)
			return rc;
	}
	return move_to_new(idev, ioas, pt_id, gone);
}

/* Whether @obj is what the group goes through already, in one way or the other. */
static bool there_already(const struct iommufd_group *igroup,
			  const struct iommufd_object *obj)
{
	const struct iommufd_hwpt *hwpt = igroup->hwpt;

	if (!hwpt)
		return false;
	return obj == &hwpt->obj || (hwpt->automatic && obj == &hwpt->ioas->obj);
}

static struct iommufd_ioas *ioas_of(struct iommufd_object *obj)
{
	if (obj->ops == &iommufd_ioas_ops)
		return container_of(obj, struct iommufd_ioas, obj);
	return container_of(obj, struct iommufd_hwpt, obj)->ioas;
}

static int go(struct iommufd_device *idev, struct iommufd_object *obj,
	      u32 *pt_id, struct iommufd_object **gone)
{
	struct iommufd_ioas *ioas = ioas_of(obj);
	int rc;

	if (mutex_lock_killable(&ioas->attach_lock))
		return -EINTR;
	if (obj->ops == &iommufd_ioas_ops)
		rc = move_to_ioas(idev, ioas, pt_id, gone);
	else
		rc = move_to(idev, container_of(obj, struct iommufd_hwpt, obj),
			     gone);
	mutex_unlock(&ioas->attach_lock);
	return rc;
}

static int change(struct iommufd_device *idev, u32 *pt_id, bool replace)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_object *obj, *gone = NULL;
	int rc;

	obj = iommufd_object_get(idev->ictx, *pt_id, NULL);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (obj->ops != &iommufd_ioas_ops && obj->ops != &iommufd_hwpt_ops) {
		rc = -EINVAL;
		goto out_put;
	}
	if (mutex_lock_killable(&igroup->lock)) {
		rc = -EINTR;
		goto out_put;
	}
	if (idev->attached != replace) {
		rc = -EINVAL;
	} else if (there_already(igroup, obj)) {
		rc = join(idev, igroup->hwpt);
		if (!rc)
			*pt_id = igroup->hwpt->obj.id;
	} else if (igroup->hwpt && !replace) {
		/* The group's other devices are elsewhere. */
		rc = -EINVAL;
	} else {
		rc = go(idev, obj, pt_id, &gone);
	}
	mutex_unlock(&igroup->lock);
out_put:
	iommufd_object_put(idev->ictx, obj);
	if (gone)
		iommufd_object_end(idev->ictx, gone);
	return rc;
}

/**
 * iommufd_device_attach - a device reaches what an IOAS maps
 * @idev: not attached
 * @pt_id: an IOAS or a page table; becomes the id of the page table
 *
 * All that is mapped is pinned for it. A page table that is there already is
 * shared, where the device can. Devices of one group are attached to the same.
 * Attach, replace, detach and unbind of one device are for its driver to call one
 * after the other. May sleep for long: user memory is faulted in.
 *
 * Return: 0; -ENOENT; -EINVAL if it is no such id, the device is attached
 * already, its group is elsewhere, or the page table is none for it; -EADDRINUSE
 * if something is mapped where the device or its IOMMU cannot; -ENOMEM over the
 * limit of who mapped; -EFAULT without memory to pin; -EINTR if killed; another
 * errno of the kernel's. Then all is as before.
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id)
{
	return change(idev, pt_id, false);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach, IOMMUFD);

/**
 * iommufd_device_replace - a device goes from one IOAS or page table to another
 * @idev: attached
 * @pt_id: as in iommufd_device_attach()
 *
 * With it go the other devices of its group. On kernels that can, there is no
 * moment without either.
 *
 * Return: as iommufd_device_attach(); -EINVAL if it is not attached.
 */
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id)
{
	return change(idev, pt_id, true);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace, IOMMUFD);

/**
 * iommufd_device_detach - a device reaches no memory any more
 * @idev: attached
 *
 * If it is the last one of its group; until then it reaches what they reach. May
 * sleep, and waits for an attach of another device of the group.
 */
void iommufd_device_detach(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_object *gone;
	struct iommufd_hwpt *hwpt;

	mutex_lock(&igroup->lock);
	hwpt = igroup->hwpt;
	if (WARN_ON(!idev->attached)) {
		mutex_unlock(&igroup->lock);
		return;
	}
	idev->attached = false;
	if (!--igroup->attached)
		iommufd_group_unset(igroup);
	gone = unrefer(idev, hwpt);
	mutex_unlock(&igroup->lock);
	if (gone)
		iommufd_object_end(idev->ictx, gone);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach, IOMMUFD);

/* The user's buffer gets what there is, and zeros behind that. */
static int write_info(struct iommu_hw_info *cmd, const void *data, u32 length)
{
	void __user *out = u64_to_user_ptr(cmd->data_uptr);
	u32 fit = min(cmd->data_len, length);

	if (copy_to_user(out, data, fit) ||
	    clear_user(out + fit, cmd->data_len - fit))
		return -EFAULT;
	return 0;
}

/**
 * iommufd_get_hw_info - IOMMU_GET_HW_INFO
 * @ucmd: struct iommu_hw_info
 *
 * Return: 0; -EOPNOTSUPP for a reserved field or a flag; -ENOENT; -EFAULT; an
 * errno of the IOMMU's driver.
 */
int iommufd_get_hw_info(struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
	u32 type = IOMMU_HW_INFO_TYPE_NONE, length = 0;
	struct iommufd_object *obj;
	void *data;
	int rc;

	if (cmd->flags || memchr_inv(cmd->__reserved, 0,
				     sizeof(cmd->__reserved)))
		return -EOPNOTSUPP;
	obj = iommufd_object_get(ucmd->ictx, cmd->dev_id, &iommufd_device_ops);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	data = iommufd_compat_hw_info(container_of(obj, struct iommufd_device,
						   obj)->dev,
				      &length, &type);
	iommufd_object_put(ucmd->ictx, obj);
	if (IS_ERR(data))
		return PTR_ERR(data);
	/* No user memory is touched with a hold on the device. */
	rc = write_info(cmd, data, length);
	kfree(data);
	cmd->data_len = length;
	cmd->out_data_type = type;
	cmd->out_max_pasid_log2 = 0;
	/* Dirty tracking is out of reach: see iommufd_hwpt_set_dirty_tracking(). */
	cmd->out_capabilities = 0;
	return rc;
}
