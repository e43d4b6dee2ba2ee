// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of VFIO's type 1 IOMMU on /dev/iommu, for programs that know only
 * those: <linux/vfio.h> says what they are. They name no address space, so a
 * context has one IOAS that they mean, which IOMMU_VFIO_IOAS chooses.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommufd.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/vfio.h>

#include "iommufd_private.h"

/*
 * The context does not refer to the IOAS: its end is no reason for EBUSY. It
 * may have been claimed for that end, and its id given to another one, before
 * it has been forgotten: so what the id leads to must be the same.
 */
static struct iommufd_ioas *vfio_ioas_get(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas, *found;
	u32 id = 0;

	xa_lock(&ictx->objects);
	ioas = ictx->vfio_ioas;
	if (ioas)
		id = ioas->obj.id;
	xa_unlock(&ictx->objects);
	if (!id)
		return ERR_PTR(-ENODEV);
	found = iommufd_ioas_get(ictx, id);
	if (IS_ERR(found))
		return ERR_PTR(-ENODEV);
	if (found != ioas) {
		iommufd_ioas_put(found);
		return ERR_PTR(-ENODEV);
	}
	return found;
}

/**
 * iommufd_vfio_compat_ioas_get_id - which IOAS VFIO's ioctls mean
 * @ictx: the context
 * @out_ioas_id: written: its id
 *
 * Return: 0, or -ENODEV if there is none.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	struct iommufd_ioas *ioas = vfio_ioas_get(ictx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	*out_ioas_id = ioas->obj.id;
	iommufd_ioas_put(ioas);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_ioas_create - sees to it that there is such an IOAS
 * @ictx: the context
 *
 * Return: 0, also if there was one; -EINVAL after
 * iommufd_vfio_compat_set_no_iommu(); -ENOMEM; -EBUSY when out of ids.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	ioas = iommufd_ioas_make(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	xa_lock(&ictx->objects);
	if (ictx->vfio_no_iommu)
		rc = -EINVAL;
	else if (ictx->vfio_ioas)
		rc = -EEXIST;
	else
		WRITE_ONCE(ictx->vfio_ioas, ioas);
	xa_unlock(&ictx->objects);
	if (rc)
		iommufd_object_abort_and_destroy(ictx, &ioas->obj);
	else
		iommufd_object_finalize(ictx, &ioas->obj);
	return rc == -EEXIST ? 0 : rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_set_no_iommu - a device without an IOMMU is used
 * @ictx: the context
 *
 * Such a device reaches all memory, so nothing is mapped for it, and VFIO's
 * ioctls have no IOAS from now on.
 *
 * Return: 0, or -EINVAL if they have one already.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	int rc = 0;

	xa_lock(&ictx->objects);
	if (ictx->vfio_ioas)
		rc = -EINVAL;
	else
		ictx->vfio_no_iommu = true;
	xa_unlock(&ictx->objects);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, IOMMUFD_VFIO);

/**
 * iommufd_vfio_ioas_forget - the one that VFIO's ioctls mean is going
 * @ictx: its context
 * @ioas: the IOAS; its memory is still there
 */
void iommufd_vfio_ioas_forget(struct iommufd_ctx *ictx,
			      struct iommufd_ioas *ioas)
{
	xa_lock(&ictx->objects);
	if (ictx->vfio_ioas == ioas)
		WRITE_ONCE(ictx->vfio_ioas, NULL);
	xa_unlock(&ictx->objects);
}

static void set_vfio_ioas(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas)
{
	xa_lock(&ictx->objects);
	WRITE_ONCE(ictx->vfio_ioas, ioas);
	xa_unlock(&ictx->objects);
}

/**
 * iommufd_vfio_ioas - IOMMU_VFIO_IOAS
 * @ucmd: struct iommu_vfio_ioas
 *
 * Return: 0; -EOPNOTSUPP for the reserved field or an unknown operation;
 * -ENODEV if there is none to tell of; -ENOENT for an id that is no IOAS.
 */
