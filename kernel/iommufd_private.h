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
 * Hold time of both is bounded: a walker looks at IOMMUFD_SHOW_BATCH entries
 * and lets go.
 *
 * "In flight" is a lock as far as deadlocks go, though not one that lockdep
 * could see by itself. So each object type has a lockdep map, which a call
 * takes for reading with its hold and a destroyer takes for writing before it
 * drains: a destroy from within a call on the same type is reported on the
 * first try, not on the one unlucky day.
 */
#ifndef __IOMMUFD_PRIVATE_H
#define __IOMMUFD_PRIVATE_H

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct dentry;
struct file;
struct iommufd_debugfs_dir;
struct iommufd_object;
struct mem_cgroup;
struct module;
struct pid;
struct seq_file;

/* The order is that of the lines in fdinfo. */
enum iommufd_object_type {
	IOMMUFD_OBJ_IOAS,
	IOMMUFD_OBJ_TEST,	/* made by iommufd_testdrv.ko only */
	IOMMUFD_OBJ_TYPES,
};

/**
 * struct iommufd_ctx - one open of /dev/iommu
 * @file: the open file. Its count is the context's; see iommufd_ctx_get().
 * @id: from 1, never given twice while the module is loaded
 * @node: place in the tree of all contexts, by @id; iommufd_contexts_lock
 * @objects: ids of this context. Holds XA_ZERO_ENTRY where an id is reserved
 *           for an object that is not finished.
 * @nr_objects: finished objects; written under xa_lock
 * @nr_by_type: the same by type; written under xa_lock
 * @generation: goes on with each object that comes or goes and each link
 *              between two; written under xa_lock
 * @drained: destroyers that wait for calls in flight on their object
 * @leaves: only while the context is torn down: objects with nothing left
 *          that refers to them, linked by next_leaf
 * @closing: set when teardown starts; from then on the context has one user
 * @debugfs: this context's folder there, NULL while it has none;
 *           iommufd_contexts_lock
 * @debugfs_node: in the list of contexts without a folder;
 *                iommufd_contexts_lock
 * @memcg: who pays for the folder, whoever it is made by
 * @opener: who opened it
 * @opener_comm: name of that process at the time
 * @opener_uid: its effective user
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
	bool closing;
	struct iommufd_debugfs_dir *debugfs;
	struct list_head debugfs_node;
	struct mem_cgroup *memcg;
	struct pid *opener;
	char opener_comm[TASK_COMM_LEN];
	kuid_t opener_uid;
};

/* No type refers to more objects than this. */
#define IOMMUFD_MAX_REFS 4

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
	struct list_head refs;
	struct list_head referrers;
	struct iommufd_object *next_leaf;
};

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
 */
struct iommufd_ioas {
	struct iommufd_object obj;
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
 */
struct iommufd_ucmd {
	struct iommufd_ctx *ictx;
	void __user *ubuffer;
	u32 user_size;
	void *cmd;
	struct iommufd_object *new_obj;
	bool reply_on_error;
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
int iommufd_object_destroy(struct iommufd_ctx *ictx, u32 id);
void iommufd_object_destroy_owned(struct iommufd_ctx *ictx,
				  struct iommufd_object *obj);
void iommufd_objects_init(void);
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
int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd);
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);

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
 */
struct iommufd_ctx_info {
	u64 id;
	pid_t opener;
	char comm[TASK_COMM_LEN];
	kuid_t uid;
	unsigned long nr_objects;
};

const char *iommufd_object_type_name(enum iommufd_object_type type);
void iommufd_show_changed(struct iommufd_ctx *ictx);
u32 iommufd_show_generation(bool objects);
unsigned int iommufd_show_contexts(u64 first, struct iommufd_ctx_info *infos,
				   unsigned int nr);
int iommufd_show_objects(u64 ctx, u32 *next, struct iommufd_object_info *infos,
			 unsigned int nr, u32 *generation);

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
void iommufd_event_ctx(u64 ctx, bool created);
void iommufd_event_object(u64 ctx, u32 id, enum iommufd_object_type type,
			  bool created);

/* fdinfo.c */
void iommufd_show_fdinfo(struct seq_file *m, struct file *file);

#endif
