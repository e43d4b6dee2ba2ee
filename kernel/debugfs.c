// SPDX-License-Identifier: GPL-2.0-only
/*
 * The view for a person, below /sys/kernel/debug/iommufd:
 *
 *  contexts        one line a context
 *  <ctx>/objects   one line an object of that context
 *  <ctx>/ioas/<id>/areas
 *                  one line a mapping in that I/O address space
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
 *
 * Those of address spaces are made by who reads objects, for so many of them,
 * and stay for as long as their context's: what reads in them goes by ids, so
 * one whose address space is gone shows nothing of another.
 */
#include <linux/debugfs.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <linux/workqueue.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

/* How long a folder may lack, or outlive, its context. */
#define IOMMUFD_DEBUGFS_DELAY (HZ / 10)

/* Folders that are made in one go of the work item. */
#define IOMMUFD_DEBUGFS_BATCH 64

/* Address spaces of one context that get a folder. */
#define IOMMUFD_DEBUGFS_IOAS 1024

/**
 * struct iommufd_debugfs_ioas - one address space's folder
 * @ctx: id of its context
 * @id: its own
 */
struct iommufd_debugfs_ioas {
	u64 ctx;
	u32 id;
};

/**
 * struct iommufd_debugfs_dir - one context's folder
 * @ctx: its id. What reads a file in the folder goes by that and not by a
 *       pointer, since the folder may be there for longer.
 * @dentry: the folder. Set once, when it is complete, under
 *          iommufd_debugfs_lock; who reads it without, does so with acquire.
 * @next: link in the list of folders to remove; iommufd_contexts_lock
 * @memcg: who pays
 * @lock: one address space's folder at a time is made
 * @objects: the file of that name. It goes first, since who reads it makes
 *           what is in @ioas.
 * @ioas: the folder of those. Made with @dentry, since who removes @objects
 *        has @dentry locked while it waits for readers.
 * @nr_ioas: how many are in it; @lock
 * @ioases: struct iommufd_debugfs_ioas by id; @lock
 */
struct iommufd_debugfs_dir {
	u64 ctx;
	struct dentry *dentry;
	struct iommufd_debugfs_dir *next;
	struct mem_cgroup *memcg;
	struct mutex lock;	/* see above */
	struct dentry *objects;
	struct dentry *ioas;
	unsigned int nr_ioas;
	struct xarray ioases;
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
	struct iommufd_debugfs_dir *dir;
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
		seq_printf(m, "%-10s %-10s %-10s %-10s %-8s %-16s %-16s %s\n",
			   "CONTEXT", "OPENER", "UID", "OBJECTS", "RLIMIT",
			   "PINNED", "LIMIT", "COMM");
		return 0;
	}
	seq_printf(m, "%-10llu %-10d %-10u %-10lu %-8s %-16llu ", info->id,
		   info->opener, from_kuid_munged(seq_user_ns(m), info->uid),
		   info->nr_objects, info->rlimit_process ? "process" : "user",
		   info->pinned);
	if (info->limit == U64_MAX)
		seq_printf(m, "%-16s ", "-");
	else
		seq_printf(m, "%-16llu ", info->limit);
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
		     int width, bool more)
{
	size_t start = m->count;
	unsigned int i;

	for (i = 0; i < nr; i++)
		seq_printf(m, "%s%u", i ? "," : "", ids[i]);
	seq_puts(m, !nr ? "-" : more ? ",..." : "");
	width -= m->count - start;
	seq_printf(m, "%*s ", max(width, 0), "");
}

static void make_ioas(struct iommufd_debugfs_dir *dir, u32 id);

