// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommufd: /dev/iommu for kernels that ship without it.
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/namei.h>

#include "iommufd_private.h"

static int iommufd_fops_open(struct inode *inode, struct file *file)
{
	return iommufd_ctx_open(file);
}

static int iommufd_fops_release(struct inode *inode, struct file *file)
{
	iommufd_ctx_release(file);
	return 0;
}

/*
 * Every command takes a pointer to a struct whose layout is the same for 32
 * and 64 bits, so the pointer is all that compat has to convert. Nothing can
 * be sought here: on 6.1 as on 6.12 that is said by leaving out .llseek.
 */
const struct file_operations iommufd_fops = {
	.owner = THIS_MODULE,
	.open = iommufd_fops_open,
	.release = iommufd_fops_release,
	.unlocked_ioctl = iommufd_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = iommufd_show_fdinfo,
};

static struct miscdevice iommufd_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.fops = &iommufd_fops,
	.mode = 0660,
};

/*
 * Upstream's iommufd never gets this far: its module has our name and its
 * symbols are ours, so the module loader turns us away. What is left is some
 * other driver with our device name, and misc_register() would find that out
 * with a stack trace. It offers no question to ask beforehand, but sysfs does.
 */
static bool name_is_taken(void)
{
	struct path path;

	if (kern_path("/sys/class/misc/iommu", 0, &path))
		return false;
	path_put(&path);
	return true;
}

static int __init iommufd_init(void)
{
	int rc;

	if (name_is_taken()) {
		pr_err("this kernel has a /dev/iommu already, not loading\n");
		return -EEXIST;
	}

	iommufd_objects_init();
	rc = iommufd_pages_init();
	if (rc)
		return rc;
	/* Before the first context, of which it tells. */
	rc = iommufd_netlink_init();
	if (rc) {
		pr_err("cannot register with generic netlink: error %d\n", rc);
		goto no_netlink;
	}
	rc = misc_register(&iommufd_misc);
	if (rc) {
		pr_err("cannot register /dev/iommu: error %d\n", rc);
		goto no_device;
	}
	/* After all that can fail: an open debugfs file outlives a failed init. */
	iommufd_debugfs_init();
	return 0;

no_device:
	iommufd_netlink_exit();
no_netlink:
	iommufd_pages_exit();
	return rc;
}

static void __exit iommufd_exit(void)
{
	misc_deregister(&iommufd_misc);
	iommufd_debugfs_exit();
	iommufd_netlink_exit();
	iommufd_pages_exit();
}

module_init(iommufd_init);
module_exit(iommufd_exit);

MODULE_DESCRIPTION("I/O address spaces for user space: /dev/iommu");
MODULE_AUTHOR("The iommufdctl authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
/* Not our own of that name, but what the kernel keeps for iommufd. */
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
