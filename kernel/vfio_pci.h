/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommufd_vfio_pci.ko: what its two halves share. vfio_pci.c is the PCI driver,
 * vfio_cdev.c the character device that each of its devices has.
 *
 * Lifetime. struct iommufd_vfio_pci is freed by VFIO with the last reference to
 * its struct device. The character device holds one of those until it is
 * deleted and its last file is closed, so a file always finds its device, dead
 * or alive. A mapping holds its file.
 *
 * Locking.
 *  - @lock orders what changes who uses the device: state, user, and all that a
 *    user file says about its binding. Taken before dev_set->lock. An attach
 *    holds it while user memory is pinned, so calls wait for it killably. A
 *    close, and a device that leaves, wait until whoever attaches is through,
 *    or is killed.
 *  - dev_set->lock is VFIO's, which wants it held where a device of the set is
 *    enabled or disabled, and where its open_count changes. Files opened by way
 *    of the group hold that alone, and never @lock.
 *  - @srcu is held for reading wherever a user's call, or a fault in what the
 *    user has mapped, gets as far as the core. Under it @lock may be taken, so
 *    synchronize_srcu() is called without. Not an rwsem: faults come with
 *    mmap_lock held, and calls take faults.
 */
#ifndef __IOMMUFD_VFIO_PCI_H
#define __IOMMUFD_VFIO_PCI_H

#include <linux/cdev.h>
#include <linux/mutex.h>
#include <linux/srcu.h>
#include <linux/vfio_pci_core.h>
#include <linux/wait.h>

struct iommufd_vfio_file;

/**
 * enum iommufd_vfio_state - how far a device is
 * @IOMMUFD_VFIO_NEW: not known to VFIO yet
 * @IOMMUFD_VFIO_LIVE: may be opened and bound
 * @IOMMUFD_VFIO_LEAVING: who has it goes on, nobody else may have it
 * @IOMMUFD_VFIO_GONE: every call answers EIO
 */
enum iommufd_vfio_state {
	IOMMUFD_VFIO_NEW,
	IOMMUFD_VFIO_LIVE,
	IOMMUFD_VFIO_LEAVING,
	IOMMUFD_VFIO_GONE,
};

/**
 * struct iommufd_vfio_pci - a PCI device of this driver
 * @core: VFIO's part; first, since VFIO allocates and frees it
 * @cdev: its character device
 * @lock: see above
 * @srcu: see above
 * @state: becomes LIVE and LEAVING before and after all others can find it,
 *         GONE under @lock; read anywhere
 * @user: the file that is bound, of which there is one at most; written under
 *        @lock
 * @released: woken when @user becomes NULL
 */
struct iommufd_vfio_pci {
	struct vfio_pci_core_device core;
	struct cdev cdev;
	struct mutex lock; /* state, user */
	struct srcu_struct srcu;
	enum iommufd_vfio_state state;
	struct iommufd_vfio_file *user;
	wait_queue_head_t released;
};

static inline struct iommufd_vfio_pci *
iommufd_vfio_pci_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct iommufd_vfio_pci, core.vdev);
}

int iommufd_vfio_cdev_init(void);
void iommufd_vfio_cdev_exit(void);
void iommufd_vfio_cdev_name(struct iommufd_vfio_pci *v);
int iommufd_vfio_cdev_add(struct iommufd_vfio_pci *v);
void iommufd_vfio_cdev_remove(struct iommufd_vfio_pci *v, unsigned int wait);

#endif
