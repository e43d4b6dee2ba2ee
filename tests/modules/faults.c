// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does wrong on request, each time in a way that a debug kernel must notice:
 * the proof that its silence about our module means something. Write the name
 * of a fault to the parameter `plant`.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

/* What the compiler must not see through, lest it refuse or drop the fault. */
#define hidden(x)	({ typeof(x) __x = (x); OPTIMIZER_HIDE_VAR(__x); __x; })

static void use_after_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	READ_ONCE(hidden(p)[8]);
}

/*
 * By the kernel's own code, in one read: a node that is empty has no next. It is
 * not where the allocator and KASAN write when the memory is freed.
 */
static void use_by_kernel(void)
{
	struct {
		char before[128];
		struct rb_node node;
	} *p = kmalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return;
	RB_CLEAR_NODE(&p->node);
	kfree(p);
	hidden(rb_next(&hidden(p)->node));
}

static void leak(void)
{
	hidden(kmalloc(64, GFP_KERNEL));
}

static void shift(void)
{
	int n = hidden(40);

	hidden(1 << n);
}

/* With room behind, so that this is not an access beyond the object as well. */
static struct {
	int in[4];
	int behind;
} array;

static void bounds(void)
{
	size_t n = hidden((size_t)4);

	hidden(array.in[n]);
}

static DEFINE_SPINLOCK(spin);

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static void migrate(void)
{
	hidden(smp_processor_id());
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void refcount(void)
{
	refcount_t r = REFCOUNT_INIT(0);

	refcount_inc(&r);
}

static void list(void)
{
	LIST_HEAD(head);
	struct list_head entry;

	list_add(&entry, &head);
	head.next = &head;
	list_del(&entry);
}

static void never(struct timer_list *timer)
{
}

static void active_object(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static unsigned int shared;

static int write_shared(void *unused)
{
	unsigned int n = 0;

	/* It never reads it, and so is never kept by a look of its own. */
	while (!kthread_should_stop()) {
		shared = ++n;
		cond_resched();
	}
	return 0;
}

/* To the next tick only, which a report takes longer than: it shall be one. */
static void race(void)
{
	unsigned long end = jiffies + 1;
	struct task_struct *writer;

	writer = kthread_run(write_shared, NULL, "write_shared");
	if (IS_ERR(writer))
		return;
	while (time_before(jiffies, end) && shared != UINT_MAX) {
		/* Each time round it is read anew. */
		barrier();
		cond_resched();
	}
	kthread_stop(writer);
}

static const struct {
	const char *name;
	void (*plant)(void);
} faults[] = {
	{ "use-after-free", use_after_free },
	{ "use-by-kernel", use_by_kernel },
	{ "leak", leak },
	{ "shift", shift },
	{ "bounds", bounds },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "migrate", migrate },
	{ "lock-order", lock_order },
	{ "refcount", refcount },
	{ "list", list },
	{ "active-object", active_object },
	{ "data-race", race },
};

static int plant_set(const char *val, const struct kernel_param *kp)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (sysfs_streq(val, faults[i].name)) {
			faults[i].plant();
			return 0;
		}
	return -ENOENT;
}

static const struct kernel_param_ops plant_ops = { .set = plant_set };
module_param_cb(plant, &plant_ops, NULL, 0200);

MODULE_DESCRIPTION("Test only: plants faults for a debug kernel to find");
MODULE_LICENSE("GPL");
