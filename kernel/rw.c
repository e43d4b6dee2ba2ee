// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing the memory behind a mapping.
 */
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/iommufd.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "iommufd_private.h"

/**
 * iommufd_take_mm - makes sure of the address space that memory is in
 * @pages: the memory
 * @borrowed: written: it has to be given back
 *
 * Return: 0, also where none is needed; -EFAULT if it is gone, and then nothing
 * is to be given back.
 */
int iommufd_take_mm(struct iommufd_pages *pages, bool *borrowed)
{
	*borrowed = false;
	if (pages->file || pages->mm == current->mm)
		return 0;
	*borrowed = mmget_not_zero(pages->mm);
	return *borrowed ? 0 : -EFAULT;
}

/**
 * iommufd_give_mm - gives back what iommufd_take_mm() took
 * @pages: as there
 * @borrowed: as it was written there
 *
 * This can be the end of the address space, so no lock is to be held.
 */
void iommufd_give_mm(struct iommufd_pages *pages, bool borrowed)
{
	if (borrowed)
		mmput(pages->mm);
}

/* In the address space that the memory was mapped from, or as if in it. */
static int rw_user(struct iommufd_pages *pages, u64 pos, void *data, size_t len,
		   unsigned int flags)
{
	char __user *uptr = u64_to_user_ptr(pages->base + pos);
	unsigned long left = 0;
	bool borrowed;
	int rc;

	rc = iommufd_take_mm(pages, &borrowed);
	if (rc)
		return rc;
	if (borrowed)
		kthread_use_mm(pages->mm);
	while (len && !left) {
		size_t n = min_t(size_t, len, SZ_1M);

		if (flags & IOMMUFD_ACCESS_RW_WRITE)
			left = copy_to_user(uptr, data, n);
		else
			left = copy_from_user(data, uptr, n);
		uptr += n;
		data += n;
		len -= n;
		cond_resched();
	}
	if (borrowed)
		kthread_unuse_mm(pages->mm);
	iommufd_give_mm(pages, borrowed);
	return left ? -EFAULT : 0;
}

static void rw_frame(struct page *page, unsigned int offset, void *data,
		     size_t len, bool write)
{
	void *va = kmap_local_page(page);

	if (write)
		memcpy(va + offset, data, len);
	else
		memcpy(data, va + offset, len);
	kunmap_local(va);
}

/* Within one page. What is pinned is dirtied when it is unpinned. */
static bool rw_pinned(struct iommufd_pages *pages, u64 pos, void *data,
		      size_t len, bool write)
{
	struct page *page;

	mutex_lock(&pages->lock);
	page = iommufd_pinned_frame(pages, pos >> PAGE_SHIFT);
	if (page)
		rw_frame(page, offset_in_page(pos), data, len, write);
	mutex_unlock(&pages->lock);
	return page;
}

static int rw_page(struct iommufd_pages *pages, u64 pos, void *data,
		   size_t len, bool write)
{
	struct page *page;
	long rc;

	rc = iommufd_frames(pages, pos >> PAGE_SHIFT, 1, write, false, &page);
	if (rc < 0)
		return rc;
	rw_frame(page, offset_in_page(pos), data, len, write);
	if (pages->file)
		iommufd_frames_put(page, 1, write);
	else
		unpin_user_page_range_dirty_lock(page, 1, write);
	return 0;
}

/* Page by page: through what is pinned, or else what is there now. */
static int rw_frames(struct iommufd_pages *pages, u64 pos, void *data,
		     size_t len, bool write)
{
	int rc = 0, no_mm;
	bool borrowed;

	no_mm = iommufd_take_mm(pages, &borrowed);
	while (len && !rc) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(pos));

		if (!rw_pinned(pages, pos, data, n, write))
			rc = no_mm ?: rw_page(pages, pos, data, n, write);
		pos += n;
		data += n;
		len -= n;
		if (!rc && len && fatal_signal_pending(current))
			rc = -EINTR;
		cond_resched();
	}
	iommufd_give_mm(pages, borrowed);
	return rc;
}

/**
 * iommufd_pages_rw - copies from or to the memory
 * @pages: the memory
 * @pos: where in it, in bytes
 * @data: kernel memory
 * @len: in bytes
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * A page that is pinned is reached as a device would reach it, even where the
 * process has another one there by now. May sleep for long.
 *
 * Return: 0; -EFAULT, -EINTR or an errno of the memory's, and then a part may
 * have been copied.
 */
int iommufd_pages_rw(struct iommufd_pages *pages, u64 pos, void *data,
		     size_t len, unsigned int flags)
{
	bool direct = !pages->file && !READ_ONCE(pages->nr_pinned) &&
		      !(flags & __IOMMUFD_ACCESS_RW_SLOW_PATH);
	/* One that has taken on an address space already cannot take ours. */
	bool kthread = flags & IOMMUFD_ACCESS_RW_KTHREAD &&
		       current->flags & PF_KTHREAD && !current->mm;

	if (direct && (pages->mm == current->mm || kthread))
		return rw_user(pages, pos, data, len, flags);
	return rw_frames(pages, pos, data, len,
			 flags & IOMMUFD_ACCESS_RW_WRITE);
}