int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd)
{
	struct iommu_vfio_ioas *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	switch (cmd->op) {
	case IOMMU_VFIO_IOAS_GET:
		ioas = vfio_ioas_get(ucmd->ictx);
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		cmd->ioas_id = ioas->obj.id;
		break;
	case IOMMU_VFIO_IOAS_SET:
		ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		/* Held until it is known: a destroy forgets it after that. */
		set_vfio_ioas(ucmd->ictx, ioas);
		break;
	case IOMMU_VFIO_IOAS_CLEAR:
		set_vfio_ioas(ucmd->ictx, NULL);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
	iommufd_ioas_put(ioas);
	return 0;
}

static int map_dma(struct iommufd_ctx *ictx, void __user *arg)
{
	size_t size = offsetofend(struct vfio_iommu_type1_dma_map, size);
	struct vfio_iommu_type1_dma_map map;
	struct iommufd_ioas *ioas;
	u32 flags = 0;
	int rc;

	if (copy_from_user(&map, arg, size))
		return -EFAULT;
	if (map.argsz < size || map.flags & ~(VFIO_DMA_MAP_FLAG_READ |
					      VFIO_DMA_MAP_FLAG_WRITE))
		return -EINVAL;
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		flags |= IOMMU_IOAS_MAP_READABLE;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		flags |= IOMMU_IOAS_MAP_WRITEABLE;
	ioas = vfio_ioas_get(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = flags ? iommufd_map_user(ioas, map.vaddr, map.size, map.iova,
				      flags) : -EINVAL;
	iommufd_ioas_put(ioas);
	return rc;
}

/*
 * In version 1 a range may begin and end anywhere, so what it cuts is cut: the
 * rest stays mapped.
 */
static int cut(struct iommufd_ioas *ioas, unsigned long start,
	       unsigned long last)
{
	int rc = iommufd_unmap_cut(ioas, start);

	return rc || last == ULONG_MAX ? rc : iommufd_unmap_cut(ioas, last + 1);
}

static int unmap_range(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas,
		       struct vfio_iommu_type1_dma_unmap *unmap)
{
	unsigned long start = unmap->iova, last = ULONG_MAX, unmapped = 0;
	int rc = 0;

	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap->iova || unmap->size)
			return -EINVAL;
	} else {
		if (!unmap->size)
			return -EINVAL;
		if (check_add_overflow(start, (unsigned long)unmap->size - 1,
				       &last))
			return -EOVERFLOW;
		if (READ_ONCE(ictx->vfio_cut))
			rc = cut(ioas, start, last);
	}
	rc = rc ?: iommufd_unmap_range(ioas, start, last, &unmapped);
	unmap->size = unmapped;
	return rc;
}

