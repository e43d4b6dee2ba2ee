// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommufd_vfio_pci: a PCI device for user space, on a kernel whose VFIO knows
 * nothing of iommufd.
 *
 * To VFIO this is a driver like vfio-pci, made of the same exported functions,
 * and the device can be opened by way of its group as ever. Besides, it gets the
 * character device that VFIO has where it was built with one (vfio_cdev.c). A
 * device is given to this driver by its name in driver_override, never by
 * itself: so there is no module alias either, by which libvirt would take it
 * for the better one of two drivers.
 */
#define pr_fmt(fmt) "iommufd_vfio_pci: " fmt

#include <linux/err.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio_pci_core.h>

#include "vfio_pci.h"

static unsigned int release_wait = 30;
module_param(release_wait, uint, 0644);
MODULE_PARM_DESC(release_wait,
		 "Seconds that a user who asked to be told has to close a device that is to go (default 30)");

static int iommufd_vfio_pci_init_dev(struct vfio_device *vdev)
{
	struct iommufd_vfio_pci *v = iommufd_vfio_pci_of(vdev);
	int rc;

	rc = init_srcu_struct(&v->srcu);
	if (rc)
		return rc;
	mutex_init(&v->lock);
	init_waitqueue_head(&v->released);
	rc = vfio_pci_core_init_dev(vdev);
	if (rc)
		cleanup_srcu_struct(&v->srcu);
	return rc;
}

static void iommufd_vfio_pci_release_dev(struct vfio_device *vdev)
{
	struct iommufd_vfio_pci *v = iommufd_vfio_pci_of(vdev);

	/* In this order: on 6.1 the core frees @v itself. */
	cleanup_srcu_struct(&v->srcu);
	vfio_pci_core_release_dev(vdev);
}

/*
 * Opened by way of the group. While a context has the device, VFIO does not get
 * here: its container was refused the ownership of the group's DMA.
 */
static int iommufd_vfio_pci_open(struct vfio_device *vdev)
{
	struct iommufd_vfio_pci *v = iommufd_vfio_pci_of(vdev);
	int rc;

	rc = vfio_pci_core_enable(&v->core);
	if (!rc)
		vfio_pci_core_finish_enable(&v->core);
	return rc;
}

static const struct vfio_device_ops iommufd_vfio_pci_ops = {
	.name = "iommufd-vfio-pci",
	.init = iommufd_vfio_pci_init_dev,
	.release = iommufd_vfio_pci_release_dev,
	.open_device = iommufd_vfio_pci_open,
	.close_device = vfio_pci_core_close_device,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
};

static int iommufd_vfio_pci_probe(struct pci_dev *pdev,
				  const struct pci_device_id *id)
{
	struct iommufd_vfio_pci *v;
	int rc;

	v = vfio_alloc_device(iommufd_vfio_pci, core.vdev, &pdev->dev,
			      &iommufd_vfio_pci_ops);
	if (IS_ERR(v))
		return PTR_ERR(v);
	/* The core looks for itself there. */
	dev_set_drvdata(&pdev->dev, &v->core);
	iommufd_vfio_cdev_name(v);

	/* Who opens the device when udev hears of it waits for the lock. */
	mutex_lock(&v->lock);
	rc = iommufd_vfio_cdev_add(v);
	if (rc)
		goto err_put;
	rc = vfio_pci_core_register_device(&v->core);
	if (rc)
		goto err_cdev;
	v->state = IOMMUFD_VFIO_LIVE;
	mutex_unlock(&v->lock);
	return 0;

err_cdev:
	cdev_del(&v->cdev);
err_put:
	mutex_unlock(&v->lock);
	vfio_put_device(&v->core.vdev);
	return rc;
}

static void iommufd_vfio_pci_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);
	struct iommufd_vfio_pci *v = iommufd_vfio_pci_of(&core->vdev);

	iommufd_vfio_cdev_remove(v, READ_ONCE(release_wait));
	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

static const struct pci_device_id iommufd_vfio_pci_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{}
};

static struct pci_driver iommufd_vfio_pci_driver = {
	.name = "iommufd_vfio_pci",
	.id_table = iommufd_vfio_pci_ids,
	.probe = iommufd_vfio_pci_probe,
	.remove = iommufd_vfio_pci_remove,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};

static int __init iommufd_vfio_pci_init(void)
{
	int rc;

	if (IS_ENABLED(CONFIG_VFIO_DEVICE_CDEV)) {
		pr_err("this kernel's VFIO has character devices of its own, not loading\n");
		return -EEXIST;
	}
	rc = iommufd_vfio_cdev_init();
	if (rc)
		return rc;
	rc = pci_register_driver(&iommufd_vfio_pci_driver);
	if (rc)
		iommufd_vfio_cdev_exit();
	return rc;
}

static void __exit iommufd_vfio_pci_exit(void)
{
	pci_unregister_driver(&iommufd_vfio_pci_driver);
	iommufd_vfio_cdev_exit();
}

module_init(iommufd_vfio_pci_init);
module_exit(iommufd_vfio_pci_exit);

MODULE_DESCRIPTION("PCI devices for user space, by iommufd");
MODULE_AUTHOR("The iommufdctl authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_IMPORT_NS(IOMMUFD);
