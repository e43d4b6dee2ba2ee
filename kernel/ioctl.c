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
					       _member), size) != 0) +         \
			BUILD_BUG_ON_ZERO(sizeof_field(                        \
				union iommufd_ucmd_buffer, _member) % 4),      \
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

/*
 * Moves @size bytes between @words of the kernel's and @uwords of the user's, which
 * both go on, with @op unsafe_get_user() or unsafe_put_user(). All that a size can
 * be is told by these four bits: it is a multiple of 4, see IOMMUFD_ROW().
 */
#define for_words(op, size, words, uwords, label)                              \
	do {                                                                   \
		if ((size) & 32) {                                             \
			op((words)[0], (uwords), label);                       \
			op((words)[1], (uwords) + 1, label);                   \
			op((words)[2], (uwords) + 2, label);                   \
			op((words)[3], (uwords) + 3, label);                   \
			(words) += 4;                                          \
			(uwords) += 4;                                         \
		}                                                              \
		if ((size) & 16) {                                             \
			op((words)[0], (uwords), label);                       \
			op((words)[1], (uwords) + 1, label);                   \
			(words) += 2;                                          \
			(uwords) += 2;                                         \
		}                                                              \
		if ((size) & 8) {                                              \
			op((words)[0], (uwords), label);                       \
			(words)++;                                             \
			(uwords)++;                                            \
		}                                                              \
		if ((size) & 4)                                                \
			op(*(u32 *)(words), (u32 __user *)(uwords), label);    \
	} while (0)
static_assert(sizeof(union iommufd_ucmd_buffer) < 64);

/*
 * Reads the user's struct into @buf, and its size into @size; that counts, and
 * not what comes with the rest, which another thread may have changed.
 *
 * Nearly every caller has the struct that this driver has. Word by word that
 * costs a fraction of a copy whose size the compiler does not know.
 */
static __always_inline int fetch(const struct iommufd_ioctl *row,
				 const void __user *from,
				 union iommufd_ucmd_buffer *buf, u32 *size)
{
	u64 __user *in = (u64 __user *)from;
	u64 *to = (u64 *)buf;

	might_fault();
	if (!user_read_access_begin(from, sizeof(*buf))) {
		/* Seldom, at the end of the address space, it is shorter. */
		if (get_user(*size, (const u32 __user *)from))
			return -EFAULT;
		goto any_size;
	}
	unsafe_get_user(*size, (const u32 __user *)from, fault);
	if (likely(*size == row->size)) {
		for_words(unsafe_get_user, row->size, to, in, fault);
		*(u32 *)buf = *size;
		user_read_access_end();
		return 0;
	}
	user_read_access_end();
any_size:
	if (*size < row->min_size)
		return -EINVAL;
	return copy_struct_from_user(buf, row->size, from, *size);
fault:
	user_read_access_end();
	return -EFAULT;
}

/* Writes it back, as far as the user has it. */
static __always_inline int reply(const struct iommufd_ioctl *row,
				 const struct iommufd_ucmd *ucmd)
{
	u64 __user *out = ucmd->ubuffer;
	u64 *from = ucmd->cmd;

	if (unlikely(ucmd->user_size != row->size) ||
	    !user_write_access_begin(out, row->size))
		return copy_to_user(ucmd->ubuffer, ucmd->cmd,
				    min_t(size_t, ucmd->user_size,
					  row->size)) ? -EFAULT : 0;
	for_words(unsafe_put_user, row->size, from, out, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static noinline long run(struct iommufd_ctx *ictx,
			 const struct iommufd_ioctl *row, void __user *arg)
{
	/*
	 * Zeroes would be written in vain here: all that a row's handler and its
	 * reply look at is fetched, and undo_area goes with undo.
	 */
	union iommufd_ucmd_buffer buf __uninitialized;
	struct iommufd_ucmd ucmd __uninitialized;
	int rc, replied;

	rc = fetch(row, arg, &buf, &ucmd.user_size);
	if (rc)
		return rc;
	ucmd.ictx = ictx;
	ucmd.ubuffer = arg;
	ucmd.cmd = &buf;
	ucmd.new_obj = NULL;
	ucmd.reply_on_error = false;
	ucmd.undo = NULL;

	rc = row->handler(&ucmd);
	if (rc ? ucmd.reply_on_error : row->reply) {
		replied = reply(row, &ucmd);
		/* The first errno counts, so a failing reply to it changes nothing. */
		if (!rc && replied) {
			rc = replied;
			if (ucmd.undo)
				ucmd.undo(&ucmd);
		}
	}

	/*
	 * An object that the user did not hear of would be lost to it, so it is
	 * published only now, when all that can fail has been done.
	 */
	if (ucmd.new_obj) {
		if (rc)
			iommufd_object_abort_and_destroy(ictx, ucmd.new_obj);
		else
			iommufd_object_finalize(ictx, ucmd.new_obj);
	}
	return rc;
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
	struct iommufd_ctx *ictx = file->private_data;
	const struct iommufd_ioctl *row;

	if (nr >= ARRAY_SIZE(iommufd_ioctls))
		return iommufd_vfio_ioctl(ictx, cmd, arg);
	row = &iommufd_ioctls[array_index_nospec(nr,
						 ARRAY_SIZE(iommufd_ioctls))];
	/* Rows that are not filled have 0 there, which is none of these numbers. */
	if (row->cmd != cmd)
		return -ENOTTY;
	return run(ictx, row, (void __user *)arg);
}
