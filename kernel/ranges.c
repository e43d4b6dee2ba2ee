// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ranges that decide where in an IOAS something may be mapped: those that
 * hardware reserves, those that the user wants to be kept free of such, and the
 * alignment. Whatever narrows an IOAS is checked against what is mapped.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "iommufd_private.h"

/* The kernel's interval tree does not know const. */
static struct interval_tree_node *first_in(const struct rb_root_cached *ranges,
					   unsigned long start,
					   unsigned long last)
{
	return interval_tree_iter_first((struct rb_root_cached *)ranges, start,
					last);
}

/**
 * iommufd_range_overlaps - whether any range has a byte in common with this
 * @ranges: of struct iommufd_range
 * @start: first IOVA
 * @last: last one
 *
 * Return: true if so.
 */
bool iommufd_range_overlaps(const struct rb_root_cached *ranges,
			    unsigned long start, unsigned long last)
{
	return first_in(ranges, start, last);
}

/**
 * iommufd_range_add - one more range
 * @ranges: where it goes; it is nobody else's, or its lock is held for writing
 * @start: first IOVA
 * @last: last one, not below @start
 * @owner: of a reserved one
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_range_add(struct rb_root_cached *ranges, unsigned long start,
		      unsigned long last, void *owner)
{
	struct iommufd_range *range = kmalloc(sizeof(*range),
					      GFP_KERNEL_ACCOUNT);

	if (!range)
		return -ENOMEM;
	range->node.start = start;
	range->node.last = last;
	range->owner = owner;
	interval_tree_insert(&range->node, ranges);
	return 0;
}

/**
 * iommufd_ranges_free - all of them go
 * @ranges: nobody else's
 */
void iommufd_ranges_free(struct rb_root_cached *ranges)
{
	struct iommufd_range *range, *next;
	unsigned int n = 0;

	if (RB_EMPTY_ROOT(&ranges->rb_root))
		return;
	rbtree_postorder_for_each_entry_safe(range, next, &ranges->rb_root,
					     node.rb) {
		kfree(range);
		if (++n % 64 == 0)
			cond_resched();
	}
	*ranges = RB_ROOT_CACHED;
}

/**
 * iommufd_next_unreserved - iommufd_next_usable(), where anything is reserved
 * @ioas: whose lock is held
 * @from: where to look
 * @to: how far; not below @from
 * @start: first IOVA found
 * @last: last one
 *
 * Return: false if there is none.
 */
bool iommufd_next_unreserved(const struct iommufd_ioas *ioas,
			     unsigned long from, unsigned long to,
			     unsigned long *start, unsigned long *last)
{
	const struct interval_tree_node *node;

	while ((node = first_in(&ioas->reserved, from, from))) {
		if (node->last >= to)
			return false;
		from = node->last + 1;
	}
	node = first_in(&ioas->reserved, from, to);
	*start = from;
	*last = node ? node->start - 1 : to;
	return true;
}

/**
 * iommufd_ioas_allow - replaces the allowed ranges
 * @ioas: the IOAS; its lock is taken
 * @allowed: the new ones; on success the old ones, for the caller to free
 *
 * Return: 0, or -EADDRINUSE if one of them is reserved in part.
 */
int iommufd_ioas_allow(struct iommufd_ioas *ioas,
		       struct rb_root_cached *allowed)
{
	const struct interval_tree_node *node;
	int rc = 0;

	down_write(&ioas->lock);
	/* Seldom are there many of those: hardware makes them. */
	for (node = first_in(&ioas->reserved, 0, ULONG_MAX); node && !rc;
	     node = interval_tree_iter_next((struct interval_tree_node *)node,
					    0, ULONG_MAX))
		if (iommufd_range_overlaps(allowed, node->start, node->last))
			rc = -EADDRINUSE;
	if (!rc)
		swap(ioas->allowed, *allowed);
	up_write(&ioas->lock);
	return rc;
}

/**
 * iommufd_ioas_reserve_locked - nothing can be mapped in a range from now on
 * @ioas: whose lock is held for writing
 * @start: first IOVA
 * @last: last one
 * @owner: for iommufd_ioas_unreserve()
 *
 * Return: 0; -EADDRINUSE if something is mapped there, or it is an allowed
 * range in part; -EINVAL if @last is below @start; -ENOMEM.
 */
