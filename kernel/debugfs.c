// SPDX-License-Identifier: GPL-2.0-only
/*
 * The view for a person, below /sys/kernel/debug/iommufd:
 *
 *  contexts        one line a context
 *  <ctx>/objects   one line an object of that context
 *
 * A folder costs more than all else that an open of /dev/iommu does, and most
 * contexts are never looked at. So folders are made by a work item soon after
 * the fact, except that whoever may have learned of an id (from contexts, or
 * from fdinfo) finds the folder at once: those two make it themselves. A close
 * leaves the folder to the work item, since its removal waits for readers.
 *
 * Whoever may open /dev/iommu can have many folders made. So the work item does
 * a bounded number at a time, removes before it makes, and what a folder is
 * made of is charged to whoever opened the context.
 */
#include <linux/debugfs.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <linux/workqueue.h>

#include "iommufd_private.h"

/* How long a folder may lack, or outlive, its context. */
#define IOMMUFD_DEBUGFS_DELAY (HZ / 10)

/* Folders that are made in one go of the work item. */
#define IOMMUFD_DEBUGFS_BATCH 64

/**
 * struct iommufd_debugfs_dir - one context's folder
 * @ctx: its id. What reads a file in the folder goes by that and not by a
 *       pointer, since the folder may be there for longer.
 * @dentry: the folder. Set once, when it is complete, under
 *          iommufd_debugfs_lock; who reads it without, does so with acquire.
 * @next: link in the list of folders to remove; iommufd_contexts_lock
 */
struct iommufd_debugfs_dir {
	u64 ctx;
	struct dentry *dentry;
	struct iommufd_debugfs_dir *next;
};

/* One folder at a time is made under it. */
static DEFINE_MUTEX(iommufd_debugfs_lock);
/* Set once, when the module is initialised. Never set: there is no debugfs. */
static struct dentry *debugfs_root;
static struct dentry *debugfs_contexts;

/* Both under iommufd_contexts_lock: contexts without a folder, and folders
 * without a context.
 */
static LIST_HEAD(debugfs_missing);
static struct iommufd_debugfs_dir *debugfs_orphans;

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
	unsigned int i;

	walk->i = 0;
	walk->n = iommufd_show_contexts(pos, walk->ctxs, IOMMUFD_SHOW_BATCH);
	for (i = 0; i < walk->n; i++)
		iommufd_debugfs_make(walk->ctxs[i].id);
	return walk->n ? &walk->ctxs[0] : NULL;
}

static void *contexts_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? contexts_fill(m->private, *pos) : SEQ_START_TOKEN;
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
	/*
	 * A process chooses its name, and it must neither make up columns and
	 * lines here nor speak to the reader's terminal.
	 */
	seq_escape_str(m, info->comm[0] ? info->comm : "-",
		       ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND, " \\");
	seq_putc(m, '\n');
	return 0;
}

static void *objects_fill(struct iommufd_debugfs_walk *walk, loff_t pos)
{
	u32 next = pos;
	int n;

	do {
		n = iommufd_show_objects(walk->ctx, &next, walk->objs,
					 IOMMUFD_SHOW_BATCH, NULL);
	} while (!n && next != IOMMUFD_SHOW_END);
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

/* With commas, and flush left in @width columns. */
static void show_ids(struct seq_file *m, const u32 *ids, unsigned int nr,
		     int width)
{
	size_t start = m->count;
	unsigned int i;

	for (i = 0; i < nr; i++)
		seq_printf(m, "%s%u", i ? "," : "", ids[i]);
	if (!nr)
		seq_putc(m, '-');
	width -= m->count - start;
	if (width > 0)
		seq_printf(m, "%*s", width, "");
}

static int objects_show(struct seq_file *m, void *v)
{
	const struct iommufd_object_info *info = v;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%-10s %-12s %-8s %-12s %s\n", "ID", "TYPE",
			   "USERS", "REFERS-TO", "REFERRED-BY");
		return 0;
	}
	seq_printf(m, "%-10u %-12s %-8u ", info->id,
		   iommufd_object_type_name(info->type), info->users);
	show_ids(m, info->refers_to, info->nr_refers_to, 12);
	seq_putc(m, ' ');
	show_ids(m, info->referrers, info->nr_referrers, 0);
	seq_puts(m, info->more_referrers ? ",...\n" : "\n");
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

/* One more reference, for a while in which the context may go. */
static struct mem_cgroup *get_memcg(struct mem_cgroup *memcg)
{
#ifdef CONFIG_MEMCG
	if (memcg)
		css_get(&memcg->css);
#endif
	return memcg;
}

/*
 * The context @ctx, or any that is waiting for one if @ctx is 0, gets a folder.
 * False if there is none to get one, or no memory. The context may be gone by
 * the time that this is done; then the folder is in the list of orphans.
 */
