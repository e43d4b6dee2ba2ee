// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which IOVAs of an IOAS are taken, and where there is room.
 *
 * Areas never overlap, so one red-black tree by address finds the area at an
 * IOVA; and since each node also knows the hole below its area and the largest
 * one in its subtree, the same tree finds the lowest hole of a size. Both take
 * O(log n), which the kernel's interval tree gives for the first only. A change
 * goes up the tree only as far as it changes the largest hole.
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

/* Called for each area on a way up, so it must be cheap. */
static inline unsigned long tree_max(const struct iommufd_area *area)
{
	const struct iommufd_area *left = to_area(area->rb.rb_left);
	const struct iommufd_area *right = to_area(area->rb.rb_right);
	unsigned long max = area->gap;

	if (left && left->max_gap > max)
		max = left->max_gap;
	if (right && right->max_gap > max)
		max = right->max_gap;
	return max;
}

static inline bool tree_compute(struct iommufd_area *area, bool exit)
{
	unsigned long max = tree_max(area);

	if (exit && area->max_gap == max)
		return true;
	area->max_gap = max;
	return false;
}

RB_DECLARE_CALLBACKS(static, tree_callbacks, struct iommufd_area, rb, max_gap,
		     tree_compute);

/* The hole below @area has changed; all else of the tree is right. */
static void set_gap(struct iommufd_area *area, unsigned long gap)
{
	area->gap = gap;
	tree_callbacks_propagate(&area->rb, NULL);
}

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
	struct iommufd_area *below = NULL, *above = NULL;

	lockdep_assert_held_write(&ioas->lock);
	while (*link) {
		parent = *link;
		if (area->start < to_area(parent)->start) {
			above = to_area(parent);
			link = &parent->rb_left;
		} else {
			below = to_area(parent);
			link = &parent->rb_right;
		}
	}
	area->ioas = ioas;
	area->gap = area->start - (below ? below->last + 1 : 0);
	area->max_gap = area->gap;
	rb_link_node(&area->rb, parent, link);
	tree_callbacks_propagate(parent, NULL);
	if (above)
		set_gap(above, above->start - area->last - 1);
	rb_insert_augmented(&area->rb, &ioas->areas, &tree_callbacks);
	/* Those who look in from outside read them without the lock. */
	WRITE_ONCE(ioas->nr_areas, ioas->nr_areas + 1);
	WRITE_ONCE(ioas->mapped, ioas->mapped + (area->last - area->start + 1));
}

/**
 * iommufd_area_take - an area cannot be found any more
 * @ioas: where it is; its lock is held for writing
 * @area: nothing pins in it
 *
 * The hole that it leaves is not seen until iommufd_area_settle(), which is to
 * be called before the lock is let go of: of areas that go one after the other
 * the tree is told once.
 *
 * Return: the next one up, or NULL.
 */
struct iommufd_area *iommufd_area_take(struct iommufd_ioas *ioas,
				       struct iommufd_area *area)
{
	struct iommufd_area *above = iommufd_area_next(area);

	lockdep_assert_held_write(&ioas->lock);
	rb_erase_augmented(&area->rb, &ioas->areas, &tree_callbacks);
	WRITE_ONCE(ioas->nr_areas, ioas->nr_areas - 1);
	WRITE_ONCE(ioas->mapped, ioas->mapped - (area->last - area->start + 1));
	return above;
}

/**
 * iommufd_area_settle - the hole that areas have left can be used
 * @ioas: whose lock is held for writing
 * @above: what the last call of iommufd_area_take() returned
 * @hole: where the hole below the first of them began
 */
void iommufd_area_settle(struct iommufd_ioas *ioas, struct iommufd_area *above,
			 unsigned long hole)
{
	lockdep_assert_held_write(&ioas->lock);
	if (above)
		set_gap(above, above->start - hole);
}

/**
 * iommufd_iova_check - whether something may be mapped in a range
 * @ioas: whose lock is held
 * @start: first IOVA
 * @length: in bytes, not 0
 *
 * Return: 0; -EINVAL if it is not aligned; -EOVERFLOW if it wraps; -EINVAL if a
 * reserved range is in the way; -EEXIST if an area is. In this order, which is
 * Linux's own.
 */
int iommufd_iova_check(const struct iommufd_ioas *ioas, unsigned long start,
		       unsigned long length)
{
	unsigned long last;

	if ((start | length) & (ioas->alignment - 1))
		return -EINVAL;
	if (check_add_overflow(start, length - 1, &last))
		return -EOVERFLOW;
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

/* The hole below @above. */
static void hole_below(const struct iommufd_area *above, struct hole *hole)
{
	hole->start = above->start - above->gap;
	hole->last = above->start - 1;
	hole->above = above;
}

/* The lowest area below @area with a hole of @length or more below it: there is. */
static const struct iommufd_area *find_gap(const struct iommufd_area *area,
					   unsigned long length)
{
	for (;;) {
		const struct iommufd_area *left = to_area(area->rb.rb_left);

		if (left && left->max_gap >= length) {
			area = left;
			continue;
		}
		if (area->gap >= length)
			return area;
		area = to_area(area->rb.rb_right);
	}
}

/*
 * The lowest hole of @length or more that lies above @area. Its size is not
 * checked if it is the last one.
 */
static void hole_above(const struct iommufd_ioas *ioas,
		       const struct iommufd_area *area, unsigned long length,
		       struct hole *hole)
{
	for (;;) {
		const struct iommufd_area *right = to_area(area->rb.rb_right);
		const struct rb_node *node;

		if (right && right->max_gap >= length) {
			hole_below(find_gap(right, length), hole);
			return;
		}
		/* None below: up, to the first that this all is left of. */
		for (node = &area->rb; rb_parent(node); node = rb_parent(node))
			if (node == rb_parent(node)->rb_left)
				break;
		area = to_area(rb_parent(node));
		if (!area)
			break;
		if (area->gap >= length) {
			hole_below(area, hole);
			return;
		}
	}
	/* Its last may be the highest address there is. */
	hole->start = to_area(rb_last(&ioas->areas))->last + 1;
	hole->last = ULONG_MAX;
	hole->above = NULL;
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
	if (area && area->start <= from) {
		hole_above(ioas, area, length, &hole);
	} else if (area) {
		hole_below(area, &hole);
		hole.start = max(hole.start, from);
	}

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
		hole_above(ioas, hole.above, length, &hole);
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
