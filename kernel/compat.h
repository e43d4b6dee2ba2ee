/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that this is built for, and nothing else.
 * The rest of the code is written for the newest.
 */
#ifndef __IOMMUFD_COMPAT_H
#define __IOMMUFD_COMPAT_H

#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/iommu.h>
#include <linux/irqdomain.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/vfio_pci_core.h>
#include <net/genetlink.h>

#define IOMMUFD_SINCE(major, minor)                                            \
	(KERNEL_VERSION(major, minor, 0) <= LINUX_VERSION_CODE)

/*
 * 6.5 took the argument for VMAs away. Before, a lasting pin could not let go of
 * the lock while it waited for memory.
 */
static inline long iommufd_compat_pin_remote(struct mm_struct *mm,
					     unsigned long uptr,
					     unsigned long nr,
					     unsigned int flags,
					     struct page **list)
{
	int locked = 1;
	long got;

	mmap_read_lock(mm);
#if IOMMUFD_SINCE(6, 5)
	got = pin_user_pages_remote(mm, uptr, nr, flags, list, &locked);
#else
	got = pin_user_pages_remote(mm, uptr, nr, flags, list, NULL,
				    flags & FOLL_LONGTERM ? NULL : &locked);
#endif
	if (locked)
		mmap_read_unlock(mm);
	return got;
}

/*
 * Whether a lasting pin for reading alone gets a page of its own where the one
 * that is there has yet to be copied on write. Before 6.2 it got the old page,
 * which the process left at its next write.
 */
#define IOMMUFD_COMPAT_PIN_UNSHARES IOMMUFD_SINCE(6, 2)

/* Whether frames of a file in huge pages can be had. */
#define IOMMUFD_COMPAT_HUGETLB IOMMUFD_SINCE(6, 11)

#if IOMMUFD_SINCE(6, 11)
/*
 * Pages that were given to the file in advance hold nothing yet, and have no
 * content until they are read for the first time: so that is done. Then they
 * are pinned, for which the kernel moves them out of memory that must stay
 * movable. If one was given anew in between, it is all done again.
 *
 * A folio comes with one pin, however many of its pages are in the range. We
 * give pages back in other portions than we get them, so each gets a reference
 * of its own in place of that.
 */
static inline long iommufd_compat_shmem_frames(struct file *file,
					       unsigned long index,
					       unsigned long nr,
					       struct page **list)
{
	struct address_space *mapping = file->f_mapping;
	struct folio **folios = (struct folio **)list;
	loff_t start = (loff_t)index << PAGE_SHIFT;
	loff_t end = min_t(loff_t, start + ((loff_t)nr << PAGE_SHIFT),
			   i_size_read(file_inode(file)));
	unsigned long skip, got, pages = 0, i;
	bool whole = true;
	pgoff_t offset = 0;
	struct page *page;
	long n;

