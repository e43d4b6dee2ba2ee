// SPDX-License-Identifier: GPL-2.0-only
/*
 * An in-kernel user of iommufd that a test drives from a shell. Never installed.
 *
 * Each open of /sys/kernel/debug/iommufd_testdrv/session is a session of its
 * own. A write is one command; it fails with the errno of what it did. A read
 * gives the number that the last command resulted in. A close drops all that
 * the session holds, the context last.
 *
 *  ctx FD              take the context behind the writer's descriptor FD
 *  put                 drop it, and all that is held of it
 *  create [ID...]      make an object of type test that refers to these;
 *                      results in its id
 *  fail STEP [ID...]   the same, but fail at STEP: reserved (an id is
 *                      reserved), half (one reference is taken), whole (all is
 *                      done but the publishing); always ends in EIO, or in
 *                      EINVAL if STEP was never reached
 *  chain N up|down     make N objects, each of which refers to the one before
 *                      it (up) or after it (down); results in the first id
 *  circle              make two objects that refer to each other, which no
 *                      teardown can free
 *  free-circle         free those two after their context has leaked them
 *  reserve TOKEN       reserve an id until TOKEN, then give it back; results in
 *                      that id
 *  twice               publish one object two times, which must be refused;
 *                      results in its id
 *  hold ID, drop ID    take, drop a lasting reference
 *  busy ID TOKEN       have a call in flight on it until TOKEN
 *  busy-hold ID TOKEN  the same, then turn that into a lasting reference
 *  go TOKEN            ends the one wait for TOKEN that is, or comes next, in
 *                      whatever session. TOKEN is 0 to 31
 *  own, disown ID      make, destroy an object that the kernel owns
 *
 * Commands of accesses are at the head of testdrv_access.c, those of devices at
 * that of testdrv_device.c.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "iommufd_private.h"
#include "testdrv.h"

/**
 * struct testdrv_obj - an object that refers to others and does nothing else
 * @obj: the object
 * @nr_refs: entries in @refs
 * @refs: its lasting references
 */
struct testdrv_obj {
	struct iommufd_object obj;
	unsigned int nr_refs;
	struct iommufd_ref refs[IOMMUFD_MAX_REFS];
};

/**
 * struct testdrv_hold - something that a session must give back
 * @node: in the session's holds
 * @obj: a lasting reference on this
 * @owned: the object is the session's own: the reference is the object's on
 *         itself
 */
struct testdrv_hold {
	struct list_head node;
	struct iommufd_object *obj;
	bool owned;
};

static struct dentry *testdrv_dir;

/* Tokens that were given and not taken yet. */
static unsigned long testdrv_tokens;
static DECLARE_WAIT_QUEUE_HEAD(testdrv_token_wait);

/* The two objects of the last circle; testdrv_circle_lock. */
static DEFINE_MUTEX(testdrv_circle_lock);
static struct testdrv_obj *testdrv_circle[2];

static void testdrv_obj_destroy(struct iommufd_ctx *ictx,
				struct iommufd_object *obj)
{
	struct testdrv_obj *tobj = container_of(obj, struct testdrv_obj, obj);

	while (tobj->nr_refs)
		iommufd_object_unlink(ictx, &tobj->refs[--tobj->nr_refs]);
}

static const struct iommufd_object_ops testdrv_obj_ops = {
	.type = IOMMUFD_OBJ_TEST,
	.owner = THIS_MODULE,
	.destroy = testdrv_obj_destroy,
};

/* Adds a lasting reference on the object @id, or says why not. */
static int add_ref(struct iommufd_ctx *ictx, struct testdrv_obj *tobj, u32 id)
{
	struct iommufd_object *obj;
	int rc = 0;

	if (tobj->nr_refs == IOMMUFD_MAX_REFS)
		return -E2BIG;
	obj = iommufd_object_get(ictx, id, NULL);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (iommufd_object_link(ictx, &tobj->refs[tobj->nr_refs], &tobj->obj,
				obj))
		tobj->nr_refs++;
	else
		rc = -ENOENT;
	iommufd_object_put(ictx, obj);
	return rc;
}

/**
 * testdrv_next_u32 - takes the next word of a command
 * @args: what is left of the command, or NULL
 * @val: its value
 *
 * Return: 0, or -EINVAL where it is missing or no number.
 */
int testdrv_next_u32(char **args, u32 *val)
{
	char *word = strsep(args, " ");

	return word ? kstrtou32(word, 0, val) : -EINVAL;
}

/**
 * testdrv_next_ulong - takes the next word of a command
 * @args: what is left of the command, or NULL
 * @val: its value
 *
 * Return: 0, or -EINVAL where it is missing or no number.
 */
