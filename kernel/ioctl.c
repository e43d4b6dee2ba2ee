// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl table. What can be checked of a command without knowing what it
 * does is checked here, once for all of them, in the order that iommufd(4)
 * publishes: number, pointer, size, unknown tail.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

static int iommufd_destroy_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_destroy *cmd = ucmd->cmd;

	return iommufd_object_destroy(ucmd->ictx, cmd->id);
}

/*
 * Room for the kernel's copy of any command. A row of the table names a member
 * of it, so a command that does not fit cannot be written down.
 */
union iommufd_ucmd_buffer {
	struct iommu_destroy destroy;
	struct iommu_fault_alloc fault_alloc;
	struct iommu_hw_info hw_info;
	struct iommu_hwpt_alloc hwpt_alloc;
	struct iommu_hwpt_get_dirty_bitmap hwpt_get_dirty_bitmap;
	struct iommu_hwpt_invalidate hwpt_invalidate;
	struct iommu_hwpt_set_dirty_tracking hwpt_set_dirty_tracking;
	struct iommu_ioas_alloc ioas_alloc;
	struct iommu_ioas_allow_iovas ioas_allow_iovas;
	struct iommu_ioas_copy ioas_copy;
	struct iommu_ioas_iova_ranges ioas_iova_ranges;
	struct iommu_ioas_map ioas_map;
	struct iommu_ioas_map_file ioas_map_file;
	struct iommu_ioas_unmap ioas_unmap;
	struct iommu_option option;
	struct iommu_vfio_ioas vfio_ioas;
};

/**
 * struct iommufd_ioctl - one row of the table
 * @cmd: the whole command word, not only its number; 0 in rows not filled
 * @size: of the struct as this driver knows it
 * @min_size: to the end of the last field that the first published version had
 * @reply: the struct goes back to the user when the handler succeeded
 * @handler: gets a copy that is checked for size only; returns 0 or an errno
 */
struct iommufd_ioctl {
	unsigned int cmd;
	u16 size;
	u16 min_size;
	bool reply;
	int (*handler)(struct iommufd_ucmd *ucmd);
};

#define IOMMUFD_ROW(_cmd, _handler, _member, _last, _reply)                    \
	[_IOC_NR(_cmd) - IOMMUFD_CMD_BASE] = {                                 \
		.cmd = (_cmd) + BUILD_BUG_ON_ZERO(                             \
			offsetof(typeof_member(union iommufd_ucmd_buffer,      \
					       _member), size) != 0),          \
		.size = sizeof_field(union iommufd_ucmd_buffer, _member),      \
		.min_size = offsetofend(                                       \
			typeof_member(union iommufd_ucmd_buffer, _member),     \
			_last),                                                \
		.reply = (_reply),                                             \
		.handler = (_handler),                                         \
	}