static int objects_show(struct seq_file *m, void *v)
{
	const struct iommufd_debugfs_walk *walk = m->private;
	const struct iommufd_object_info *info = v;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%-10s %-12s %-8s %-12s %-14s %-8s %-16s %-16s %s\n",
			   "ID", "TYPE", "USERS", "REFERS-TO", "REFERRED-BY",
			   "AREAS", "MAPPED", "PINNED", "OWNER");
		return 0;
	}
	seq_printf(m, "%-10u %-12s %-8u ", info->id,
		   iommufd_object_type_name(info->type), info->users);
	show_ids(m, info->refers_to, info->nr_refers_to, 12, false);
	show_ids(m, info->referrers, info->nr_referrers, 14,
		 info->more_referrers);
	if (info->type == IOMMUFD_OBJ_IOAS) {
		seq_printf(m, "%-8llu %-16llu %-16llu -\n", info->areas,
			   info->mapped, info->pinned);
		make_ioas(walk->dir, info->id);
	} else if (info->type == IOMMUFD_OBJ_ACCESS) {
		seq_printf(m, "%-8s %-16s %-16llu %s\n", "-", "-",
			   info->pinned, info->owner);
	} else if (info->type == IOMMUFD_OBJ_DEVICE) {
		seq_printf(m, "%-8s %-16s %-16s %s\n", "-", "-", "-",
			   info->owner);
	} else if (info->type == IOMMUFD_OBJ_HWPT) {
		seq_printf(m, "%-8s %-16s %-16s %s\n", "-", "-", "-",
			   info->automatic ? "devices" : "user");
	} else {
		seq_printf(m, "%-8s %-16s %-16s -\n", "-", "-", "-");
	}
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
	/* Stays as long as anyone is in a file's read or write. */
	walk->dir = inode->i_private;
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

/*
 * One walk through an address space. An IOVA has no room in a file's position,
 * so that counts lines, of which 0 is the header; who goes back, or jumps,
 * begins at the start.
 */
struct iommufd_debugfs_areas {
	u64 ctx;
	u32 id;
	loff_t line;
	unsigned long from;
	bool more;
	unsigned int n;
	unsigned int i;
	struct iommufd_range_info areas[IOMMUFD_SHOW_BATCH];
};

static void *areas_next_one(struct iommufd_debugfs_areas *walk)
{
	int n;

	if (++walk->i < walk->n)
		return &walk->areas[walk->i];
	walk->i = 0;
	walk->n = 0;
	if (!walk->more)
		return NULL;
	n = iommufd_show_ranges(walk->ctx, walk->id, IOMMUFD_RANGES_MAPPED,
				&walk->from, &walk->more, walk->areas,
				IOMMUFD_SHOW_BATCH);
	/* Gone meanwhile: that is the end. */
	if (n < 0 && n != -ENOENT && n != -EOPNOTSUPP)
		return ERR_PTR(n);
	walk->n = max(n, 0);
	return walk->n ? &walk->areas[0] : NULL;
}

static void *areas_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct iommufd_debugfs_areas *walk = m->private;

	walk->line = ++*pos;
	return areas_next_one(walk);
}

static void *areas_start(struct seq_file *m, loff_t *pos)
{
	struct iommufd_debugfs_areas *walk = m->private;
	void *v = SEQ_START_TOKEN;
	loff_t line = 0;

	if (*pos && *pos == walk->line)
		return walk->i < walk->n ? &walk->areas[walk->i] : NULL;
	walk->from = 0;
	walk->more = true;
	walk->n = 0;
	walk->i = 0;
	walk->line = 0;
	while (line < *pos && !IS_ERR_OR_NULL(v))
		v = areas_next(m, v, &line);
	return v;
}

static int areas_show(struct seq_file *m, void *v)
{
	const struct iommufd_range_info *info = v;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%-18s %-18s %s\n", "START", "LAST", "ACCESS");
		return 0;
	}
	seq_printf(m, "0x%016lx 0x%016lx %s%s\n", info->start, info->last,
		   info->flags & IOMMU_IOAS_MAP_READABLE ? "r" : "-",
		   info->flags & IOMMU_IOAS_MAP_WRITEABLE ? "w" : "-");
	return 0;
}

