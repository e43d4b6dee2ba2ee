// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that drivers bind to a context. Names and signatures are those of
 * <linux/iommufd.h>.
 *
 * A device is an object that the kernel owns: only its driver can end it. While
 * it is attached, for which see attach.c, it has a lasting reference on a page
 * table, and that on its IOAS.
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
