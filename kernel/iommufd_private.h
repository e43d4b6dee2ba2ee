/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every internal type of iommufd, and the rules on their lifetime and locking.
 *
 * Lifetime
 * --------
 * A context (struct iommufd_ctx, one for each open of /dev/iommu) lives as
 * long as its file does. An in-kernel user's reference to a context is a
 * reference to that file, so there is one count, not two that could disagree.
 *
 * An object belongs to one context and carries two counts:
 *
 *  users     Lasting references. 1 is the context's own; each object or
 *            in-kernel user that builds on this one adds 1. An object that
 *            the kernel itself owns holds one on itself.
 *  inflight  Calls that are using the object right now. 1 is the base; each
 *            call adds 1 for its duration. Who holds one also holds the
 *            context (an ioctl holds the file).
 *
 * An object goes in three steps:
 *
 *  1. Claim. users goes from 1 to 0 in one atomic step, and under the same
 *     xa_lock the id is freed. Either this succeeds, and then no lookup finds
 *     the object and no lasting reference can be taken on it any more; or it
 *     fails (EBUSY), and nothing has changed. So there is no state in which a
 *     destroy has begun and might still back out, and a call in flight never
 *     makes a destroy fail: if it tries to turn its hold into a lasting
 *     reference, exactly one of the two wins the atomic on users.
 *  2. Drain. The destroyer sleeps on the context's wait queue until inflight
 *     is back at the base of 1. Whoever ends a call touches the object for
 *     the last time with the decrement, and wakes through the context. If
 *     IOMMU_DESTROY is killed meanwhile it gives up the base as well: then the
 *     call that brings inflight to 0 does step 3 in its place. The owner of a
 *     kernel-owned object waits to the end, since it frees what the calls use.
 *  3. Free. The type's destroy operation drops what the object refers to, and
 *     the memory goes.
 *
 * Locking
 * -------
 * In the order in which they nest:
 *
 *  iommufd_debugfs_lock   mutex, debugfs.c. One at a time makes a debugfs
 *                         folder. None is removed under it, for that waits for
 *                         readers.
 *  iommufd_contexts_lock  mutex, context.c. The tree of all contexts. A
 *                         context is in it from the end of open to the start
 *                         of its teardown, so what is found in it is whole for
 *                         as long as the mutex is held. Nobody raises a file's
 *                         count from the tree. Opens of every misc device
 *                         wait while an open of ours does: nothing that could
 *                         take long is done under it.
 *  ictx->objects.xa_lock  The ids of one context, the counters beside them, and
 *                         who refers to whom (struct iommufd_ref). What is
 *                         found under it, by id or by such a link, stays whole
 *                         until it is dropped, unless a hold on it was taken.
 *                         Nothing sleeps under it.
 *
 * Hold time of these is bounded: a walker looks at IOMMUFD_SHOW_BATCH entries
 * and lets go.
 *
 * Those of devices and of the I/O address space, in the order in which they
 * nest:
 *
 *  ictx->groups_lock      mutex. Which IOMMU groups the context owns. Held while
 *                         the kernel gives or takes back the ownership.
 *  igroup->lock           mutex. The devices of one group, and which page table
 *                         they go through. Held for as long as an attach
 *                         takes, and so over faults; who detaches another
 *                         device of that group waits for it.
 *  ioas->attach_lock      mutex. One at a time fills a page table from the
 *                         IOAS, and only such a one is looked for to be shared.
 *                         Held over faults, so an attach can wait for one, and
 *                         can be killed; nothing else waits for it.
 *  access->lock           rwsem. Which IOAS the access is attached to. Read for
 *                         as long as a pin or a copy takes.
 *  pages->pin_lock        mutex. Held by who pins in one mapping's memory, for as
 *                         long as it takes to fault that in, which can be
 *                         forever: so nobody else waits for it, but to pin.
 *  ioas->lock             rwsem. The areas, the allowed and reserved ranges and
 *                         the alignment of one IOAS, its page tables and all
 *                         that is in them. User memory is never touched under
 *                         it, and nothing unpinned, which can take an
 *                         mmap_lock. A walker, who holds xa_lock, tries
 *                         for it and comes back later; that is the one place
 *                         where it is taken under a lock of the list above,
 *                         and nothing of that list is taken under it.
 *  pages->lock            mutex. What is pinned of one mapping's memory, and
 *                         which areas share it. Never held over a fault.
 *
 * Of two IOASes never both are locked: a copy takes references on the memory
 * in the one, and then inserts in the other.
 *
 * Areas and pins
 * --------------
 * An area is found in its IOAS's tree under ioas->lock, and goes out of it
 * under the same lock for writing, with no pins on it. Whoever pins raises
 * area->pinning under the lock, and the area stays for as long as that or
 * area->pins is not 0. An unmap that meets pins sets area->closing, which
 * shuts out new ones, lets go of the lock, has the accesses give up theirs, and
 * waits on ictx->drained. An area that is closing is refused by everyone else
 * but who fills or empties a page table.
 *
 * Areas and page tables
 * ---------------------
 * A page table (struct iommufd_hwpt) holds all areas of its IOAS that begin below
 * hwpt->next. That goes up, area by area, while it is filled, and down while it
 * is emptied, so half a page table is as well defined as a whole one, and the
 * lock is let go of between two areas. What is mapped or unmapped meanwhile goes
 * to every page table that holds its place. For the page tables an area's memory
 * is pinned once, however many there are (area->filled): always before ioas->lock
 * is taken, and it is unpinned after that was let go of, and after the IOMMU has
 * forgotten it. Who lets go of the lock and comes back to the area raises
 * area->pinning.
 *
 * "In flight" is a lock as far as deadlocks go, though not one that lockdep
 * could see by itself. So each object type has a lockdep map, which a call
 * takes for reading with its hold and a destroyer takes for writing before it
 * drains: a destroy from within a call on the same type is reported on the
 * first try, not on the one unlucky day.
 */
