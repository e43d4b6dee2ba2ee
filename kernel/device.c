// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls on devices and I/O page tables. Nothing can bind a device to a context
 * yet, so there is none that an id could name: what is asked is checked as far
 * as that goes, and then answered as in any context without devices.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

/**
 * iommufd_hwpt_alloc - IOMMU_HWPT_ALLOC
 * @ucmd: struct iommu_hwpt_alloc
 *
 * Return: -EOPNOTSUPP for the reserved field; -EINVAL for data without a type or
 * a type without data; else -ENOENT. What flags there can be depends on the
 * device.
 */
int iommufd_hwpt_alloc(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	if (!cmd->data_type != !cmd->data_len)
		return -EINVAL;
	return -ENOENT;
}

/**
 * iommufd_get_hw_info - IOMMU_GET_HW_INFO
 * @ucmd: struct iommu_hw_info
 *
 * Return: -EOPNOTSUPP for a reserved field or a flag; else -ENOENT.
 */
int iommufd_get_hw_info(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hw_info *cmd = ucmd->cmd;

	if (cmd->flags || memchr_inv(cmd->__reserved, 0,
				     sizeof(cmd->__reserved)))
		return -EOPNOTSUPP;
	return -ENOENT;
}

/**
 * iommufd_hwpt_set_dirty_tracking - IOMMU_HWPT_SET_DIRTY_TRACKING
 * @ucmd: struct iommu_hwpt_set_dirty_tracking
 *
 * Return: -EOPNOTSUPP for a reserved field or an unknown flag; else -ENOENT.
 */
int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;

	if (cmd->__reserved || cmd->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return -EOPNOTSUPP;
	return -ENOENT;
}

/**
 * iommufd_hwpt_get_dirty_bitmap - IOMMU_HWPT_GET_DIRTY_BITMAP
 * @ucmd: struct iommu_hwpt_get_dirty_bitmap
 *
 * Return: -EOPNOTSUPP for a reserved field or an unknown flag; else -ENOENT.
 */
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;

	if (cmd->__reserved ||
	    cmd->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR)
		return -EOPNOTSUPP;
	return -ENOENT;
}

/**
 * iommufd_hwpt_invalidate - IOMMU_HWPT_INVALIDATE
 * @ucmd: struct iommu_hwpt_invalidate
 *
 * Return: -EOPNOTSUPP for the reserved field; -EINVAL for requests without a
 * size or a place; else -ENOENT. None was carried out.
 */
int iommufd_hwpt_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;

	int rc = -ENOENT;

	if (cmd->__reserved)
		rc = -EOPNOTSUPP;
	else if (cmd->entry_num && (!cmd->data_uptr || !cmd->entry_len))
		rc = -EINVAL;
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
