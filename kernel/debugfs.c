// SPDX-License-Identifier: GPL-2.0-only
/*
 * The view for a person, below /sys/kernel/debug/iommufd:
 *
 *  contexts        one line a context
 *  <ctx>/objects   one line an object of that context
 *
 * A folder costs more than all else that an open of /dev/iommu does, and most
 * contexts are never looked at. So folders are made and removed by a work item
 * soon after the fact, except that whoever may have learned of an id (from
 * contexts, or from fdinfo) finds the folder at once: those two call
 * iommufd_debugfs_sync() first. A close never waits for a reader either: it
 * leaves the folder to the work item.
 */
#include <linux/debugfs.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "iommufd_private.h"

/* How long a folder may lack, or outlive, its context. */
#define IOMMUFD_DEBUGFS_DELAY (HZ / 10)

/**
 * struct iommufd_debugfs_dir - one context's folder
 * @ctx: its id. What reads a file in the folder goes by that and not by a
 *       pointer, since the folder may be there for longer.
 * @dentry: the folder; iommufd_debugfs_lock
 * @next: link in the list of folders to remove; iommufd_contexts_lock
 */
struct iommufd_debugfs_dir {
	u64 ctx;
	struct dentry *dentry;
	struct iommufd_debugfs_dir *next;
};

static DEFINE_MUTEX(iommufd_debugfs_lock);
static struct dentry *debugfs_root;
static struct dentry *debugfs_contexts;
/* Contexts up to this id have their folder, or are gone. */
static u64 debugfs_synced;
static struct iommufd_debugfs_dir *debugfs_removed;

/*
 * One walk through a file: a batch at a time. The position in the file is the
 * lowest id not yet shown (0 stands for the header), so seq_file can leave off
 * and resume anywhere.
 */
struct iommufd_debugfs_walk {
	u64 ctx;
	unsigned int n;
	unsigned int i;
	union {
		struct iommufd_ctx_info ctxs[IOMMUFD_SHOW_BATCH];
		struct iommufd_object_info objs[IOMMUFD_SHOW_BATCH];
	};
};

static void *contexts_fill(struct iommufd_debugfs_walk *walk, loff_t pos)
{
	walk->i = 0;
	walk->n = iommufd_show_contexts(pos, walk->ctxs, IOMMUFD_SHOW_BATCH);
	return walk->n ? &walk->ctxs[0] : NULL;
}

static void *contexts_start(struct seq_file *m, loff_t *pos)
{
	if (!*pos) {
		iommufd_debugfs_sync(U64_MAX);
		return SEQ_START_TOKEN;
	}
	return contexts_fill(m->private, *pos);
}

static void *contexts_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct iommufd_debugfs_walk *walk = m->private;
	const struct iommufd_ctx_info *info = v;

	*pos = v == SEQ_START_TOKEN ? 1 : info->id + 1;
	if (v != SEQ_START_TOKEN && ++walk->i < walk->n)
		return &walk->ctxs[walk->i];
	return contexts_fill(walk, *pos);
}

static int contexts_show(struct seq_file *m, void *v)
{
	const struct iommufd_ctx_info *info = v;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%-10s %-10s %-10s %-10s %s\n", "CONTEXT",
			   "OPENER", "UID", "OBJECTS", "COMM");
		return 0;
	}
	seq_printf(m, "%-10llu %-10d %-10u %-10lu ", info->id, info->opener,
		   from_kuid_munged(seq_user_ns(m), info->uid),
		   info->nr_objects);
	/* A process chooses its name, and it must not make up lines here. */
	seq_escape(m, info->comm, " \t\n\\");
	seq_putc(m, '\n');
	return 0;
}

static void *objects_fill(struct iommufd_debugfs_walk *walk, loff_t pos)
{
	int n;

	/* IDs end at 2^31 - 1; the next one after the last is no u32 overflow. */
	n = iommufd_show_objects(walk->ctx, pos, walk->objs,
				 IOMMUFD_SHOW_BATCH);
	walk->i = 0;
	walk->n = max(n, 0);
	return walk->n ? &walk->objs[0] : NULL;
}

static void *objects_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? objects_fill(m->private, *pos) : SEQ_START_TOKEN;
}

static void *objects_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct iommufd_debugfs_walk *walk = m->private;
	const struct iommufd_object_info *info = v;

	*pos = v == SEQ_START_TOKEN ? 1 : (loff_t)info->id + 1;
	if (v != SEQ_START_TOKEN && ++walk->i < walk->n)
		return &walk->objs[walk->i];
	return objects_fill(walk, *pos);
}

static int objects_show(struct seq_file *m, void *v)
{
	const struct iommufd_object_info *info = v;
	unsigned int i;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%-10s %-12s %-8s %s\n", "ID", "TYPE", "USERS",
			   "REFERS-TO");
		return 0;
	}
	seq_printf(m, "%-10u %-12s %-8u ", info->id,
		   iommufd_object_type_name(info->type), info->users);
	for (i = 0; i < info->nr_refers_to; i++)
		seq_printf(m, "%s%u", i ? "," : "", info->refers_to[i]);
	seq_puts(m, info->nr_refers_to ? "\n" : "-\n");
	return 0;
}