#ifndef __IOMMUFD_PRIVATE_H
#define __IOMMUFD_PRIVATE_H

#include <linux/interval_tree.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct dentry;
struct device;
struct file;
struct iommu_domain;
struct iommu_group;
struct iommufd_debugfs_dir;
struct iommufd_object;
struct mem_cgroup;
struct iommu_iova_range;
struct iommufd_access_ops;
struct iommufd_ioas;
struct mm_struct;
struct module;
struct page;
struct pid;
struct seq_file;
struct user_struct;

/* The order is that of the lines in fdinfo. */
enum iommufd_object_type {
	IOMMUFD_OBJ_IOAS,
	IOMMUFD_OBJ_HWPT,	/* an I/O page table over an IOAS */
	IOMMUFD_OBJ_DEVICE,
	IOMMUFD_OBJ_ACCESS,	/* an in-kernel user of an IOAS */
	IOMMUFD_OBJ_TEST,	/* made by iommufd_testdrv.ko only */
	IOMMUFD_OBJ_TYPES,
};

/**
 * struct iommufd_ctx - one open of /dev/iommu
 * @file: the open file. Its count is the context's; see iommufd_ctx_get().
 * @id: from 1, never given twice while the module is loaded
 * @node: place in the tree of all contexts, by @id; iommufd_contexts_lock
 * @objects: by id, also those that are not finished, which nobody must find:
 *           see iommufd_object_of()
 * @nr_objects: finished objects; written under xa_lock
 * @nr_by_type: the same by type; written under xa_lock
 * @generation: goes on with each object that comes or goes and each link
 *              between two; written under xa_lock
 * @drained: destroyers that wait for calls in flight on their object
 * @leaves: only while the context is torn down: objects with nothing left
 *          that refers to them, linked by next_leaf
 * @debugfs: this context's folder there, NULL while it has none;
 *           iommufd_contexts_lock
 * @debugfs_node: in the list of contexts without a folder;
 *                iommufd_contexts_lock
 * @memcg: who pays for the folder, whoever it is made by
 * @vfio_ioas: the IOAS that VFIO's ioctls mean, or NULL; xa_lock. It may have
 *             been claimed for its end already: see vfio_compat.c
 * @groups: struct iommufd_group; groups_lock
 * @groups_lock: see the top of this file
 * @pinned_pages: page frames pinned for this context, each counted once
 * @opener: who opened it
 * @opener_comm: name of that process at the time
 * @opener_uid: its effective user
 * @closing: set when teardown starts; from then on the context has one user
 * @vfio_cut: VFIO_TYPE1_IOMMU was chosen, whose unmap may cut mappings
 * @vfio_no_iommu: a device without an IOMMU is used by VFIO's ioctls; xa_lock
 * @rlimit_process: pinned memory is charged to the process that mapped it, and
 *                  not to its user; written under xa_lock while there is no
 *                  object
 */
struct iommufd_ctx {
	struct file *file;
	u64 id;
	struct rb_node node;
	struct xarray objects;
	unsigned long nr_objects;
	unsigned int nr_by_type[IOMMUFD_OBJ_TYPES];
	u32 generation;
	wait_queue_head_t drained;
	struct iommufd_object *leaves;
	struct iommufd_debugfs_dir *debugfs;
	struct list_head debugfs_node;
	struct mem_cgroup *memcg;
	struct iommufd_ioas *vfio_ioas;
	struct list_head groups;
	struct mutex groups_lock;	/* see the top of this file */
	atomic_long_t pinned_pages;
	struct pid *opener;
	char opener_comm[TASK_COMM_LEN];
	kuid_t opener_uid;
	bool closing;
	bool vfio_cut;
	bool vfio_no_iommu;
	bool rlimit_process;
};

/* No type refers to more objects than this. */
#define IOMMUFD_MAX_REFS 4

/* A module's name, as long as any is in practice. */
#define IOMMUFD_OWNER_LEN 32

/* So many of those that refer to an object are told along with it. */
#define IOMMUFD_SHOW_REFERRERS 16

