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
 * Every published command number. All but the last are those of Linux 6.12;
 * that one came after it.
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
	IOMMUFD_CMD_IOAS_MAP_FILE = 0x8f,
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

/**
 * struct iommu_ioas_allow_iovas - keeps room for mappings free of devices
 * @size: sizeof(struct iommu_ioas_allow_iovas)
 * @ioas_id: the IOAS
 * @num_iovas: entries in @allowed_iovas; with 0 the list becomes empty
 * @__reserved: zero
 * @allowed_iovas: user pointer to an array of struct iommu_iova_range, which
 *                 takes the place of the list that was there before
 *
 * A device whose reserved ranges would cut into the list cannot be attached
 * from then on. While the list is not empty, automatic IOVAs come from it.
 * EADDRINUSE where a range cannot be used today already.
 */
struct iommu_ioas_allow_iovas {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
};

#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

/**
 * enum iommufd_ioas_map_flags - how to map; of the last two at least one
 * @IOMMU_IOAS_MAP_FIXED_IOVA: the caller chose the IOVA; otherwise the kernel
 *                             does, and writes it back
 * @IOMMU_IOAS_MAP_WRITEABLE: devices may write there
 * @IOMMU_IOAS_MAP_READABLE: devices may read there
 */
enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
	IOMMU_IOAS_MAP_READABLE = 1 << 2,
};

/**
 * struct iommu_ioas_map - gives a piece of the caller's memory an IOVA
 * @size: sizeof(struct iommu_ioas_map)
 * @flags: of enum iommufd_ioas_map_flags
 * @ioas_id: where it is mapped
 * @__reserved: zero
 * @user_va: address of the memory in the calling process
 * @length: in bytes; not 0
 * @iova: in, where the flags say so, and out
 *
 * What was mapped in one call is one area: it can be unmapped as a whole only.
 */
struct iommu_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/**
 * struct iommu_ioas_map_file - gives a piece of a memfd an IOVA
 * @size: sizeof(struct iommu_ioas_map_file)
 * @flags: of enum iommufd_ioas_map_flags
 * @ioas_id: where it is mapped
 * @fd: descriptor of a memfd
 * @start: first byte of the file that is mapped
 * @length: in bytes; not 0
 * @iova: in, where the flags say so, and out
 *
 * No process's address space has a part in this, so the mapping outlives all
 * of them but the holders of the context.
 */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)

/**
 * struct iommu_ioas_copy - maps in one IOAS what another one maps
 * @size: sizeof(struct iommu_ioas_copy)
 * @flags: of enum iommufd_ioas_map_flags, for the new mapping
 * @dst_ioas_id: where it is mapped
 * @src_ioas_id: where it is mapped already; may be the same IOAS
 * @length: in bytes; not 0
 * @dst_iova: in, where the flags say so, and out
 * @src_iova: the first one to copy
 *
 * ENOENT unless the whole source range is mapped. Both share the memory's
 * pins.
 */
struct iommu_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};

#define IOMMU_IOAS_COPY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/**
 * struct iommu_ioas_unmap - ends mappings
 * @size: sizeof(struct iommu_ioas_unmap)
 * @ioas_id: the IOAS
 * @iova: where to begin
 * @length: in: bytes to look at; out: bytes that were unmapped
 *
 * All areas within the range go. ENOENT where the range cuts an area, or holds
 * none; but an @iova of 0 and a @length of 2^64-1 mean all there is.
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/**
 * enum iommufd_option - what IOMMU_OPTION gets and sets
 * @IOMMU_OPTION_RLIMIT_MODE: of the context: whom pinned memory is charged to,
 *                            the user (0, the default) or the process (1). To
 *                            set it takes CAP_SYS_RESOURCE, and a context
 *                            that has no object yet
 * @IOMMU_OPTION_HUGE_PAGES: of an IOAS: whether IOMMU page tables may use
 *                           pages that are larger than the CPU's smallest (1,
 *                           the default) or not (0)
 */
enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE = 0,
	IOMMU_OPTION_HUGE_PAGES = 1,
};

/**
 * enum iommufd_option_ops - what to do with an option
 * @IOMMU_OPTION_OP_SET: give it the value in @val64
 * @IOMMU_OPTION_OP_GET: write its value to @val64
 */
enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET = 0,
	IOMMU_OPTION_OP_GET = 1,
};

/**
 * struct iommu_option - gets or sets one option
 * @size: sizeof(struct iommu_option)
 * @option_id: of enum iommufd_option
 * @op: of enum iommufd_option_ops
 * @__reserved: zero
 * @object_id: whose option it is; 0 for one of the context
 * @val64: its value
 */
struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};

#define IOMMU_OPTION _IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

/**
 * enum iommufd_vfio_ioas_op - what to do with the compatibility IOAS
 * @IOMMU_VFIO_IOAS_GET: tell which one it is; ENODEV where there is none
 * @IOMMU_VFIO_IOAS_SET: make it this one
 * @IOMMU_VFIO_IOAS_CLEAR: have none from now on
 */
enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/**
 * struct iommu_vfio_ioas - which IOAS the VFIO type 1 ioctls work on
 * @size: sizeof(struct iommu_vfio_ioas)
 * @ioas_id: in or out, as @op says
 * @op: of enum iommufd_vfio_ioas_op
 * @__reserved: zero
 *
 * Those ioctls of <linux/vfio.h> name no address space, so a context has one
 * that they mean.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};

#define IOMMU_VFIO_IOAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/**
 * struct iommu_hwpt_alloc - makes an I/O page table for a device
 * @size: sizeof(struct iommu_hwpt_alloc)
 * @flags: see iommufd(4)
 * @dev_id: the device, bound to this context
 * @pt_id: an IOAS, whose mappings it will have; or an HWPT to nest on
 * @out_hwpt_id: written by the kernel
 * @__reserved: zero
 * @data_type: what @data_uptr points to; 0 for nothing
 * @data_len: its length in bytes
 * @data_uptr: user pointer
 * @fault_id: a fault queue, where a flag says that there is one
 * @__reserved2: zero
 */
struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};

#define IOMMU_HWPT_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

/**
 * enum iommu_hw_info_type - what the data about an IOMMU is
 * @IOMMU_HW_INFO_TYPE_NONE: there is none
 *
 * The others are numbers of the IOMMU's driver, see its documentation.
 */
enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE = 0,
};

/**
 * struct iommu_hw_info - asks about the IOMMU in front of a device
 * @size: sizeof(struct iommu_hw_info)
 * @flags: zero
 * @dev_id: the device, bound to this context
 * @data_len: in: room at @data_uptr; out: bytes that the kernel has for it
 * @data_uptr: user pointer
 * @out_data_type: written by the kernel: what the data is
 * @out_max_pasid_log2: written by the kernel: width of PASIDs, 0 for none
 * @__reserved: zero
 * @out_capabilities: written by the kernel: what any IOMMU might do
 */
struct iommu_hw_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 out_data_type;
	__u8 out_max_pasid_log2;
	__u8 __reserved[3];
	__aligned_u64 out_capabilities;
};

#define IOMMU_GET_HW_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

/**
 * enum iommufd_hwpt_set_dirty_tracking_flags - of IOMMU_HWPT_SET_DIRTY_TRACKING
 * @IOMMU_HWPT_DIRTY_TRACKING_ENABLE: begin; without it: end
 */
enum iommufd_hwpt_set_dirty_tracking_flags {
	IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1,
};

/**
 * struct iommu_hwpt_set_dirty_tracking - has an HWPT note what devices write
 * @size: sizeof(struct iommu_hwpt_set_dirty_tracking)
 * @flags: of enum iommufd_hwpt_set_dirty_tracking_flags
 * @hwpt_id: the HWPT
 * @__reserved: zero
 */
struct iommu_hwpt_set_dirty_tracking {
	__u32 size;
	__u32 flags;
	__u32 hwpt_id;
	__u32 __reserved;
};

#define IOMMU_HWPT_SET_DIRTY_TRACKING                                          \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)

/**
 * enum iommufd_hwpt_get_dirty_bitmap_flags - of IOMMU_HWPT_GET_DIRTY_BITMAP
 * @IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: forget nothing: read only
 */
enum iommufd_hwpt_get_dirty_bitmap_flags {
	IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1,
};

/**
 * struct iommu_hwpt_get_dirty_bitmap - reads, and forgets, what was noted
 * @size: sizeof(struct iommu_hwpt_get_dirty_bitmap)
 * @hwpt_id: the HWPT
 * @flags: of enum iommufd_hwpt_get_dirty_bitmap_flags
 * @__reserved: zero
 * @iova: of the first bit
 * @length: in bytes
 * @page_size: bytes that one bit stands for
 * @data: user pointer to the bits
 */
struct iommu_hwpt_get_dirty_bitmap {
	__u32 size;
	__u32 hwpt_id;
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 data;
};

#define IOMMU_HWPT_GET_DIRTY_BITMAP                                            \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)

/**
 * struct iommu_hwpt_invalidate - empties caches of a nested HWPT
 * @size: sizeof(struct iommu_hwpt_invalidate)
 * @hwpt_id: the HWPT
 * @data_uptr: user pointer to an array of requests
 * @data_type: what a request is
 * @entry_len: bytes of one
 * @entry_num: in: how many; out: how many were done
 * @__reserved: zero
 */
struct iommu_hwpt_invalidate {
	__u32 size;
	__u32 hwpt_id;
	__aligned_u64 data_uptr;
	__u32 data_type;
	__u32 entry_len;
	__u32 entry_num;
	__u32 __reserved;
};

#define IOMMU_HWPT_INVALIDATE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_INVALIDATE)

/**
 * struct iommu_fault_alloc - makes a queue of I/O page faults
 * @size: sizeof(struct iommu_fault_alloc)
 * @flags: zero
 * @out_fault_id: written by the kernel
 * @out_fault_fd: written by the kernel: where faults are read and answered
 */
struct iommu_fault_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_fault_id;
	__u32 out_fault_fd;
};

#define IOMMU_FAULT_QUEUE_ALLOC                                                \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_FAULT_QUEUE_ALLOC)

#endif
