// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character device of a PCI device: /dev/vfio/devices/vfioN. Opened, it can
 * do nothing but be bound to a context of /dev/iommu; then it is what a device
 * opened by way of its group is, and its DMA goes by the address space of the
 * context that it is attached to.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd_vfio.h>

#include "compat.h"
#include "vfio_pci.h"

/**
 * struct iommufd_vfio_file - an open file of a device
 * @v: the device
 * @mapping: where the user's mappings of the device's memory are found
 * @ictx: the context that it is bound to; NULL before
 * @idev: the device in that context
 * @attached: to an address space there
 * @bound: @ictx and @idev are set and the device is on; set last, never unset
 *
 * @ictx, @idev and @attached belong to @v's lock.
 */
struct iommufd_vfio_file {
	struct iommufd_vfio_pci *v;
	struct address_space *mapping;
	struct iommufd_ctx *ictx;
	struct iommufd_device *idev;
	bool attached;
	bool bound;
};

static dev_t first_devt;

/*
 * Whether a user's call may reach the core, under srcu. What was taken from its
 * user says so first, since it can have been bound or not.
 */
static int usable(const struct iommufd_vfio_file *f)
{
	if (READ_ONCE(f->v->state) == IOMMUFD_VFIO_GONE)
		return -EIO;
	/* With the release in ioctl_bind(): bound, and all that comes with it. */
	if (!smp_load_acquire(&f->bound))
		return -EINVAL;
	return 0;
}

/*
 * The way back of a bind. First the device stops: bus mastering goes off and it
 * is reset, so that nothing of its DMA is under way when the address space goes.
 */
static void let_go(struct iommufd_vfio_pci *v)
{
	struct iommufd_vfio_file *f = v->user;
	struct vfio_device *vdev = &v->core.vdev;

	lockdep_assert_held(&v->lock);
	mutex_lock(&vdev->dev_set->lock);
	vfio_pci_core_close_device(vdev);
	vdev->open_count--;
	mutex_unlock(&vdev->dev_set->lock);

	if (f->attached)
		iommufd_device_detach(f->idev);
	iommufd_device_unbind(f->idev);
	iommufd_ctx_put(f->ictx);
	f->attached = false;
	f->idev = NULL;
	f->ictx = NULL;
	WRITE_ONCE(v->user, NULL);
	wake_up_all(&v->released);
}

/*
 * Switches the device on for the one file that has it. Now that the DMA of its
 * group is the context's it cannot be opened by way of the group any more, but
 * may have been.
 */
static int switch_on(struct iommufd_vfio_pci *v)
{
	struct vfio_device *vdev = &v->core.vdev;
	int rc;

	mutex_lock(&vdev->dev_set->lock);
	if (vdev->open_count) {
		rc = -EBUSY;
	} else {
		vdev->open_count++;
		rc = vfio_pci_core_enable(&v->core);
		if (rc)
			vdev->open_count--;
		else
			vfio_pci_core_finish_enable(&v->core);
	}
	mutex_unlock(&vdev->dev_set->lock);
	return rc;
}

static int bind_to(struct iommufd_vfio_file *f, int iommufd, u32 *id)
{
	struct iommufd_vfio_pci *v = f->v;
	int rc;

	f->ictx = iommufd_ctx_from_fd(iommufd);
	if (IS_ERR(f->ictx)) {
		rc = PTR_ERR(f->ictx);
		goto err_ctx;
	}
	f->idev = iommufd_device_bind(f->ictx, v->core.vdev.dev, id);
	if (IS_ERR(f->idev)) {
		rc = PTR_ERR(f->idev);
		goto err_bind;
	}
	rc = switch_on(v);
	if (rc)
		goto err_unbind;
	v->user = f;
	return 0;

err_unbind:
	iommufd_device_unbind(f->idev);
err_bind:
	f->idev = NULL;
	iommufd_ctx_put(f->ictx);
err_ctx:
	f->ictx = NULL;
	return rc;
}

/*
 * -EIO: the device is leaving or gone; -EINVAL: bound already, by this file or
 * by another; -EBUSY: open by way of its group, or its group's DMA is another's.
 */
static int ioctl_bind(struct iommufd_vfio_file *f,
		      struct vfio_device_bind_iommufd __user *arg)
{
	const size_t size = offsetofend(struct vfio_device_bind_iommufd,
					out_devid);
	struct vfio_device_bind_iommufd cmd;
	struct iommufd_vfio_pci *v = f->v;
	int rc;