static void walk_stop(struct seq_file *m, void *v)
{
}

static const struct seq_operations contexts_seq_ops = {
	.start = contexts_start,
	.next = contexts_next,
	.stop = walk_stop,
	.show = contexts_show,
};

static const struct seq_operations objects_seq_ops = {
	.start = objects_start,
	.next = objects_next,
	.stop = walk_stop,
	.show = objects_show,
};

static int contexts_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &contexts_seq_ops,
				sizeof(struct iommufd_debugfs_walk));
}

static int objects_open(struct inode *inode, struct file *file)
{
	const struct iommufd_debugfs_dir *dir = inode->i_private;
	struct iommufd_debugfs_walk *walk;

	walk = __seq_open_private(file, &objects_seq_ops, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->ctx = dir->ctx;
	return 0;
}

static const struct file_operations contexts_fops = {
	.owner = THIS_MODULE,
	.open = contexts_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static const struct file_operations objects_fops = {
	.owner = THIS_MODULE,
	.open = objects_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/* Gives the next context that has no folder one. False when there is none. */
static bool make_one_dir(void)
{
	struct iommufd_debugfs_dir *dir;
	struct iommufd_ctx *ictx;
	char name[24];

	lockdep_assert_held(&iommufd_debugfs_lock);
	dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);
	if (!dir)
		return false;

	mutex_lock(&iommufd_contexts_lock);
	ictx = iommufd_ctx_next(debugfs_synced + 1);
	if (ictx) {
		dir->ctx = ictx->id;
		ictx->debugfs = dir;
		WRITE_ONCE(debugfs_synced, ictx->id);
	}
	mutex_unlock(&iommufd_contexts_lock);

	if (!ictx) {
		kfree(dir);
		return false;
	}
	/* The context may be gone by now. Then dir waits to be removed. */
	snprintf(name, sizeof(name), "%llu", dir->ctx);
	dir->dentry = debugfs_create_dir(name, debugfs_root);
	debugfs_create_file("objects", 0400, dir->dentry, dir, &objects_fops);
	return true;
}

static void remove_dirs(void)
{
	struct iommufd_debugfs_dir *dir, *next;

	lockdep_assert_held(&iommufd_debugfs_lock);
	mutex_lock(&iommufd_contexts_lock);
	dir = debugfs_removed;
	debugfs_removed = NULL;
	mutex_unlock(&iommufd_contexts_lock);

	for (; dir; dir = next) {
		next = dir->next;
		debugfs_remove(dir->dentry);
		kfree(dir);
	}
}

static void debugfs_work_fn(struct work_struct *work)
{
	mutex_lock(&iommufd_debugfs_lock);
	remove_dirs();
	while (make_one_dir())
		cond_resched();
	mutex_unlock(&iommufd_debugfs_lock);
}

static DECLARE_DELAYED_WORK(debugfs_work, debugfs_work_fn);

/**
 * iommufd_debugfs_announce - a context was opened
 *
 * Cheap: at most it starts a timer.
 */
void iommufd_debugfs_announce(void)
{
	if (!IS_ERR(debugfs_root))
		schedule_delayed_work(&debugfs_work, IOMMUFD_DEBUGFS_DELAY);
}

/**
 * iommufd_debugfs_forget - a context with a folder is being released
 * @dir: its folder; not to be touched afterwards
 *
 * Call with iommufd_contexts_lock held. Waits for nobody.
 */
void iommufd_debugfs_forget(struct iommufd_debugfs_dir *dir)
{
	lockdep_assert_held(&iommufd_contexts_lock);
	dir->next = debugfs_removed;
	debugfs_removed = dir;
	schedule_delayed_work(&debugfs_work, IOMMUFD_DEBUGFS_DELAY);
}

/**
 * iommufd_debugfs_sync - makes sure that contexts have their folders
 * @id: the folder of this context and of all before it; U64_MAX for all
 *
 * May sleep. Best effort: without memory there is no folder.
 */
void iommufd_debugfs_sync(u64 id)
{
	if (IS_ERR(debugfs_root) || id <= READ_ONCE(debugfs_synced))
		return;
	mutex_lock(&iommufd_debugfs_lock);
	while (id > debugfs_synced && make_one_dir())
		cond_resched();
	mutex_unlock(&iommufd_debugfs_lock);
}

/**
 * iommufd_debugfs_init - once, before the first context
 *
 * Without debugfs, or under lockdown, there is nothing here, and all else
 * works.
 */
void iommufd_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("iommufd", NULL);
	debugfs_contexts = debugfs_create_file("contexts", 0400, debugfs_root,
					       NULL, &contexts_fops);
}

/**
 * iommufd_debugfs_exit - once, after the last context
 */
void iommufd_debugfs_exit(void)
{
	/* First what can call iommufd_debugfs_sync(), and waits for it. */
	debugfs_remove(debugfs_contexts);
	cancel_delayed_work_sync(&debugfs_work);
	mutex_lock(&iommufd_debugfs_lock);
	remove_dirs();
	mutex_unlock(&iommufd_debugfs_lock);
	debugfs_remove(debugfs_root);
}
