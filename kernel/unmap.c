// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends areas: IOMMU_IOAS_UNMAP, and the end of an IOAS.
 *
 * Only whole areas go. Where something is pinned, the accesses are told, with
 * no lock held, and the unmap waits until they have unpinned it. Page tables lose
 * an area before its IOVAs can be used again, and the memory is unpinned after
 * the IOMMU has forgotten it.
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

/* Areas that are taken out in one go of the lock. */
#define UNMAP_BATCH 64

/*
 * How often an access is asked to unpin, and how long it is waited for each
 * time: one that pins just now may not know yet what it has when it is asked.
 */
#define UNPIN_TRIES 100
#define UNPIN_WAIT (HZ / 10)

static bool idle(const struct iommufd_area *area)
{
	/* Acquire: what was done with the pages is over. */
	return !atomic_read_acquire(&area->pinning) &&
	       !atomic_read_acquire(&area->pins);
}

/* With no lock held. @area is closing, so it stays. */
static int end_pins(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	wait_queue_head_t *wait = &ioas->ictx->drained;
	int i;

	for (i = 0; i < UNPIN_TRIES; i++) {
		/*
		 * Faults of user memory are waited for without a bound. Each
		 * time: a page table that is filled pins what is closing, too.
		 */
		if (wait_event_killable(*wait,
					!atomic_read_acquire(&area->pinning)))
			return -EINTR;
		if (idle(area))
			return 0;
		iommufd_access_call_unmap(ioas, area->start, area->last);
		if (wait_event_killable_timeout(*wait, idle(area),
						UNPIN_WAIT) < 0)
			return -EINTR;
	}
	if (idle(area))
		return 0;
	pr_err_ratelimited("context %llu: an access does not unpin what is unmapped\n",
			   ioas->ictx->id);
	return -EDEADLK;
}

/*
 * Makes @area, on which there are pins, one without. Lets go of the lock in
 * between; the area is still there afterwards.
 */
static int close_area(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	int rc;

	WRITE_ONCE(area->closing, true);
	iommufd_domains_flush(ioas);
	up_write(&ioas->lock);
	rc = end_pins(ioas, area);
	down_write(&ioas->lock);
	if (rc)
		WRITE_ONCE(area->closing, false);
	return rc;
}

/* Returns how many bytes they were. */
static unsigned long free_areas(struct iommufd_area **list)
{
	struct iommufd_area *area;
	unsigned long bytes = 0;

	while ((area = *list)) {
		*list = area->next;
		bytes += area->last - area->start + 1;
		iommufd_area_unpin(area);
		iommufd_area_free(area);
	}
	return bytes;
}

/* Whether an end of the range lies within an area; @first is the lowest in it. */
static bool cuts(const struct iommufd_ioas *ioas,
		 const struct iommufd_area *first, unsigned long start,
		 unsigned long last)
{
	const struct iommufd_area *area = first;

	if (!first)
		return false;
	if (first->start < start)
		return true;
	/* Seldom is it not the only one, or all of the range. */
	if (first->last < last)
		area = iommufd_area_first(ioas, last, last);
	return area && area->last > last;
}

/*
 * Takes out a batch of areas, from @area on, of which the first one is idle, and
 * puts them before those in *@gone. Returns the one that follows, or NULL.
 */
static struct iommufd_area *take_idle(struct iommufd_ioas *ioas,
				      struct iommufd_area *area,
				      unsigned long last,
				      struct iommufd_area **gone)
{
	unsigned long hole = area->start - area->gap;
	bool domains = !list_empty(&ioas->hwpts);
	struct iommufd_area *next;
	unsigned int n = 0;

	do {
		if (domains)
			iommufd_domains_unmap(ioas, area);
		next = iommufd_area_take(ioas, area);
		area->next = *gone;
		*gone = area;
		area = next;
	} while (area && area->last <= last && !area->closing && idle(area) &&
		 ++n < UNMAP_BATCH);
	iommufd_area_settle(ioas, area, hole);
	if (domains)
		iommufd_domains_flush(ioas);
	return area;
}

/**
 * iommufd_unmap_range - ends all areas in a range
 * @ioas: the IOAS; its lock is taken
 * @start: first IOVA
 * @last: last one, not below @start
 * @unmapped: bytes that were unmapped, after an error too
 *
 * Other threads may map and unmap meanwhile, since the lock is not held all the
 * time; what they map behind the place that this has come to stays.
 *
 * Return: 0, also if there was nothing; -ENOENT if the range cuts an area, and
 * if that was so from the start, nothing is unmapped; -EBUSY if another thread
 * is about to unmap a part of it; -EINTR if killed; -EDEADLK if an access does
 * not unpin.
 */
