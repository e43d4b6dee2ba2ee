/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctl interface of /dev/iommu.
 *
 * Numbers, names, layouts and errnos are those that Linux 6.12 publishes, so
 * that a program built against either header runs on either driver. Nothing
 * of our own is added here, ever: what only this driver offers goes through
 * netlink, debugfs and fdinfo. tests/host/uapi.bats holds every size and
 * offset in this file against the published header.
 *
 * iommufd(4) describes each command and each errno.
 */
#ifndef _UAPI_IOMMUFD_H
#define _UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* First argument of _IO(); the numbers 0x80 to 0xff of it are ours. */
#define IOMMUFD_TYPE (';')

/*
 * Every published command number. A number without a struct below is known,
 * but this driver answers it with ENOTTY.
 */
enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_DESTROY = IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC = 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS = 0x82,
	IOMMUFD_CMD_IOAS_COPY = 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES = 0x84,
	IOMMUFD_CMD_IOAS_MAP = 0x85,
	IOMMUFD_CMD_IOAS_UNMAP = 0x86,
	IOMMUFD_CMD_OPTION = 0x87,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
	IOMMUFD_CMD_HWPT_ALLOC = 0x89,
	IOMMUFD_CMD_GET_HW_INFO = 0x8a,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING = 0x8b,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP = 0x8c,
	IOMMUFD_CMD_HWPT_INVALIDATE = 0x8d,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC = 0x8e,
};

/*
 * Each command takes a pointer to its struct. The first field, size, is the
 * caller's sizeof() of it: a smaller struct than today's is accepted down to
 * the command's minimum, a larger one if all that the driver does not know
 * of it is zero.
 */

/**
 * struct iommu_destroy - ends the life of one object
 * @size: sizeof(struct iommu_destroy)
 * @id: any object of the context
 *
 * EBUSY while another object or a driver refers to it, ENOENT where there is
 * no such object.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};

#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/**
 * struct iommu_ioas_alloc - makes an empty I/O address space
 * @size: sizeof(struct iommu_ioas_alloc)
 * @flags: zero
 * @out_ioas_id: written by the kernel: the id of the new IOAS
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/**
 * struct iommu_iova_range - a run of I/O virtual addresses
 * @start: the first one
 * @last: the last one; it belongs to the range
 */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * struct iommu_ioas_iova_ranges - asks where mappings may be placed
 * @size: sizeof(struct iommu_ioas_iova_ranges)
 * @ioas_id: the IOAS that is asked about
 * @num_iovas: in: entries that @allowed_iovas has room for; out: entries that
 *             the answer has
 * @__reserved: zero
 * @allowed_iovas: user pointer to an array of struct iommu_iova_range
 * @out_iova_alignment: written by the kernel: what an IOVA and a length must
 *                      be a multiple of, in bytes
 *
 * Where the array is too short it is filled as far as it goes, @num_iovas and
 * @out_iova_alignment are written all the same, and the answer is EMSGSIZE.
 */
struct iommu_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment;
};

#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

#endif