/**
 * struct iommufd_object_info - an object as it is seen from outside
 * @id: of the object in its context
 * @type: index into the names of iommufd_object_type_name()
 * @users: as in struct iommufd_object
 * @owned: the kernel's own, which no IOMMU_DESTROY ends
 * @nr_refers_to: entries in @refers_to
 * @refers_to: ids of the objects that it holds lasting references on
 * @nr_referrers: entries in @referrers
 * @more_referrers: there are more than @referrers has room for
 * @referrers: ids of the objects that hold lasting references on it
 * @areas: of an IOAS: number of areas
 * @mapped: of an IOAS: bytes that they cover
 * @pinned: of an IOAS: bytes of them whose memory is pinned; of an access:
 *          bytes that it has pinned
 * @alignment: of an IOAS: what an IOVA must be a multiple of
 * @huge_pages: of an IOAS: IOMMU_OPTION_HUGE_PAGES
 * @owner: of an access: its driver's module; of a device: its name
 * @group: of a device: number of its IOMMU group
 * @automatic: of a page table: as in struct iommufd_hwpt
 * @page_sizes: of a page table: sizes that it can map, each a bit
 */
struct iommufd_object_info {
	u32 id;
	enum iommufd_object_type type;
	unsigned int users;
	bool owned;
	unsigned int nr_refers_to;
	u32 refers_to[IOMMUFD_MAX_REFS];
	unsigned int nr_referrers;
	bool more_referrers;
	u32 referrers[IOMMUFD_SHOW_REFERRERS];
	u64 areas;
	u64 mapped;
	u64 pinned;
	u64 alignment;
	bool huge_pages;
	char owner[IOMMUFD_OWNER_LEN];
	u32 group;
	bool automatic;
	u64 page_sizes;
};

/**
 * struct iommufd_object_ops - what a type of object can do
 * @type: the type
 * @owner: module that must stay while such an object exists; NULL for our own
 * @destroy: drops what the object refers to with iommufd_object_unlink(). The
 *           object is whole, in no list, and nobody else can reach it. May
 *           sleep. Does not free the object itself.
 * @describe: adds what only the type knows to an info that holds all else
 *            already. Called under xa_lock: must not sleep. Optional.
 */
struct iommufd_object_ops {
	enum iommufd_object_type type;
	struct module *owner;
	void (*destroy)(struct iommufd_ctx *ictx, struct iommufd_object *obj);
	void (*describe)(const struct iommufd_object *obj,
			 struct iommufd_object_info *info);
};

/**
 * struct iommufd_object - first member of every object
 * @ops: its type's operations
 * @users: lasting references; see the top of this file
 * @inflight: calls that use it now, plus 1; see the top of this file. Bounded
 *            by the number of tasks, so it needs no saturation; it needs to
 *            tell "last but one" apart, which refcount_t does not.
 * @id: in its context
 * @owned: the kernel's own: users holds one of its own, and nobody else's
 * @live: it is finished, and can be found; xa_lock
 * @refs: struct iommufd_ref of what it refers to; xa_lock
 * @referrers: struct iommufd_ref of what refers to it; xa_lock
 * @next_leaf: link in ictx->leaves, for the one task that tears down
 */
struct iommufd_object {
	const struct iommufd_object_ops *ops;
	refcount_t users;
	atomic_t inflight;
	u32 id;
	bool owned;
	bool live;
	struct list_head refs;
	struct list_head referrers;
	struct iommufd_object *next_leaf;
};

/**
 * iommufd_object_of - what is to be found at an id
 * @entry: of ictx->objects, whose xa_lock is held
 *
 * Every lookup and every walk goes through here. Beside objects that are not
 * finished, id 0 has an entry, which is there so that the id is never given.
 *
 * Return: the object, or NULL for none.
 */
static inline struct iommufd_object *iommufd_object_of(void *entry)
{
	struct iommufd_object *obj = entry;

	return entry && !xa_is_zero(entry) && obj->live ? obj : NULL;
}

/**
 * struct iommufd_ref - a lasting reference of one object on another
 * @from: who refers; has this struct in it, and at most IOMMUFD_MAX_REFS
 * @to: to whom; NULL while the reference is not held
 * @from_node: in @from->refs; xa_lock
 * @to_node: in @to->referrers; xa_lock
 *
 * Zeroed memory is a reference that is not held.
 */
struct iommufd_ref {
	struct iommufd_object *from;
	struct iommufd_object *to;
	struct list_head from_node;
	struct list_head to_node;
};

/**
 * struct iommufd_ioas - an I/O address space
 * @obj: the object
 * @ictx: its context
 * @lock: for all below but what says otherwise
 * @areas: struct iommufd_area by IOVA; see iova.c
 * @allowed: struct iommufd_range that user space wants kept free of reserved
 *           ones. Empty: no wish
 * @reserved: struct iommufd_range where nothing can be mapped; they may overlap
 * @accesses: those attached, by id; its own lock. Entries hold no reference:
 *            they only tell where to ask
 * @attach_lock: see the top of this file
 * @hwpts: struct iommufd_hwpt over it, those that are on their way too
 * @alignment: what IOVA, length and place in memory must be a multiple of
 * @huge_pages: IOMMU_OPTION_HUGE_PAGES
 * @nr_pinners: accesses that may pin, for which @alignment is PAGE_SIZE
 * @nr_areas: number of areas
 * @mapped: bytes in them
 * @pinned_pages: of the pages that they cover those that are pinned; changes
 *                under the lock of each struct iommufd_pages
 */