static bool make_dir(u64 ctx)
{
	struct mem_cgroup *memcg = NULL, *old;
	struct iommufd_debugfs_dir *dir;
	struct iommufd_ctx *ictx;
	struct dentry *dentry;
	char name[24];

	lockdep_assert_held(&iommufd_debugfs_lock);
	dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);
	if (!dir)
		return false;

	mutex_lock(&iommufd_contexts_lock);
	if (ctx) {
		ictx = iommufd_ctx_next(ctx);
		if (ictx && (ictx->id != ctx || ictx->debugfs))
			ictx = NULL;
	} else {
		ictx = list_first_entry_or_null(&debugfs_missing,
						struct iommufd_ctx,
						debugfs_node);
	}
	if (ictx) {
		list_del_init(&ictx->debugfs_node);
		dir->ctx = ictx->id;
		ictx->debugfs = dir;
		memcg = get_memcg(ictx->memcg);
	}
	mutex_unlock(&iommufd_contexts_lock);
	if (!ictx) {
		kfree(dir);
		return false;
	}

	old = set_active_memcg(memcg);
	snprintf(name, sizeof(name), "%llu", dir->ctx);
	dentry = debugfs_create_dir(name, debugfs_root);
	debugfs_create_file("objects", 0400, dentry, dir, &objects_fops);
	/* Pairs with iommufd_debugfs_make(): who sees it finds it complete. */
	smp_store_release(&dir->dentry, dentry);
	set_active_memcg(old);
	mem_cgroup_put(memcg);
	return true;
}

/*
 * Waits for who reads in the folders, so this holds no lock while it removes
 * them; ids are never given twice, so a new folder cannot have an old name.
 */
static void remove_orphans(void)
{
	struct iommufd_debugfs_dir *dir, *next;

	/* With the first of these, no orphan is still being made. */
	mutex_lock(&iommufd_debugfs_lock);
	mutex_lock(&iommufd_contexts_lock);
	dir = debugfs_orphans;
	debugfs_orphans = NULL;
	mutex_unlock(&iommufd_contexts_lock);
	mutex_unlock(&iommufd_debugfs_lock);

	for (; dir; dir = next) {
		next = dir->next;
		debugfs_remove(dir->dentry);
		kfree(dir);
		cond_resched();
	}
}

static void debugfs_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(debugfs_work, debugfs_work_fn);

/* Unbound: it can wait for a reader, and nobody else shall wait behind it. */
static void start_work(void)
{
	queue_delayed_work(system_unbound_wq, &debugfs_work,
			   IOMMUFD_DEBUGFS_DELAY);
}

static void debugfs_work_fn(struct work_struct *work)
{
	unsigned int i;

	remove_orphans();
	for (i = 0; i < IOMMUFD_DEBUGFS_BATCH; i++) {
		bool made;

		mutex_lock(&iommufd_debugfs_lock);
		made = make_dir(0);
		mutex_unlock(&iommufd_debugfs_lock);
		if (!made)
			return;
	}
	start_work();
}

/**
 * iommufd_debugfs_add - a context was opened
 * @ictx: the context
 *
 * Call with iommufd_contexts_lock held. Cheap: at most it starts a timer.
 */
void iommufd_debugfs_add(struct iommufd_ctx *ictx)
{
	lockdep_assert_held(&iommufd_contexts_lock);
	list_add_tail(&ictx->debugfs_node, &debugfs_missing);
	if (debugfs_root)
		start_work();
}

/**
 * iommufd_debugfs_remove - a context is being released
 * @ictx: the context
 *
 * Call with iommufd_contexts_lock held. Waits for nobody.
 */
void iommufd_debugfs_remove(struct iommufd_ctx *ictx)
{
	lockdep_assert_held(&iommufd_contexts_lock);
	list_del_init(&ictx->debugfs_node);
	if (!ictx->debugfs)
		return;
	ictx->debugfs->next = debugfs_orphans;
	debugfs_orphans = ictx->debugfs;
	start_work();
}

/**
 * iommufd_debugfs_make - makes sure that a context has its folder
 * @ctx: its id; there may be none of that id any more
 *
 * May sleep. Best effort: a task that is killed, or has no memory, makes none.
 */
void iommufd_debugfs_make(u64 ctx)
{
	struct iommufd_ctx *ictx;
	bool needed;

	if (!debugfs_root)
		return;
	mutex_lock(&iommufd_contexts_lock);
	ictx = iommufd_ctx_next(ctx);
	needed = ictx && ictx->id == ctx;
	if (needed && ictx->debugfs)
		/* Pairs with make_dir(). */
		needed = !smp_load_acquire(&ictx->debugfs->dentry);
	mutex_unlock(&iommufd_contexts_lock);

	/* If it is just being made, this waits until it is complete. */
	if (needed && !mutex_lock_killable(&iommufd_debugfs_lock)) {
		make_dir(ctx);
		mutex_unlock(&iommufd_debugfs_lock);
	}
}

/**
 * iommufd_debugfs_init - once, as the last step of loading
 *
 * There may be contexts already. Without debugfs there is nothing here, and
 * all else works.
 */
void iommufd_debugfs_init(void)
{
	struct dentry *root = debugfs_create_dir("iommufd", NULL);

	if (IS_ERR(root))
		return;
	debugfs_contexts = debugfs_create_file("contexts", 0400, root, NULL,
					       &contexts_fops);
	/* Who sees it may make folders, so contexts comes before. */
	mutex_lock(&iommufd_contexts_lock);
	debugfs_root = root;
	start_work();
	mutex_unlock(&iommufd_contexts_lock);
}

/**
 * iommufd_debugfs_exit - once, after the last context
 */
void iommufd_debugfs_exit(void)
{
	/* First what makes folders besides the work item, and waits for it. */
	debugfs_remove(debugfs_contexts);
	cancel_delayed_work_sync(&debugfs_work);
	remove_orphans();
	debugfs_remove(debugfs_root);
}
