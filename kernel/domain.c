// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the page tables of an IOAS. The rules stand at the top of
 * iommufd_private.h: a page table holds the areas that begin below its next,
 * whether it is being filled, or emptied, or neither.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <uapi/linux/iommufd.h>

#include "compat.h"
#include "iommufd_private.h"

/* Areas that are unpinned in one go without the lock. */
#define UNPIN_BATCH 32

static bool holds(const struct iommufd_hwpt *hwpt,
		  const struct iommufd_area *area)
{
	return hwpt->complete || area->start < hwpt->next;
}

/* Whether anyone but @but wants the memory of an area to stay pinned. */
static bool wanted(const struct iommufd_ioas *ioas,
		   const struct iommufd_area *area,
		   const struct iommufd_hwpt *but)
{
	const struct iommufd_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->hwpts, in_ioas)
		if (hwpt != but && (!hwpt->removing || holds(hwpt, area)))
			return true;
	return false;
}

/**
 * iommufd_area_pin - pins the memory of an area for page tables
 * @area: in no IOAS yet, and the caller's alone
 *
 * With no lock held: user memory is faulted in.
 *
 * Return: as iommufd_pages_pin().
 */
int iommufd_area_pin(struct iommufd_area *area)
{
	int rc;

	rc = iommufd_pages_pin(area->pages, area->in_pages.start,
			       area->in_pages.last, NULL);
	area->filled = !rc;
	return rc;
}

/**
 * iommufd_area_unpin - undoes that, if it was done
 * @area: in no IOAS, and the caller's alone
 */
void iommufd_area_unpin(struct iommufd_area *area)
{
	if (!area->filled)
		return;
	area->filled = false;
	iommufd_pages_unpin(area->pages, area->in_pages.start,
			    area->in_pages.last);
}

/**
 * struct mapper - an area on its way into a page table
 * @domain: the page table
 * @iova: where it has come to
 * @prot: IOMMU_READ and the like
 * @huge: runs may be mapped as one
 */
struct mapper {
	struct iommu_domain *domain;
	unsigned long iova;
	int prot;
	bool huge;
};

static int map_run(void *data, unsigned long pfn, unsigned long nr)
{
	struct mapper *m = data;
	phys_addr_t phys = PFN_PHYS(pfn);
	size_t left = nr << PAGE_SHIFT, size = left;
	int rc;

	if (!m->huge)
		size = min(left, max(PAGE_SIZE,
				     1UL << __ffs(m->domain->pgsize_bitmap)));
	do {
		rc = iommufd_compat_map(m->domain, m->iova, phys, size,
					m->prot);
		if (rc)
			return rc;
		m->iova += size;
		phys += size;
		left -= size;
		size = min(size, left);
		cond_resched();
	} while (left);
	return 0;
}

/* @area is pinned, and aligned as the page table wants. */
static int map_area(struct iommufd_hwpt *hwpt, struct iommufd_area *area)
{
	struct mapper m = {
		.domain = hwpt->domain,
		.iova = area->start,
		.prot = IOMMU_CACHE,
		.huge = hwpt->ioas->huge_pages,
	};
	int rc;

	lockdep_assert_held_write(&hwpt->ioas->lock);
	if (area->flags & IOMMU_IOAS_MAP_READABLE)
		m.prot |= IOMMU_READ;
	if (area->flags & IOMMU_IOAS_MAP_WRITEABLE)
		m.prot |= IOMMU_WRITE;
	rc = iommufd_pinned_runs(area->pages, area->in_pages.start,
				 area->in_pages.last, map_run, &m);
	if (rc && m.iova != area->start)
		iommu_unmap(hwpt->domain, area->start, m.iova - area->start);
	return rc;
}

/* The IOMMU may use it until iommufd_domains_flush(). */
static void unmap_area(struct iommufd_hwpt *hwpt, struct iommufd_area *area)
{
	size_t size = area->last - area->start + 1;

	lockdep_assert_held_write(&hwpt->ioas->lock);
	hwpt->unflushed = true;
	WARN_ON(iommu_unmap_fast(hwpt->domain, area->start, size,
				 &hwpt->gather) != size);
}

/**
 * iommufd_domains_map - enters an area into the page tables
 * @ioas: whose lock is held for writing
 * @area: has its IOVAs, and is in no tree yet; pinned, if there is any page table
 *
 * Return: 0, or an errno of the kernel's, and then it is in none.
 */