int iommufd_ioas_reserve_locked(struct iommufd_ioas *ioas, unsigned long start,
				unsigned long last, void *owner)
{
	lockdep_assert_held_write(&ioas->lock);
	if (last < start)
		return -EINVAL;
	if (iommufd_area_first(ioas, start, last) ||
	    iommufd_range_overlaps(&ioas->allowed, start, last))
		return -EADDRINUSE;
	return iommufd_range_add(&ioas->reserved, start, last, owner);
}

/**
 * iommufd_ioas_reserve - the same
 * @ioas: the IOAS; its lock is taken
 * @start: first IOVA
 * @last: last one
 * @owner: for iommufd_ioas_unreserve()
 *
 * Return: as iommufd_ioas_reserve_locked().
 */
int iommufd_ioas_reserve(struct iommufd_ioas *ioas, unsigned long start,
			 unsigned long last, void *owner)
{
	int rc;

	down_write(&ioas->lock);
	rc = iommufd_ioas_reserve_locked(ioas, start, last, owner);
	up_write(&ioas->lock);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ioas_reserve, IOMMUFD_INTERNAL);

/**
 * iommufd_ioas_unreserve_locked - takes back all that an owner reserved
 * @ioas: whose lock is held for writing
 * @owner: as it was given
 */
void iommufd_ioas_unreserve_locked(struct iommufd_ioas *ioas, void *owner)
{
	struct interval_tree_node *node, *next;

	lockdep_assert_held_write(&ioas->lock);
	for (node = first_in(&ioas->reserved, 0, ULONG_MAX); node; node = next) {
		struct iommufd_range *range =
			container_of(node, struct iommufd_range, node);

		next = interval_tree_iter_next(node, 0, ULONG_MAX);
		if (range->owner != owner)
			continue;
		interval_tree_remove(node, &ioas->reserved);
		kfree(range);
	}
}

/**
 * iommufd_ioas_unreserve - the same
 * @ioas: the IOAS; its lock is taken
 * @owner: as it was given
 */
void iommufd_ioas_unreserve(struct iommufd_ioas *ioas, void *owner)
{
	down_write(&ioas->lock);
	iommufd_ioas_unreserve_locked(ioas, owner);
	up_write(&ioas->lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ioas_unreserve, IOMMUFD_INTERNAL);

/* Whether what is mapped may be where such an alignment is needed. */
static int check_aligned(const struct iommufd_ioas *ioas, unsigned long mask)
{
	const struct iommufd_area *area;

	for (area = iommufd_area_first(ioas, 0, ULONG_MAX); area;
	     area = iommufd_area_next(area)) {
		if ((area->start | (area->last + 1) |
		     iommufd_area_place(area)) & mask)
			return -EADDRINUSE;
		cond_resched();
	}
	return 0;
}

/**
 * iommufd_ioas_align - what decides about the alignment has changed
 * @ioas: whose lock is held for writing
 *
 * Whole pages are needed by accesses that pin, by page tables, and without huge
 * pages. A page table may need more than that.
 *
 * Return: 0, or -EADDRINUSE if what is mapped is not aligned so, and then what
 * has changed is to be changed back.
 */
int iommufd_ioas_align(struct iommufd_ioas *ioas)
{
	unsigned long alignment = 1;
	struct iommufd_hwpt *hwpt;
	int rc = 0;

	lockdep_assert_held_write(&ioas->lock);
	if (ioas->nr_pinners || !ioas->huge_pages || !list_empty(&ioas->hwpts))
		alignment = PAGE_SIZE;
	list_for_each_entry(hwpt, &ioas->hwpts, in_ioas)
		alignment = max(alignment,
				1UL << __ffs(hwpt->domain->pgsize_bitmap));
	if (alignment > ioas->alignment)
		rc = check_aligned(ioas, alignment - 1);
	if (!rc)
		WRITE_ONCE(ioas->alignment, alignment);
	return rc;
}
