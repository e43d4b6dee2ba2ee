// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory behind a mapping: where it comes from, what of it is pinned, and
 * who is charged for that.
 *
 * Nothing is pinned before somebody wants to reach it. What is pinned is kept
 * as chunks, which do not overlap: a chunk covers a row of pages that have the
 * same number of users, and holds runs of frames that lie side by side, eight
 * bytes each. So a huge page costs as much as a small one, and memory in small
 * pieces costs eight bytes a page. A pin that begins or ends within a chunk
 * splits it there; an unpin joins what it finds split, without an allocation,
 * since it must not fail.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/iommufd.h>
#include <linux/kthread.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

/* A run is frame << 20 | pages - 1: a frame number has 40 bits, or 44. */
#define RUN_BITS 20
#define RUN_PAGES (1UL << RUN_BITS)

/* So many runs make a chunk of one page. */
#define CHUNK_RUNS 500

/* Frames that are asked for in one go. */
#define BATCH 512

/* What is pinned in one go without an allocation for the list. */
#define FEW 8

/**
 * struct iommufd_chunk - pages that are pinned
 * @rb: in pages->chunks
 * @first: the first one, counted from the start of the mapping's memory
 * @last: the last one
 * @users: pins on all of them
 * @nr_runs: entries in @runs
 * @room: how many there could be
 * @runs: the frames, in order
 */
struct iommufd_chunk {
	struct rb_node rb;
	unsigned long first;
	unsigned long last;
	unsigned int users;
	unsigned short nr_runs;
	unsigned short room;
	u64 runs[];
};

#define to_chunk(node) rb_entry_safe(node, struct iommufd_chunk, rb)

static unsigned long run_pfn(u64 run)
{
	return run >> RUN_BITS;
}

static unsigned long run_pages(u64 run)
{
	return (run & (RUN_PAGES - 1)) + 1;
}

static u64 make_run(unsigned long pfn, unsigned long pages)
{
	return (u64)pfn << RUN_BITS | (pages - 1);
}

/*
 * Whom to charge.
 */