int iommufd_domains_map(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	list_for_each_entry(hwpt, &ioas->hwpts, in_ioas) {
		if (!holds(hwpt, area))
			continue;
		rc = map_area(hwpt, area);
		if (rc)
			goto err;
	}
	/* Whoever is removed last is to find it. */
	if (area->filled && !wanted(ioas, area, NULL))
		list_for_each_entry(hwpt, &ioas->hwpts, in_ioas)
			hwpt->again = true;
	return 0;

err:
	list_for_each_entry_continue_reverse(hwpt, &ioas->hwpts, in_ioas)
		if (holds(hwpt, area))
			unmap_area(hwpt, area);
	iommufd_domains_flush(ioas);
	return rc;
}

/**
 * iommufd_domains_unmap - takes an area out of the page tables
 * @ioas: whose lock is held for writing
 * @area: its memory stays pinned until after iommufd_domains_flush()
 */
void iommufd_domains_unmap(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->hwpts, in_ioas)
		if (holds(hwpt, area))
			unmap_area(hwpt, area);
}

/**
 * iommufd_domains_flush - has the IOMMU forget what was unmapped
 * @ioas: whose lock is held for writing since then
 */
void iommufd_domains_flush(struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->hwpts, in_ioas) {
		if (!hwpt->unflushed)
			continue;
		hwpt->unflushed = false;
		iommu_iotlb_sync(hwpt->domain, &hwpt->gather);
	}
}

/**
 * iommufd_domains_cut - an area is about to become two
 * @ioas: whose lock is held for writing; without huge pages
 * @area: the area as it is yet
 * @start: where the second one will begin
 *
 * Page tables that hold it hold both.
 */
void iommufd_domains_cut(struct iommufd_ioas *ioas,
			 const struct iommufd_area *area, unsigned long start)
{
	struct iommufd_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->hwpts, in_ioas) {
		if (hwpt->complete || !holds(hwpt, area) || hwpt->next > start)
			continue;
		/* Nothing but the area lies between the two. */
		hwpt->next = start + 1;
		hwpt->again = true;
	}
}

static int reserve_outside(struct iommufd_hwpt *hwpt)
{
	const struct iommu_domain_geometry *g = &hwpt->domain->geometry;
	struct iommufd_ioas *ioas = hwpt->ioas;
	int rc = 0;

	if (!g->force_aperture)
		return 0;
	if (g->aperture_start)
		rc = iommufd_ioas_reserve_locked(ioas, 0,
						 g->aperture_start - 1, hwpt);
	if (!rc && g->aperture_end < ULONG_MAX)
		rc = iommufd_ioas_reserve_locked(ioas, g->aperture_end + 1,
						 ULONG_MAX, hwpt);
	return rc;
}

static void forget(struct iommufd_hwpt *hwpt)
{
	list_del_init(&hwpt->in_ioas);
	iommufd_ioas_unreserve_locked(hwpt->ioas, hwpt);
	/* To need less always works. */
	iommufd_ioas_align(hwpt->ioas);
}

/**
 * iommufd_domain_add - a page table becomes one of its IOAS
 * @hwpt: empty
 *
 * The IOAS gets as narrow as the page table is, and takes whole pages only.
 *
 * Return: 0, and then iommufd_domain_remove() is to be called; -EADDRINUSE if
 * what is mapped does not fit; -ENOMEM; -EINTR.
 */
int iommufd_domain_add(struct iommufd_hwpt *hwpt)
{
	struct iommufd_ioas *ioas = hwpt->ioas;
	int rc;

	if (down_write_killable(&ioas->lock))
		return -EINTR;
	iommu_iotlb_gather_init(&hwpt->gather);
	list_add_tail(&hwpt->in_ioas, &ioas->hwpts);
	rc = reserve_outside(hwpt);
	if (!rc)
		rc = iommufd_ioas_align(ioas);
	if (rc)
		forget(hwpt);
	up_write(&ioas->lock);
	return rc;
}

/*
 * Pins @area, for which the lock is let go of. The area stays meanwhile. What
 * else there is may be something else afterwards.
 */
