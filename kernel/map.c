// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes areas: IOMMU_IOAS_MAP, _MAP_FILE and _COPY.
 *
 * An area is made whole before its IOAS is locked, and the lock is held for
 * finding it a place and inserting it. A copy takes references on the memory
 * under the source's lock, and lets go of that before it takes the other's.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

#define MAP_PROT (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)
#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | MAP_PROT)

static int check_flags(u32 flags)
{
	return flags & ~MAP_FLAGS ? -EOPNOTSUPP : 0;
}

static int check_prot(u32 flags)
{
	return flags & MAP_PROT ? 0 : -EINVAL;
}

/* Of these numbers no range can be made, whatever it is a range in. */
static int check_numbers(u64 iova, u64 length)
{
	return iova == U64_MAX || length == U64_MAX ? -EOVERFLOW : 0;
}

/* Whether each of a list of areas may be where such an alignment is needed. */
static bool all_aligned(const struct iommufd_area *area, unsigned long mask)
{
	for (; area && mask; area = area->next) {
		if ((iommufd_area_place(area) | (area->last - area->start + 1)) & mask)
			return false;
		cond_resched();
	}
	return true;
}

static void unpin_list(struct iommufd_area *area)
{
	for (; area; area = area->next)
		iommufd_area_unpin(area);
}

/* What page tables will have is pinned before the lock is taken: it may fault. */
static int pin_list(struct iommufd_area *areas)
{
	struct iommufd_area *area;
	int rc = 0;

	for (area = areas; area && !rc; area = area->next)
		rc = iommufd_area_pin(area);
	return rc;
}

/* Gives each area its IOVA, and it to the page tables. */
static int place(struct iommufd_ioas *ioas, struct iommufd_area *areas,
		 unsigned long start)
{
	bool domains = !list_empty(&ioas->hwpts);
	struct iommufd_area *area, *done;
	int rc = 0;

	for (area = areas; area; area = area->next) {
		area->last = start + (area->last - area->start);
		area->start = start;
		start = area->last + 1;
		if (domains)
			rc = iommufd_domains_map(ioas, area);
		if (rc)
			break;
		cond_resched();
	}
	if (!rc)
		return 0;
	for (done = areas; done != area; done = done->next)
		iommufd_domains_unmap(ioas, done);
	iommufd_domains_flush(ioas);
	return rc;
}

/* Where they go, if they may. */
static int find_place(struct iommufd_ioas *ioas, struct iommufd_area *areas,
		      unsigned long length, bool fixed, unsigned long *iova)
{
	int rc;

	if (fixed)
		rc = iommufd_iova_check(ioas, *iova, length);
	else
		rc = iommufd_iova_find(ioas, length, iommufd_area_place(areas),
				       iova);
	/* Each part by itself: who pins takes borders of areas for whole pages. */
	if (!rc && !all_aligned(areas, ioas->alignment - 1))
		rc = -EINVAL;
	return rc;
}

static int insert_locked(struct iommufd_ioas *ioas, struct iommufd_area *areas,
			 unsigned long iova)
{
	struct iommufd_area *area, *next;
	int rc;

	rc = place(ioas, areas, iova);
	if (rc)
		return rc;
	for (area = areas; area; area = next) {
		next = area->next;
		iommufd_area_insert(ioas, area);
		cond_resched();
	}
	return 0;
}

/*
 * Inserts a list of areas, which come one after the other, at *@iova or, unless
 * it is fixed, wherever there is room. Each has its length in start and last,
 * counted from 0, and becomes ioas's.
 */
static int insert(struct iommufd_ioas *ioas, struct iommufd_area *areas,
		  unsigned long length, bool fixed, unsigned long *iova)
{
	bool pinned = false;
	int rc;

	for (;;) {
		if (down_write_killable(&ioas->lock)) {
			rc = -EINTR;
			break;
		}
		/* Before anything is pinned: that would be in vain. */
		rc = find_place(ioas, areas, length, fixed, iova);
		/* Else the first page table came, or the last one went. */
		if (!rc && pinned == !list_empty(&ioas->hwpts)) {
			rc = insert_locked(ioas, areas, *iova);
			up_write(&ioas->lock);
			break;
		}
		up_write(&ioas->lock);
		if (rc)
			break;
		pinned = !pinned;
		if (!pinned)
			unpin_list(areas);
		else
			rc = pin_list(areas);
		if (rc)
			break;
	}
	if (rc)
		unpin_list(areas);
	return rc;
}

/* The user did not hear where its mapping is. */
static void undo(struct iommufd_ucmd *ucmd, u32 id, u64 iova, u64 length)
{
	struct iommufd_ioas *ioas = iommufd_ioas_get(ucmd->ictx, id);
	unsigned long unmapped;
	bool ours;

	if (IS_ERR(ioas))
		return;
	down_read(&ioas->lock);
	ours = iommufd_area_first(ioas, iova, iova) == ucmd->undo_area;
	up_read(&ioas->lock);
	/* Else another thread was quicker, and what is there is its own. */
	if (ours)
		iommufd_unmap_range(ioas, iova, iova + length - 1, &unmapped);
	iommufd_ioas_put(ioas);
}