struct iommufd_ioas {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct rw_semaphore lock;
	struct rb_root areas;
	struct rb_root_cached allowed;
	struct rb_root_cached reserved;
	struct xarray accesses;
	struct mutex attach_lock;	/* see the top of this file */
	struct list_head hwpts;
	unsigned long alignment;
	bool huge_pages;
	unsigned int nr_pinners;
	unsigned long nr_areas;
	unsigned long mapped;
	atomic_long_t pinned_pages;
};

/**
 * struct iommufd_range - an allowed or a reserved range of IOVAs
 * @node: first and last IOVA
 * @owner: of a reserved one: whom it is taken back by
 */
struct iommufd_range {
	struct interval_tree_node node;
	void *owner;
};

/**
 * struct iommufd_area - one mapping in an IOAS
 * @rb: in ioas->areas; ioas->lock
 * @next: once it is out of there: the next one to free
 * @gap: bytes of the hole below it, down to the area before or to IOVA 0;
 *       ioas->lock
 * @max_gap: the largest one in its subtree; ioas->lock
 * @start: first IOVA
 * @last: last IOVA
 * @ioas: where it is
 * @pages: the memory; the area holds a reference
 * @in_pages: first and last page of it in @pages; in pages->areas
 * @offset: of @start in that first page
 * @flags: IOMMU_IOAS_MAP_READABLE, _WRITEABLE
 * @closing: it is being unmapped: no new pins; ioas->lock for writing, and who
 *           only wants to end early reads it without
 * @filled: its memory is pinned for page tables; ioas->lock for writing
 * @pinning: pins that are being made, and others who will come back to it
 * @pins: pins of accesses that were made
 */
struct iommufd_area {
	union {
		struct rb_node rb;
		struct iommufd_area *next;
	};
	unsigned long gap;
	unsigned long max_gap;
	unsigned long start;
	unsigned long last;
	struct iommufd_ioas *ioas;
	struct iommufd_pages *pages;
	struct interval_tree_node in_pages;
	unsigned int offset;
	u8 flags;
	bool closing;
	bool filled;
	atomic_t pinning;
	atomic_t pins;
};

/**
 * struct iommufd_pages - memory that one or more areas map
 * @refs: areas, and copies on their way
 * @pin_lock: held while pages are pinned
 * @lock: for @chunks, @areas and @nr_pinned
 * @chunks: struct iommufd_chunk by page; see chunks.c
 * @areas: struct iommufd_area by page
 * @nr_pages: its size
 * @nr_pinned: pages that are pinned; read without the lock for a hint
 * @mm: address space that the memory is mapped from, or, for a file, the one
 *      that is charged; NULL for a file that is charged to a user. Held by
 *      mmgrab(): it may have no user any more
 * @file: the file, or NULL
 * @base: address in @mm, or offset in @file, where this begins: a whole page
 * @task: whose limit holds; the process that mapped
 * @user: whom pinned memory is charged to, NULL if to the process
 * @ictx: counts what is pinned
 * @writable: it was mapped for writing
 * @unlimited: who mapped has CAP_IPC_LOCK
 * @first: the area that the mapping made; others are copies
 *
 * What decides about charging is noted when the memory is mapped, since it can
 * be pinned long after, by anyone.
 */
struct iommufd_pages {
	refcount_t refs;
	struct mutex pin_lock;	/* see above */
	struct mutex lock;	/* see above */
	struct rb_root chunks;
	struct rb_root_cached areas;
	unsigned long nr_pages;
	unsigned long nr_pinned;
	struct mm_struct *mm;
	struct file *file;
	unsigned long base;
	struct task_struct *task;
	struct user_struct *user;
	struct iommufd_ctx *ictx;
	bool writable;
	bool unlimited;
	struct iommufd_area first;
};

/**
 * struct iommufd_access - an in-kernel user of an IOAS
 * @obj: the object; kernel-owned
 * @ictx: its context, with a reference
 * @lock: for @ioas; see the top of this file
 * @ioas: what it can pin and copy in; NULL when detached
 * @bound: the same, but until a detach is over: what it can unpin in
 * @refs: on what it is attached to; on the way from one to another, on both
 * @ops: the driver's; may be NULL
 * @data: the driver's
 * @owner: the driver's module, for who looks in
 * @pinned_pages: by all its pins
 */
struct iommufd_access {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct rw_semaphore lock;
	struct iommufd_ioas *ioas;
	struct iommufd_ioas *bound;
	struct iommufd_ref refs[2];
	const struct iommufd_access_ops *ops;
	void *data;
	char owner[IOMMUFD_OWNER_LEN];
	atomic_long_t pinned_pages;
};