static unsigned long limit_of(const struct iommufd_pages *pages)
{
	return task_rlimit(pages->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

static int charge_user(struct iommufd_pages *pages, unsigned long nr)
{
	long old = atomic_long_read(&pages->user->locked_vm);
	unsigned long limit = limit_of(pages);

	do {
		if (!pages->unlimited && old + nr > limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&pages->user->locked_vm, &old,
					  old + nr));
	return 0;
}

static int charge_process(struct iommufd_pages *pages, unsigned long nr,
			  bool inc)
{
	int rc;

	/* The process may be gone; what it is counted in is not. */
	mmap_write_lock(pages->mm);
	rc = __account_locked_vm(pages->mm, nr, inc, pages->task,
				 pages->unlimited);
	mmap_write_unlock(pages->mm);
	return rc;
}

static int charge(struct iommufd_pages *pages, unsigned long nr)
{
	int rc;

	if (!nr)
		return 0;
	rc = pages->user ? charge_user(pages, nr) :
			   charge_process(pages, nr, true);
	if (rc)
		return rc;
	if (pages->mm)
		atomic64_add(nr, &pages->mm->pinned_vm);
	atomic_long_add(nr, &pages->ictx->pinned_pages);
	return 0;
}

static void uncharge(struct iommufd_pages *pages, unsigned long nr)
{
	if (!nr)
		return;
	atomic_long_sub(nr, &pages->ictx->pinned_pages);
	if (pages->mm)
		atomic64_sub(nr, &pages->mm->pinned_vm);
	if (pages->user)
		atomic_long_sub(nr, &pages->user->locked_vm);
	else
		charge_process(pages, nr, false);
}

/*
 * A mapping's memory as a whole.
 */

/* All but where the memory is. */
static struct iommufd_pages *pages_alloc(struct iommufd_ctx *ictx,
					 unsigned long nr_pages, u32 flags)
{
	struct iommufd_pages *pages = kzalloc(sizeof(*pages),
					      GFP_KERNEL_ACCOUNT);

	if (!pages)
		return ERR_PTR(-ENOMEM);
	refcount_set(&pages->refs, 1);
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

static void unpin_chunk(struct iommufd_pages *pages,
			struct iommufd_chunk *chunk);

static void pages_free(struct iommufd_pages *pages)
{
	struct iommufd_chunk *chunk, *next;

	/* An area goes only after its pins, so this is for a forgotten one. */
	WARN_ON(!RB_EMPTY_ROOT(&pages->chunks));
	rbtree_postorder_for_each_entry_safe(chunk, next, &pages->chunks, rb) {
		unpin_chunk(pages, chunk);
		kfree(chunk);
	}
	uncharge(pages, pages->nr_pinned);

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
	kfree(pages);
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

/* @by: 1 or -1. What @area covers of the pinned pages @first to @last. */
static void count_pinned(struct iommufd_area *area, unsigned long first,
			 unsigned long last, int by)
{
	unsigned long from = max(first, area->in_pages.start);
	unsigned long to = min(last, area->in_pages.last);

	if (from <= to && area->ioas)
		atomic_long_add(by * (long)(to - from + 1),
				&area->ioas->pinned_pages);
}

static struct iommufd_chunk *chunk_at(const struct iommufd_pages *pages,
				      unsigned long index);

/* All that is pinned in @area, when it comes (@by 1) or goes (-1). */
static void count_area(struct iommufd_area *area, int by)
{
	struct iommufd_chunk *chunk;

	lockdep_assert_held(&area->pages->lock);
	for (chunk = chunk_at(area->pages, area->in_pages.start);
	     chunk && chunk->first <= area->in_pages.last;
	     chunk = to_chunk(rb_next(&chunk->rb)))
		count_pinned(area, chunk->first, chunk->last, by);
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
	struct iommufd_area *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

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
 * From now on it takes part in the count of what is pinned. Waits for who pins
 * in the same memory.
 *
 * Return: 0, or -EINTR if killed.
 */
int iommufd_area_share(struct iommufd_area *area)
{
	struct iommufd_pages *pages = area->pages;

	if (mutex_lock_killable(&pages->lock))
		return -EINTR;
	interval_tree_insert(&area->in_pages, &pages->areas);
	count_area(area, 1);
	mutex_unlock(&pages->lock);
	return 0;
}

/**
 * iommufd_area_split - gives the later part of an area to a new one
 * @area: closing, and without pins
 * @bytes: what stays with it; more than 0, and less than all
 *
 * Only what the two know of their memory; IOVAs are the caller's to set.
 *
 * Return: the new area, in no IOAS yet; ERR_PTR: -ENOMEM, -EINTR if killed.
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
		return ERR_PTR(-ENOMEM);
	tail->ioas = area->ioas;
	tail->flags = area->flags;
	if (mutex_lock_killable(&pages->lock)) {
		kfree(tail);
		return ERR_PTR(-EINTR);
	}
	refcount_inc(&pages->refs);
	interval_tree_remove(&area->in_pages, &pages->areas);
	count_area(area, -1);
	area->in_pages.last = first + ((from - 1) >> PAGE_SHIFT);
	interval_tree_insert(&area->in_pages, &pages->areas);
	count_area(area, 1);
	interval_tree_insert(&tail->in_pages, &pages->areas);
	count_area(tail, 1);
	mutex_unlock(&pages->lock);
	return tail;
}

/**
 * iommufd_area_free - the end of an area
 * @area: in no IOAS, and with no pins
 *
 * May sleep, but for memory that is not shared it waits for nobody.
 */
void iommufd_area_free(struct iommufd_area *area)
{
	struct iommufd_pages *pages = area->pages;

	/* Ours is the only reference: then nobody can come by another one. */
	if (refcount_read(&pages->refs) != 1) {
		mutex_lock(&pages->lock);
		if (!RB_EMPTY_NODE(&area->in_pages.rb)) {
			interval_tree_remove(&area->in_pages, &pages->areas);
			count_area(area, -1);
		}
		mutex_unlock(&pages->lock);
	}
	if (area != &pages->first)
		kfree(area);
	iommufd_pages_put(pages);
}

/*
 * Chunks.
 */

/* The chunk that covers page @index, or the first one behind it. */
static struct iommufd_chunk *chunk_at(const struct iommufd_pages *pages,
				      unsigned long index)
{
	struct rb_node *node = pages->chunks.rb_node;
	struct iommufd_chunk *found = NULL;

	while (node) {
		struct iommufd_chunk *chunk = to_chunk(node);

		if (chunk->last < index) {
			node = node->rb_right;
		} else {
			found = chunk;
			node = node->rb_left;
		}
	}
	return found;
}

static void insert_chunk(struct iommufd_pages *pages,
			 struct iommufd_chunk *chunk)
{
	struct rb_node **link = &pages->chunks.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = chunk->first < to_chunk(parent)->first ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&chunk->rb, parent, link);
	rb_insert_color(&chunk->rb, &pages->chunks);
}

static void count_chunk(struct iommufd_pages *pages,
			const struct iommufd_chunk *chunk, int by)
{
	struct interval_tree_node *node;

	pages->nr_pinned += by * (long)(chunk->last - chunk->first + 1);
	for (node = interval_tree_iter_first(&pages->areas, chunk->first,
					     chunk->last);
	     node; node = interval_tree_iter_next(node, chunk->first,
						  chunk->last))
		count_pinned(container_of(node, struct iommufd_area, in_pages),
			     chunk->first, chunk->last, by);
}

static void unpin_run(struct iommufd_pages *pages, u64 run)
{
	struct page *page = pfn_to_page(run_pfn(run));

	if (pages->file)
		iommufd_frames_put(page, run_pages(run), pages->writable);
	else
		unpin_user_page_range_dirty_lock(page, run_pages(run),
						 pages->writable);
}

static void unpin_chunk(struct iommufd_pages *pages,
			struct iommufd_chunk *chunk)
{
	unsigned int i;

	for (i = 0; i < chunk->nr_runs; i++) {
		unpin_run(pages, chunk->runs[i]);
		cond_resched();
	}
}

/* The chunk's frames go, and the chunk with them. Returns their number. */
static unsigned long drop_chunk(struct iommufd_pages *pages,
				struct iommufd_chunk *chunk)
{
	unsigned long nr = chunk->last - chunk->first + 1;

	rb_erase(&chunk->rb, &pages->chunks);
	count_chunk(pages, chunk, -1);
	unpin_chunk(pages, chunk);
	kfree(chunk);
	return nr;
}

/* Makes page @index the first of a chunk, if it is in the middle of one. */
static int split_at(struct iommufd_pages *pages, unsigned long index)
{
	struct iommufd_chunk *chunk = chunk_at(pages, index), *tail;
	unsigned long pos, skip;
	unsigned int i, nr;

	if (!chunk || chunk->first >= index)
		return 0;
	for (i = 0, pos = chunk->first;; i++) {
		skip = index - pos;
		if (skip < run_pages(chunk->runs[i]))
			break;
		pos += run_pages(chunk->runs[i]);
	}
	/* Of run i, skip pages stay. */
	nr = chunk->nr_runs - i;
	tail = kmalloc(struct_size(tail, runs, nr), GFP_KERNEL_ACCOUNT);
	if (!tail)
		return -ENOMEM;
	tail->first = index;
	tail->last = chunk->last;
	tail->users = chunk->users;
	tail->nr_runs = nr;
	tail->room = nr;
	memcpy(tail->runs, &chunk->runs[i], nr * sizeof(tail->runs[0]));
	tail->runs[0] = make_run(run_pfn(chunk->runs[i]) + skip,
				 run_pages(chunk->runs[i]) - skip);
	if (skip)
		chunk->runs[i] = make_run(run_pfn(chunk->runs[i]), skip);
	chunk->nr_runs = i + !!skip;
	chunk->last = index - 1;
	insert_chunk(pages, tail);
	return 0;
}

/* Undoes a split at @index that is no longer needed, where there is room. */
static void join_at(struct iommufd_pages *pages, unsigned long index)
{
	struct iommufd_chunk *tail = chunk_at(pages, index), *head;
	unsigned long pages_of_last;
	unsigned int skip = 0;
	u64 *last;

	if (!tail || tail->first != index)
		return;
	head = to_chunk(rb_prev(&tail->rb));
	if (!head || head->last + 1 != index || head->users != tail->users)
		return;
	last = &head->runs[head->nr_runs - 1];
	pages_of_last = run_pages(*last) + run_pages(tail->runs[0]);
	if (run_pfn(*last) + run_pages(*last) == run_pfn(tail->runs[0]) &&
	    pages_of_last <= RUN_PAGES)
		skip = 1;
	if (head->nr_runs + tail->nr_runs - skip > head->room)
		return;
	if (skip)
		*last = make_run(run_pfn(*last), pages_of_last);
	memcpy(&head->runs[head->nr_runs], &tail->runs[skip],
	       (tail->nr_runs - skip) * sizeof(tail->runs[0]));
	head->nr_runs += tail->nr_runs - skip;
	head->last = tail->last;
	rb_erase(&tail->rb, &pages->chunks);
	kfree(tail);
}

/*
 * Pinning.
 */

/**
 * struct pinner - one call of iommufd_pages_pin()
 * @pages: what is pinned in
 * @borrowed: pages->mm is not the caller's: it was taken for this
 * @list: room for frames from get_frames()
 * @room: how many
 * @runs: frames that are not in a chunk yet; room for CHUNK_RUNS, or as many
 *        as @list if that is fewer
 * @nr_runs: entries in it
 * @first: page of the first of them
 * @next: page after the last of them
 * @few: list, for a small pin
 * @few_runs: runs, for the same
 */
struct pinner {
	struct iommufd_pages *pages;
	bool borrowed;
	struct page **list;
	unsigned int room;
	u64 *runs;
	unsigned int nr_runs;
	unsigned long first;
	unsigned long next;
	struct page *few[FEW];
	u64 few_runs[FEW];
};

static int take_mm(struct iommufd_pages *pages, bool *borrowed)
{
	*borrowed = !pages->file && pages->mm != current->mm;
	if (*borrowed && !mmget_not_zero(pages->mm))
		return -EFAULT;
	return 0;
}

static void give_mm(struct iommufd_pages *pages, bool borrowed)
{
	if (borrowed)
		mmput(pages->mm);
}

/*
 * Frames of @nr pages from page @index on, or of some fewer. @lasting: they
 * will be held for long. Returns how many, at least one, or an errno.
 */
static long get_frames(struct iommufd_pages *pages, unsigned long index,
		       unsigned long nr, bool write, bool lasting,
		       struct page **list)
{
	unsigned long at = pages->base + (index << PAGE_SHIFT);

	if (pages->file)
		return iommufd_frames_of_file(pages->file, at >> PAGE_SHIFT, nr,
					      list);
	return iommufd_frames_of_user(pages->mm, at, nr, write, lasting, list);
}

static int pinner_init(struct pinner *p, struct iommufd_pages *pages,
		       unsigned long nr)
{
	int rc;

	p->pages = pages;
	p->nr_runs = 0;
	p->list = p->few;
	p->runs = p->few_runs;
	p->room = FEW;
	if (nr > FEW) {
		p->room = min(nr, (unsigned long)BATCH);
		p->list = kmalloc_array(p->room, sizeof(p->list[0]) +
					sizeof(p->runs[0]), GFP_KERNEL_ACCOUNT);
		if (!p->list)
			return -ENOMEM;
		p->runs = (u64 *)&p->list[p->room];
	}
	rc = take_mm(pages, &p->borrowed);
	if (rc && p->list != p->few)
		kfree(p->list);
	return rc;
}

static void pinner_exit(struct pinner *p)
{
	give_mm(p->pages, p->borrowed);
	if (p->list != p->few)
		kfree(p->list);
}

/* The runs become a chunk, which nobody uses yet. */
static int flush(struct pinner *p)
{
	struct iommufd_chunk *chunk;

	if (!p->nr_runs)
		return 0;
	chunk = kmalloc(struct_size(chunk, runs, p->nr_runs),
			GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	chunk->first = p->first;
	chunk->last = p->next - 1;
	chunk->users = 0;
	chunk->nr_runs = p->nr_runs;
	chunk->room = p->nr_runs;
	memcpy(chunk->runs, p->runs, p->nr_runs * sizeof(chunk->runs[0]));
	insert_chunk(p->pages, chunk);
	count_chunk(p->pages, chunk, 1);
	p->nr_runs = 0;
	return 0;
}

/* Adds a frame to the runs. There is room for it. */
static void add_frame(struct pinner *p, unsigned long pfn)
{
	u64 *last = &p->runs[p->nr_runs - 1];

	if (!p->nr_runs) {
		p->first = p->next;
	} else if (run_pfn(*last) + run_pages(*last) == pfn &&
		   run_pages(*last) < RUN_PAGES) {
		*last = make_run(run_pfn(*last), run_pages(*last) + 1);
		p->next++;
		return;
	}
	p->runs[p->nr_runs++] = make_run(pfn, 1);
	p->next++;
}

static void drop_frames(struct pinner *p, long from, long nr)
{
	for (; from < nr; from++)
		unpin_run(p->pages, make_run(page_to_pfn(p->list[from]), 1));
}

static void drop_runs(struct pinner *p)
{
	unsigned int i;

	for (i = 0; i < p->nr_runs; i++)
		unpin_run(p->pages, p->runs[i]);
	p->nr_runs = 0;
}

/* Pins pages @first to @last, of which none is. What was pinned before a
 * failure is in chunks without users.
 */
static int pin_gap(struct pinner *p, unsigned long first, unsigned long last)
{
	unsigned int limit = min_t(unsigned int, p->room, CHUNK_RUNS);
	long nr, i;
	int rc;

	p->next = first;
	while (p->next <= last) {
		nr = get_frames(p->pages, p->next,
				min_t(unsigned long, last - p->next + 1,
				      p->room),
				p->pages->writable, true, p->list);
		if (nr < 0) {
			drop_runs(p);
			return nr;
		}
		for (i = 0; i < nr; i++) {
			rc = p->nr_runs == limit ? flush(p) : 0;
			if (rc) {
				drop_frames(p, i, nr);
				drop_runs(p);
				return rc;
			}
			add_frame(p, page_to_pfn(p->list[i]));
		}
		cond_resched();
	}
	rc = flush(p);
	if (rc)
		drop_runs(p);
	return rc;
}

/* How many of the pages @first to @last are not pinned. */
static unsigned long count_missing(struct iommufd_pages *pages,
				   unsigned long first, unsigned long last)
{
	unsigned long missing = last - first + 1;
	struct iommufd_chunk *chunk;

	for (chunk = chunk_at(pages, first); chunk && chunk->first <= last;
	     chunk = to_chunk(rb_next(&chunk->rb)))
		missing -= min(last, chunk->last) - max(first, chunk->first) + 1;
	return missing;
}

static int pin_missing(struct pinner *p, unsigned long first,
		       unsigned long last)
{
	unsigned long pos = first, end;
	struct iommufd_chunk *chunk;
	int rc;

	for (;;) {
		chunk = chunk_at(p->pages, pos);
		end = chunk ? min(last, chunk->first - 1) : last;
		if (!chunk || chunk->first > pos) {
			rc = pin_gap(p, pos, end);
			if (rc)
				return rc;
		}
		if (!chunk || chunk->last >= last)
			return 0;
		pos = chunk->last + 1;
	}
}

/* Frames of the chunk's pages @first to @last. */
static void list_frames(const struct iommufd_chunk *chunk, unsigned long first,
			unsigned long last, struct page **out)
{
	unsigned long pos = chunk->first, from, to;
	unsigned int i;

	for (i = 0; i < chunk->nr_runs && pos <= last; i++) {
		unsigned long nr = run_pages(chunk->runs[i]);

		from = max(pos, first);
		to = min(pos + nr - 1, last);
		for (; from <= to; from++)
			out[from - first] = pfn_to_page(run_pfn(chunk->runs[i]) +
							from - pos);
		pos += nr;
	}
}

/* Chunks in a range that nobody uses go. Returns the number of their pages. */
static unsigned long drop_unused(struct iommufd_pages *pages,
				 unsigned long first, unsigned long last)
{
	struct iommufd_chunk *chunk, *next;
	unsigned long nr = 0;

	for (chunk = chunk_at(pages, first); chunk && chunk->first <= last;
	     chunk = next) {
		next = to_chunk(rb_next(&chunk->rb));
		if (!chunk->users)
			nr += drop_chunk(pages, chunk);
	}
	return nr;
}

/**
 * iommufd_pages_pin - makes pages stay where they are
 * @pages: the memory
 * @first: first page
 * @last: last one
 * @out: the frames of all of them, or NULL if they are not wanted
 *
 * Those that are pinned already only get one more user. May sleep for long:
 * user memory is faulted in.
 *
 * Return: 0, and then iommufd_pages_unpin() has to be called with the same
 * range; -EINTR if killed while it waited; -ENOMEM over the limit, or without memory; -EFAULT if there is no
 * such memory or its process is gone; another errno of the memory's.
 */
int iommufd_pages_pin(struct iommufd_pages *pages, unsigned long first,
		      unsigned long last, struct page **out)
{
	struct iommufd_chunk *chunk;
	unsigned long missing;
	struct pinner p;
	int rc;

	if (mutex_lock_killable(&pages->lock))
		return -EINTR;
	missing = count_missing(pages, first, last);
	rc = charge(pages, missing);
	if (rc)
		goto out_unlock;
	rc = split_at(pages, first);
	if (!rc && last + 1)
		rc = split_at(pages, last + 1);
	if (!rc && missing) {
		rc = pinner_init(&p, pages, missing);
		if (!rc) {
			rc = pin_missing(&p, first, last);
			pinner_exit(&p);
		}
	}
	if (rc) {
		drop_unused(pages, first, last);
		uncharge(pages, missing);
		goto out_join;
	}
	for (chunk = chunk_at(pages, first); chunk && chunk->first <= last;
	     chunk = to_chunk(rb_next(&chunk->rb))) {
		chunk->users++;
		if (out)
			list_frames(chunk, chunk->first, chunk->last,
				    out + (chunk->first - first));
	}
out_join:
	if (rc) {
		join_at(pages, first);
		join_at(pages, last + 1);
	}
out_unlock:
	mutex_unlock(&pages->lock);
	return rc;
}

/**
 * iommufd_pages_unpin - undoes one iommufd_pages_pin()
 * @pages: the memory
 * @first: first page, as in the pin
 * @last: last one, as there
 *
 * Cannot fail, and allocates nothing.
 */
void iommufd_pages_unpin(struct iommufd_pages *pages, unsigned long first,
			 unsigned long last)
{
	unsigned long pos = first;
	struct iommufd_chunk *chunk;

	mutex_lock(&pages->lock);
	for (chunk = chunk_at(pages, first); chunk && chunk->first <= last;
	     chunk = to_chunk(rb_next(&chunk->rb))) {
		/* It was split where the pin began and where it ended. */
		if (WARN_ON(chunk->first != pos || chunk->last > last ||
			    !chunk->users))
			break;
		chunk->users--;
		pos = chunk->last + 1;
	}
	WARN_ON(pos != last + 1);
	uncharge(pages, drop_unused(pages, first, last));
	join_at(pages, first);
	join_at(pages, last + 1);
	mutex_unlock(&pages->lock);
}

/*
 * Reading and writing.
 */

/* In the address space that the memory was mapped from, or as if in it. */
static int rw_user(struct iommufd_pages *pages, u64 pos, void *data, size_t len,
		   unsigned int flags)
{
	void __user *uptr = u64_to_user_ptr(pages->base + pos);
	bool borrowed;
	int rc;

	rc = take_mm(pages, &borrowed);
	if (rc)
		return rc;
	if (borrowed)
		kthread_use_mm(pages->mm);
	if (flags & IOMMUFD_ACCESS_RW_WRITE)
		rc = copy_to_user(uptr, data, len) ? -EFAULT : 0;
	else
		rc = copy_from_user(data, uptr, len) ? -EFAULT : 0;
	if (borrowed)
		kthread_unuse_mm(pages->mm);
	give_mm(pages, borrowed);
	return rc;
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

/* Page by page: through what is pinned, or else what is there now. */
static int rw_frames(struct iommufd_pages *pages, u64 pos, void *data,
		     size_t len, bool write)
{
	bool borrowed;
	int rc;

	rc = take_mm(pages, &borrowed);
	if (rc)
		return rc;
	if (mutex_lock_killable(&pages->lock)) {
		give_mm(pages, borrowed);
		return -EINTR;
	}
	while (len) {
		unsigned long index = pos >> PAGE_SHIFT;
		unsigned int offset = offset_in_page(pos);
		size_t n = min(len, PAGE_SIZE - offset);
		struct iommufd_chunk *chunk = chunk_at(pages, index);
		struct page *page;

		if (chunk && chunk->first <= index) {
			/* Dirtied when it is unpinned. */
			list_frames(chunk, index, index, &page);
			rw_frame(page, offset, data, n, write);
		} else {
			rc = get_frames(pages, index, 1, write, false, &page);
			if (rc < 0)
				break;
			rc = 0;
			rw_frame(page, offset, data, n, write);
			if (pages->file)
				iommufd_frames_put(page, 1, write);
			else
				unpin_user_page_range_dirty_lock(page, 1,
								 write);
		}
		pos += n;
		data += n;
		len -= n;
		if (fatal_signal_pending(current)) {
			rc = -EINTR;
			break;
		}
		cond_resched();
	}
	mutex_unlock(&pages->lock);
	give_mm(pages, borrowed);
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

	if (direct && (pages->mm == current->mm ||
		       (flags & IOMMUFD_ACCESS_RW_KTHREAD &&
			current->flags & PF_KTHREAD)))
		return rw_user(pages, pos, data, len, flags);
	return rw_frames(pages, pos, data, len,
			 flags & IOMMUFD_ACCESS_RW_WRITE);
}
