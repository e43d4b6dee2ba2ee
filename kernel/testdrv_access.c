// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test driver's accesses: an in-kernel user of an IOAS that does what a
 * test says, well behaved or not. Its commands, in a session of testdrv.c:
 *
 *  access MODE [N]     make an access, which results in its id. MODE is how it
 *                      answers when a range is about to be unmapped:
 *                        obey       it unpins
 *                        slow N     it unpins after N ms
 *                        late N     the same, but by then it has forgotten
 *                                   what it is about to unpin
 *                        refuse N   it does nothing for the first N times
 *                        plain      it is not asked: it pins nothing, but
 *                                   reads and writes
 *  attach ID IOAS      have it look at this IOAS
 *  replace ID IOAS     have it look at this one instead
 *  detach ID           have it look at none
 *  end ID              destroy it
 *  pin ID IOVA LEN FLAGS
 *                      pin a range; results in the number of pages
 *  unpin ID IOVA LEN   unpin a range that was pinned just so
 *  look ID IOVA LEN SEED
 *                      compare what is pinned just so with the pattern
 *  read ID IOVA LEN SEED FLAGS
 *                      read a range and compare it with the pattern
 *  write ID IOVA LEN SEED FLAGS
 *                      write the pattern there
 *  asked ID            how often it was told of an unmap
 *  pinned ID           how many pages it has pinned
 *
 * A comparison that fails ends in EILSEQ and results in the number of bytes
 * that were right. The pattern's byte at IOVA a is a * 31 + a / 4096 * 13 +
 * SEED, modulo 256. FLAGS are the bits of iommufd_access_rw(); with
 * IOMMUFD_ACCESS_RW_KTHREAD the call is made from a kernel thread.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "testdrv.h"

/* More than any test needs, less than would hurt. */
#define TESTDRV_MAX_LEN SZ_256M

/**
 * struct testdrv_access - an access of a session
 * @node: in the session's accesses
 * @access: iommufd's side of it
 * @id: of its object
 * @delay: ms that it takes before it unpins
 * @late: ms that it takes after it has decided what to unpin
 * @lock: for all below, and for the time of a pin: without it, a range could
 *        be unmapped between the pin and the note of it
 * @pins: struct testdrv_pin
 * @refusals: how often it will do nothing when it ought to unpin
 * @asked: how often it was told of an unmap
 */
struct testdrv_access {
	struct list_head node;
	struct iommufd_access *access;
	u32 id;
	u32 delay;
	u32 late;
	struct mutex lock;	/* for all below */
	struct list_head pins;
	u32 refusals;
	u32 asked;
};

/**
 * struct testdrv_pin - one successful pin
 * @node: in the access's pins
 * @iova: as it was called with
 * @length: as it was called with
 * @nr: number of @pages
 * @pages: what it gave
 */
struct testdrv_pin {
	struct list_head node;
	unsigned long iova;
	unsigned long length;
	unsigned long nr;
	struct page *pages[];
};

static u8 pattern(unsigned long iova, u32 seed)
{
	return iova * 31 + iova / 4096 * 13 + seed;
}

/* The pin is in a list that nobody else looks at now. */
static void drop_pin(struct testdrv_access *tacc, struct testdrv_pin *pin)
{
	iommufd_access_unpin_pages(tacc->access, pin->iova, pin->length);
	list_del(&pin->node);
	kvfree(pin);
}

static void access_unmap(void *data, unsigned long iova, unsigned long length)
{
	unsigned long last = length ? iova + length - 1 : iova;
	struct testdrv_access *tacc = data;
	struct testdrv_pin *pin, *next;
	LIST_HEAD(drop);

	if (tacc->delay)
		msleep(tacc->delay);
	mutex_lock(&tacc->lock);
	tacc->asked++;
	if (tacc->refusals) {
		tacc->refusals--;
	} else {
		list_for_each_entry_safe(pin, next, &tacc->pins, node)
			if (pin->iova <= last &&
			    pin->iova + pin->length - 1 >= iova)
				list_move(&pin->node, &drop);
	}
	mutex_unlock(&tacc->lock);
	if (tacc->late)
		msleep(tacc->late);
	list_for_each_entry_safe(pin, next, &drop, node)
		drop_pin(tacc, pin);
}