/**
 * struct iommufd_hwpt - an I/O page table over an IOAS
 * @obj: the object
 * @ioas: whose areas it holds
 * @ref: on @ioas
 * @domain: the kernel's side of it
 * @in_ioas: in ioas->hwpts; ioas->lock
 * @complete: it holds all areas; ioas->lock
 * @removing: it is being emptied for good; ioas->lock
 * @again: something was pinned meanwhile that it may be the last to look at;
 *         ioas->lock
 * @next: until it is complete: it holds the areas that begin below; ioas->lock
 * @gather: what was unmapped and the IOMMU has not forgotten yet; ioas->lock
 * @unflushed: there is something in it; ioas->lock
 * @automatic: made by an attach to the IOAS, and gone with the last device
 * @coherent: the IOMMU makes all DMA coherent; written under ioas->attach_lock
 * @msi: its window for interrupts is known; ioas->attach_lock
 * @msi_start: where that is
 */
struct iommufd_hwpt {
	struct iommufd_object obj;
	struct iommufd_ioas *ioas;
	struct iommufd_ref ref;
	struct iommu_domain *domain;
	struct list_head in_ioas;
	bool complete;
	bool removing;
	bool again;
	unsigned long next;
	struct iommu_iotlb_gather gather;
	bool unflushed;
	bool automatic;
	bool coherent;
	bool msi;
	phys_addr_t msi_start;
};

/**
 * struct iommufd_group - an IOMMU group that a context owns
 * @node: in ictx->groups; groups_lock
 * @ictx: the context; kept by the group's devices
 * @group: the kernel's side of it
 * @users: devices of it that are bound; groups_lock
 * @lock: for all below; see the top of this file
 * @devices: struct iommufd_device
 * @hwpt: what they go through, NULL while none is attached
 * @attached: how many are
 */
struct iommufd_group {
	struct list_head node;
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	unsigned int users;
	struct mutex lock;	/* for all below */
	struct list_head devices;
	struct iommufd_hwpt *hwpt;
	unsigned int attached;
};

/**
 * struct iommufd_device - a device bound to a context
 * @obj: the object; kernel-owned
 * @ictx: its context, with a reference
 * @dev: the device, with a reference
 * @igroup: its group
 * @in_group: in igroup->devices; igroup->lock
 * @attached: it is one of those that go through igroup->hwpt; igroup->lock
 * @refs: on that; on the way from one to another, on both
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct device *dev;
	struct iommufd_group *igroup;
	struct list_head in_group;
	bool attached;
	struct iommufd_ref refs[2];
};

/**
 * struct iommufd_ucmd - one ioctl on its way through
 * @ictx: the context it came in on
 * @ubuffer: the user's struct
 * @user_size: its size as the user gave it, read once
 * @cmd: the kernel's copy; of the row's size, zero where the user's was shorter
 * @new_obj: set by a handler that made an object: reserved, whole, and not
 *           yet to be found. The dispatcher publishes or destroys it.
 * @reply_on_error: set by a handler whose failure still has an answer
 * @undo: set by a handler whose success is void if the user does not hear of
 *        it: called where the answer could not be written
 * @undo_area: for @undo: what was made; it may be gone, so it can be compared
 *             and nothing else
 */
struct iommufd_ucmd {
	struct iommufd_ctx *ictx;
	void __user *ubuffer;
	u32 user_size;
	void *cmd;
	struct iommufd_object *new_obj;
	bool reply_on_error;
	void (*undo)(struct iommufd_ucmd *ucmd);
	const void *undo_area;
};

/* ioctl.c */
long iommufd_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* context.c */
extern struct mutex iommufd_contexts_lock;
int iommufd_ctx_open(struct file *file);
void iommufd_ctx_release(struct file *file);
struct iommufd_ctx *iommufd_ctx_next(u64 id);

/* main.c */
extern const struct file_operations iommufd_fops;

/* object.c */
struct iommufd_object *
iommufd_object_alloc_sized(struct iommufd_ctx *ictx, size_t size,
			   const struct iommufd_object_ops *ops);
void iommufd_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_object_abort_and_destroy(struct iommufd_ctx *ictx,
				      struct iommufd_object *obj);
void iommufd_object_finalize(struct iommufd_ctx *ictx,
			     struct iommufd_object *obj);
struct iommufd_object *
iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
		   const struct iommufd_object_ops *ops);
void iommufd_object_put(struct iommufd_ctx *ictx, struct iommufd_object *obj);
bool iommufd_object_ref(struct iommufd_object *obj);
void iommufd_object_own(struct iommufd_object *obj);
void iommufd_object_unref(struct iommufd_ctx *ictx, struct iommufd_object *obj);
bool iommufd_object_link(struct iommufd_ctx *ictx, struct iommufd_ref *ref,
			 struct iommufd_object *from,
			 struct iommufd_object *to);