int iommufd_unmap_range(struct iommufd_ioas *ioas, unsigned long start,
			unsigned long last, unsigned long *unmapped)
{
	struct iommufd_area *area, *gone = NULL;
	unsigned long end;
	int rc = 0;

	*unmapped = 0;
	if (down_write_killable(&ioas->lock))
		return -EINTR;
	area = iommufd_area_first(ioas, start, last);
	if (cuts(ioas, area, start, last)) {
		rc = -ENOENT;
		area = NULL;
	}
	while (area && area->start <= last) {
		/* It came while the lock was let go of. */
		if (area->last > last)
			rc = -ENOENT;
		else if (area->closing)
			rc = -EBUSY;
		/* Who fills a page table holds areas that are closing, too. */
		while (!rc && !idle(area))
			rc = close_area(ioas, area);
		if (rc)
			break;
		area = take_idle(ioas, area, last, &gone);
		if (!area || area->start > last)
			break;

		end = gone->last;
		up_write(&ioas->lock);
		*unmapped += free_areas(&gone);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		down_write(&ioas->lock);
		area = end < last ?
		       iommufd_area_first(ioas, end + 1, last) : NULL;
		/* It came meanwhile, and a part of it is behind us. */
		if (area && area->start <= end) {
			rc = -ENOENT;
			break;
		}
	}
	up_write(&ioas->lock);
	*unmapped += free_areas(&gone);
	return rc;
}

static int check_range(u64 start, u64 length, unsigned long *last)
{
	if (!length)
		return -EINVAL;
	if (start == U64_MAX || length == U64_MAX ||
	    check_add_overflow((unsigned long)start,
			       (unsigned long)length - 1, last))
		return -EOVERFLOW;
	return 0;
}

/**
 * iommufd_ioas_unmap - IOMMU_IOAS_UNMAP
 * @ucmd: struct iommu_ioas_unmap
 *
 * Return: 0; -ENOENT for the IOAS, and if there is nothing in the range, unless
 * the range is all there is; -EINVAL for no length; -EOVERFLOW; else as
 * iommufd_unmap_range(). The bytes unmapped are in length even then.
 */
int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_unmap *cmd = ucmd->cmd;
	bool all = !cmd->iova && cmd->length == U64_MAX;
	unsigned long unmapped = 0, last = ULONG_MAX;
	struct iommufd_ioas *ioas;
	int rc = 0;

	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (!all)
		rc = check_range(cmd->iova, cmd->length, &last);
	if (!rc)
		rc = iommufd_unmap_range(ioas, cmd->iova, last, &unmapped);
	iommufd_ioas_put(ioas);
	if (!rc && !unmapped && !all)
		rc = -ENOENT;
	cmd->length = unmapped;
	ucmd->reply_on_error = true;
	return rc;
}

/* Of two halves each is inserted anew: what they cover has changed. */
static int cut_area(struct iommufd_ioas *ioas, struct iommufd_area *area,
		    unsigned long iova)
{
	struct iommufd_area *tail;
	unsigned long at, hole;

	if (iova & (max(PAGE_SIZE, ioas->alignment) - 1))
		return -EINVAL;
	/* What page tables hold is whole pages. */
	at = area->in_pages.start + ((iova - area->start) >> PAGE_SHIFT);
	if (area->filled && iommufd_pages_part_pin(area->pages, at))
		return -ENOMEM;
	tail = iommufd_area_split(area, iova - area->start);
	if (!tail) {
		if (area->filled)
			iommufd_pages_join_pins(area->pages, at);
		return -ENOMEM;
	}
	tail->filled = area->filled;
	iommufd_domains_cut(ioas, area, iova);
	hole = area->start - area->gap;
	iommufd_area_settle(ioas, iommufd_area_take(ioas, area), hole);
	tail->start = iova;
	tail->last = area->last;
	area->last = iova - 1;
	iommufd_area_insert(ioas, area);
	iommufd_area_insert(ioas, tail);
	return 0;
}

/**
 * iommufd_unmap_cut - makes two areas of one
 * @ioas: the IOAS; its lock is taken
 * @iova: where the second one begins
 *
 * Return: 0, also if no area is cut there; -EINVAL if that is within a page of
 * the CPU's, or the smallest that a page table has;
 * -EBUSY if an access has pinned something in the area, or a page table may hold
 * it in huge pages; -ENOMEM; -EINTR.
 */
int iommufd_unmap_cut(struct iommufd_ioas *ioas, unsigned long iova)
{
	struct iommufd_area *area;
	int rc = 0;

	if (down_write_killable(&ioas->lock))
		return -EINTR;
	area = iommufd_area_first(ioas, iova, iova);
	if (area && area->start < iova) {
		/* A page table can have it as one large page. */
		if (area->closing || !idle(area) ||
		    (area->filled && ioas->huge_pages))
			rc = -EBUSY;
		else
			rc = cut_area(ioas, area, iova);
	}
	up_write(&ioas->lock);
	return rc;
}

/**
 * iommufd_unmap_teardown - ends all areas of an IOAS that nobody can reach
 * @ioas: the IOAS
 */
void iommufd_unmap_teardown(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area, *next;

	if (RB_EMPTY_ROOT(&ioas->areas))
		return;
	rbtree_postorder_for_each_entry_safe(area, next, &ioas->areas, rb) {
		iommufd_area_free(area);
		cond_resched();
	}
	ioas->areas = RB_ROOT;
}