int testdrv_next_ulong(char **args, unsigned long *val)
{
	char *word = strsep(args, " ");

	return word ? kstrtoul(word, 0, val) : -EINVAL;
}

static int next_token(char **args, u32 *token)
{
	return testdrv_next_u32(args, token) ?: *token < 32 ? 0 : -EINVAL;
}

/* Not inlined: a test finds who sleeps here by the name. */
static noinline void testdrv_await(u32 token)
{
	wait_event_interruptible(testdrv_token_wait,
				 test_and_clear_bit(token, &testdrv_tokens));
}

static int cmd_go(char *args)
{
	u32 token;
	int rc;

	rc = next_token(&args, &token);
	if (rc)
		return rc;
	set_bit(token, &testdrv_tokens);
	wake_up_all(&testdrv_token_wait);
	return 0;
}

/* @fail: the step to fail at, or NULL. */
static int cmd_create(struct testdrv_session *s, char *args, const char *fail)
{
	struct testdrv_obj *tobj;
	int rc = 0;
	u32 id;

	tobj = iommufd_object_alloc(s->ictx, tobj, &testdrv_obj_ops);
	if (IS_ERR(tobj))
		return PTR_ERR(tobj);
	s->result = tobj->obj.id;

	if (fail && !strcmp(fail, "reserved")) {
		iommufd_object_abort(s->ictx, &tobj->obj);
		return -EIO;
	}
	while (args && !rc) {
		rc = testdrv_next_u32(&args, &id);
		if (!rc)
			rc = add_ref(s->ictx, tobj, id);
		if (!rc && fail && !strcmp(fail, "half"))
			rc = -EIO;
	}
	if (!rc && fail)
		rc = strcmp(fail, "whole") ? -EINVAL : -EIO;

	if (rc)
		iommufd_object_abort_and_destroy(s->ictx, &tobj->obj);
	else
		iommufd_object_finalize(s->ictx, &tobj->obj);
	return rc;
}

static int cmd_reserve(struct testdrv_session *s, char *args)
{
	struct testdrv_obj *tobj;
	u32 token;
	int rc;

	rc = next_token(&args, &token);
	if (rc)
		return rc;
	tobj = iommufd_object_alloc(s->ictx, tobj, &testdrv_obj_ops);
	if (IS_ERR(tobj))
		return PTR_ERR(tobj);
	s->result = tobj->obj.id;
	testdrv_await(token);
	iommufd_object_abort(s->ictx, &tobj->obj);
	return 0;
}

static int cmd_twice(struct testdrv_session *s)
{
	struct testdrv_obj *tobj;

	tobj = iommufd_object_alloc(s->ictx, tobj, &testdrv_obj_ops);
	if (IS_ERR(tobj))
		return PTR_ERR(tobj);
	s->result = tobj->obj.id;
	iommufd_object_finalize(s->ictx, &tobj->obj);
	iommufd_object_finalize(s->ictx, &tobj->obj);
	return 0;
}

/* Links @from to @to, neither of which anybody else can see yet. */
static void link_new(struct iommufd_ctx *ictx, struct testdrv_obj *from,
		     struct testdrv_obj *to)
{
	WARN_ON(!iommufd_object_link(ictx, &from->refs[from->nr_refs++],
				     &from->obj, &to->obj));
}

/* Makes @nr unlinked objects. On failure there are none. */
static int make_row(struct testdrv_session *s, struct testdrv_obj **row, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		row[i] = iommufd_object_alloc(s->ictx, row[i],
					      &testdrv_obj_ops);
		if (IS_ERR(row[i])) {
			int rc = PTR_ERR(row[i]);

			while (i--)
				iommufd_object_abort(s->ictx, &row[i]->obj);
			return rc;
		}
		cond_resched();
	}
	s->result = row[0]->obj.id;
	return 0;
}

static int cmd_chain(struct testdrv_session *s, char *args)
{
	struct testdrv_obj **row;
	bool up;
	u32 nr, i;
	int rc;

	rc = testdrv_next_u32(&args, &nr);
	if (rc || !nr || nr > 1000000 || !args)
		return rc ?: -EINVAL;
	up = !strcmp(args, "up");
	row = kvmalloc_array(nr, sizeof(*row), GFP_KERNEL_ACCOUNT);
	if (!row)
		return -ENOMEM;
	rc = make_row(s, row, nr);
	if (!rc) {
		for (i = 1; i < nr; i++) {
			link_new(s->ictx, up ? row[i] : row[i - 1],
				 up ? row[i - 1] : row[i]);
			cond_resched();
		}
		for (i = 0; i < nr; i++) {
			iommufd_object_finalize(s->ictx, &row[i]->obj);
			cond_resched();
		}
	}
	kvfree(row);
	return rc;
}

