// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI driver that does nothing with what is bound to it (by driver_override,
 * since it is for no device of its own). So the device, and its IOMMU group,
 * is in use by the host.
 */
#include <linux/module.h>
#include <linux/pci.h>

static int idle_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	return 0;
}

static void idle_remove(struct pci_dev *dev)
{
}

static struct pci_driver idle_driver = {
	.name = "idle",
	.probe = idle_probe,
	.remove = idle_remove,
};

module_pci_driver(idle_driver);

MODULE_DESCRIPTION("Test only: has devices and leaves them alone");
MODULE_LICENSE("GPL");
