/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls that a VFIO device's own character device has besides those of a
 * device opened by way of its group: the numbers and layouts that Linux 6.12
 * publishes in <linux/vfio.h>, for where that header is an older one.
 */
#ifndef _UAPI_LINUX_IOMMUFD_VFIO_H
#define _UAPI_LINUX_IOMMUFD_VFIO_H

#include <linux/types.h>
#include <linux/vfio.h>

#ifndef VFIO_DEVICE_BIND_IOMMUFD

/**
 * struct vfio_device_bind_iommufd - VFIO_DEVICE_BIND_IOMMUFD
 * @argsz: sizeof(struct vfio_device_bind_iommufd)
 * @flags: 0
 * @iommufd: a descriptor of /dev/iommu: the context that the device joins
 * @out_devid: the id that the device has in it
 *
 * Once for each open file, and before anything else can be done with it.
 * Closing the file undoes it.
 */
struct vfio_device_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

/**
 * struct vfio_device_attach_iommufd_pt - VFIO_DEVICE_ATTACH_IOMMUFD_PT
 * @argsz: sizeof(struct vfio_device_attach_iommufd_pt)
 * @flags: 0
 * @pt_id: in: an IOAS or HWPT of the device's context; out: what the device is
 *         attached to now
 *
 * From here on the device's DMA goes by that address space, in place of what it
 * was attached to before.
 */
struct vfio_device_attach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define VFIO_DEVICE_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

/**
 * struct vfio_device_detach_iommufd_pt - VFIO_DEVICE_DETACH_IOMMUFD_PT
 * @argsz: sizeof(struct vfio_device_detach_iommufd_pt)
 * @flags: 0
 *
 * From here on the device's DMA goes nowhere.
 */
struct vfio_device_detach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
};

#define VFIO_DEVICE_DETACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 20)

#endif

#endif