	if (copy_from_user(&cmd, arg, size))
		return -EFAULT;
	if (cmd.argsz < size || cmd.flags || cmd.iommufd < 0)
		return -EINVAL;

	if (mutex_lock_killable(&v->lock))
		return -EINTR;
	if (v->state != IOMMUFD_VFIO_LIVE)
		rc = -EIO;
	else if (v->user)
		rc = -EINVAL;
	else if (READ_ONCE(v->core.vdev.open_count))
		rc = -EBUSY;
	else
		rc = bind_to(f, cmd.iommufd, &cmd.out_devid);
	if (rc)
		goto out_unlock;
	if (put_user(cmd.out_devid, &arg->out_devid)) {
		let_go(v);
		rc = -EFAULT;
		goto out_unlock;
	}
	/* Read without the lock by usable(). */
	smp_store_release(&f->bound, true);
out_unlock:
	mutex_unlock(&v->lock);
	return rc;
}

static int ioctl_attach(struct iommufd_vfio_file *f,
			struct vfio_device_attach_iommufd_pt __user *arg)
{
	const size_t size = offsetofend(struct vfio_device_attach_iommufd_pt,
					pt_id);
	struct vfio_device_attach_iommufd_pt cmd;
	struct iommufd_vfio_pci *v = f->v;
	int rc;

	if (copy_from_user(&cmd, arg, size))
		return -EFAULT;
	if (cmd.argsz < size || cmd.flags)
		return -EINVAL;

	if (mutex_lock_killable(&v->lock))
		return -EINTR;
	if (f->attached)
		rc = iommufd_device_replace(f->idev, &cmd.pt_id);
	else
		rc = iommufd_device_attach(f->idev, &cmd.pt_id);
	if (rc)
		goto out_unlock;
	f->attached = true;
	if (put_user(cmd.pt_id, &arg->pt_id)) {
		/* Better nowhere than where the user does not know. */
		iommufd_device_detach(f->idev);
		f->attached = false;
		rc = -EFAULT;
	}
out_unlock:
	mutex_unlock(&v->lock);
	return rc;
}

static int ioctl_detach(struct iommufd_vfio_file *f,
			struct vfio_device_detach_iommufd_pt __user *arg)
{
	const size_t size = offsetofend(struct vfio_device_detach_iommufd_pt,
					flags);
	struct vfio_device_detach_iommufd_pt cmd;
	struct iommufd_vfio_pci *v = f->v;

	if (copy_from_user(&cmd, arg, size))
		return -EFAULT;
	if (cmd.argsz < size || cmd.flags)
		return -EINVAL;

	if (mutex_lock_killable(&v->lock))
		return -EINTR;
	if (f->attached) {
		iommufd_device_detach(f->idev);
		f->attached = false;
	}
	mutex_unlock(&v->lock);
	return 0;
}

/* VFIO itself takes the head of the struct apart, and the core what follows. */
static int ioctl_feature(struct iommufd_vfio_file *f,
			 struct vfio_device_feature __user *arg)
{
	const u32 what = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_PROBE;
	const size_t size = offsetofend(struct vfio_device_feature, flags);
	struct vfio_device_feature cmd;

	if (copy_from_user(&cmd, arg, size))
		return -EFAULT;
	if (cmd.argsz < size)
		return -EINVAL;
	if (cmd.flags & ~(VFIO_DEVICE_FEATURE_MASK | what))
		return -EINVAL;
	/* Both at once can be asked for, but not done. */
	if (!(cmd.flags & VFIO_DEVICE_FEATURE_PROBE) &&
	    (cmd.flags & VFIO_DEVICE_FEATURE_SET) &&
	    (cmd.flags & VFIO_DEVICE_FEATURE_GET))
		return -EINVAL;
	return vfio_pci_core_ioctl_feature(&f->v->core.vdev, cmd.flags,
					   arg->data, cmd.argsz - size);
}

static long ioctl_bound(struct iommufd_vfio_file *f, unsigned int cmd,
			unsigned long arg)
{
	void __user *uptr = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		return ioctl_attach(f, uptr);
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
		return ioctl_detach(f, uptr);
	case VFIO_DEVICE_FEATURE:
		return ioctl_feature(f, uptr);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
	case VFIO_DEVICE_PCI_HOT_RESET:
		/*
		 * The core wants proof by files of groups, which there are none
		 * of, for devices that others may have: what is published for a
		 * device that cannot be reset so.
		 */
		return -ENODEV;
	default:
		return vfio_pci_core_ioctl(&f->v->core.vdev, cmd, arg);
	}
}