static const struct iommufd_access_ops pinning_ops = {
	.needs_pin_pages = 1,
	.unmap = access_unmap,
};

static const struct iommufd_access_ops plain_ops = { };

static int cmd_access(struct testdrv_session *s, char *args)
{
	const char *mode = strsep(&args, " ");
	const struct iommufd_access_ops *ops = &pinning_ops;
	struct testdrv_access *tacc;
	int rc = 0;

	if (!mode)
		return -EINVAL;
	tacc = kzalloc(sizeof(*tacc), GFP_KERNEL_ACCOUNT);
	if (!tacc)
		return -ENOMEM;
	mutex_init(&tacc->lock);
	INIT_LIST_HEAD(&tacc->pins);

	if (!strcmp(mode, "plain"))
		ops = &plain_ops;
	else if (!strcmp(mode, "slow"))
		rc = testdrv_next_u32(&args, &tacc->delay);
	else if (!strcmp(mode, "late"))
		rc = testdrv_next_u32(&args, &tacc->late);
	else if (!strcmp(mode, "refuse"))
		rc = testdrv_next_u32(&args, &tacc->refusals);
	else if (strcmp(mode, "obey"))
		rc = -EINVAL;
	if (rc)
		goto err;

	tacc->access = iommufd_access_create(s->ictx, ops, tacc, &tacc->id);
	if (IS_ERR(tacc->access)) {
		rc = PTR_ERR(tacc->access);
		goto err;
	}
	s->result = tacc->id;
	list_add(&tacc->node, &s->accesses);
	return 0;
err:
	kfree(tacc);
	return rc;
}

static void end_access(struct testdrv_access *tacc)
{
	struct testdrv_pin *pin, *next;

	list_del(&tacc->node);
	/* Who refuses to the end would leave pages pinned for ever. */
	mutex_lock(&tacc->lock);
	tacc->refusals = 0;
	list_for_each_entry_safe(pin, next, &tacc->pins, node)
		drop_pin(tacc, pin);
	mutex_unlock(&tacc->lock);
	iommufd_access_destroy(tacc->access);
	kfree(tacc);
}

/**
 * testdrv_access_put - ends all accesses of a session
 * @s: the session, whose lock is held
 */
void testdrv_access_put(struct testdrv_session *s)
{
	struct testdrv_access *tacc, *next;

	list_for_each_entry_safe(tacc, next, &s->accesses, node)
		end_access(tacc);
}

/**
 * struct testdrv_io - a range, what is done there, and how that ended
 * @work: does it, in a kernel thread
 * @fn: what is done
 * @tacc: by whom
 * @iova: first byte
 * @length: bytes
 * @seed: of the pattern
 * @flags: IOMMUFD_ACCESS_RW_*
 * @result: for the session
 * @rc: 0 or an errno
 */
struct testdrv_io {
	struct work_struct work;
	int (*fn)(struct testdrv_io *io);
	struct testdrv_access *tacc;
	u64 iova;
	u64 length;
	u32 seed;
	u32 flags;
	u32 result;
	int rc;
};

static void io_work(struct work_struct *work)
{
	struct testdrv_io *io = container_of(work, struct testdrv_io, work);

	io->rc = io->fn(io);
}

static int run_io(struct testdrv_session *s, struct testdrv_io *io,
		  int (*fn)(struct testdrv_io *io))
{
	io->fn = fn;
	if (io->flags & IOMMUFD_ACCESS_RW_KTHREAD) {
		INIT_WORK_ONSTACK(&io->work, io_work);
		queue_work(system_unbound_wq, &io->work);
		flush_work(&io->work);
		destroy_work_on_stack(&io->work);
	} else {
		io->rc = fn(io);
	}
	s->result = io->result;
	return io->rc;
}

