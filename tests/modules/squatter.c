// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes the name /dev/iommu and does nothing with it. It stands in for an
 * iommufd that is not ours, next to which iommufd.ko must refuse to load.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static const struct file_operations squatter_fops = {
	.owner = THIS_MODULE,
};

static struct miscdevice squatter_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.fops = &squatter_fops,
	.mode = 0660,
};

module_misc_device(squatter_dev);

MODULE_DESCRIPTION("Test only: occupies the device name iommu");
MODULE_LICENSE("GPL");
