// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a mapping's memory is pinned. Nothing is, before somebody wants to
 * reach it.
 *
 * Pinned pages are kept as chunks, which do not overlap. A chunk covers a row
 * of pages that the same pins cover, and holds runs of frames that lie side by
 * side, eight bytes each: so a huge page costs as much as a small one, and
 * memory in small pieces costs eight bytes a page. A pin that begins or ends
 * within a chunk splits it there. An unpin joins two chunks that no pin parts
 * any more, where that takes no allocation, since it must not fail.
 *
 * Pinning takes two locks. pin_lock is held for as long as it takes, so that
 * nobody else pins in the same memory; lock, which is never held over a fault,
 * for each look at the chunks. A pin counts itself on every chunk as soon as it
 * gets there, so what others unpin meanwhile leaves it alone.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "iommufd_private.h"

/* A run is frame << 20 | pages - 1: a frame number has 40 bits, or 44. */
#define RUN_BITS 20
#define RUN_PAGES BIT(RUN_BITS)

/* So many runs make a chunk of one page. */
#define CHUNK_RUNS 500U

/* Frames that are asked for in one go. */
#define BATCH 512UL

/* What is pinned in one go without an allocation for the list. */
#define FEW 8UL

/**
 * struct iommufd_chunk - pages that are pinned
 * @rb: in pages->chunks
 * @next: once it is out of there: the next one to let go of
 * @first: the first one, counted from the start of the mapping's memory
 * @last: the last one
 * @users: pins on all of them
 * @begins: how many of those begin with @first
 * @ends: how many of those end with @last
 * @nr_runs: entries in @runs
 * @room: how many there could be
 * @runs: the frames, in order
 */