/* Bytes at @buf, which came from @iova, that are the pattern's. */
static size_t matching(const u8 *buf, unsigned long iova, size_t len, u32 seed)
{
	size_t i;

	for (i = 0; i < len && buf[i] == pattern(iova + i, seed); i++)
		;
	return i;
}

static int do_read(struct testdrv_io *io)
{
	u8 *buf = kvzalloc(io->length, GFP_KERNEL);
	int rc;

	if (!buf)
		return -ENOMEM;
	rc = iommufd_access_rw(io->tacc->access, io->iova, buf, io->length,
			       io->flags);
	if (!rc) {
		io->result = matching(buf, io->iova, io->length, io->seed);
		rc = io->result == io->length ? 0 : -EILSEQ;
	}
	kvfree(buf);
	return rc;
}

static int do_write(struct testdrv_io *io)
{
	u8 *buf = kvmalloc(io->length, GFP_KERNEL);
	size_t i;
	int rc;

	if (!buf)
		return -ENOMEM;
	for (i = 0; i < io->length; i++)
		buf[i] = pattern(io->iova + i, io->seed);
	rc = iommufd_access_rw(io->tacc->access, io->iova, buf, io->length,
			       io->flags | IOMMUFD_ACCESS_RW_WRITE);
	kvfree(buf);
	return rc;
}

static int do_pin(struct testdrv_io *io)
{
	unsigned long first = io->iova >> PAGE_SHIFT;
	unsigned long last = (io->iova + io->length - 1) >> PAGE_SHIFT;
	struct testdrv_pin *pin;
	int rc;

	/*
	 * Not accounted: who is over its limit is to hear so from the driver
	 * that is tested, not from here.
	 */
	pin = kvzalloc(struct_size(pin, pages, last - first + 1), GFP_KERNEL);
	if (!pin)
		return -ENOMEM;
	pin->iova = io->iova;
	pin->length = io->length;
	pin->nr = last - first + 1;

	mutex_lock(&io->tacc->lock);
	rc = iommufd_access_pin_pages(io->tacc->access, io->iova, io->length,
				      pin->pages,
				      io->flags & ~IOMMUFD_ACCESS_RW_KTHREAD);
	if (!rc) {
		io->result = pin->nr;
		list_add(&pin->node, &io->tacc->pins);
	}
	mutex_unlock(&io->tacc->lock);
	if (rc)
		kvfree(pin);
	return rc;
}

static struct testdrv_pin *find_pin(const struct testdrv_io *io)
{
	struct testdrv_pin *pin;

	list_for_each_entry(pin, &io->tacc->pins, node)
		if (pin->iova == io->iova && pin->length == io->length)
			return pin;
	return NULL;
}

static int do_unpin(struct testdrv_io *io)
{
	struct testdrv_pin *pin;

	mutex_lock(&io->tacc->lock);
	pin = find_pin(io);
	if (pin)
		drop_pin(io->tacc, pin);
	mutex_unlock(&io->tacc->lock);
	return pin ? 0 : -ENOENT;
}

/*
 * The first page holds what is at @iova, at the same offset in the page: so it
 * is for areas whose IOVA and memory have the same one, which a test makes.
 */
static int do_look(struct testdrv_io *io)
{
	unsigned long iova = io->iova, end = io->iova + io->length;
	struct testdrv_pin *pin;
	unsigned long i;
	int rc = -ENOENT;

	mutex_lock(&io->tacc->lock);
	pin = find_pin(io);
	for (i = 0; pin && i < pin->nr; i++) {
		size_t offset = offset_in_page(iova), len, right;
		u8 *va;

		len = min_t(unsigned long, end - iova, PAGE_SIZE - offset);
		va = kmap_local_page(pin->pages[i]);
		right = matching(va + offset, iova, len, io->seed);
		kunmap_local(va);
		io->result += right;
		iova += len;
		rc = right == len ? 0 : -EILSEQ;
		if (rc)
			break;
	}
	mutex_unlock(&io->tacc->lock);
	return rc;
}