static int cmd_circle(struct testdrv_session *s)
{
	struct testdrv_obj **row = testdrv_circle;
	int rc = -EBUSY;

	mutex_lock(&testdrv_circle_lock);
	if (row[0])
		goto out;
	rc = make_row(s, row, ARRAY_SIZE(testdrv_circle));
	if (rc) {
		row[0] = NULL;
		goto out;
	}
	link_new(s->ictx, row[0], row[1]);
	link_new(s->ictx, row[1], row[0]);
	iommufd_object_finalize(s->ictx, &row[0]->obj);
	iommufd_object_finalize(s->ictx, &row[1]->obj);
out:
	mutex_unlock(&testdrv_circle_lock);
	return rc;
}

/* Only after their context is gone: nobody else knows of them any more. */
static int cmd_free_circle(struct testdrv_session *s)
{
	int i, rc = -ENOENT;

	if (s->ictx)
		return -EBUSY;
	mutex_lock(&testdrv_circle_lock);
	for (i = 0; testdrv_circle[0] && i < ARRAY_SIZE(testdrv_circle); i++) {
		kfree(testdrv_circle[i]);
		module_put(THIS_MODULE);
		rc = 0;
	}
	testdrv_circle[0] = NULL;
	mutex_unlock(&testdrv_circle_lock);
	return rc;
}

/* @obj carries a reference already; it is the session's from now on. */
static void add_hold(struct testdrv_session *s, struct testdrv_hold *hold,
		     struct iommufd_object *obj, bool owned)
{
	hold->obj = obj;
	hold->owned = owned;
	list_add(&hold->node, &s->holds);
}

static void give_back(struct testdrv_session *s, struct testdrv_hold *hold)
{
	list_del(&hold->node);
	if (hold->owned)
		iommufd_object_destroy_owned(s->ictx, hold->obj);
	else
		iommufd_object_unref(s->ictx, hold->obj);
	kfree(hold);
}

static int cmd_drop(struct testdrv_session *s, char *args, bool owned)
{
	struct testdrv_hold *hold;
	u32 id;
	int rc;

	rc = testdrv_next_u32(&args, &id);
	if (rc)
		return rc;
	list_for_each_entry(hold, &s->holds, node) {
		if (hold->obj->id == id && hold->owned == owned) {
			give_back(s, hold);
			return 0;
		}
	}
	return -ENOENT;
}

/* In flight until the token in @args, if @wait, then lasting if @keep. */
static int cmd_use(struct testdrv_session *s, char *args, bool wait, bool keep)
{
	struct testdrv_hold *hold;
	struct iommufd_object *obj;
	u32 id, token;
	int rc;

	rc = testdrv_next_u32(&args, &id);
	if (!rc && wait)
		rc = next_token(&args, &token);
	if (rc)
		return rc;
	hold = kzalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return -ENOMEM;

	obj = iommufd_object_get(s->ictx, id, NULL);
	if (IS_ERR(obj)) {
		kfree(hold);
		return PTR_ERR(obj);
	}
	if (wait)
		testdrv_await(token);
	if (keep && iommufd_object_ref(obj)) {
		add_hold(s, hold, obj, false);
	} else {
		rc = keep ? -ENOENT : 0;
		kfree(hold);
	}
	iommufd_object_put(s->ictx, obj);
	return rc;
}

static int cmd_own(struct testdrv_session *s)
{
	struct testdrv_hold *hold;
	struct testdrv_obj *tobj;

	hold = kzalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return -ENOMEM;
	tobj = iommufd_object_alloc(s->ictx, tobj, &testdrv_obj_ops);
	if (IS_ERR(tobj)) {
		kfree(hold);
		return PTR_ERR(tobj);
	}
	iommufd_object_own(&tobj->obj);
	s->result = tobj->obj.id;
	add_hold(s, hold, &tobj->obj, true);
	iommufd_object_finalize(s->ictx, &tobj->obj);
	return 0;
}

static int cmd_ctx(struct testdrv_session *s, char *args)
{
	struct iommufd_ctx *ictx;
	u32 fd;
	int rc;

	rc = testdrv_next_u32(&args, &fd);
	if (rc)
		return rc;
	if (s->ictx)
		return -EBUSY;
	ictx = iommufd_ctx_from_fd(fd);
	if (IS_ERR(ictx))
		return PTR_ERR(ictx);
	s->ictx = ictx;
	return 0;
}

