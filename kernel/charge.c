// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whom pinned memory is charged to, and up to which limit. What decides was
 * noted when the memory was mapped: see struct iommufd_pages.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "iommufd_private.h"

static unsigned long limit_of(const struct iommufd_pages *pages)
{
	return task_rlimit(pages->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

static int charge_user(struct iommufd_pages *pages, unsigned long nr)
{
	long old = atomic_long_read(&pages->user->locked_vm);
	unsigned long limit = limit_of(pages);

	do {
		if (!pages->unlimited && old + nr > limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&pages->user->locked_vm, &old,
					  old + nr));
	return 0;
}

static int charge_process(struct iommufd_pages *pages, unsigned long nr,
			  bool inc)
{
	int rc;

	/* The process may be gone; what it is counted in is not. */
	mmap_write_lock(pages->mm);
	rc = __account_locked_vm(pages->mm, nr, inc, pages->task,
				 pages->unlimited);
	mmap_write_unlock(pages->mm);
	return rc;
}

/**
 * iommufd_charge - notes that pages will be pinned
 * @pages: the memory; says whom to charge
 * @nr: number of pages, not 0
 *
 * Takes the mmap_lock of who mapped, if it is the process that is charged.
 *
 * Return: 0, or -ENOMEM over the limit, and then nothing is noted.
 */
int iommufd_charge(struct iommufd_pages *pages, unsigned long nr)
{
	int rc;

	rc = pages->user ? charge_user(pages, nr) :
			   charge_process(pages, nr, true);
	if (rc)
		return rc;
	if (pages->mm)
		atomic64_add(nr, &pages->mm->pinned_vm);
	atomic_long_add(nr, &pages->ictx->pinned_pages);
	return 0;
}

/**
 * iommufd_uncharge - undoes iommufd_charge()
 * @pages: the memory
 * @nr: number of pages; may be 0
 */
void iommufd_uncharge(struct iommufd_pages *pages, unsigned long nr)
{
	if (!nr)
		return;
	atomic_long_sub(nr, &pages->ictx->pinned_pages);
	if (pages->mm)
		atomic64_sub(nr, &pages->mm->pinned_vm);
	if (pages->user)
		atomic_long_sub(nr, &pages->user->locked_vm);
	else
		charge_process(pages, nr, false);
}