void iommufd_object_unlink(struct iommufd_ctx *ictx, struct iommufd_ref *ref);
struct iommufd_object *iommufd_object_unlink_last(struct iommufd_ctx *ictx,
						  struct iommufd_ref *ref);
void iommufd_object_end(struct iommufd_ctx *ictx, struct iommufd_object *obj);
int iommufd_object_destroy(struct iommufd_ctx *ictx, u32 id);
void iommufd_object_destroy_owned(struct iommufd_ctx *ictx,
				  struct iommufd_object *obj);
void iommufd_objects_init(void);
bool iommufd_objects_none(struct iommufd_ctx *ictx);
void iommufd_objects_teardown(struct iommufd_ctx *ictx);

/**
 * iommufd_object_alloc - memory and an id for a new object
 * @ictx: its context
 * @ptr: names the type of the struct, whose member obj comes first
 * @ops: operations of the object's type
 *
 * Return: the struct, zeroed but for obj, or an ERR_PTR; see
 * iommufd_object_alloc_sized().
 */
#define iommufd_object_alloc(ictx, ptr, ops)                                   \
	({                                                                     \
		BUILD_BUG_ON(offsetof(typeof(*(ptr)), obj) != 0);              \
		(typeof(ptr))iommufd_object_alloc_sized((ictx),                \
							sizeof(*(ptr)), (ops)); \
	})

/* ioas.c */
extern const struct iommufd_object_ops iommufd_ioas_ops;
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ictx, u32 id);
struct iommufd_ioas *iommufd_ioas_make(struct iommufd_ctx *ictx);
int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd);
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);
int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);

/* Ranges that are written to the user in one go. */
#define IOMMUFD_RANGES_BATCH 4
unsigned int iommufd_ioas_usable(struct iommufd_ioas *ioas, unsigned long *pos,
				 bool *more, struct iommu_iova_range *batch);

static inline void iommufd_ioas_put(struct iommufd_ioas *ioas)
{
	iommufd_object_put(ioas->ictx, &ioas->obj);
}

/* map.c */
int iommufd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd);
int iommufd_ioas_copy(struct iommufd_ucmd *ucmd);
int iommufd_map_user(struct iommufd_ioas *ioas, u64 uptr, u64 length,
		     u64 iova, u32 flags);

/* unmap.c */
int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd);
int iommufd_unmap_range(struct iommufd_ioas *ioas, unsigned long start,
			unsigned long last, unsigned long *unmapped);
int iommufd_unmap_cut(struct iommufd_ioas *ioas, unsigned long iova);
void iommufd_unmap_teardown(struct iommufd_ioas *ioas);

/* iova.c */
struct iommufd_area *iommufd_area_first(const struct iommufd_ioas *ioas,
					unsigned long start,
					unsigned long last);
struct iommufd_area *iommufd_area_next(const struct iommufd_area *area);
struct iommufd_area *iommufd_area_below(const struct iommufd_ioas *ioas,
					unsigned long start);
unsigned long iommufd_area_place(const struct iommufd_area *area);
void iommufd_area_insert(struct iommufd_ioas *ioas, struct iommufd_area *area);
struct iommufd_area *iommufd_area_take(struct iommufd_ioas *ioas,
				       struct iommufd_area *area);
void iommufd_area_settle(struct iommufd_ioas *ioas, struct iommufd_area *above,
			 unsigned long hole);
int iommufd_iova_check(const struct iommufd_ioas *ioas, unsigned long start,
		       unsigned long length);
int iommufd_iova_find(const struct iommufd_ioas *ioas, unsigned long length,
		      unsigned long place, unsigned long *iova);

/* ranges.c */
bool iommufd_next_unreserved(const struct iommufd_ioas *ioas,
			     unsigned long from, unsigned long to,
			     unsigned long *start, unsigned long *last);

/**
 * iommufd_next_usable - the next run of IOVAs that no reserved range covers
 * @ioas: whose lock is held
 * @from: where to look
 * @to: how far; not below @from
 * @start: first IOVA found
 * @last: last one
 *
 * Return: false if there is none.
 */
static inline bool iommufd_next_usable(const struct iommufd_ioas *ioas,
				       unsigned long from, unsigned long to,
				       unsigned long *start,
				       unsigned long *last)
{
	if (!RB_EMPTY_ROOT(&ioas->reserved.rb_root))
		return iommufd_next_unreserved(ioas, from, to, start, last);
	*start = from;
	*last = to;
	return true;
}

bool iommufd_range_overlaps(const struct rb_root_cached *ranges,
			    unsigned long start, unsigned long last);
int iommufd_range_add(struct rb_root_cached *ranges, unsigned long start,
		      unsigned long last, void *owner);
void iommufd_ranges_free(struct rb_root_cached *ranges);
int iommufd_ioas_allow(struct iommufd_ioas *ioas,
		       struct rb_root_cached *allowed);
int iommufd_ioas_reserve_locked(struct iommufd_ioas *ioas, unsigned long start,
				unsigned long last, void *owner);
