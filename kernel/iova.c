// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which IOVAs of an IOAS are taken, and where there is room.
 *
 * Areas never overlap, so one red-black tree by address finds the area at an
 * IOVA; and since each node also knows the largest hole between the areas below
 * it, the same tree finds the lowest hole of a size. Both take O(log n), which
 * the kernel's interval tree gives for the first only.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rbtree_augmented.h>
#include <linux/sched/signal.h>

#include "iommufd_private.h"

#define to_area(node) rb_entry_safe(node, struct iommufd_area, rb)

static bool tree_compute(struct iommufd_area *area, bool exit)
{
	const struct iommufd_area *left = to_area(area->rb.rb_left);
	const struct iommufd_area *right = to_area(area->rb.rb_right);
	struct iommufd_area_tree tree = { area->start, area->last, 0 };

	if (left) {
		tree.first = left->tree.first;
		tree.gap = max(left->tree.gap,
			       area->start - left->tree.last - 1);
	}
	if (right) {
		tree.last = right->tree.last;
		tree.gap = max3(tree.gap, right->tree.gap,
				right->tree.first - area->last - 1);
	}
	if (exit && !memcmp(&tree, &area->tree, sizeof(tree)))
		return true;
	area->tree = tree;
	return false;
}

RB_DECLARE_CALLBACKS(static, tree_callbacks, struct iommufd_area, rb, tree,
		     tree_compute);

/**
 * iommufd_area_first - the lowest area in a range
 * @ioas: whose lock is held
 * @start: first IOVA of the range
 * @last: last one
 *
 * Return: an area of which any byte is in the range, or NULL.
 */
struct iommufd_area *iommufd_area_first(const struct iommufd_ioas *ioas,
					unsigned long start, unsigned long last)
{
	struct rb_node *node = ioas->areas.rb_node;
	struct iommufd_area *found = NULL;

	while (node) {
		struct iommufd_area *area = to_area(node);

		if (area->last < start) {
			node = node->rb_right;
		} else {
			found = area;
			if (area->start <= start)
				break;
			node = node->rb_left;
		}
	}
	return found && found->start <= last ? found : NULL;
}

/**
 * iommufd_area_next - the area that follows
 * @area: in a tree, whose lock is held
 *
 * Return: the next one up, or NULL.
 */
struct iommufd_area *iommufd_area_next(const struct iommufd_area *area)
{
	return to_area(rb_next(&area->rb));
}

/**
 * iommufd_area_below - the last area that begins below an IOVA
 * @ioas: whose lock is held
 * @start: the IOVA
 *
 * Return: the area, or NULL.
 */