static void undo_map(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map *cmd = ucmd->cmd;

	undo(ucmd, cmd->ioas_id, cmd->iova, cmd->length);
}

static void undo_map_file(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;

	undo(ucmd, cmd->ioas_id, cmd->iova, cmd->length);
}

static void undo_copy(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;

	undo(ucmd, cmd->dst_ioas_id, cmd->dst_iova, cmd->length);
}

/* Maps all of @pages, or frees it. */
static int map_pages(struct iommufd_ioas *ioas, struct iommufd_pages *pages,
		     unsigned long length, u32 flags, u64 *iova)
{
	struct iommufd_area *area = &pages->first;
	unsigned long start = *iova;
	int rc;

	area->flags = flags & MAP_PROT;
	area->ioas = ioas;
	area->next = NULL;
	area->start = 0;
	area->last = length - 1;
	rc = insert(ioas, area, length, flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		    &start);
	if (rc)
		iommufd_area_free(area);
	else
		*iova = start;
	return rc;
}

/**
 * iommufd_map_user - maps memory of the calling process at a given IOVA
 * @ioas: where
 * @uptr: address of the memory
 * @length: in bytes
 * @iova: the IOVA
 * @flags: IOMMU_IOAS_MAP_READABLE, _WRITEABLE; one of them at least
 *
 * Return: as iommufd_ioas_map().
 */
int iommufd_map_user(struct iommufd_ioas *ioas, u64 uptr, u64 length, u64 iova,
		     u32 flags)
{
	struct iommufd_pages *pages;
	u64 end;
	int rc;

	/* VFIO has another errno for this one. */
	if (length == U64_MAX)
		return -EINVAL;
	rc = check_numbers(iova, length);
	if (rc)
		return rc;
	if (!length)
		return -EINVAL;
	if (check_add_overflow(uptr, length, &end))
		return -EOVERFLOW;
	pages = iommufd_pages_of_user(ioas->ictx, uptr, length, flags);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	return map_pages(ioas, pages, length, flags | IOMMU_IOAS_MAP_FIXED_IOVA,
			 &iova);
}

static int map_user(struct iommufd_ucmd *ucmd, struct iommufd_ioas *ioas,
		    struct iommu_ioas_map *cmd)
{
	struct iommufd_pages *pages;
	u64 end;

	if (!(cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA))
		cmd->iova = 0;
	if (!cmd->length)
		return -EINVAL;
	if (check_add_overflow(cmd->user_va, cmd->length, &end))
		return -EOVERFLOW;
	pages = iommufd_pages_of_user(ucmd->ictx, cmd->user_va, cmd->length,
				      cmd->flags);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	ucmd->undo_area = &pages->first;
	ucmd->undo = undo_map;
	return map_pages(ioas, pages, cmd->length, cmd->flags, &cmd->iova);
}

/**
 * iommufd_ioas_map - IOMMU_IOAS_MAP
 * @ucmd: struct iommu_ioas_map
 *
 * Return: 0; -EOPNOTSUPP for a flag or the reserved field; -EINVAL if neither
 * reading nor writing is wanted, for no length, and for a fixed IOVA that is
 * not aligned or is reserved; -EOVERFLOW if memory or IOVAs wrap; -ENOENT;
 * -EEXIST; -ENOSPC without room for an automatic IOVA; -ENOMEM.
 */
int iommufd_ioas_map(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	rc = check_flags(cmd->flags) ?: check_numbers(cmd->iova, cmd->length) ?:
	     check_prot(cmd->flags);
	if (rc)
		return rc;
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = map_user(ucmd, ioas, cmd);
	iommufd_ioas_put(ioas);
	return rc;
}

static int map_file(struct iommufd_ucmd *ucmd, struct iommufd_ioas *ioas,
		    struct iommu_ioas_map_file *cmd)
{
	struct iommufd_pages *pages;
	u64 end;

	if (!(cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA))
		cmd->iova = 0;
	if (!cmd->length)
		return -EINVAL;
	/* A file has no more than what a loff_t can tell. */
	if (check_add_overflow(cmd->start, cmd->length, &end) || end > S64_MAX)
		return -EOVERFLOW;
	pages = iommufd_pages_of_file(ucmd->ictx, cmd->fd, cmd->start,
				      cmd->length, cmd->flags);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	ucmd->undo_area = &pages->first;
	ucmd->undo = undo_map_file;
	return map_pages(ioas, pages, cmd->length, cmd->flags, &cmd->iova);
}

/**
 * iommufd_ioas_map_file - IOMMU_IOAS_MAP_FILE
 * @ucmd: struct iommu_ioas_map_file
 *
 * Return: as iommufd_ioas_map() and iommufd_pages_of_file(). Whether the file
 * is that long is found out when it is pinned.
 */
