// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU groups: devices that the IOMMU cannot tell apart, or not keep apart. A
 * context owns a group from the first of its devices that is bound to the last
 * that is unbound, and all of them go through the same page table.
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "compat.h"
#include "iommufd_private.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Let devices be bound that could raise any interrupt of this machine by a write to memory. Only where all users of /dev/iommu are trusted.");

static struct iommufd_group *find_group(struct iommufd_ctx *ictx,
					struct iommu_group *group)
{
	struct iommufd_group *igroup;

	lockdep_assert_held(&ictx->groups_lock);
	list_for_each_entry(igroup, &ictx->groups, node)
		if (igroup->group == group)
			return igroup;
	return NULL;
}

/* Takes over the caller's reference on @group, unless this fails. */
static struct iommufd_group *make_group(struct iommufd_ctx *ictx,
					struct iommu_group *group,
					struct device *dev)
{
	struct iommufd_group *igroup;
	int rc;

	if (!iommufd_compat_isolated_msi(group)) {
		if (!allow_unsafe_interrupts) {
			dev_warn_ratelimited(dev, "iommufd: not bound: the platform does not keep its interrupts apart from others'; iommufd.allow_unsafe_interrupts=1 binds it nevertheless\n");
			return ERR_PTR(-EPERM);
		}
		dev_warn_ratelimited(dev, "iommufd: bound by allow_unsafe_interrupts: it can raise interrupts of other devices\n");
	}
	igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);
	if (!igroup)
		return ERR_PTR(-ENOMEM);
	rc = iommu_group_claim_dma_owner(group, ictx);
	if (rc) {
		kfree(igroup);
		return ERR_PTR(rc);
	}
	igroup->ictx = ictx;
	igroup->group = group;
	igroup->users = 1;
	mutex_init(&igroup->lock);
	INIT_LIST_HEAD(&igroup->devices);
	list_add_tail(&igroup->node, &ictx->groups);
	return igroup;
}

/**
 * iommufd_group_get - the group of a device becomes, or is, the context's
 * @ictx: the context
 * @dev: the device
 *
 * Return: the group, for iommufd_group_put(), or an ERR_PTR: -ENODEV for a
 * device without an IOMMU; -EPERM if its interrupts are not isolated, or a
 * driver or another context owns the group; -EBUSY if something else does;
 * -ENOMEM.
 */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx,
					struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommufd_group *igroup;

	if (!group)
		return ERR_PTR(-ENODEV);
	mutex_lock(&ictx->groups_lock);
	igroup = find_group(ictx, group);
	if (igroup)
		igroup->users++;
	else
		igroup = make_group(ictx, group, dev);
	/* Kept by who made it, and once is enough. */
	if (IS_ERR(igroup) || igroup->users > 1)
		iommu_group_put(group);
	mutex_unlock(&ictx->groups_lock);
	return igroup;
}

/**
 * iommufd_group_put - undoes iommufd_group_get()
 * @igroup: not to be touched afterwards
 */
void iommufd_group_put(struct iommufd_group *igroup)
{
	struct iommufd_ctx *ictx = igroup->ictx;

	mutex_lock(&ictx->groups_lock);
	if (!--igroup->users) {
		WARN_ON(igroup->hwpt || !list_empty(&igroup->devices));
		list_del(&igroup->node);
		iommu_group_release_dma_owner(igroup->group);
		iommu_group_put(igroup->group);
		mutex_destroy(&igroup->lock);
		kfree(igroup);
	}
	mutex_unlock(&ictx->groups_lock);
}