static int unmap_dma(struct iommufd_ctx *ictx, void __user *arg)
{
	size_t size = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	struct vfio_iommu_type1_dma_unmap unmap;
	struct iommufd_ioas *ioas;
	int rc;

	if (copy_from_user(&unmap, arg, size))
		return -EFAULT;
	if (unmap.argsz < size || unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
		return -EINVAL;
	ioas = vfio_ioas_get(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = unmap_range(ictx, ioas, &unmap);
	iommufd_ioas_put(ioas);
	/* The number of bytes is told after an error too, if it can be. */
	if (copy_to_user(arg, &unmap, size) && !rc)
		rc = -EFAULT;
	return rc;
}

/* Devices without an IOMMU are for those who are trusted with all memory. */
static bool no_iommu(const struct iommufd_ctx *ictx)
{
	return READ_ONCE(ictx->vfio_no_iommu) && capable(CAP_SYS_RAWIO);
}

static int set_iommu(struct iommufd_ctx *ictx, unsigned long type)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	if (type == VFIO_NOIOMMU_IOMMU && no_iommu(ictx))
		return 0;
	if (no_iommu(ictx) ||
	    (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU))
		return -EINVAL;
	ioas = vfio_ioas_get(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	/* What is to be cut anywhere must not be in huge pages. */
	if (type == VFIO_TYPE1_IOMMU)
		rc = iommufd_set_huge_pages(ioas, 0);
	iommufd_ioas_put(ioas);
	if (!rc)
		WRITE_ONCE(ictx->vfio_cut, type == VFIO_TYPE1_IOMMU);
	return rc;
}

/* Whether all DMA into the IOAS is coherent. Without a device, it would be. */
static int all_coherent(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = vfio_ioas_get(ictx);
	const struct iommufd_hwpt *hwpt;
	int all = 1;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	down_read(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, in_ioas)
		if (!READ_ONCE(hwpt->coherent))
			all = 0;
	up_read(&ioas->lock);
	iommufd_ioas_put(ioas);
	return all;
}

static int check_extension(struct iommufd_ctx *ictx, unsigned long type)
{
	switch (type) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_DMA_CC_IOMMU:
		return all_coherent(ictx);
	case VFIO_NOIOMMU_IOMMU:
		return no_iommu(ictx);
	default:
		return 0;
	}
}

/**
 * struct info - the answer to VFIO_IOMMU_GET_INFO up to the ranges
 * @info: what a caller that knows no capabilities gets
 * @avail: how many mappings there can be
 * @ranges: what follows are pairs of IOVAs
 */
struct info {
	struct vfio_iommu_type1_info info;
	struct vfio_iommu_type1_info_dma_avail avail;
	struct vfio_iommu_type1_info_cap_iova_range ranges;
};

/* Writes as many of the usable ranges as there is room for, and counts all. */
static int write_ranges(struct iommufd_ctx *ictx, u32 room,
			struct vfio_iova_range __user *out, u32 *nr)
{
	/* The two structs are the same but for their names. */
	struct iommu_iova_range batch[IOMMUFD_RANGES_BATCH];
	struct iommufd_ioas *ioas;
	unsigned long pos = 0;
	bool more = true;
	u32 n, fit;

	for (*nr = 0; more; *nr += n) {
		/* No user memory is touched with a hold on it. */
		ioas = vfio_ioas_get(ictx);
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		n = iommufd_ioas_usable(ioas, &pos, &more, batch);
		iommufd_ioas_put(ioas);
		fit = min(n, room - min(room, *nr));
		if (fit && copy_to_user(out + *nr, batch,
					fit * sizeof(batch[0])))
			return -EFAULT;
	}
	return 0;
}

static int get_info(struct iommufd_ctx *ictx, void __user *arg)
{
	size_t min = offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	struct info info;
	u32 argsz, room;
	int rc;

	static_assert(sizeof(struct vfio_iova_range) ==
		      sizeof(struct iommu_iova_range));
	/* With what lies between the fields, too. */
	memset(&info, 0, sizeof(info));
	if (copy_from_user(&info, arg, min))
		return -EFAULT;
	argsz = info.info.argsz;
	if (argsz < min)
		return -EINVAL;
	room = argsz > sizeof(info) ? (argsz - sizeof(info)) /
				      sizeof(struct vfio_iova_range) : 0;
	rc = write_ranges(ictx, room, arg + sizeof(info),
			  &info.ranges.nr_iovas);
	if (rc)
		return rc;
	info.info.argsz = sizeof(info) + info.ranges.nr_iovas *
					 sizeof(struct vfio_iova_range);
	info.info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.info.iova_pgsizes = PAGE_MASK;
	info.avail.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	info.avail.header.version = 1;
	info.avail.header.next = offsetof(struct info, ranges);
	/* As many as memory allows. */
	info.avail.avail = U32_MAX;
	info.ranges.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	info.ranges.header.version = 1;
	/* Too small for all of it: then it is told how much that would be. */
	if (argsz < info.info.argsz)
		return copy_to_user(arg, &info,
				    min_t(size_t, argsz, sizeof(info.info))) ?
		       -EFAULT : 0;
	info.info.cap_offset = offsetof(struct info, avail);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/**
 * iommufd_vfio_ioctl - an ioctl that is not of iommufd's own
 * @ictx: the context
 * @cmd: command word
 * @arg: user pointer, or a number
 *
 * Return: what <linux/vfio.h> says, and -ENODEV where no IOAS is chosen for
 * this; -ENOTTY for an unknown command.
 */
long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
			unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return check_extension(ictx, arg);
	case VFIO_SET_IOMMU:
		return set_iommu(ictx, arg);
	case VFIO_IOMMU_GET_INFO:
		return get_info(ictx, uarg);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(ictx, uarg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(ictx, uarg);
	default:
		return -ENOTTY;
	}
}