struct iommufd_chunk {
	union {
		struct rb_node rb;
		struct iommufd_chunk *next;
	};
	unsigned long first;
	unsigned long last;
	unsigned int users;
	unsigned int begins;
	unsigned int ends;
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

/* The chunk that covers page @index, or the first one behind it. */
static struct iommufd_chunk *chunk_at(const struct iommufd_pages *pages,
				      unsigned long index)
{
	struct rb_node *node = pages->chunks.rb_node;
	struct iommufd_chunk *found = NULL;

	lockdep_assert_held(&pages->lock);
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

/* @by: 1 or -1. What @area covers of the pinned pages of @chunk. */
static void count_pinned(struct iommufd_area *area,
			 const struct iommufd_chunk *chunk, int by)
{
	unsigned long from = max(chunk->first, area->in_pages.start);
	unsigned long to = min(chunk->last, area->in_pages.last);

	if (from <= to && area->ioas)
		atomic_long_add(by * (long)(to - from + 1),
				&area->ioas->pinned_pages);
}

/**
 * iommufd_count_area - counts what is pinned in an area
 * @area: of memory whose lock is held
 * @by: 1 when it comes, -1 when it goes
 */
void iommufd_count_area(struct iommufd_area *area, int by)
{
	struct iommufd_chunk *chunk;

	for (chunk = chunk_at(area->pages, area->in_pages.start);
	     chunk && chunk->first <= area->in_pages.last;
	     chunk = to_chunk(rb_next(&chunk->rb))) {
		count_pinned(area, chunk, by);
		cond_resched();
	}
}

static void count_chunk(struct iommufd_pages *pages,
			const struct iommufd_chunk *chunk, int by)
{
	struct interval_tree_node *node;

	WRITE_ONCE(pages->nr_pinned, pages->nr_pinned +
		   by * (long)(chunk->last - chunk->first + 1));
	for (node = interval_tree_iter_first(&pages->areas, chunk->first,
					     chunk->last);
	     node; node = interval_tree_iter_next(node, chunk->first,
						  chunk->last)) {
		count_pinned(container_of(node, struct iommufd_area, in_pages),
			     chunk, by);
		cond_resched();
	}
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

/* Takes a chunk out, and puts it on a list for let_go(). */
static void take_out(struct iommufd_pages *pages, struct iommufd_chunk *chunk,
		     struct iommufd_chunk **gone)
{
	rb_erase(&chunk->rb, &pages->chunks);
	count_chunk(pages, chunk, -1);
	chunk->next = *gone;
	*gone = chunk;
}

/* With no lock held. */
static void let_go(struct iommufd_pages *pages, struct iommufd_chunk *gone)
{
	struct iommufd_chunk *chunk;
	unsigned int i;

	while ((chunk = gone)) {
		gone = chunk->next;
		for (i = 0; i < chunk->nr_runs; i++) {
			unpin_run(pages, chunk->runs[i]);
			cond_resched();
		}
		iommufd_uncharge(pages, chunk->last - chunk->first + 1);
		kfree(chunk);
	}
}

/**
 * iommufd_chunks_free - the end of some memory
 * @pages: nobody else's
 */
void iommufd_chunks_free(struct iommufd_pages *pages)
{
	struct iommufd_chunk *chunk, *gone = NULL;

	/* An area goes only after its pins, so this is for a forgotten one. */
	if (!WARN_ON(!RB_EMPTY_ROOT(&pages->chunks)))
		return;
	mutex_lock(&pages->lock);
	while ((chunk = to_chunk(rb_first(&pages->chunks))))
		take_out(pages, chunk, &gone);
	mutex_unlock(&pages->lock);
	let_go(pages, gone);
}

/* Makes page @index the first of a chunk, if it is in the middle of one. */
static int split_at(struct iommufd_pages *pages, unsigned long index)
{
	struct iommufd_chunk *chunk = chunk_at(pages, index), *tail;
	unsigned long pos, skip;
	unsigned int i, nr;

	if (!chunk || chunk->first >= index)
		return 0;
	pos = chunk->first;
	for (i = 0; index - pos >= run_pages(chunk->runs[i]); i++)
		pos += run_pages(chunk->runs[i]);
	/* Of run i, skip pages stay. */
	skip = index - pos;
	nr = chunk->nr_runs - i;
	tail = kmalloc(struct_size(tail, runs, nr), GFP_KERNEL_ACCOUNT);
	if (!tail)
		return -ENOMEM;
	tail->first = index;
	tail->last = chunk->last;
	tail->users = chunk->users;
	tail->begins = 0;
	tail->ends = chunk->ends;
	tail->nr_runs = nr;
	tail->room = nr;
	memcpy(tail->runs, &chunk->runs[i], nr * sizeof(tail->runs[0]));
	tail->runs[0] = make_run(run_pfn(chunk->runs[i]) + skip,
				 run_pages(chunk->runs[i]) - skip);
	if (skip)
		chunk->runs[i] = make_run(run_pfn(chunk->runs[i]), skip);
	chunk->nr_runs = i + !!skip;
	chunk->last = index - 1;
	chunk->ends = 0;
	insert_chunk(pages, tail);
	return 0;
}

/* Undoes a split at @index that no pin needs any more, where there is room. */
static void join_at(struct iommufd_pages *pages, unsigned long index)
{
	struct iommufd_chunk *tail = chunk_at(pages, index), *head;
	unsigned long joined;
	unsigned int skip = 0;
	u64 *last;

	if (!tail || tail->first != index || tail->begins)
		return;
	head = to_chunk(rb_prev(&tail->rb));
	if (!head || head->last + 1 != index || head->ends ||
	    head->users != tail->users)
		return;
	last = &head->runs[head->nr_runs - 1];
	joined = run_pages(*last) + run_pages(tail->runs[0]);
	if (run_pfn(*last) + run_pages(*last) == run_pfn(tail->runs[0]) &&
	    joined <= RUN_PAGES)
		skip = 1;
	if (head->nr_runs + tail->nr_runs - skip > head->room)
		return;
	if (skip)
		*last = make_run(run_pfn(*last), joined);
	memcpy(&head->runs[head->nr_runs], &tail->runs[skip],
	       (tail->nr_runs - skip) * sizeof(tail->runs[0]));
	head->nr_runs += tail->nr_runs - skip;
	head->last = tail->last;
	head->ends = tail->ends;
	rb_erase(&tail->rb, &pages->chunks);
	kfree(tail);
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

/**
 * iommufd_pinned_frame - the frame of a page that is pinned
 * @pages: whose lock is held
 * @index: the page
 *
 * Return: the frame, which stays until the lock is dropped, or NULL.
 */
struct page *iommufd_pinned_frame(struct iommufd_pages *pages,
				  unsigned long index)
{
	struct iommufd_chunk *chunk = chunk_at(pages, index);
	struct page *page;

	if (!chunk || chunk->first > index)
		return NULL;
	list_frames(chunk, index, index, &page);
	return page;
}

/* What lies side by side is one run, whatever chunks and runs it is in. */
struct joiner {
	int (*fn)(void *data, unsigned long pfn, unsigned long nr);
	void *data;
	unsigned long pfn;
	unsigned long nr;
};

static int join_run(struct joiner *j, unsigned long pfn, unsigned long nr)
{
	int rc = 0;

	if (j->nr && j->pfn + j->nr == pfn) {
		j->nr += nr;
		return 0;
	}
	if (j->nr)
		rc = j->fn(j->data, j->pfn, j->nr);
	j->pfn = pfn;
	j->nr = nr;
	return rc;
}

/* The chunk's frames of pages @first to @last. */
static int join_chunk(struct joiner *j, const struct iommufd_chunk *chunk,
		      unsigned long first, unsigned long last)
{
	unsigned long pos = chunk->first;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < chunk->nr_runs && pos <= last && !rc; i++) {
		unsigned long nr = run_pages(chunk->runs[i]);
		unsigned long from = max(pos, first);
		unsigned long to = min(pos + nr - 1, last);

		if (from <= to)
			rc = join_run(j, run_pfn(chunk->runs[i]) + from - pos,
				      to - from + 1);
		pos += nr;
	}
	return rc;
}

/**
 * iommufd_pinned_runs - the frames of pages that are pinned, as runs
 * @pages: the memory
 * @first: first page
 * @last: last one; the caller keeps all of them pinned
 * @fn: called with the first frame and the number of those that lie side by
 *      side, in the order of pages and with the memory's lock held; ends this
 *      with an errno
 * @data: for @fn
 *
 * Return: 0 or @fn's errno.
 */
int iommufd_pinned_runs(struct iommufd_pages *pages, unsigned long first,
			unsigned long last,
			int (*fn)(void *data, unsigned long pfn,
				  unsigned long nr),
			void *data)
{
	struct joiner j = { .fn = fn, .data = data };
	struct iommufd_chunk *chunk;
	unsigned long at = first;
	int rc = 0;

	mutex_lock(&pages->lock);
	for (chunk = chunk_at(pages, first);
	     chunk && chunk->first <= last && !rc;
	     chunk = to_chunk(rb_next(&chunk->rb))) {
		if (WARN_ON(chunk->first > at)) {
			rc = -EFAULT;
			break;
		}
		at = chunk->last + 1;
		rc = join_chunk(&j, chunk, first, last);
		cond_resched();
	}
	if (!rc && WARN_ON(at <= last))
		rc = -EFAULT;
	if (!rc)
		rc = fn(data, j.pfn, j.nr);
	mutex_unlock(&pages->lock);
	return rc;
}

/**
 * struct pinner - one call of iommufd_pages_pin()
 * @pages: what is pinned in
 * @first: first page
 * @last: last one
 * @pos: the page that it has come to
 * @out: the frames, if they are wanted
 * @no_mm: why the address space cannot be had, if so; no matter while all is
 *         pinned already
 * @list: room for frames
 * @room: how many
 * @runs: room for as many, to make a chunk of
 * @few: list, for a small pin
 * @few_runs: runs, for the same
 */
struct pinner {
	struct iommufd_pages *pages;
	unsigned long first;
	unsigned long last;
	unsigned long pos;
	struct page **out;
	int no_mm;
	struct page **list;
	unsigned long room;
	u64 *runs;
	struct page *few[FEW];
	u64 few_runs[FEW];
};

static int make_room(struct pinner *p)
{
	unsigned long nr = p->last - p->first + 1;

	p->list = p->few;
	p->runs = p->few_runs;
	p->room = FEW;
	if (nr <= FEW)
		return 0;
	p->room = min(nr, BATCH);
	p->list = kmalloc_array(p->room,
				sizeof(p->list[0]) + sizeof(p->runs[0]),
				GFP_KERNEL_ACCOUNT);
	if (!p->list)
		return -ENOMEM;
	p->runs = (u64 *)&p->list[p->room];
	return 0;
}

/* One more pin on a whole chunk. */
static void use_chunk(struct pinner *p, struct iommufd_chunk *chunk)
{
	chunk->users++;
	chunk->begins += chunk->first == p->first;
	chunk->ends += chunk->last == p->last;
	if (p->out)
		list_frames(chunk, chunk->first, chunk->last,
			    p->out + (chunk->first - p->first));
	p->pos = chunk->last + 1;
}

/*
 * Chunks from p->pos on get one more user. Returns the number of pages that
 * are to be pinned after that, 0 at the end, or an errno.
 */
static long use_pinned(struct pinner *p)
{
	struct iommufd_chunk *chunk;
	long rc = 0;

	mutex_lock(&p->pages->lock);
	while (p->pos <= p->last) {
		chunk = chunk_at(p->pages, p->pos);
		if (!chunk || chunk->first > p->pos) {
			unsigned long end = chunk ? chunk->first - 1 : p->last;

			rc = min(end, p->last) - p->pos + 1;
			break;
		}
		rc = split_at(p->pages, p->pos) ?:
		     split_at(p->pages, p->last + 1);
		if (rc)
			break;
		use_chunk(p, chunk_at(p->pages, p->pos));
		cond_resched();
	}
	mutex_unlock(&p->pages->lock);
	return rc;
}

/*
 * Makes a chunk, with us as its user, of as many of the first @nr frames in
 * the list as fit. Returns how many, or -ENOMEM.
 */
static long keep(struct pinner *p, unsigned long nr)
{
	struct page **list = p->list;
	struct iommufd_chunk *chunk;
	unsigned int nr_runs = 0;
	unsigned long i = 0;

	/* Once for each page, so it is to be short. */
	for (; i < nr && nr_runs < CHUNK_RUNS; nr_runs++) {
		unsigned long pfn = page_to_pfn(list[i]), end = pfn;

		do {
			i++;
			end++;
		} while (i < nr && page_to_pfn(list[i]) == end);
		p->runs[nr_runs] = make_run(pfn, end - pfn);
	}
	chunk = kmalloc(struct_size(chunk, runs, nr_runs), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	chunk->first = p->pos;
	chunk->last = p->pos + i - 1;
	chunk->users = 0;
	chunk->begins = 0;
	chunk->ends = 0;
	chunk->nr_runs = nr_runs;
	chunk->room = nr_runs;
	memcpy(chunk->runs, p->runs, nr_runs * sizeof(chunk->runs[0]));

	mutex_lock(&p->pages->lock);
	insert_chunk(p->pages, chunk);
	count_chunk(p->pages, chunk, 1);
	use_chunk(p, chunk);
	/* What lies side by side becomes one run, however large. */
	join_at(p->pages, p->pos - i);
	mutex_unlock(&p->pages->lock);
	return i;
}

/* Pins some of the @nr pages from p->pos on, of which none is. */
static int pin_some(struct pinner *p, unsigned long nr)
{
	long got, done, i;

	nr = min(nr, p->room);
	if (p->no_mm)
		return p->no_mm;
	if (fatal_signal_pending(current))
		return -EINTR;
	done = iommufd_charge(p->pages, nr);
	if (done)
		return done;
	got = iommufd_frames(p->pages, p->pos, nr, p->pages->writable, true,
			     p->list);
	done = got < 0 ? got : keep(p, got);
	/* What was not to be had, or not to be kept. */
	for (i = max(done, 0L); i < got; i++)
		unpin_run(p->pages, make_run(page_to_pfn(p->list[i]), 1));
	iommufd_uncharge(p->pages, nr - max(done, 0L));
	return min(done, 0L);
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
 * range; -EINTR if killed; -ENOMEM over the limit, or without memory; -EFAULT
 * if there is no such memory or its process is gone; another errno of the
 * memory's.
 */
int iommufd_pages_pin(struct iommufd_pages *pages, unsigned long first,
		      unsigned long last, struct page **out)
{
	struct pinner p = {
		.pages = pages,
		.first = first,
		.last = last,
		.pos = first,
		.out = out,
	};
	bool borrowed;
	long rc;

	rc = make_room(&p);
	if (rc)
		return rc;
	p.no_mm = iommufd_take_mm(pages, &borrowed);
	rc = mutex_lock_killable(&pages->pin_lock);
	if (!rc) {
		while ((rc = use_pinned(&p)) > 0) {
			rc = pin_some(&p, rc);
			if (rc)
				break;
			cond_resched();
		}
		mutex_unlock(&pages->pin_lock);
	}
	/* Not under the lock: it can be the end of that address space. */
	iommufd_give_mm(pages, borrowed);
	if (p.list != p.few)
		kfree(p.list);
	if (rc && p.pos != first)
		iommufd_pages_unpin_part(pages, first, p.pos - 1, last);
	return rc;
}

/**
 * iommufd_pages_part_pin - makes two pins of one
 * @pages: the memory
 * @at: first page of the second; within what was pinned
 *
 * From now on they are unpinned each by itself, or made one again by
 * iommufd_pages_join_pins().
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_pages_part_pin(struct iommufd_pages *pages, unsigned long at)
{
	int rc;

	mutex_lock(&pages->lock);
	rc = split_at(pages, at);
	if (!rc) {
		chunk_at(pages, at - 1)->ends++;
		chunk_at(pages, at)->begins++;
	}
	mutex_unlock(&pages->lock);
	return rc;
}

/**
 * iommufd_pages_join_pins - undoes iommufd_pages_part_pin()
 * @pages: as there
 * @at: as there
 */
void iommufd_pages_join_pins(struct iommufd_pages *pages, unsigned long at)
{
	mutex_lock(&pages->lock);
	chunk_at(pages, at - 1)->ends--;
	chunk_at(pages, at)->begins--;
	join_at(pages, at);
	mutex_unlock(&pages->lock);
}

/**
 * iommufd_pages_unpin_part - undoes what there is of a pin
 * @pages: the memory
 * @first: first page, as in the pin
 * @pos: last page that it has come to
 * @last: last one, as in the pin
 */
void iommufd_pages_unpin_part(struct iommufd_pages *pages, unsigned long first,
			      unsigned long pos, unsigned long last)
{
	struct iommufd_chunk *chunk, *next, *gone = NULL;
	unsigned long at = first;

	mutex_lock(&pages->lock);
	for (chunk = chunk_at(pages, first); chunk && chunk->first <= pos;
	     chunk = next) {
		next = to_chunk(rb_next(&chunk->rb));
		/* It was split where the pin began and where it ended. */
		if (WARN_ON(chunk->first != at || chunk->last > pos ||
			    !chunk->users))
			break;
		at = chunk->last + 1;
		chunk->begins -= chunk->first == first;
		chunk->ends -= chunk->last == last;
		if (!--chunk->users)
			take_out(pages, chunk, &gone);
		cond_resched();
	}
	WARN_ON(at != pos + 1);
	join_at(pages, first);
	join_at(pages, pos + 1);
	mutex_unlock(&pages->lock);
	let_go(pages, gone);
}