static const struct seq_operations areas_seq_ops = {
	.start = areas_start,
	.next = areas_next,
	.stop = walk_stop,
	.show = areas_show,
};

static int areas_open(struct inode *inode, struct file *file)
{
	const struct iommufd_debugfs_ioas *ioas = inode->i_private;
	struct iommufd_debugfs_areas *walk;
	struct iommufd_range_info first;
	unsigned long from = 0;
	bool more = true;
	int rc;

	rc = iommufd_show_ranges(ioas->ctx, ioas->id, IOMMUFD_RANGES_MAPPED,
				 &from, &more, &first, 1);
	if (rc < 0)
		return rc == -EOPNOTSUPP ? -ENOENT : rc;
	walk = __seq_open_private(file, &areas_seq_ops, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->ctx = ioas->ctx;
	walk->id = ioas->id;
	return 0;
}

static const struct file_operations areas_fops = {
	.owner = THIS_MODULE,
	.open = areas_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/* Best effort: without memory there is no folder. Under @dir->lock. */
static void make_ioas_locked(struct iommufd_debugfs_dir *dir, u32 id)
{
	struct iommufd_debugfs_ioas *ioas;
	struct dentry *dentry;
	char name[16];

	if (dir->nr_ioas == IOMMUFD_DEBUGFS_IOAS || xa_load(&dir->ioases, id))
		return;
	ioas = kzalloc(sizeof(*ioas), GFP_KERNEL_ACCOUNT);
	if (!ioas)
		return;
	ioas->ctx = dir->ctx;
	ioas->id = id;
	if (xa_err(xa_store(&dir->ioases, id, ioas, GFP_KERNEL_ACCOUNT))) {
		kfree(ioas);
		return;
	}
	dir->nr_ioas++;
	snprintf(name, sizeof(name), "%u", id);
	dentry = debugfs_create_dir(name, dir->ioas);
	debugfs_create_file("areas", 0400, dentry, ioas, &areas_fops);
}

static void make_ioas(struct iommufd_debugfs_dir *dir, u32 id)
{
	struct mem_cgroup *old;

	if (mutex_lock_killable(&dir->lock))
		return;
	old = set_active_memcg(dir->memcg);
	make_ioas_locked(dir, id);
	set_active_memcg(old);
	mutex_unlock(&dir->lock);
}

/* Once nobody can be in any file of it. */
static void free_dir(struct iommufd_debugfs_dir *dir)
{
	struct iommufd_debugfs_ioas *ioas;
	unsigned long id;

	xa_for_each(&dir->ioases, id, ioas)
		kfree(ioas);
	xa_destroy(&dir->ioases);
	mem_cgroup_put(dir->memcg);
	kfree(dir);
}

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
	struct iommufd_debugfs_dir *dir;
	struct iommufd_ctx *ictx;
	struct mem_cgroup *old;
	struct dentry *dentry;
	char name[24];

	lockdep_assert_held(&iommufd_debugfs_lock);
	dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);
	if (!dir)
		return false;
	mutex_init(&dir->lock);
	xa_init_flags(&dir->ioases, XA_FLAGS_ACCOUNT);

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
		dir->memcg = get_memcg(ictx->memcg);
	}
	mutex_unlock(&iommufd_contexts_lock);
	if (!ictx) {
		free_dir(dir);
		return false;
	}

	old = set_active_memcg(dir->memcg);
	snprintf(name, sizeof(name), "%llu", dir->ctx);
	dentry = debugfs_create_dir(name, debugfs_root);
	/* Before objects, whose readers go there. */
	dir->ioas = debugfs_create_dir("ioas", dentry);
	dir->objects = debugfs_create_file("objects", 0400, dentry, dir,
					   &objects_fops);
	/* Pairs with iommufd_debugfs_make(): who sees it finds it complete. */
	smp_store_release(&dir->dentry, dentry);
	set_active_memcg(old);
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
		debugfs_remove(dir->objects);
		debugfs_remove(dir->dentry);
		free_dir(dir);
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