static void cmd_put(struct testdrv_session *s)
{
	struct testdrv_hold *hold, *next;

	testdrv_device_put(s);
	testdrv_access_put(s);
	list_for_each_entry_safe(hold, next, &s->holds, node)
		give_back(s, hold);
	if (s->ictx)
		iommufd_ctx_put(s->ictx);
	s->ictx = NULL;
}

static int run_command(struct testdrv_session *s, char *args)
{
	const char *cmd = strsep(&args, " ");
	int rc;

	s->result = 0;
	s->told = 0;
	if (!strcmp(cmd, "ctx"))
		return cmd_ctx(s, args);
	if (!strcmp(cmd, "free-circle"))
		return cmd_free_circle(s);
	if (!strcmp(cmd, "go"))
		return cmd_go(args);
	if (!s->ictx)
		return -ENXIO;
	if (!strcmp(cmd, "put")) {
		cmd_put(s);
		return 0;
	}
	if (!strcmp(cmd, "create"))
		return cmd_create(s, args, NULL);
	if (!strcmp(cmd, "fail")) {
		const char *step = strsep(&args, " ");

		return step ? cmd_create(s, args, step) : -EINVAL;
	}
	if (!strcmp(cmd, "chain"))
		return cmd_chain(s, args);
	if (!strcmp(cmd, "circle"))
		return cmd_circle(s);
	if (!strcmp(cmd, "reserve"))
		return cmd_reserve(s, args);
	if (!strcmp(cmd, "twice"))
		return cmd_twice(s);
	if (!strcmp(cmd, "hold"))
		return cmd_use(s, args, false, true);
	if (!strcmp(cmd, "drop"))
		return cmd_drop(s, args, false);
	if (!strcmp(cmd, "busy"))
		return cmd_use(s, args, true, false);
	if (!strcmp(cmd, "busy-hold"))
		return cmd_use(s, args, true, true);
	if (!strcmp(cmd, "own"))
		return cmd_own(s);
	if (!strcmp(cmd, "disown"))
		return cmd_drop(s, args, true);
	if (testdrv_device_command(s, cmd, args, &rc))
		return rc;
	return testdrv_access_command(s, cmd, args);
}

static ssize_t session_write(struct file *file, const char __user *ubuf,
			     size_t len, loff_t *pos)
{
	struct testdrv_session *s = file->private_data;
	char *line;
	int rc;

	if (len > 256)
		return -E2BIG;
	line = memdup_user_nul(ubuf, len);
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&s->lock);
	rc = run_command(s, strim(line));
	mutex_unlock(&s->lock);
	kfree(line);
	return rc ?: len;
}

static ssize_t session_read(struct file *file, char __user *ubuf, size_t len,
			    loff_t *pos)
{
	struct testdrv_session *s = file->private_data;
	char buf[16];
	int n;

	mutex_lock(&s->lock);
	n = scnprintf(buf, sizeof(buf), "%u\n", s->result);
	/* Not the file's position: a write that failed leaves that alone. */
	n = simple_read_from_buffer(ubuf, len, &s->told, buf, n);
	mutex_unlock(&s->lock);
	return n;
}

static int session_open(struct inode *inode, struct file *file)
{
	struct testdrv_session *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return -ENOMEM;
	mutex_init(&s->lock);
	INIT_LIST_HEAD(&s->holds);
	INIT_LIST_HEAD(&s->accesses);
	INIT_LIST_HEAD(&s->devices);
	file->private_data = s;
	return 0;
}

static int session_release(struct inode *inode, struct file *file)
{
	struct testdrv_session *s = file->private_data;

	cmd_put(s);
	kfree(s);
	return 0;
}

static const struct file_operations session_fops = {
	.owner = THIS_MODULE,
	.open = session_open,
	.release = session_release,
	.read = session_read,
	.write = session_write,
};

static int __init testdrv_init(void)
{
	testdrv_dir = debugfs_create_dir("iommufd_testdrv", NULL);
	if (IS_ERR(testdrv_dir))
		return PTR_ERR(testdrv_dir);
	debugfs_create_file("session", 0600, testdrv_dir, NULL, &session_fops);
	return 0;
}

static void __exit testdrv_exit(void)
{
	debugfs_remove(testdrv_dir);
}

module_init(testdrv_init);
module_exit(testdrv_exit);

MODULE_DESCRIPTION("Drives iommufd from a test");
MODULE_AUTHOR("The iommufdctl authors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(IOMMUFD);
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_IMPORT_NS(IOMMUFD_VFIO);