int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	rc = check_flags(cmd->flags) ?: check_numbers(cmd->iova, cmd->length) ?:
	     check_prot(cmd->flags);
	if (rc)
		return rc;
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = map_file(ucmd, ioas, cmd);
	iommufd_ioas_put(ioas);
	return rc;
}

/* The part of @area from @start to @last, as a new area with a reference. */
static struct iommufd_area *part_of(const struct iommufd_area *area,
				    unsigned long start, unsigned long last)
{
	unsigned long from = area->offset + (start - area->start);
	unsigned long to = area->offset + (last - area->start);
	unsigned long first = area->in_pages.start;
	struct iommufd_area *part;

	part = iommufd_area_alloc(area->pages, first + (from >> PAGE_SHIFT),
				  first + (to >> PAGE_SHIFT),
				  offset_in_page(from));
	if (!part)
		return NULL;
	refcount_inc(&area->pages->refs);
	part->start = start;
	part->last = last;
	return part;
}

static void free_list(struct iommufd_area *area)
{
	struct iommufd_area *next;

	for (; area; area = next) {
		next = area->next;
		iommufd_area_free(area);
		cond_resched();
	}
}

/*
 * Parts of all areas from @start to @last, in order, as a list in *@parts,
 * which may be a part of it after an error.
 */
static int collect(struct iommufd_ioas *ioas, unsigned long start,
		   unsigned long last, u32 flags, struct iommufd_area **parts)
{
	struct iommufd_area *area, **end = parts;
	int rc = 0;

	*parts = NULL;
	if (down_read_killable(&ioas->lock))
		return -EINTR;
	area = iommufd_area_first(ioas, start, start);
	while (true) {
		if (!area || area->start > start || area->closing) {
			rc = -ENOENT;
			break;
		}
		if (flags & IOMMU_IOAS_MAP_WRITEABLE &&
		    !area->pages->writable) {
			rc = -EPERM;
			break;
		}
		*end = part_of(area, start, min(last, area->last));
		if (!*end) {
			rc = -ENOMEM;
			break;
		}
		end = &(*end)->next;
		*end = NULL;
		if (area->last >= last)
			break;
		start = area->last + 1;
		area = iommufd_area_next(area);
		if (fatal_signal_pending(current)) {
			rc = -EINTR;
			break;
		}
		cond_resched();
	}
	up_read(&ioas->lock);
	return rc;
}

/* Inserts parts into @ioas, and each into the row of who shares its memory. */
static int place_parts(struct iommufd_ioas *ioas, struct iommufd_area *parts,
		       unsigned long length, u32 flags, unsigned long *iova)
{
	struct iommufd_area *part;

	for (part = parts; part; part = part->next) {
		part->ioas = ioas;
		part->flags = flags & MAP_PROT;
		iommufd_area_share(part);
		cond_resched();
	}
	return insert(ioas, parts, length, flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		      iova);
}

/**
 * iommufd_ioas_copy - IOMMU_IOAS_COPY
 * @ucmd: struct iommu_ioas_copy
 *
 * What is copied need not be one area, nor a whole one; but all of the range
 * must be mapped.
 *
 * Return: as iommufd_ioas_map(); -ENOENT too if a part of the range is not
 * mapped; -EPERM if what was mapped for reading is to be writable.
 */
int iommufd_ioas_copy(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct iommufd_area *parts = NULL;
	struct iommufd_ioas *ioas;
	unsigned long iova;
	u64 last;
	int rc;

	rc = check_flags(cmd->flags) ?:
	     check_numbers(cmd->src_iova, cmd->length) ?:
	     check_numbers(cmd->dst_iova, cmd->length) ?:
	     check_prot(cmd->flags);
	if (rc)
		return rc;
	if (!(cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA))
		cmd->dst_iova = 0;

	ioas = iommufd_ioas_get(ucmd->ictx, cmd->src_ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	/* Areas may go up to the highest IOVA. */
	if (!cmd->length)
		rc = -EINVAL;
	else if (check_add_overflow(cmd->src_iova, cmd->length - 1, &last))
		rc = -EOVERFLOW;
	else
		rc = collect(ioas, cmd->src_iova, last, cmd->flags, &parts);
	iommufd_ioas_put(ioas);
	if (rc)
		goto out_free;

	ioas = iommufd_ioas_get(ucmd->ictx, cmd->dst_ioas_id);
	if (IS_ERR(ioas)) {
		rc = PTR_ERR(ioas);
		goto out_free;
	}
	ucmd->undo_area = parts;
	ucmd->undo = undo_copy;
	iova = cmd->dst_iova;
	rc = place_parts(ioas, parts, cmd->length, cmd->flags, &iova);
	/* What failed leaves the counts of the IOAS before that is let go of. */
	if (rc)
		free_list(parts);
	iommufd_ioas_put(ioas);
	if (!rc)
		cmd->dst_iova = iova;
	return rc;

out_free:
	free_list(parts);
	return rc;
}