/**
 * iommufd_ctx_has_group - whether any device of a group is bound to a context
 * @ictx: a context that the caller holds a reference to
 * @group: the group, or NULL
 *
 * Return: true if so.
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	bool has;

	if (!ictx || !group)
		return false;
	mutex_lock(&ictx->groups_lock);
	has = find_group(ictx, group);
	mutex_unlock(&ictx->groups_lock);
	return has;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_has_group, IOMMUFD);

/* All of the group's devices' that no IOVA may be in. */
static int reserve_list(struct iommufd_group *igroup, struct iommufd_ioas *ioas,
			const struct list_head *regions)
{
	const struct iommu_resv_region *region;
	unsigned long last;
	int rc;

	list_for_each_entry(region, regions, list) {
		/* Firmware's, for a time when nobody uses the device. */
		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE ||
		    !region->length)
			continue;
		if (check_add_overflow((unsigned long)region->start,
				       (unsigned long)region->length - 1,
				       &last))
			last = ULONG_MAX;
		rc = iommufd_ioas_reserve_locked(ioas, region->start, last,
						 igroup);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * Where the device's writes that are interrupts go through the page table, it
 * has to know a window for them.
 */
static int set_msi(struct iommufd_hwpt *hwpt, const struct list_head *regions)
{
	const struct iommu_resv_region *region;
	int rc;

	list_for_each_entry(region, regions, list) {
		if (region->type != IOMMU_RESV_SW_MSI)
			continue;
		if (hwpt->msi)
			return hwpt->msi_start == region->start ? 0 : -EINVAL;
		rc = iommu_get_msi_cookie(hwpt->domain, region->start);
		if (rc)
			return rc;
		hwpt->msi = true;
		hwpt->msi_start = region->start;
	}
	return 0;
}

/* It can only be turned on, and has to be before there is any DMA. */
static int enforce(struct iommufd_hwpt *hwpt, struct device *dev)
{
	const struct iommu_domain_ops *ops = hwpt->domain->ops;

	if (!hwpt->coherent && iommufd_compat_can_enforce(dev)) {
		WRITE_ONCE(hwpt->coherent,
			   ops->enforce_cache_coherency &&
			   ops->enforce_cache_coherency(hwpt->domain));
		if (!hwpt->coherent)
			return -EINVAL;
	}
	return 0;
}

/**
 * iommufd_group_enforce - has all DMA through a page table coherent, if possible
 * @hwpt: the page table; a device goes through it, and nothing is in it yet. The
 *        attach_lock of its IOAS is held
 *
 * For kernels that do not tell beforehand whether that is possible: what is asked
 * there is the domain, and it answers for the devices that it has.
 */
void iommufd_group_enforce(struct iommufd_hwpt *hwpt)
{
	const struct iommu_domain_ops *ops = hwpt->domain->ops;

	if (!hwpt->coherent && ops->enforce_cache_coherency)
		WRITE_ONCE(hwpt->coherent,
			   ops->enforce_cache_coherency(hwpt->domain));
}

static bool in_ioas(const struct iommufd_group *igroup,
		    const struct iommufd_ioas *ioas)
{
	return igroup->hwpt && igroup->hwpt->ioas == ioas;
}

/**
 * iommufd_group_prepare - a group is about to go through a page table
 * @igroup: whose lock is held; goes through none, or another one
 * @hwpt: the page table; the attach_lock of its IOAS is held
 * @dev: the device for whose sake
 *
 * The IOAS gets as narrow as the group is.
 *
 * Return: 0, and then iommufd_group_set() or iommufd_group_unprepare() is to be
 * called; -EADDRINUSE if something is mapped where the group has a reserved
 * region; -EINVAL if the page table is none for this group; -ENOMEM; another
 * errno of the kernel's.
 */
int iommufd_group_prepare(struct iommufd_group *igroup,
			  struct iommufd_hwpt *hwpt, struct device *dev)
{
	struct iommu_resv_region *region, *next;
	struct iommufd_ioas *ioas = hwpt->ioas;
	LIST_HEAD(regions);
	int rc;

	lockdep_assert_held(&igroup->lock);
	lockdep_assert_held(&ioas->attach_lock);
	rc = enforce(hwpt, dev);
	if (rc)
		return rc;
	rc = iommu_get_group_resv_regions(igroup->group, &regions);
	if (!rc)
		rc = set_msi(hwpt, &regions);
	if (!rc && !in_ioas(igroup, ioas)) {
		down_write(&ioas->lock);
		rc = reserve_list(igroup, ioas, &regions);
		if (rc)
			iommufd_ioas_unreserve_locked(ioas, igroup);
		up_write(&ioas->lock);
	}
	list_for_each_entry_safe(region, next, &regions, list)
		kfree(region);
	return rc;
}

/**
 * iommufd_group_unprepare - it does not go there
 * @igroup: as in iommufd_group_prepare()
 * @hwpt: as there
 */
void iommufd_group_unprepare(struct iommufd_group *igroup,
			     struct iommufd_hwpt *hwpt)
{
	if (!in_ioas(igroup, hwpt->ioas))
		iommufd_ioas_unreserve(hwpt->ioas, igroup);
}

/*
 * Under the lock, under which the page table is changed: on 6.1 Intel's driver
 * lets nothing else keep the two apart. It takes levels off the page table when
 * a device is attached, and asks who is attached when it flushes.
 */
static int attach(struct iommufd_group *igroup, struct iommufd_hwpt *hwpt)
{
	int rc;

	down_write(&hwpt->ioas->lock);
	rc = iommu_attach_group(hwpt->domain, igroup->group);
	up_write(&hwpt->ioas->lock);
	return rc;
}

static void detach(struct iommufd_group *igroup, struct iommufd_hwpt *hwpt)
{
	down_write(&hwpt->ioas->lock);
	iommu_detach_group(hwpt->domain, igroup->group);
	up_write(&hwpt->ioas->lock);
}

static int replace(struct iommufd_group *igroup, struct iommufd_hwpt *old,
		   struct iommufd_hwpt *hwpt)
{
	int rc;

	if (IOMMUFD_COMPAT_REPLACES)
		return iommu_group_replace_domain(igroup->group, hwpt->domain);
	detach(igroup, old);
	rc = attach(igroup, hwpt);
	/* It was there before; if not, it is left without. */
	if (rc)
		WARN_ON(attach(igroup, old));
	return rc;
}

/**
 * iommufd_group_set - a group goes through a page table from now on
 * @igroup: as in iommufd_group_prepare()
 * @hwpt: as there
 *
 * Return: 0; -EINVAL if the page table is none for this group; another errno of
 * the kernel's. Then it is as after iommufd_group_prepare().
 */
int iommufd_group_set(struct iommufd_group *igroup, struct iommufd_hwpt *hwpt)
{
	struct iommufd_hwpt *old = igroup->hwpt;
	int rc;

	lockdep_assert_held(&igroup->lock);
	rc = old ? replace(igroup, old, hwpt) : attach(igroup, hwpt);
	if (rc)
		return rc;
	if (old && old->ioas != hwpt->ioas)
		iommufd_ioas_unreserve(old->ioas, igroup);
	igroup->hwpt = hwpt;
	return 0;
}

/**
 * iommufd_group_unset - a group goes through no page table any more
 * @igroup: whose lock is held; goes through one
 *
 * None of its devices reaches any memory after this.
 */
void iommufd_group_unset(struct iommufd_group *igroup)
{
	struct iommufd_hwpt *hwpt = igroup->hwpt;

	lockdep_assert_held(&igroup->lock);
	detach(igroup, hwpt);
	iommufd_ioas_unreserve(hwpt->ioas, igroup);
	igroup->hwpt = NULL;
}
