// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O address space as an object, and its ioctls.
 */
#include <linux/err.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

static void iommufd_ioas_destroy(struct iommufd_ctx *ictx,
				 struct iommufd_object *obj)
{
	/* An IOAS refers to no other object, and holds no area yet. */
}

const struct iommufd_object_ops iommufd_ioas_ops = {
	.type = IOMMUFD_OBJ_IOAS,
	.destroy = iommufd_ioas_destroy,
};

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
	ioas = iommufd_object_alloc(ucmd->ictx, ioas, &iommufd_ioas_ops);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	cmd->out_ioas_id = ioas->obj.id;
	ucmd->new_obj = &ioas->obj;
	return 0;
}

/**
 * iommufd_ioas_iova_ranges - IOMMU_IOAS_IOVA_RANGES
 * @ucmd: struct iommu_ioas_iova_ranges
 *
 * Changes nothing, which makes it the way to ask from outside whether an id is
 * an IOAS. One that no device narrows answers the whole space, and alignment
 * 1: any IOVA may be used.
 *
 * Return: 0, -EOPNOTSUPP for the reserved field, -ENOENT, -EFAULT for the
 * array, -EMSGSIZE when it is too short (and the count needed in num_iovas).
 */
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd)
{
	static const struct iommu_iova_range whole = { 0, U64_MAX };
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	u32 room = cmd->num_iovas;

	if (cmd->__reserved)
		return -EOPNOTSUPP;

	obj = iommufd_object_get(ucmd->ictx, cmd->ioas_id, &iommufd_ioas_ops);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	/* No user memory is touched with a hold: a fault may take forever. */
	iommufd_object_put(ucmd->ictx, obj);

	if (room && copy_to_user(u64_to_user_ptr(cmd->allowed_iovas), &whole,
				 sizeof(whole)))
		return -EFAULT;
	cmd->num_iovas = 1;
	cmd->out_iova_alignment = 1;
	if (!room) {
		ucmd->reply_on_error = true;
		return -EMSGSIZE;
	}
	return 0;
}