static int fill_pin(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	unsigned long first = area->in_pages.start;
	unsigned long last = area->in_pages.last;
	struct iommufd_pages *pages = area->pages;
	int rc;

	atomic_inc(&area->pinning);
	up_write(&ioas->lock);
	rc = iommufd_pages_pin(pages, first, last, NULL);
	down_write(&ioas->lock);
	if (!rc)
		area->filled = true;
	iommufd_area_drop(ioas, &area->pinning);
	return rc;
}

/**
 * iommufd_domain_fill - enters all areas of the IOAS into a page table
 * @hwpt: from iommufd_domain_add()
 *
 * ioas->attach_lock is held by the caller, and none of the locks below it. May
 * sleep for long: user memory is faulted in.
 *
 * Return: 0; -EINTR if killed; an errno as iommufd_pages_pin(), or of the
 * kernel's. What was entered until then goes with iommufd_domain_remove().
 */
int iommufd_domain_fill(struct iommufd_hwpt *hwpt)
{
	struct iommufd_ioas *ioas = hwpt->ioas;
	struct iommufd_area *area;
	int rc = 0;

	lockdep_assert_held(&ioas->attach_lock);
	if (down_write_killable(&ioas->lock))
		return -EINTR;
	while (!rc) {
		area = iommufd_area_first(ioas, hwpt->next, ULONG_MAX);
		/* One that came after what was there when next got here. */
		if (area && area->start < hwpt->next)
			area = iommufd_area_next(area);
		if (!area) {
			hwpt->complete = true;
			break;
		}
		if (fatal_signal_pending(current)) {
			rc = -EINTR;
		} else if (!area->filled) {
			rc = fill_pin(ioas, area);
		} else {
			rc = map_area(hwpt, area);
			if (!rc)
				hwpt->next = area->start + 1;
		}
		cond_resched();
	}
	up_write(&ioas->lock);
	return rc;
}

/**
 * struct loose - areas that are to be unpinned when the lock is let go of
 * @nr: how many
 * @areas: each with a hold on it
 */
struct loose {
	unsigned int nr;
	struct iommufd_area *areas[UNPIN_BATCH];
};

/* Lets go of the lock for it. */
static void unpin_loose(struct iommufd_ioas *ioas, struct loose *loose)
{
	unsigned int i;

	up_write(&ioas->lock);
	for (i = 0; i < loose->nr; i++) {
		struct iommufd_area *area = loose->areas[i];

		iommufd_pages_unpin(area->pages, area->in_pages.start,
				    area->in_pages.last);
		iommufd_area_drop(ioas, &area->pinning);
		cond_resched();
	}
	loose->nr = 0;
	down_write(&ioas->lock);
}

/* From the last area down to the first. */
static void empty(struct iommufd_hwpt *hwpt)
{
	struct iommufd_ioas *ioas = hwpt->ioas;
	struct loose loose = { };
	struct iommufd_area *area;
	unsigned long pos = ULONG_MAX;

	while ((area = iommufd_area_below(ioas, pos))) {
		pos = area->start;
		if (holds(hwpt, area))
			unmap_area(hwpt, area);
		hwpt->next = min(hwpt->next, pos);
		if (area->filled && !wanted(ioas, area, hwpt)) {
			area->filled = false;
			atomic_inc(&area->pinning);
			loose.areas[loose.nr++] = area;
		}
		if (loose.nr == UNPIN_BATCH) {
			iommufd_domains_flush(ioas);
			unpin_loose(ioas, &loose);
			/* What was cut meanwhile begins higher up now. */
			pos = max(pos, hwpt->next);
		}
		cond_resched();
	}
	hwpt->next = 0;
	iommufd_domains_flush(ioas);
	if (loose.nr)
		unpin_loose(ioas, &loose);
}

/**
 * iommufd_domain_remove - empties a page table, which is its IOAS's no more
 * @hwpt: from iommufd_domain_add(), filled or not; no device goes through it
 *
 * Cannot fail, allocates nothing, and waits for no fault.
 */
void iommufd_domain_remove(struct iommufd_hwpt *hwpt)
{
	struct iommufd_ioas *ioas = hwpt->ioas;

	down_write(&ioas->lock);
	hwpt->removing = true;
	if (hwpt->complete)
		hwpt->next = ULONG_MAX;
	hwpt->complete = false;
	do {
		hwpt->again = false;
		empty(hwpt);
	} while (hwpt->again);
	forget(hwpt);
	up_write(&ioas->lock);
}