static const struct iommufd_ioctl iommufd_ioctls[] = {
	IOMMUFD_ROW(IOMMU_DESTROY, iommufd_destroy_ioctl, destroy, id, false),
	IOMMUFD_ROW(IOMMU_IOAS_ALLOC, iommufd_ioas_alloc_ioctl, ioas_alloc,
		    out_ioas_id, true),
	IOMMUFD_ROW(IOMMU_IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas,
		    ioas_allow_iovas, allowed_iovas, false),
	IOMMUFD_ROW(IOMMU_IOAS_COPY, iommufd_ioas_copy, ioas_copy, src_iova,
		    true),
	IOMMUFD_ROW(IOMMU_IOAS_IOVA_RANGES, iommufd_ioas_iova_ranges,
		    ioas_iova_ranges, out_iova_alignment, true),
	IOMMUFD_ROW(IOMMU_IOAS_MAP, iommufd_ioas_map, ioas_map, iova, true),
	IOMMUFD_ROW(IOMMU_IOAS_UNMAP, iommufd_ioas_unmap, ioas_unmap, length,
		    true),
	IOMMUFD_ROW(IOMMU_OPTION, iommufd_option, option, val64, true),
	IOMMUFD_ROW(IOMMU_VFIO_IOAS, iommufd_vfio_ioas, vfio_ioas, __reserved,
		    true),
	IOMMUFD_ROW(IOMMU_HWPT_ALLOC, iommufd_hwpt_alloc, hwpt_alloc,
		    __reserved, true),
	IOMMUFD_ROW(IOMMU_GET_HW_INFO, iommufd_get_hw_info, hw_info,
		    __reserved, true),
	IOMMUFD_ROW(IOMMU_HWPT_SET_DIRTY_TRACKING,
		    iommufd_hwpt_set_dirty_tracking, hwpt_set_dirty_tracking,
		    __reserved, false),
	IOMMUFD_ROW(IOMMU_HWPT_GET_DIRTY_BITMAP, iommufd_hwpt_get_dirty_bitmap,
		    hwpt_get_dirty_bitmap, data, false),
	IOMMUFD_ROW(IOMMU_HWPT_INVALIDATE, iommufd_hwpt_invalidate,
		    hwpt_invalidate, __reserved, true),
	IOMMUFD_ROW(IOMMU_FAULT_QUEUE_ALLOC, iommufd_fault_queue_alloc,
		    fault_alloc, out_fault_fd, true),
	IOMMUFD_ROW(IOMMU_IOAS_MAP_FILE, iommufd_ioas_map_file, ioas_map_file,
		    iova, true),
};

static int reply(const struct iommufd_ucmd *ucmd,
		 const struct iommufd_ioctl *row)
{
	if (copy_to_user(ucmd->ubuffer, ucmd->cmd,
			 min_t(size_t, ucmd->user_size, row->size)))
		return -EFAULT;
	return 0;
}

/**
 * iommufd_ioctl - every ioctl on /dev/iommu, from 32-bit callers too
 * @file: an open /dev/iommu
 * @cmd: command word
 * @arg: user pointer to the command's struct
 *
 * Commands below the numbers of the table are VFIO's: see vfio_compat.c.
 *
 * Return: 0; -ENOTTY for an unknown command, before @arg is looked at; -EFAULT
 * for a bad pointer; -EINVAL for a struct too small; -E2BIG for one with
 * non-zero bytes that this driver does not know; else what the command says.
 */
long iommufd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned int nr = _IOC_NR(cmd) - IOMMUFD_CMD_BASE;
	struct iommufd_ucmd ucmd = {
		.ictx = file->private_data,
		.ubuffer = (void __user *)arg,
	};
	const struct iommufd_ioctl *row;
	union iommufd_ucmd_buffer buf;
	bool handled;
	int rc;

	if (nr >= ARRAY_SIZE(iommufd_ioctls))
		return iommufd_vfio_ioctl(ucmd.ictx, cmd, arg);
	row = &iommufd_ioctls[array_index_nospec(nr,
						 ARRAY_SIZE(iommufd_ioctls))];
	if (!row->cmd || row->cmd != cmd)
		return -ENOTTY;

	/* The only time that the size is read; the copy is not trusted for it. */
	if (get_user(ucmd.user_size, (u32 __user *)ucmd.ubuffer))
		return -EFAULT;
	if (ucmd.user_size < row->min_size)
		return -EINVAL;
	rc = copy_struct_from_user(&buf, row->size, ucmd.ubuffer,
				   ucmd.user_size);
	if (rc)
		return rc;
	ucmd.cmd = &buf;

	rc = row->handler(&ucmd);
	handled = !rc;
	/* The first errno counts, so a failing reply to it changes nothing. */
	if (rc && ucmd.reply_on_error)
		reply(&ucmd, row);
	else if (!rc && row->reply)
		rc = reply(&ucmd, row);
	if (rc && handled && ucmd.undo)
		ucmd.undo(&ucmd);

	/*
	 * An object that the user did not hear of would be lost to it, so it is
	 * published only now, when all that can fail has been done.
	 */
	if (ucmd.new_obj) {
		if (rc)
			iommufd_object_abort_and_destroy(ucmd.ictx,
							 ucmd.new_obj);
		else
			iommufd_object_finalize(ucmd.ictx, ucmd.new_obj);
	}
	return rc;
}
