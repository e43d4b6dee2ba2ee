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
	if (mm == current->mm)
		return pin_user_pages_fast(uptr, nr, flags, list);
	return iommufd_compat_pin_remote(mm, uptr, nr, flags, list);
}

static long frames_of_user(struct mm_struct *mm, unsigned long uptr,
			   unsigned long nr, bool write, bool lasting,
			   struct page **list)
{
	unsigned int flags = lasting ? FOLL_LONGTERM : 0;
	long got;

	if (write || !lasting || IOMMUFD_COMPAT_PIN_UNSHARES) {
		if (write)
			flags |= FOLL_WRITE;
		return pin(mm, uptr, nr, flags, list);
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
	return got;
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

/* What the file has not got yet comes into being; behind its end is nothing. */
static long frames_of_file(struct file *file, unsigned long index,
			   unsigned long nr, struct page **list)
{
	struct inode *inode = file_inode(file);
	unsigned long end = DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE);
	unsigned int tries = 10;
	long got;

	if (index >= end)
		return -EFAULT;
	nr = min(nr, end - index);
	do {
		if (inode->i_sb->s_magic == HUGETLBFS_MAGIC)
			got = iommufd_compat_hugetlb_frames(file, index, nr,
							    list);
		else
			got = iommufd_compat_shmem_frames(file, index, nr,
							  list);
	} while (got == -EAGAIN && --tries);
	/* Cut off meanwhile. */
	return got == -EINVAL ? -EFAULT : got;
}

/**
 * iommufd_frames - the page frames of a mapping's memory
 * @pages: the memory; its address space is held, see iommufd_take_mm()
 * @index: first page
 * @nr: number of pages
 * @write: they will be written to
 * @lasting: they will be held for longer than the call
 * @list: frames, as many as are returned
 *
 * Those of a process are pinned, and given back with
 * unpin_user_page_range_dirty_lock(). Those of a file come with a reference
 * each, and are given back with iommufd_frames_put(): such memory is never
 * copied on write, so a pin would give it nothing that a reference does not.
 *
 * Return: number of frames, at least 1; -EFAULT if there is no memory, or none
 * that can be pinned; another errno of the kernel's.
 */
long iommufd_frames(struct iommufd_pages *pages, unsigned long index,
		    unsigned long nr, bool write, bool lasting,
		    struct page **list)
{
	unsigned long at = pages->base + (index << PAGE_SHIFT);
	long got;

	if (pages->file)
		got = frames_of_file(pages->file, at >> PAGE_SHIFT, nr, list);
	else
		got = frames_of_user(pages->mm, at, nr, write, lasting, list);
	return got ?: -EFAULT;
}

/**
 * iommufd_frames_put - gives back frames of a file
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