int iommufd_ioas_reserve(struct iommufd_ioas *ioas, unsigned long start,
			 unsigned long last, void *owner);
void iommufd_ioas_unreserve_locked(struct iommufd_ioas *ioas, void *owner);
void iommufd_ioas_unreserve(struct iommufd_ioas *ioas, void *owner);
int iommufd_ioas_align(struct iommufd_ioas *ioas);

/* pages.c */
int iommufd_pages_init(void);
void iommufd_pages_exit(void);
struct iommufd_pages *iommufd_pages_of_user(struct iommufd_ctx *ictx,
					    unsigned long uptr,
					    unsigned long length, u32 flags);
struct iommufd_pages *iommufd_pages_of_file(struct iommufd_ctx *ictx, int fd,
					    u64 start, unsigned long length,
					    u32 flags);
struct iommufd_area *iommufd_area_alloc(struct iommufd_pages *pages,
					unsigned long first, unsigned long last,
					unsigned int offset);
void iommufd_area_share(struct iommufd_area *area);
struct iommufd_area *iommufd_area_split(struct iommufd_area *area,
					unsigned long bytes);
void iommufd_area_free(struct iommufd_area *area);
void iommufd_pages_put(struct iommufd_pages *pages);

/* charge.c */
int iommufd_charge(struct iommufd_pages *pages, unsigned long nr);
void iommufd_uncharge(struct iommufd_pages *pages, unsigned long nr);

/* chunks.c */
int iommufd_pages_pin(struct iommufd_pages *pages, unsigned long first,
		      unsigned long last, struct page **out);
void iommufd_pages_unpin_part(struct iommufd_pages *pages, unsigned long first,
			      unsigned long pos, unsigned long last);
int iommufd_pages_part_pin(struct iommufd_pages *pages, unsigned long at);
void iommufd_pages_join_pins(struct iommufd_pages *pages, unsigned long at);
struct page *iommufd_pinned_frame(struct iommufd_pages *pages,
				  unsigned long index);
int iommufd_pinned_runs(struct iommufd_pages *pages, unsigned long first,
			unsigned long last,
			int (*fn)(void *data, unsigned long pfn,
				  unsigned long nr),
			void *data);
void iommufd_count_area(struct iommufd_area *area, int by);
void iommufd_chunks_free(struct iommufd_pages *pages);

/**
 * iommufd_pages_unpin - undoes one iommufd_pages_pin()
 * @pages: the memory
 * @first: first page, as in the pin
 * @last: last one, as there
 *
 * Cannot fail, allocates nothing, and waits for no fault.
 */
static inline void iommufd_pages_unpin(struct iommufd_pages *pages,
				       unsigned long first, unsigned long last)
{
	iommufd_pages_unpin_part(pages, first, last, last);
}

/* rw.c */
int iommufd_take_mm(struct iommufd_pages *pages, bool *borrowed);
void iommufd_give_mm(struct iommufd_pages *pages, bool borrowed);
int iommufd_pages_rw(struct iommufd_pages *pages, u64 pos, void *data,
		     size_t len, unsigned int flags);

/* frames.c */
long iommufd_frames(struct iommufd_pages *pages, unsigned long index,
		    unsigned long nr, bool write, bool lasting,
		    struct page **list);
void iommufd_frames_put(struct page *page, unsigned long nr, bool dirty);
int iommufd_file_map(struct file *file, bool write);
void iommufd_file_unmap(struct file *file, bool write);

/* access.c */
extern const struct iommufd_object_ops iommufd_access_obj_ops;
void iommufd_access_call_unmap(struct iommufd_ioas *ioas, unsigned long start,
			       unsigned long last);

void iommufd_area_drop(struct iommufd_ioas *ioas, atomic_t *count);

/* domain.c */
int iommufd_area_pin(struct iommufd_area *area);
void iommufd_area_unpin(struct iommufd_area *area);
int iommufd_domains_map(struct iommufd_ioas *ioas, struct iommufd_area *area);
void iommufd_domains_unmap(struct iommufd_ioas *ioas,
			   struct iommufd_area *area);
void iommufd_domains_flush(struct iommufd_ioas *ioas);
void iommufd_domains_cut(struct iommufd_ioas *ioas,
			 const struct iommufd_area *area, unsigned long start);
int iommufd_domain_add(struct iommufd_hwpt *hwpt);
int iommufd_domain_fill(struct iommufd_hwpt *hwpt);
void iommufd_domain_remove(struct iommufd_hwpt *hwpt);

/* hwpt.c */
extern const struct iommufd_object_ops iommufd_hwpt_ops;
struct iommufd_hwpt *iommufd_hwpt_make(struct iommufd_ctx *ictx,
				       struct iommufd_ioas *ioas,
				       struct device *dev, bool automatic);
struct iommufd_hwpt *iommufd_hwpt_next(struct iommufd_ctx *ictx,
				       struct iommufd_ioas *ioas, u32 after);
int iommufd_hwpt_alloc(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_invalidate(struct iommufd_ucmd *ucmd);
int iommufd_fault_queue_alloc(struct iommufd_ucmd *ucmd);

/* group.c */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx,
					struct device *dev);