static struct testdrv_access *find_access(struct testdrv_session *s, u32 id)
{
	struct testdrv_access *tacc;

	list_for_each_entry(tacc, &s->accesses, node)
		if (tacc->id == id)
			return tacc;
	return NULL;
}

static int next_u64(char **args, u64 *val)
{
	char *word = strsep(args, " ");

	return word ? kstrtou64(word, 0, val) : -EINVAL;
}

/* IOVA LEN, then SEED and FLAGS where the command has them. */
static int next_io(char **args, struct testdrv_io *io, bool seed, bool flags)
{
	int rc;

	rc = next_u64(args, &io->iova) ?: next_u64(args, &io->length);
	if (!rc && seed)
		rc = testdrv_next_u32(args, &io->seed);
	if (!rc && flags)
		rc = testdrv_next_u32(args, &io->flags);
	if (!rc && io->length > TESTDRV_MAX_LEN)
		rc = -E2BIG;
	return rc;
}

static u32 nr_pinned(struct testdrv_access *tacc)
{
	struct testdrv_pin *pin;
	u32 nr = 0;

	mutex_lock(&tacc->lock);
	list_for_each_entry(pin, &tacc->pins, node)
		nr += pin->nr;
	mutex_unlock(&tacc->lock);
	return nr;
}

/* Commands whose first word after their own is an IOAS. */
static int cmd_ioas(struct testdrv_access *tacc, const char *cmd, char *args)
{
	u32 ioas;
	int rc;

	rc = testdrv_next_u32(&args, &ioas);
	if (rc)
		return rc;
	if (!strcmp(cmd, "attach"))
		return iommufd_access_attach(tacc->access, ioas);
	return iommufd_access_replace(tacc->access, ioas);
}

static const struct {
	const char *name;
	bool seed;
	bool flags;
	int (*fn)(struct testdrv_io *io);
} io_commands[] = {
	{ "pin", false, true, do_pin },
	{ "unpin", false, false, do_unpin },
	{ "look", true, false, do_look },
	{ "read", true, true, do_read },
	{ "write", true, true, do_write },
};

/**
 * testdrv_access_command - runs a command of the list at the top of this file
 * @s: the session, whose lock is held, and which has a context
 * @cmd: its first word
 * @args: the rest, or NULL
 *
 * Return: 0, -EOPNOTSUPP where there is no such command, -EINVAL for a word
 * that is missing or no number, -ENOENT for an access that the session does
 * not have; else what iommufd says.
 */
int testdrv_access_command(struct testdrv_session *s, const char *cmd,
			   char *args)
{
	struct testdrv_io io = { };
	unsigned int i;
	u32 id;
	int rc;

	if (!strcmp(cmd, "access"))
		return cmd_access(s, args);

	rc = testdrv_next_u32(&args, &id);
	if (rc)
		return rc;
	io.tacc = find_access(s, id);
	if (!io.tacc)
		return -ENOENT;
	if (!strcmp(cmd, "attach") || !strcmp(cmd, "replace"))
		return cmd_ioas(io.tacc, cmd, args);
	if (!strcmp(cmd, "detach")) {
		iommufd_access_detach(io.tacc->access);
		return 0;
	}
	if (!strcmp(cmd, "end")) {
		end_access(io.tacc);
		return 0;
	}
	if (!strcmp(cmd, "asked")) {
		s->result = READ_ONCE(io.tacc->asked);
		return 0;
	}
	if (!strcmp(cmd, "pinned")) {
		s->result = nr_pinned(io.tacc);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(io_commands); i++) {
		if (strcmp(cmd, io_commands[i].name))
			continue;
		rc = next_io(&args, &io, io_commands[i].seed,
			     io_commands[i].flags);
		return rc ?: run_io(s, &io, io_commands[i].fn);
	}
	return -EOPNOTSUPP;
}
