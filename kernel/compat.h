/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that this is built for, and nothing else.
 * The rest of the code is written for the newest.
 */
#ifndef __IOMMUFD_COMPAT_H
#define __IOMMUFD_COMPAT_H

#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/version.h>

/* 6.5 took the argument for VMAs away. */
static inline long iommufd_compat_pin_remote(struct mm_struct *mm,
					     unsigned long uptr,
					     unsigned long nr,
					     unsigned int flags,
					     struct page **list)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return pin_user_pages_remote(mm, uptr, nr, flags, list, NULL);
#else
	return pin_user_pages_remote(mm, uptr, nr, flags, list, NULL, NULL);
#endif
}

/*
 * Whether a lasting pin for reading alone gets a page of its own where the one
 * that is there has yet to be copied on write. Before 6.2 it got the old page,
 * which the process left at its next write.
 */
#define IOMMUFD_COMPAT_PIN_UNSHARES                                            \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))

/* Whether frames of a file in huge pages can be had. */
#define IOMMUFD_COMPAT_HUGETLB (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0))

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
/*
 * A folio comes with one pin, however many of its pages are in the range. We
 * give pages back in other portions than we get them, so each page is to have
 * a count of its own: for a file's memory a reference does, since nothing of it
 * is ever copied on write.
 */
static inline long iommufd_compat_file_frames(struct file *file,
					      unsigned long index,
					      unsigned long nr,
					      struct page **list)
{
	struct folio **folios = (struct folio **)list;
	loff_t start = (loff_t)index << PAGE_SHIFT;
	unsigned long skip, got, pages = 0;
	pgoff_t offset = 0;
	long n, i;

	n = memfd_pin_folios(file, start, start + ((loff_t)nr << PAGE_SHIFT) - 1,
			     folios, nr, &offset);
	if (n <= 0)
		return n;
	skip = offset >> PAGE_SHIFT;
	for (i = 0; i < n; i++)
		pages += folio_nr_pages(folios[i]);
	pages -= skip;
	/*
	 * From the end, since a folio's pages take at least the place that it
	 * has itself.
	 */
	for (i = n - 1, got = pages; i >= 0; i--) {
		struct folio *folio = folios[i];
		unsigned long from = i ? 0 : skip;
		unsigned long left = folio_nr_pages(folio) - from;

		got -= left;
		left = got < nr ? min(left, nr - got) : 0;
		folio_ref_add(folio, left);
		unpin_folio(folio);
		while (left--)
			list[got + left] = folio_page(folio, from + left);
	}
	return min(pages, nr);
}
#else
static inline long iommufd_compat_file_frames(struct file *file,
					      unsigned long index,
					      unsigned long nr,
					      struct page **list)
{
	struct address_space *mapping = file->f_mapping;
	unsigned long i;

	for (i = 0; i < nr; i++) {
		list[i] = shmem_read_mapping_page_gfp(mapping, index + i,
						      mapping_gfp_mask(mapping));
		if (IS_ERR(list[i]))
			return i ?: PTR_ERR(list[i]);
	}
	return nr;
}
#endif

#endif
