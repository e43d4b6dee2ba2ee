// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory behind a mapping: where it comes from, and the areas that share
 * it. What of it is pinned: see chunks.c.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "compat.h"
#include "iommufd_private.h"

/*
 * There can be very many of both, and the sizes for which the kernel has memory
 * at hand would waste a third of it.
 */
static struct kmem_cache *iommufd_pages_cache, *iommufd_area_cache;

/**
 * iommufd_pages_init - once, before the first context
 *
 * Return: 0 or -ENOMEM.
 */
int __init iommufd_pages_init(void)
{
	iommufd_pages_cache = KMEM_CACHE(iommufd_pages, SLAB_ACCOUNT);
	if (!iommufd_pages_cache)
		return -ENOMEM;
	iommufd_area_cache = KMEM_CACHE(iommufd_area, SLAB_ACCOUNT);
	if (iommufd_area_cache)
		return 0;
	kmem_cache_destroy(iommufd_pages_cache);
	return -ENOMEM;
}

/**
 * iommufd_pages_exit - after the last context
 */
void iommufd_pages_exit(void)
{
	kmem_cache_destroy(iommufd_area_cache);
	kmem_cache_destroy(iommufd_pages_cache);
}

/* All but where the memory is. */
static struct iommufd_pages *pages_alloc(struct iommufd_ctx *ictx,
					 unsigned long nr_pages, u32 flags)
{
	struct iommufd_pages *pages = kmem_cache_zalloc(iommufd_pages_cache,
							GFP_KERNEL_ACCOUNT);

	if (!pages)
		return ERR_PTR(-ENOMEM);
	refcount_set(&pages->refs, 1);
	mutex_init(&pages->pin_lock);
	mutex_init(&pages->lock);
	pages->chunks = RB_ROOT;
	pages->areas = RB_ROOT_CACHED;
	pages->nr_pages = nr_pages;
	pages->ictx = ictx;
	pages->writable = flags & IOMMU_IOAS_MAP_WRITEABLE;
	/* Seldom has a user this, and it is no attempt at anything. */
	pages->unlimited = ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK);
	pages->task = current->group_leader;
	get_task_struct(pages->task);
	if (!READ_ONCE(ictx->rlimit_process))
		pages->user = get_uid(current_user());
	return pages;
}

/* The area that the mapping itself makes: all of it. */
static void init_first(struct iommufd_pages *pages, unsigned int offset,
		       u32 flags)
{
	struct iommufd_area *area = &pages->first;

	area->pages = pages;
	area->offset = offset;
	area->flags = flags;
	area->in_pages.last = pages->nr_pages - 1;
	interval_tree_insert(&area->in_pages, &pages->areas);
}

/**
 * iommufd_pages_of_user - memory of the calling process, to be mapped
 * @ictx: context that it is mapped in
 * @uptr: its address
 * @length: in bytes; @uptr + @length does not wrap
 * @flags: IOMMU_IOAS_MAP_READABLE, _WRITEABLE
 *
 * Whether there is any memory is found out when it is pinned.
 *
 * Return: the memory with the one reference of its area, first, which is in no
 * IOAS yet; -ENOMEM.
 */
struct iommufd_pages *iommufd_pages_of_user(struct iommufd_ctx *ictx,
					    unsigned long uptr,
					    unsigned long length, u32 flags)
{
	unsigned int offset = offset_in_page(uptr);
	struct iommufd_pages *pages;

	pages = pages_alloc(ictx, ((offset + length - 1) >> PAGE_SHIFT) + 1,
			    flags);
	if (IS_ERR(pages))
		return pages;
	pages->base = uptr - offset;
	pages->mm = current->mm;
	mmgrab(pages->mm);
	init_first(pages, offset, flags);
	return pages;
}

/**
 * iommufd_pages_of_file - memory of a file, to be mapped
 * @ictx: context that it is mapped in
 * @fd: descriptor of the calling process
 * @start: offset in the file
 * @length: in bytes; @start + @length does not wrap
 * @flags: IOMMU_IOAS_MAP_READABLE, _WRITEABLE
 *
 * Only files that live in memory will do. As long as one is mapped for writing
 * it cannot be sealed against that.
 *
 * Return: as iommufd_pages_of_user(); -EBADF; -EINVAL if it is no such file;
 * -EACCES if it is not open for what is wanted; -EPERM if it is sealed against
 * writing; -EOPNOTSUPP for a file of huge pages on a kernel that cannot pin
 * them; -ENOMEM.
 */
struct iommufd_pages *iommufd_pages_of_file(struct iommufd_ctx *ictx, int fd,
					    u64 start, unsigned long length,
					    u32 flags)
{
	unsigned int offset = offset_in_page(start);
	struct iommufd_pages *pages;
	struct file *file = fget(fd);
	int rc;

	if (!file)
		return ERR_PTR(-EBADF);
	rc = iommufd_file_map(file, flags & IOMMU_IOAS_MAP_WRITEABLE);
	if (rc) {
		fput(file);
		return ERR_PTR(rc);
	}
	pages = pages_alloc(ictx, ((offset + length - 1) >> PAGE_SHIFT) + 1,
			    flags);
	if (IS_ERR(pages)) {
		iommufd_file_unmap(file, flags & IOMMU_IOAS_MAP_WRITEABLE);
		fput(file);
		return pages;
	}
	pages->file = file;
	pages->base = start - offset;
	if (!pages->user) {
		pages->mm = current->mm;
		mmgrab(pages->mm);
	}
	init_first(pages, offset, flags);
	return pages;
}