static long cdev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct iommufd_vfio_file *f = file->private_data;
	struct device *dev = f->v->core.vdev.dev;
	long rc;
	int idx;

	if (cmd == VFIO_DEVICE_BIND_IOMMUFD)
		return ioctl_bind(f, (void __user *)arg);

	idx = srcu_read_lock(&f->v->srcu);
	rc = usable(f);
	/* The user may have sent it to sleep. */
	if (!rc && pm_runtime_resume_and_get(dev))
		rc = -EIO;
	if (!rc) {
		rc = ioctl_bound(f, cmd, arg);
		pm_runtime_put(dev);
	}
	srcu_read_unlock(&f->v->srcu, idx);
	return rc;
}

static ssize_t cdev_read(struct file *file, char __user *buf, size_t count,
			 loff_t *pos)
{
	struct iommufd_vfio_file *f = file->private_data;
	ssize_t rc;
	int idx;

	idx = srcu_read_lock(&f->v->srcu);
	rc = usable(f);
	if (!rc)
		rc = vfio_pci_core_read(&f->v->core.vdev, buf, count, pos);
	srcu_read_unlock(&f->v->srcu, idx);
	return rc;
}

static ssize_t cdev_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *pos)
{
	struct iommufd_vfio_file *f = file->private_data;
	ssize_t rc;
	int idx;

	idx = srcu_read_lock(&f->v->srcu);
	rc = usable(f);
	if (!rc)
		rc = vfio_pci_core_write(&f->v->core.vdev, buf, count, pos);
	srcu_read_unlock(&f->v->srcu, idx);
	return rc;
}

/*
 * The core's operations on a mapping, but for faults: those ask us first, since
 * the core cannot be asked once the device has been switched off.
 */
static const struct vm_operations_struct *core_vm_ops;
static struct vm_operations_struct cdev_vm_ops;
static DEFINE_MUTEX(vm_ops_lock);

static vm_fault_t cdev_fault(struct vm_fault *vmf)
{
	struct iommufd_vfio_file *f = vmf->vma->vm_file->private_data;
	vm_fault_t rc = VM_FAULT_SIGBUS;
	int idx;

	idx = srcu_read_lock(&f->v->srcu);
	if (!usable(f))
		rc = core_vm_ops->fault(vmf);
	srcu_read_unlock(&f->v->srcu, idx);
	return rc;
}

#if IOMMUFD_SINCE(6, 6)
static vm_fault_t cdev_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct iommufd_vfio_file *f = vmf->vma->vm_file->private_data;
	vm_fault_t rc = VM_FAULT_SIGBUS;
	int idx;

	idx = srcu_read_lock(&f->v->srcu);
	if (!usable(f))
		rc = core_vm_ops->huge_fault(vmf, order);
	srcu_read_unlock(&f->v->srcu, idx);
	return rc;
}
#endif

/* The core has one set of operations; for any other, false. */
static bool wrap_vm_ops(struct vm_area_struct *vma)
{
	bool ok;

	mutex_lock(&vm_ops_lock);
	if (!core_vm_ops && vma->vm_ops && vma->vm_ops->fault) {
		cdev_vm_ops = *vma->vm_ops;
		cdev_vm_ops.fault = cdev_fault;
#if IOMMUFD_SINCE(6, 6)
		if (cdev_vm_ops.huge_fault)
			cdev_vm_ops.huge_fault = cdev_huge_fault;
#endif
		core_vm_ops = vma->vm_ops;
	}
	ok = core_vm_ops && vma->vm_ops == core_vm_ops;
	if (ok)
		vma->vm_ops = &cdev_vm_ops;
	mutex_unlock(&vm_ops_lock);
	return ok;
}

static int cdev_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct iommufd_vfio_file *f = file->private_data;
	int rc, idx;

	idx = srcu_read_lock(&f->v->srcu);
	rc = usable(f);
	if (!rc)
		rc = vfio_pci_core_mmap(&f->v->core.vdev, vma);
	if (!rc && !wrap_vm_ops(vma))
		rc = -EOPNOTSUPP;
	srcu_read_unlock(&f->v->srcu, idx);
	return rc;
}