void iommufd_group_put(struct iommufd_group *igroup);
void iommufd_group_enforce(struct iommufd_hwpt *hwpt);
int iommufd_group_prepare(struct iommufd_group *igroup,
			  struct iommufd_hwpt *hwpt, struct device *dev);
void iommufd_group_unprepare(struct iommufd_group *igroup,
			     struct iommufd_hwpt *hwpt);
int iommufd_group_set(struct iommufd_group *igroup, struct iommufd_hwpt *hwpt);
void iommufd_group_unset(struct iommufd_group *igroup);

/* device.c */
extern const struct iommufd_object_ops iommufd_device_ops;
int iommufd_get_hw_info(struct iommufd_ucmd *ucmd);

/* option.c */
int iommufd_set_huge_pages(struct iommufd_ioas *ioas, u64 value);
int iommufd_option(struct iommufd_ucmd *ucmd);

/* vfio_compat.c */
int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd);
void iommufd_vfio_ioas_forget(struct iommufd_ctx *ictx,
			      struct iommufd_ioas *ioas);
long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
			unsigned long arg);

/* show.c: what its printers format */
#define IOMMUFD_SHOW_BATCH 32

/**
 * struct iommufd_ctx_info - a context as it is seen from outside
 * @id: context id
 * @opener: process that opened it, in the reader's pid namespace; 0 if it
 *          cannot be seen from there
 * @comm: its name then
 * @uid: its effective user then
 * @nr_objects: objects in it now
 * @rlimit_process: as in struct iommufd_ctx
 * @pinned: bytes that are pinned for it
 * @limit: RLIMIT_MEMLOCK of that process now; U64_MAX if it has none, or is gone
 */
struct iommufd_ctx_info {
	u64 id;
	pid_t opener;
	char comm[TASK_COMM_LEN];
	kuid_t uid;
	unsigned long nr_objects;
	bool rlimit_process;
	u64 pinned;
	u64 limit;
};

/* In the order in which they are shown. */
enum iommufd_range_kind {
	IOMMUFD_RANGES_USABLE,
	IOMMUFD_RANGES_ALLOWED,
	IOMMUFD_RANGES_RESERVED,
	IOMMUFD_RANGES_MAPPED,
	IOMMUFD_RANGE_KINDS,
};

/**
 * struct iommufd_range_info - a range of an IOAS
 * @start: first IOVA
 * @last: last IOVA
 * @flags: of an area: IOMMU_IOAS_MAP_READABLE, _WRITEABLE
 */
struct iommufd_range_info {
	unsigned long start;
	unsigned long last;
	u8 flags;
};

const char *iommufd_object_type_name(enum iommufd_object_type type);
void iommufd_show_changed(struct iommufd_ctx *ictx);
u32 iommufd_show_generation(bool objects);
unsigned int iommufd_show_contexts(u64 first, struct iommufd_ctx_info *infos,
				   unsigned int nr);
int iommufd_show_objects(u64 ctx, u32 *next, struct iommufd_object_info *infos,
			 unsigned int nr, u32 *generation);

int iommufd_show_ranges(u64 ctx, u32 id, enum iommufd_range_kind kind,
			unsigned long *from, bool *more,
			struct iommufd_range_info *infos, unsigned int nr);

/* Above every object id: the walk is over. */
#define IOMMUFD_SHOW_END U32_MAX

/* debugfs.c */
void iommufd_debugfs_init(void);
void iommufd_debugfs_exit(void);
void iommufd_debugfs_add(struct iommufd_ctx *ictx);
void iommufd_debugfs_remove(struct iommufd_ctx *ictx);
void iommufd_debugfs_make(u64 ctx);

/* netlink.c */
int iommufd_netlink_init(void);
void iommufd_netlink_exit(void);
bool iommufd_event_wanted(void);
void iommufd_send_ctx(u64 ctx, bool created);
void iommufd_send_object(u64 ctx, u32 id, enum iommufd_object_type type,
			 bool created);

/**
 * iommufd_event_ctx - tells who listens of a context
 * @ctx: its id
 * @created: or it is gone
 *
 * Call without a lock. May sleep, but next to nothing is done while no one
 * listens.
 */
static inline void iommufd_event_ctx(u64 ctx, bool created)
{
	if (iommufd_event_wanted())
		iommufd_send_ctx(ctx, created);
}

/**
 * iommufd_event_object - tells who listens of an object
 * @ctx: id of its context
 * @id: its own
 * @type: its type
 * @created: or it is gone
 *
 * Call without a lock. May sleep, but next to nothing is done while no one
 * listens.
 */
static inline void iommufd_event_object(u64 ctx, u32 id,
					enum iommufd_object_type type,
					bool created)
{
	if (iommufd_event_wanted())
		iommufd_send_object(ctx, id, type, created);
}

/* fdinfo.c */
void iommufd_show_fdinfo(struct seq_file *m, struct file *file);

#endif
