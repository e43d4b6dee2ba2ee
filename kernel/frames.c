// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page frames, from the two places where a mapping's memory can be: a process's
 * address space, and a file that lives in memory.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <uapi/linux/fcntl.h>

#include "compat.h"
#include "iommufd_private.h"

static long pin(struct mm_struct *mm, unsigned long uptr, unsigned long nr,
		unsigned int flags, struct page **list)
{
	long got;

	if (mm == current->mm)
		return pin_user_pages_fast(uptr, nr, flags, list);
	mmap_read_lock(mm);
	got = iommufd_compat_pin_remote(mm, uptr, nr, flags, list);
	mmap_read_unlock(mm);
	return got;
}

/**
 * iommufd_frames_of_user - pins memory of a process
 * @mm: its address space; the caller's own, or held with mmget()
 * @uptr: address of a page there
 * @nr: number of pages
 * @write: it will be written to
 * @lasting: for longer than the call
 * @list: frames, as many as are returned
 *
 * To be given back with unpin_user_page_range_dirty_lock().
 *
 * Return: number of frames, at least 1; -EFAULT if there is no memory, or none
 * that can be pinned; another errno of the kernel's.
 */
long iommufd_frames_of_user(struct mm_struct *mm, unsigned long uptr,
			    unsigned long nr, bool write, bool lasting,
			    struct page **list)
{
	unsigned int flags = lasting ? FOLL_LONGTERM : 0;
	long got;

	if (write || !lasting || IOMMUFD_COMPAT_PIN_UNSHARES) {
		if (write)
			flags |= FOLL_WRITE;
		got = pin(mm, uptr, nr, flags, list);
		return got ?: -EFAULT;
	}
	/*
	 * As if to write, which makes the copy that the process would make.
	 * That is not possible where there is nothing to copy, since the
	 * memory is shared; then what is there is what is wanted. Page by page,
	 * since the next one may be of the other kind.
	 */
	got = pin(mm, uptr, nr, flags | FOLL_WRITE | FOLL_FORCE, list);
	if (got == -EFAULT || !got)
		got = pin(mm, uptr, 1, flags, list);
	return got ?: -EFAULT;
}

static unsigned int seals_of(struct file *file)
{
	struct inode *inode = file_inode(file);

#ifdef CONFIG_HUGETLBFS
	if (inode->i_sb->s_magic == HUGETLBFS_MAGIC)
		return HUGETLBFS_I(inode)->seals;
#endif
	return SHMEM_I(inode)->seals;
}

/**
 * iommufd_file_map - a mapping of a file begins
 * @file: held by the caller
 * @write: it is mapped for writing
 *
 * Return: 0, and then iommufd_file_unmap() is to be called; otherwise see
 * iommufd_pages_of_file().
 */
int iommufd_file_map(struct file *file, bool write)
{
	unsigned long magic = file_inode(file)->i_sb->s_magic;

	if (!S_ISREG(file_inode(file)->i_mode))
		return -EINVAL;
	if (magic == HUGETLBFS_MAGIC) {
		if (!IOMMUFD_COMPAT_HUGETLB)
			return -EOPNOTSUPP;
	} else if (magic != TMPFS_MAGIC) {
		return -EINVAL;
	}
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (!write)
		return 0;
	if (!(file->f_mode & FMODE_WRITE))
		return -EACCES;
	/* This one seal leaves mappings alone that were there before. */
	if (seals_of(file) & F_SEAL_FUTURE_WRITE)
		return -EPERM;
	return mapping_map_writable(file->f_mapping);
}

/**
 * iommufd_file_unmap - the mapping is over
 * @file: as in iommufd_file_map()
 * @write: as there
 */
void iommufd_file_unmap(struct file *file, bool write)
{
	if (write)
		mapping_unmap_writable(file->f_mapping);
}

/**
 * iommufd_frames_of_file - takes references on a file's pages
 * @file: let through by iommufd_file_map()
 * @index: first page
 * @nr: number of pages
 * @list: frames, as many as are returned
 *
 * What the file has not got yet comes into being. To be given back with
 * iommufd_frames_put().
 *
 * Return: number of frames, at least 1; -EFAULT behind the end of the file;
 * another errno of the file's.
 */
long iommufd_frames_of_file(struct file *file, unsigned long index,
			    unsigned long nr, struct page **list)
{
	loff_t size = i_size_read(file_inode(file));
	unsigned long end = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	long got;

	if (index >= end)
		return -EFAULT;
	got = iommufd_compat_file_frames(file, index, min(nr, end - index),
					 list);
	/* Cut off meanwhile. */
	return got == -EINVAL || !got ? -EFAULT : got;
}

/**
 * iommufd_frames_put - gives back what iommufd_frames_of_file() got
 * @page: the first of the frames, which lie side by side
 * @nr: how many
 * @dirty: they may have been written to
 */
void iommufd_frames_put(struct page *page, unsigned long nr, bool dirty)
{
	while (nr) {
		struct folio *folio = page_folio(page);
		unsigned long n = min_t(unsigned long, nr,
					folio_nr_pages(folio) -
					folio_page_idx(folio, page));

		if (dirty) {
			folio_lock(folio);
			folio_mark_dirty(folio);
			folio_unlock(folio);
		}
		folio_put_refs(folio, n);
		page = nth_page(page, n);
		nr -= n;
	}
}