	for (i = 0; i < nr; i++) {
		page = shmem_read_mapping_page_gfp(mapping, index + i,
						   mapping_gfp_mask(mapping));
		if (IS_ERR(page))
			break;
		put_page(page);
	}
	if (!i)
		return PTR_ERR(page);
	if (i < nr)
		end = start + ((loff_t)i << PAGE_SHIFT);
	if (end <= start)
		return -EFAULT;
	n = memfd_pin_folios(file, start, end - 1, folios, i, &offset);
	if (n <= 0)
		return n;
	nr = i;
	skip = offset >> PAGE_SHIFT;
	for (i = 0; i < n; i++) {
		pages += folio_nr_pages(folios[i]);
		whole &= folio_test_uptodate(folios[i]);
	}
	if (!whole) {
		unpin_folios(folios, n);
		return -EAGAIN;
	}
	pages -= skip;
	/*
	 * From the end, since a folio's pages take at least the place that it
	 * has itself.
	 */
	for (i = n, got = pages; i-- > 0;) {
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

/*
 * Huge pages of a file are there, or have to be made as fallocate(2) makes
 * them: memfd_pin_folios() would take one that somebody else has reserved.
 */
static inline long iommufd_compat_hugetlb_frames(struct file *file,
						 unsigned long index,
						 unsigned long nr,
						 struct page **list)
{
	struct hstate *h = hstate_file(file);
	struct folio *folio;
	unsigned long i, n;
	long rc;

	folio = filemap_lock_folio(file->f_mapping, index);
	if (IS_ERR(folio) && file->f_mode & FMODE_WRITE) {
		loff_t at = ALIGN_DOWN((loff_t)index << PAGE_SHIFT,
				       huge_page_size(h));

		rc = vfs_fallocate(file, FALLOC_FL_KEEP_SIZE, at,
				   huge_page_size(h));
		if (rc)
			return rc == -ENOSPC ? -ENOMEM : rc;
		folio = filemap_lock_folio(file->f_mapping, index);
	}
	if (IS_ERR(folio))
		return -EFAULT;
	if (folio_test_hwpoison(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return -EHWPOISON;
	}
	i = index - folio->index;
	n = min(nr, folio_nr_pages(folio) - i);
	folio_ref_add(folio, n - 1);
	folio_unlock(folio);
	for (nr = 0; nr < n; nr++)
		list[nr] = folio_page(folio, i + nr);
	return n;
}
#else
/* What it makes is not made in memory that must stay movable. */
static inline long iommufd_compat_shmem_frames(struct file *file,
					       unsigned long index,
					       unsigned long nr,
					       struct page **list)
{
	struct address_space *mapping = file->f_mapping;
	gfp_t gfp = mapping_gfp_constraint(mapping, ~__GFP_MOVABLE);
	unsigned long i;

	for (i = 0; i < nr; i++) {
		list[i] = shmem_read_mapping_page_gfp(mapping, index + i, gfp);
		if (IS_ERR(list[i]))
			return i ?: PTR_ERR(list[i]);
	}
	return nr;
}

/* Such files are turned away when they are mapped. */
static inline long iommufd_compat_hugetlb_frames(struct file *file,
						 unsigned long index,
						 unsigned long nr,
						 struct page **list)
{
	return -EOPNOTSUPP;
}
#endif

/* 6.3 has the caller say how memory for the page table is to be had. */
static inline int iommufd_compat_map(struct iommu_domain *domain,
				     unsigned long iova, phys_addr_t phys,
				     size_t size, int prot)
{
#if IOMMUFD_SINCE(6, 3)
	return iommu_map(domain, iova, phys, size, prot, GFP_KERNEL_ACCOUNT);
#else
	return iommu_map(domain, iova, phys, size, prot);
#endif
}

/*
 * SLUB, and 6.1's SLAB, free what is of a cache as well without being told which,
 * and with fewer checks. 6.1 could have another allocator, which cannot.
 */
static inline void iommufd_compat_cache_free(struct kmem_cache *cache, void *p)
{
#ifdef CONFIG_SLOB
	kmem_cache_free(cache, p);
#else
	kfree(p);
#endif
}

/*
 * A page table for a device. What makes one for user space knows best what the
 * device can do, where an IOMMU's driver has it. Before 6.11 one was made for a
 * bus, and learned what that is when the first device was attached.
 */
static inline struct iommu_domain *
iommufd_compat_domain_alloc(struct device *dev)
{
#if IOMMUFD_SINCE(6, 11)
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;
	struct iommu_domain *domain;

	if (!ops->domain_alloc_user)
		return iommu_paging_domain_alloc(dev);
	domain = ops->domain_alloc_user(dev, 0, NULL, NULL);
	if (!IS_ERR(domain))
		domain->owner = ops;
	return domain;
#else
	return iommu_domain_alloc(dev->bus) ?: ERR_PTR(-ENOMEM);
#endif
}

/* Whether such a page table can hold large pages before a device is attached. */
#define IOMMUFD_COMPAT_DOMAIN_KNOWS IOMMUFD_SINCE(6, 11)

/* Whether no device of a group can raise another one's interrupts. */
static inline int iommufd_compat_not_isolated(struct device *dev, void *data)
{
#if !IOMMUFD_SINCE(6, 3)
	return !device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
#else
	return 0;
#endif
}

static inline bool iommufd_compat_isolated_msi(struct iommu_group *group)
{
#if IOMMUFD_SINCE(6, 3)
	return iommu_group_has_isolated_msi(group);
#else
	return irq_domain_check_msi_remap() ||
	       !iommu_group_for_each_dev(group, NULL,
					 iommufd_compat_not_isolated);
#endif
}

/*
 * Whether the IOMMU can be made to keep all of a device's DMA coherent. Who asks
 * the kernel about a device takes it for done where it can be.
 */
static inline bool iommufd_compat_can_enforce(struct device *dev)
{
#if IOMMUFD_SINCE(6, 4)
	return device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
#else
	return false;
#endif
}

/*
 * Whether a group can go from one page table to another with no moment in between
 * without either. No header declares the function for that.
 */
#define IOMMUFD_COMPAT_REPLACES IOMMUFD_SINCE(6, 11)

#if IOMMUFD_COMPAT_REPLACES
int iommu_group_replace_domain(struct iommu_group *group,
			       struct iommu_domain *domain);
#else
static inline int iommu_group_replace_domain(struct iommu_group *group,
					     struct iommu_domain *domain)
{
	return -EOPNOTSUPP;
}
#endif

/* What a device's IOMMU tells about itself, for kfree(); NULL for nothing. */
static inline void *iommufd_compat_hw_info(struct device *dev, u32 *length,
					   u32 *type)
{
#if IOMMUFD_SINCE(6, 6)
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;

	return ops->hw_info ? ops->hw_info(dev, length, type) : NULL;
#else
	return NULL;
#endif
}

/* Attributes of the request that a dump answers. */
static inline struct nlattr **
iommufd_compat_dump_attrs(const struct netlink_callback *cb)
{
#if IOMMUFD_SINCE(6, 6)
	return ((const struct genl_dumpit_info *)cb->data)->info.attrs;
#else
	return ((const struct genl_dumpit_info *)cb->data)->attrs;
#endif
}

/*
 * Where the core looks for what a user has mapped of a device: from 6.10 on in
 * one place for all its files, before in a list that it keeps by itself.
 */
static inline void iommufd_compat_vfio_file(struct file *file,
					    struct vfio_device *vdev)
{
#if IOMMUFD_SINCE(6, 10)
	file->f_mapping = vdev->inode->i_mapping;
#endif
}

/*
 * Whether a user has set an eventfd by which a device can be asked back. Its
 * type differs; it is not looked into, so nothing has to keep it from going.
 */
static inline bool
iommufd_compat_vfio_can_ask(const struct vfio_pci_core_device *core)
{
	return READ_ONCE(core->req_trigger);
}

/* What a device type's devnode() is given may not be changed since 6.3. */
#if IOMMUFD_SINCE(6, 3)
#define IOMMUFD_COMPAT_DEVNODE_CONST const
#else
#define IOMMUFD_COMPAT_DEVNODE_CONST
#endif

#endif