static int cdev_open(struct inode *inode, struct file *file)
{
	struct iommufd_vfio_pci *v = container_of(inode->i_cdev,
						  struct iommufd_vfio_pci,
						  cdev);
	struct iommufd_vfio_file *f;

	/* Without the lock, which an attach may hold for long. */
	if (READ_ONCE(v->state) != IOMMUFD_VFIO_LIVE)
		return -ENODEV;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->v = v;
	iommufd_compat_vfio_file(file, &v->core.vdev);
	f->mapping = file->f_mapping;
	file->private_data = f;
	return 0;
}

static int cdev_release(struct inode *inode, struct file *file)
{
	struct iommufd_vfio_file *f = file->private_data;
	struct iommufd_vfio_pci *v = f->v;

	mutex_lock(&v->lock);
	if (v->user == f)
		let_go(v);
	mutex_unlock(&v->lock);
	kfree(f);
	return 0;
}

static const struct file_operations cdev_fops = {
	.owner = THIS_MODULE,
	.open = cdev_open,
	.release = cdev_release,
	.unlocked_ioctl = cdev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = cdev_read,
	.write = cdev_write,
	.mmap = cdev_mmap,
};

static char *cdev_devnode(IOMMUFD_COMPAT_DEVNODE_CONST struct device *dev,
			  umode_t *mode, kuid_t *uid, kgid_t *gid)
{
	return kasprintf(GFP_KERNEL, "vfio/devices/%s", dev_name(dev));
}

static const struct device_type cdev_type = {
	.devnode = cdev_devnode,
};

/**
 * iommufd_vfio_cdev_name - say of a device that it has a node, and where
 * @v: a device that VFIO has not registered yet
 *
 * VFIO gives each of its devices a number of its own, and a struct device of
 * class vfio-dev; by what is set here the latter comes with a `dev` file and a
 * node. It is called before anything is said of @v to anyone.
 */
void iommufd_vfio_cdev_name(struct iommufd_vfio_pci *v)
{
	struct vfio_device *vdev = &v->core.vdev;

	vdev->device.devt = MKDEV(MAJOR(first_devt), vdev->index);
	vdev->device.type = &cdev_type;
}

/**
 * iommufd_vfio_cdev_add - make a device's node work
 * @v: the device; its lock may be held
 *
 * Return: 0 or a negative errno. Undone by cdev_del().
 */
int iommufd_vfio_cdev_add(struct iommufd_vfio_pci *v)
{
	struct device *dev = &v->core.vdev.device;

	cdev_init(&v->cdev, &cdev_fops);
	v->cdev.owner = THIS_MODULE;
	cdev_set_parent(&v->cdev, &dev->kobj);
	return cdev_add(&v->cdev, dev->devt, 1);
}

/* By the eventfd that the user may have set for that, every ten seconds. */
static void ask_user(struct iommufd_vfio_pci *v, unsigned int wait)
{
	unsigned int count = 0;

	while (READ_ONCE(v->user) && wait &&
	       iommufd_compat_vfio_can_ask(&v->core)) {
		unsigned int part = min(wait, 10U);

		vfio_pci_core_request(&v->core.vdev, count++);
		wait_event_timeout(v->released, !READ_ONCE(v->user), part * HZ);
		wait -= part;
	}
}

/**
 * iommufd_vfio_cdev_remove - take a device from those who have it open
 * @v: the device, which is registered with VFIO still
 * @wait: seconds in which a user who set an eventfd for it may close the device
 *        after it was signalled
 *
 * Then the device is switched off and leaves its context. The open file stays,
 * and answers EIO; what it has mapped answers SIGBUS.
 */
void iommufd_vfio_cdev_remove(struct iommufd_vfio_pci *v, unsigned int wait)
{
	/* Who binds just now is asked to go, too. */
	WRITE_ONCE(v->state, IOMMUFD_VFIO_LEAVING);
	cdev_del(&v->cdev);

	if (!pci_dev_is_disconnected(v->core.pdev))
		ask_user(v, wait);

	mutex_lock(&v->lock);
	WRITE_ONCE(v->state, IOMMUFD_VFIO_GONE);
	mutex_unlock(&v->lock);
	synchronize_srcu(&v->srcu);

	mutex_lock(&v->lock);
	if (v->user) {
		unmap_mapping_range(v->user->mapping, 0, 0, 1);
		let_go(v);
	}
	mutex_unlock(&v->lock);
}

int iommufd_vfio_cdev_init(void)
{
	return alloc_chrdev_region(&first_devt, 0, MINORMASK + 1, "vfio-dev");
}

void iommufd_vfio_cdev_exit(void)
{
	unregister_chrdev_region(first_devt, MINORMASK + 1);
}
