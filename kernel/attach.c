// SPDX-License-Identifier: GPL-2.0-only
/*
 * What bound devices go through: attach, replace and detach. Names and signatures
 * are those of <linux/iommufd.h>.
 *
 * The devices of a group go together. To go to an IOAS is to go to a page table
 * that others who went there share already, or else to a new one, which is filled
 * while nobody can find it yet.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommufd.h>

#include "compat.h"
#include "iommufd_private.h"

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
	iommufd_group_enforce(hwpt);
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