static void pages_free(struct iommufd_pages *pages)
{
	iommufd_chunks_free(pages);
	if (pages->file) {
		iommufd_file_unmap(pages->file, pages->writable);
		fput(pages->file);
	}
	if (pages->mm)
		mmdrop(pages->mm);
	if (pages->user)
		free_uid(pages->user);
	put_task_struct(pages->task);
	mutex_destroy(&pages->lock);
	mutex_destroy(&pages->pin_lock);
	iommufd_compat_cache_free(iommufd_pages_cache, pages);
}

/**
 * iommufd_pages_put - drops a reference
 * @pages: not to be touched afterwards
 */
void iommufd_pages_put(struct iommufd_pages *pages)
{
	if (refcount_dec_and_test(&pages->refs))
		pages_free(pages);
}

/**
 * iommufd_area_alloc - one more area of memory that is mapped already
 * @pages: the memory; a reference to it is the area's from now on
 * @first: its first page there
 * @last: its last one
 * @offset: where it begins in the first one
 *
 * The caller sets ioas and flags, calls iommufd_area_share(), and inserts the
 * area after that.
 *
 * Return: the area, in no IOAS yet, or NULL without memory, and then the
 * reference is still the caller's.
 */
struct iommufd_area *iommufd_area_alloc(struct iommufd_pages *pages,
					unsigned long first, unsigned long last,
					unsigned int offset)
{
	struct iommufd_area *area = kmem_cache_zalloc(iommufd_area_cache,
						      GFP_KERNEL_ACCOUNT);

	if (!area)
		return NULL;
	area->pages = pages;
	area->offset = offset;
	area->in_pages.start = first;
	area->in_pages.last = last;
	RB_CLEAR_NODE(&area->in_pages.rb);
	return area;
}

/**
 * iommufd_area_share - enters an area among those of its memory
 * @area: from iommufd_area_alloc(), whole
 *
 * From now on it takes part in the count of what is pinned.
 */
void iommufd_area_share(struct iommufd_area *area)
{
	struct iommufd_pages *pages = area->pages;

	mutex_lock(&pages->lock);
	interval_tree_insert(&area->in_pages, &pages->areas);
	iommufd_count_area(area, 1);
	mutex_unlock(&pages->lock);
}

/**
 * iommufd_area_split - gives the later part of an area to a new one
 * @area: without pins; its IOAS is locked for writing
 * @bytes: what stays with it; more than 0, and less than all
 *
 * Only what the two know of their memory; IOVAs are the caller's to set.
 *
 * Return: the new area, in no IOAS yet, or NULL without memory.
 */
struct iommufd_area *iommufd_area_split(struct iommufd_area *area,
					unsigned long bytes)
{
	unsigned long from = area->offset + bytes;
	unsigned long first = area->in_pages.start;
	struct iommufd_pages *pages = area->pages;
	struct iommufd_area *tail;

	tail = iommufd_area_alloc(pages, first + (from >> PAGE_SHIFT),
				  area->in_pages.last, offset_in_page(from));
	if (!tail)
		return NULL;
	tail->ioas = area->ioas;
	tail->flags = area->flags;
	refcount_inc(&pages->refs);
	mutex_lock(&pages->lock);
	interval_tree_remove(&area->in_pages, &pages->areas);
	iommufd_count_area(area, -1);
	area->in_pages.last = first + ((from - 1) >> PAGE_SHIFT);
	interval_tree_insert(&area->in_pages, &pages->areas);
	iommufd_count_area(area, 1);
	interval_tree_insert(&tail->in_pages, &pages->areas);
	iommufd_count_area(tail, 1);
	mutex_unlock(&pages->lock);
	return tail;
}

/**
 * iommufd_area_free - the end of an area
 * @area: in no IOAS, and with no pins
 *
 * May sleep, but never until memory is faulted in.
 */
void iommufd_area_free(struct iommufd_area *area)
{
	struct iommufd_pages *pages = area->pages;
	bool entered;

	/*
	 * Whether it is among the areas of its memory was decided before it came
	 * here. Those that come and go meanwhile change the word that tells, but
	 * never to or from that of a node outside the tree.
	 */
	entered = !data_race(RB_EMPTY_NODE(&area->in_pages.rb));
	/*
	 * If ours is the only reference, nobody can come by another one, and
	 * there is nothing to be kept in order.
	 */
	if (entered && refcount_read(&pages->refs) != 1) {
		mutex_lock(&pages->lock);
		interval_tree_remove(&area->in_pages, &pages->areas);
		iommufd_count_area(area, -1);
		mutex_unlock(&pages->lock);
	}
	if (area != &pages->first)
		iommufd_compat_cache_free(iommufd_area_cache, area);
	iommufd_pages_put(pages);
}