struct iommufd_area *iommufd_area_below(const struct iommufd_ioas *ioas,
					unsigned long start)
{
	struct rb_node *node = ioas->areas.rb_node;
	struct iommufd_area *found = NULL;

	while (node) {
		if (to_area(node)->start < start) {
			found = to_area(node);
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return found;
}

/**
 * iommufd_area_place - where an area begins in memory
 * @area: the area
 *
 * Return: an address, or an offset in a file: only the low bits matter.
 */
unsigned long iommufd_area_place(const struct iommufd_area *area)
{
	return area->pages->base + (area->in_pages.start << PAGE_SHIFT) +
	       area->offset;
}

/**
 * iommufd_area_insert - an area can be found from now on
 * @ioas: where; its lock is held for writing
 * @area: whole; its range is free, see iommufd_iova_check()
 */
void iommufd_area_insert(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct rb_node **link = &ioas->areas.rb_node, *parent = NULL;

	lockdep_assert_held_write(&ioas->lock);
	while (*link) {
		parent = *link;
		link = area->start < to_area(parent)->start ?
		       &parent->rb_left : &parent->rb_right;
	}
	area->ioas = ioas;
	rb_link_node(&area->rb, parent, link);
	tree_compute(area, false);
	tree_callbacks_propagate(parent, NULL);
	rb_insert_augmented(&area->rb, &ioas->areas, &tree_callbacks);
	/* Those who look in from outside read them without the lock. */
	WRITE_ONCE(ioas->nr_areas, ioas->nr_areas + 1);
	WRITE_ONCE(ioas->mapped, ioas->mapped + (area->last - area->start + 1));
}

/**
 * iommufd_area_remove - an area cannot be found any more
 * @ioas: where it is; its lock is held for writing
 * @area: nothing pins in it
 */
void iommufd_area_remove(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	lockdep_assert_held_write(&ioas->lock);
	rb_erase_augmented(&area->rb, &ioas->areas, &tree_callbacks);
	WRITE_ONCE(ioas->nr_areas, ioas->nr_areas - 1);
	WRITE_ONCE(ioas->mapped, ioas->mapped - (area->last - area->start + 1));
}

/**
 * iommufd_iova_check - whether something may be mapped in a range
 * @ioas: whose lock is held
 * @start: first IOVA
 * @last: last one
 *
 * Return: 0; -EINVAL if the ends are not aligned, or a reserved range is in the
 * way; -EEXIST if an area is.
 */
int iommufd_iova_check(const struct iommufd_ioas *ioas, unsigned long start,
		       unsigned long last)
{
	if ((start | (last + 1)) & (ioas->alignment - 1))
		return -EINVAL;
	if (iommufd_range_overlaps(&ioas->reserved, start, last))
		return -EINVAL;
	if (iommufd_area_first(ioas, start, last))
		return -EEXIST;
	return 0;
}

/**
 * struct hole - IOVAs without an area
 * @start: first one
 * @last: last one
 * @above: the area that begins behind it; NULL if it is the last hole
 */
struct hole {
	unsigned long start;
	unsigned long last;
	const struct iommufd_area *above;
};

static void hole_between(unsigned long below, const struct iommufd_area *above,
			 struct hole *hole)
{
	hole->start = below + 1;
	hole->last = above->start - 1;
	hole->above = above;
}

static const struct iommufd_area *leftmost(const struct iommufd_area *area)
{
	while (area->rb.rb_left)
		area = to_area(area->rb.rb_left);
	return area;
}

/* The lowest hole of @length or more among the areas below @area: there is. */
static void hole_in_subtree(const struct iommufd_area *area,
			    unsigned long length, struct hole *hole)
{
	for (;;) {
		const struct iommufd_area *left = to_area(area->rb.rb_left);
		const struct iommufd_area *right = to_area(area->rb.rb_right);

		if (left && left->tree.gap >= length) {
			area = left;
			continue;
		}
		if (left && area->start - left->tree.last > length) {
			hole_between(left->tree.last, area, hole);
			return;
		}
		if (right->tree.first - area->last > length) {
			hole_between(area->last, leftmost(right), hole);
			return;
		}
		area = right;
	}
}

/*
 * The lowest hole of @length or more that lies above @area. Its size is not
 * checked if it is the last one.
 */
static void hole_above(const struct iommufd_area *area, unsigned long length,
		       struct hole *hole)
{
	const struct iommufd_area *right, *up;

	for (;;) {
		right = to_area(area->rb.rb_right);
		if (right && right->tree.first - area->last > length) {
			hole_between(area->last, leftmost(right), hole);
			return;
		}
		if (right && right->tree.gap >= length) {
			hole_in_subtree(right, length, hole);
			return;
		}
		/* None below: up, to the first that this all is left of. */
		for (up = to_area(rb_parent(&area->rb));
		     up && &area->rb == up->rb.rb_right;
		     up = to_area(rb_parent(&area->rb)))
			area = up;
		if (!up) {
			/* Its last may be the highest address there is. */
			hole->start = area->tree.last + 1;
			hole->last = ULONG_MAX;
			hole->above = NULL;
			return;
		}
		if (up->start - area->tree.last > length) {
			hole_between(area->tree.last, up, hole);
			return;
		}
		area = up;
	}
}

/*
 * The lowest IOVA in [@from, @to] that is @place modulo @align, and free.
 * Returns 0, -ENOSPC, or -EINTR if killed: there can be any number of holes that
 * are large enough and lie wrong.
 */
static int find_in_span(const struct iommufd_ioas *ioas, unsigned long from,
			unsigned long to, unsigned long length,
			unsigned long place, unsigned long align,
			unsigned long *iova)
{
	const struct iommufd_area *area;
	struct hole hole = { from, to, NULL };

	area = iommufd_area_first(ioas, from, to);
	if (area && area->start <= from)
		hole_above(area, length, &hole);
	else if (area)
		hole_between(from - 1, area, &hole);

	while (hole.start && hole.start <= to) {
		unsigned long start, last;
		unsigned long up = (place - hole.start) & (align - 1);

		if (!check_add_overflow(hole.start, up, &start) &&
		    !check_add_overflow(start, length - 1, &last) &&
		    last <= min(hole.last, to)) {
			*iova = start;
			return 0;
		}
		if (!hole.above)
			break;
		hole_above(hole.above, length, &hole);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return -ENOSPC;
}

/*
 * Where memory and IOVA are congruent modulo the size of a huge page, an IOMMU
 * can use one. What is smaller gets the alignment of its own size.
 */
static unsigned long wanted_alignment(const struct iommufd_ioas *ioas,
				      unsigned long length)
{
	unsigned long align = PAGE_SIZE;

	if (ioas->huge_pages)
		align = length >= PMD_SIZE ? PMD_SIZE :
			max(PAGE_SIZE, roundup_pow_of_two(length));
	return max(align, ioas->alignment);
}

/**
 * iommufd_iova_find - chooses where to map
 * @ioas: whose lock is held
 * @length: in bytes, not 0
 * @place: address of the memory, of which the low bits matter
 * @iova: the result
 *
 * The lowest place outside of reserved ranges and, if there are any, within an
 * allowed one. Never the first page, since an IOVA of 0 looks like none, and
 * never the last one, so that the end of a mapping can be counted.
 *
 * Return: 0; -ENOSPC if there is no room; -EINVAL if @length or @place are not
 * aligned as the IOAS wants; -EINTR if killed.
 */
int iommufd_iova_find(const struct iommufd_ioas *ioas, unsigned long length,
		      unsigned long place, unsigned long *iova)
{
	unsigned long align = wanted_alignment(ioas, length);
	/* The kernel's interval tree does not know const. */
	struct rb_root_cached *allowed = (struct rb_root_cached *)&ioas->allowed;
	unsigned long from = PAGE_SIZE, to = ULONG_MAX - PAGE_SIZE;
	struct interval_tree_node *node;
	unsigned long start, last, pos;
	int rc = -ENOSPC;

	if ((length | place) & (ioas->alignment - 1))
		return -EINVAL;
	if (RB_EMPTY_ROOT(&allowed->rb_root)) {
		for (pos = from;
		     iommufd_next_usable(ioas, pos, to, &start, &last);
		     pos = last + 1) {
			rc = find_in_span(ioas, start, last, length, place,
					  align, iova);
			if (rc != -ENOSPC || last == to)
				return rc;
		}
		return -ENOSPC;
	}
	/* An allowed range is never reserved, not even in part. */
	node = interval_tree_iter_first(allowed, from, to);
	while (node && rc == -ENOSPC) {
		start = max(from, node->start);
		/* Those that touch are as good as one. */
		do {
			last = min(to, node->last);
			node = interval_tree_iter_next(node, from, to);
			cond_resched();
		} while (node && node->start == last + 1);
		rc = find_in_span(ioas, start, last, length, place, align,
				  iova);
	}
	return rc;
}
