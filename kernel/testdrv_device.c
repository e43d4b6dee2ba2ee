// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test driver's devices: PCI devices that no driver has, bound to a context
 * as a driver would. Its commands, in a session of testdrv.c:
 *
 *  bind BDF            bind a device, 0000:00:02.0 for one, which results in its
 *                      id
 *  dev-attach ID PT    attach it to an IOAS or a page table; results in the
 *                      latter's id
 *  dev-replace ID PT   go to that one; the same
 *  dev-detach ID       attach it to none
 *  unbind ID           unbind it; detaches it first
 *  reaches ID IOVA ADDR
 *                      whether the device finds at IOVA what the writer has at
 *                      ADDR: the page at ADDR is compared with what the page
 *                      table leads to. ENOENT if it leads nowhere, EILSEQ if to
 *                      another page
 *  blind ID IOVA       that the device finds nothing at IOVA; else EEXIST
 *  has-group BDF       whether the context has the device's group: 1 or 0
 *  vfio-create, vfio-id, vfio-no-iommu
 *                      iommufd_vfio_compat_*(); the second results in the id
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "testdrv.h"

/**
 * struct testdrv_device - a device of a session
 * @node: in the session's devices
 * @pdev: the device, with a reference
 * @idev: iommufd's side of it
 * @id: of its object
 * @attached: it is attached
 */
struct testdrv_device {
	struct list_head node;
	struct pci_dev *pdev;
	struct iommufd_device *idev;
	u32 id;
	bool attached;
};

static struct pci_dev *find_pci(char **args)
{
	const char *word = strsep(args, " ");
	unsigned int domain, bus, slot, func;

	if (!word || sscanf(word, "%x:%x:%x.%x", &domain, &bus, &slot,
			    &func) != 4)
		return ERR_PTR(-EINVAL);
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, func)) ?:
	       ERR_PTR(-ENODEV);
}

static int cmd_bind(struct testdrv_session *s, char *args)
{
	struct testdrv_device *tdev;
	int rc;

	tdev = kzalloc(sizeof(*tdev), GFP_KERNEL_ACCOUNT);
	if (!tdev)
		return -ENOMEM;
	tdev->pdev = find_pci(&args);
	if (IS_ERR(tdev->pdev)) {
		rc = PTR_ERR(tdev->pdev);
		goto err_free;
	}
	tdev->idev = iommufd_device_bind(s->ictx, &tdev->pdev->dev, &tdev->id);
	if (IS_ERR(tdev->idev)) {
		rc = PTR_ERR(tdev->idev);
		goto err_put;
	}
	if (iommufd_device_to_id(tdev->idev) != tdev->id ||
	    iommufd_device_to_ictx(tdev->idev) != s->ictx)
		pr_err("iommufd_testdrv: a device does not know its own id\n");
	s->result = tdev->id;
	list_add(&tdev->node, &s->devices);
	return 0;

err_put:
	pci_dev_put(tdev->pdev);
err_free:
	kfree(tdev);
	return rc;
}

static void unbind(struct testdrv_device *tdev)
{
	list_del(&tdev->node);
	if (tdev->attached)
		iommufd_device_detach(tdev->idev);
	iommufd_device_unbind(tdev->idev);
	pci_dev_put(tdev->pdev);
	kfree(tdev);
}

/**
 * testdrv_device_put - unbinds all devices of a session
 * @s: the session, whose lock is held
 */
void testdrv_device_put(struct testdrv_session *s)
{
	struct testdrv_device *tdev, *next;

	list_for_each_entry_safe(tdev, next, &s->devices, node)
		unbind(tdev);
}

static int cmd_change(struct testdrv_session *s, struct testdrv_device *tdev,
		      char *args, bool replace)
{
	u32 pt;
	int rc;

	rc = testdrv_next_u32(&args, &pt);
	if (rc)
		return rc;
	if (replace)
		rc = iommufd_device_replace(tdev->idev, &pt);
	else
		rc = iommufd_device_attach(tdev->idev, &pt);
	if (rc)
		return rc;
	tdev->attached = true;
	s->result = pt;
	return 0;
}

static int cmd_detach(struct testdrv_device *tdev)
{
	if (!tdev->attached)
		return -EINVAL;
	tdev->attached = false;
	iommufd_device_detach(tdev->idev);
	return 0;
}

