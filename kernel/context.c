// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a context, the tree of all of them, and what other drivers may
 * do with one.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/slab.h>

#include "iommufd_private.h"

/* Guards the tree of all contexts, which is by id, and the last id given. */
DEFINE_MUTEX(iommufd_contexts_lock);
static struct rb_root iommufd_contexts = RB_ROOT;
static u64 iommufd_last_ctx_id;

static bool ctx_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct iommufd_ctx, node)->id <
	       rb_entry(b, struct iommufd_ctx, node)->id;
}

/**
 * iommufd_ctx_next - the first context from an id on
 * @id: where to start
 *
 * Call with iommufd_contexts_lock held; the context is whole until it is
 * dropped. O(log n).
 *
 * Return: the context with the lowest id that is @id or more, or NULL.
 */
struct iommufd_ctx *iommufd_ctx_next(u64 id)
{
	struct rb_node *node = iommufd_contexts.rb_node;
	struct iommufd_ctx *found = NULL;

	lockdep_assert_held(&iommufd_contexts_lock);
	while (node) {
		struct iommufd_ctx *ictx =
			rb_entry(node, struct iommufd_ctx, node);

		if (ictx->id >= id) {
			found = ictx;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * iommufd_ctx_open - a context for a file that is being opened
 * @file: the file; its private_data is set
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_ctx_open(struct file *file)
{
	struct iommufd_ctx *ictx;

	ictx = kzalloc(sizeof(*ictx), GFP_KERNEL_ACCOUNT);
	if (!ictx)
		return -ENOMEM;
	ictx->file = file;
	xa_init_flags(&ictx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&ictx->drained);
	INIT_LIST_HEAD(&ictx->groups);
	mutex_init(&ictx->groups_lock);
	ictx->opener = get_pid(task_tgid(current));
	get_task_comm(ictx->opener_comm, current->group_leader);
	ictx->opener_uid = file->f_cred->euid;
	ictx->memcg = get_mem_cgroup_from_mm(current->mm);
	file->private_data = ictx;

	mutex_lock(&iommufd_contexts_lock);
	ictx->id = ++iommufd_last_ctx_id;
	rb_add(&ictx->node, &iommufd_contexts, ctx_less);
	iommufd_show_changed(NULL);
	iommufd_debugfs_add(ictx);
	mutex_unlock(&iommufd_contexts_lock);
	/* No one else has the file yet, so it cannot be gone before this. */
	iommufd_event_ctx(ictx->id, true);
	return 0;
}

/**
 * iommufd_ctx_release - ends the context of a file
 * @file: a file that nobody refers to any more
 */
void iommufd_ctx_release(struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;
	u64 id = ictx->id;

	/* First out of sight, then taken apart: no walker sees a ruin. */
	mutex_lock(&iommufd_contexts_lock);
	rb_erase(&ictx->node, &iommufd_contexts);
	iommufd_show_changed(NULL);
	iommufd_debugfs_remove(ictx);
	mutex_unlock(&iommufd_contexts_lock);

	iommufd_objects_teardown(ictx);
	put_pid(ictx->opener);
	mem_cgroup_put(ictx->memcg);
	mutex_destroy(&ictx->groups_lock);
	kfree(ictx);
	iommufd_event_ctx(id, false);
}

/**
 * iommufd_ctx_get - takes one more reference to a context
 * @ictx: a context that the caller holds a reference to already
 *
 * The context, and with it every object in it, stays until the matching
 * iommufd_ctx_put(), whether or not any process still has it open. It is the
 * open file that stays, so the file system with the node in it is busy too.
 */
void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_get, IOMMUFD);

/**
 * iommufd_ctx_from_file - the context behind an open file
 * @file: a file that the caller holds a reference to
 *
 * The context comes with a reference of its own, which iommufd_ctx_put()
 * drops; the caller's on @file is not consumed.
 *
 * Return: the context, or ERR_PTR(-EBADFD) if @file is not /dev/iommu.
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	struct iommufd_ctx *ictx;

	if (file->f_op != &iommufd_fops)
		return ERR_PTR(-EBADFD);
	ictx = file->private_data;
	iommufd_ctx_get(ictx);
	return ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_file, IOMMUFD);

/**
 * iommufd_ctx_from_fd - the context behind a file descriptor
 * @fd: a descriptor of the calling process
 *
 * The context comes with a reference, which iommufd_ctx_put() drops.
 *
 * Return: the context, or an ERR_PTR: -EBADF if @fd is not open, -EBADFD if
 * it is not /dev/iommu.
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct iommufd_ctx *ictx;

	if (!file)
		return ERR_PTR(-EBADF);
	ictx = iommufd_ctx_from_file(file);
	fput(file);
	return ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_fd, IOMMUFD);

/**
 * iommufd_ctx_put - drops a reference to a context
 * @ictx: not to be touched afterwards
 *
 * The last one, be it this or a close by a process, ends the context and all
 * its objects. That happens as the kernel ends any file: later, in task work,
 * so no lock of the caller's is held there.
 */
void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_put, IOMMUFD);
