// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_OPTION.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

/*
 * Who pays is noted with each mapping, so it cannot change once there could be
 * one: that is asked, and the answer acted upon, under one lock.
 */
static int rlimit_mode(struct iommufd_ucmd *ucmd)
{
	struct iommufd_ctx *ictx = ucmd->ictx;
	struct iommu_option *cmd = ucmd->cmd;
	int rc = 0;

	if (cmd->object_id)
		return -EOPNOTSUPP;
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = READ_ONCE(ictx->rlimit_process);
		return 0;
	}
	if (cmd->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	xa_lock(&ictx->objects);
	/* An id that is only reserved counts too. */
	if (!iommufd_objects_none(ictx))
		rc = -EBUSY;
	else if (cmd->val64 > 1)
		rc = -EINVAL;
	else
		WRITE_ONCE(ictx->rlimit_process, cmd->val64);
	xa_unlock(&ictx->objects);
	return rc;
}

/**
 * iommufd_set_huge_pages - IOMMU_OPTION_HUGE_PAGES
 * @ioas: the IOAS; its lock is taken
 * @value: 1 or 0
 *
 * Return: 0; -EINVAL for another value, or if page tables hold what was mapped
 * the other way; -EADDRINUSE if what is mapped is not of whole pages.
 */
int iommufd_set_huge_pages(struct iommufd_ioas *ioas, u64 value)
{
	bool old;
	int rc;

	if (value > 1)
		return -EINVAL;
	down_write(&ioas->lock);
	old = ioas->huge_pages;
	/* What page tables hold was made the other way. */
	if (old != value && !list_empty(&ioas->hwpts) && ioas->nr_areas) {
		up_write(&ioas->lock);
		return -EINVAL;
	}
	WRITE_ONCE(ioas->huge_pages, value);
	rc = iommufd_ioas_align(ioas);
	if (rc)
		WRITE_ONCE(ioas->huge_pages, old);
	up_write(&ioas->lock);
	return rc;
}

static int huge_pages(struct iommufd_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc = 0;

	ioas = iommufd_ioas_get(ucmd->ictx, cmd->object_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	switch (cmd->op) {
	case IOMMU_OPTION_OP_GET:
		cmd->val64 = READ_ONCE(ioas->huge_pages);
		break;
	case IOMMU_OPTION_OP_SET:
		rc = iommufd_set_huge_pages(ioas, cmd->val64);
		break;
	default:
		rc = -EOPNOTSUPP;
	}
	iommufd_ioas_put(ioas);
	return rc;
}

/**
 * iommufd_option - IOMMU_OPTION
 * @ucmd: struct iommu_option
 *
 * Return: 0; -EOPNOTSUPP for an unknown option or operation, the reserved
 * field, and an object id with an option of the context; -ENOENT; -EINVAL for a
 * value; -EPERM and -EBUSY for IOMMU_OPTION_RLIMIT_MODE; -EADDRINUSE for
 * IOMMU_OPTION_HUGE_PAGES, if what is mapped is not of whole pages.
 */
int iommufd_option(struct iommufd_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		return rlimit_mode(ucmd);
	case IOMMU_OPTION_HUGE_PAGES:
		return huge_pages(ucmd);
	default:
		return -EOPNOTSUPP;
	}
}