static phys_addr_t leads_to(struct testdrv_device *tdev, unsigned long iova)
{
	struct iommu_domain *domain;

	domain = iommu_get_domain_for_dev(&tdev->pdev->dev);
	return tdev->attached && domain ? iommu_iova_to_phys(domain, iova) : 0;
}

static int cmd_reaches(struct testdrv_device *tdev, char *args)
{
	unsigned long iova, addr;
	struct page *page;
	phys_addr_t phys;
	int rc;

	rc = testdrv_next_ulong(&args, &iova) ?:
	     testdrv_next_ulong(&args, &addr);
	if (rc)
		return rc;
	phys = leads_to(tdev, iova);
	if (!phys)
		return -ENOENT;
	if (pin_user_pages_fast(addr, 1, 0, &page) != 1)
		return -EFAULT;
	rc = page_to_phys(page) + offset_in_page(addr) == phys ? 0 : -EILSEQ;
	unpin_user_page(page);
	return rc;
}

static int cmd_blind(struct testdrv_device *tdev, char *args)
{
	unsigned long iova;
	int rc;

	rc = testdrv_next_ulong(&args, &iova);
	if (rc)
		return rc;
	return leads_to(tdev, iova) ? -EEXIST : 0;
}

static int cmd_has_group(struct testdrv_session *s, char *args)
{
	struct pci_dev *pdev = find_pci(&args);
	struct iommu_group *group;

	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	group = iommu_group_get(&pdev->dev);
	s->result = iommufd_ctx_has_group(s->ictx, group);
	iommu_group_put(group);
	pci_dev_put(pdev);
	return 0;
}

static struct testdrv_device *find_device(struct testdrv_session *s, u32 id)
{
	struct testdrv_device *tdev;

	list_for_each_entry(tdev, &s->devices, node)
		if (tdev->id == id)
			return tdev;
	return NULL;
}

static int of_device(struct testdrv_session *s, const char *cmd, char *args)
{
	struct testdrv_device *tdev;
	u32 id;
	int rc;

	rc = testdrv_next_u32(&args, &id);
	if (rc)
		return rc;
	tdev = find_device(s, id);
	if (!tdev)
		return -ENXIO;
	if (!strcmp(cmd, "dev-attach"))
		return cmd_change(s, tdev, args, false);
	if (!strcmp(cmd, "dev-replace"))
		return cmd_change(s, tdev, args, true);
	if (!strcmp(cmd, "dev-detach"))
		return cmd_detach(tdev);
	if (!strcmp(cmd, "reaches"))
		return cmd_reaches(tdev, args);
	if (!strcmp(cmd, "blind"))
		return cmd_blind(tdev, args);
	unbind(tdev);
	return 0;
}

/**
 * testdrv_device_command - runs a command of the list at the top of this file
 * @s: the session, whose lock is held, and which has a context
 * @cmd: its first word
 * @args: the rest, or NULL
 * @rc: written: 0, -EINVAL for a word that is missing or no number, -ENXIO for a
 *      device that the session does not have; else what iommufd says
 *
 * Return: whether there is such a command.
 */
bool testdrv_device_command(struct testdrv_session *s, const char *cmd,
			    char *args, int *rc)
{
	static const char *const of[] = { "dev-attach", "dev-replace",
		"dev-detach", "reaches", "blind", "unbind" };

	if (!strcmp(cmd, "bind"))
		*rc = cmd_bind(s, args);
	else if (!strcmp(cmd, "has-group"))
		*rc = cmd_has_group(s, args);
	else if (!strcmp(cmd, "vfio-create"))
		*rc = iommufd_vfio_compat_ioas_create(s->ictx);
	else if (!strcmp(cmd, "vfio-id"))
		*rc = iommufd_vfio_compat_ioas_get_id(s->ictx, &s->result);
	else if (!strcmp(cmd, "vfio-no-iommu"))
		*rc = iommufd_vfio_compat_set_no_iommu(s->ictx);
	else if (match_string(of, ARRAY_SIZE(of), cmd) >= 0)
		*rc = of_device(s, cmd, args);
	else
		return false;
	return true;
}
