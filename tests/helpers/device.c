// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * device TEST BDF [BDF...]: what a device that is bound to a context reaches of a
 * program's memory, and what is pinned for it. Each test says what must hold
 * above its function. Who binds is kernel/testdrv_device.c, which must be
 * loaded; the devices have no driver. After each test as many pages must be
 * unpinned as were pinned.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "mapped.h"

#define HUGE (2ULL << 20)
#define IOVA 0x10000000ULL
#define MSI 0xfee00000ULL	/* where PCs have their interrupts */
#define NOBODY 65534

static const char *bdf, *bdf2;

static int copy_to(uint32_t id, uint64_t iova, uint64_t from, uint64_t len)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | R | W,
		.dst_ioas_id = id,
		.src_ioas_id = ioas,
		.length = len,
		.dst_iova = iova,
		.src_iova = from,
	};

	return call(fd, IOMMU_IOAS_COPY, &cmd);
}

static int hwpt_alloc(uint32_t dev, uint32_t pt, uint32_t flags, uint32_t *id)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev,
		.pt_id = pt,
	};
	int rc = call(fd, IOMMU_HWPT_ALLOC, &cmd);

	*id = cmd.out_hwpt_id;
	return rc;
}

/* A new context with one IOAS, and its session. */
static void fresh(void)
{
	fd = open_iommu();
	ses = drv_open(fd);
	ioas = new_ioas();
}

static uint32_t bound_to(const char *name)
{
	if (drv(ses, "bind %s", name))
		die(name);
	return drv_result(ses);
}

static uint32_t bound(void)
{
	return bound_to(bdf);
}

static int attach(uint32_t dev, uint32_t pt)
{
	return drv(ses, "dev-attach %u %u", dev, pt);
}

static int replace(uint32_t dev, uint32_t pt)
{
	return drv(ses, "dev-replace %u %u", dev, pt);
}

static int detach(uint32_t dev)
{
	return drv(ses, "dev-detach %u", dev);
}

static int unbind(uint32_t dev)
{
	return drv(ses, "unbind %u", dev);
}

static void expect_reaches(uint32_t dev, uint64_t iova, char *mem, size_t len)
{
	uint64_t at;

	for (at = 0; at < len; at += P)
		if (drv(ses, "reaches %u %#" PRIx64 " %#" PRIx64, dev,
			iova + at, (uint64_t)(uintptr_t)(mem + at)))
			break;
	expect_u64("bytes that the device reaches", len, at);
}

static void expect_blind(uint32_t dev, uint64_t iova, size_t len)
{
	uint64_t at;

	for (at = 0; at < len; at += P)
		if (drv(ses, "blind %u %#" PRIx64, dev, iova + at))
			break;
	expect_u64("bytes that the device does not reach", len, at);
}

/* The usable ranges: how many, and the last IOVA of all. */
static int usable(uint32_t id, struct iommu_iova_range *ranges, uint32_t *nr)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.num_iovas = *nr,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int rc = call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd);

	*nr = cmd.num_iovas;
	return rc;
}

static int allow(uint32_t id, uint64_t start, uint64_t last)
{
	struct iommu_iova_range range = { .start = start, .last = last };
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)&range,
	};

	return call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

static uint64_t alignment(uint32_t id)
{
	struct iommu_iova_range ranges[16];
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.num_iovas = 16,
		.allowed_iovas = (uintptr_t)ranges,
	};

	call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd);
	return cmd.out_iova_alignment;
}

/* An id that no object has. */
static int gone(uint32_t id)
{
	return destroy(fd, id);
}

/* One who can become root again, to look at what is pinned. */
static void be_nobody(uint64_t limit)
{
	struct rlimit rlim = { limit, limit };

	if (setrlimit(RLIMIT_MEMLOCK, &rlim) || setgroups(0, NULL) ||
	    setresuid(NOBODY, NOBODY, 0))
		die("setresuid");
}

static uint64_t held_by_nobody(struct pins before)
{
	uint64_t held;

	if (seteuid(0))
		die("seteuid");
	held = held_since(before);
	if (seteuid(NOBODY))
		die("seteuid");
	return held;
}

/* --- tests --- */

/* A device is one context's, once, and the kernel's: no user can end it. */
static void bind_test(void)
{
	int other, other_ses, own = ses;
	uint32_t dev;

	fresh();
	own = ses;
	dev = bound();
	expect("bind again", EBUSY, drv(ses, "bind %s", bdf));
	expect("DESTROY", EBUSY, destroy(fd, dev));
	expect("its group", 0, drv(ses, "has-group %s", bdf));
	expect_u64("is the context's", 1, drv_result(ses));
	other = open_iommu();
	other_ses = drv_open(other);
	expect("by another context", EPERM, drv(other_ses, "bind %s", bdf));
	expect("its group", 0, drv(other_ses, "has-group %s", bdf));
	expect_u64("is not that one's", 0, drv_result(other_ses));
	expect("unbind", 0, unbind(dev));
	expect("the id", ENOENT, destroy(fd, dev));
	expect("its group", 0, drv(ses, "has-group %s", bdf));
	expect_u64("is not the context's", 0, drv_result(ses));
	expect("by the other context", 0, drv(other_ses, "bind %s", bdf));
	expect("bind", EPERM, drv(ses, "bind %s", bdf));
	/* The last reference to a context can be a device's. */
	close(other);
	expect("bind", EPERM, drv(ses, "bind %s", bdf));
	close(other_ses);
	dev = bound();
	ses = own;
	expect("attach to itself", EINVAL, attach(dev, dev));
	expect("attach to nothing", ENOENT, attach(dev, 999));
	expect("replace", EINVAL, replace(dev, ioas));
}

/* It reaches what was mapped before, and what is mapped after. */
static void attach_test(void)
{
	char *mem = room(64 * P);
	uint32_t dev, hwpt;

	fresh();
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("map", 0, map(IOVA + 8 * P, mem + 16 * P, 8 * P));
	expect("map", 0, map_in(ioas, IOVA + HUGE, mem + 32 * P, P, R));
	dev = bound();
	expect_blind(dev, IOVA, 16 * P);
	expect("attach", 0, attach(dev, ioas));
	hwpt = drv_result(ses);
	expect("attach again", EINVAL, attach(dev, ioas));
	expect_reaches(dev, IOVA, mem, 8 * P);
	expect_reaches(dev, IOVA + 8 * P, mem + 16 * P, 8 * P);
	expect_blind(dev, IOVA + 16 * P, 4 * P);
	expect_reaches(dev, IOVA + HUGE, mem + 32 * P, P);
	expect("map", 0, map(IOVA + 20 * P, mem + 8 * P, 8 * P));
	expect_reaches(dev, IOVA + 20 * P, mem + 8 * P, 8 * P);
	expect("unmap", 0, unmap(IOVA, 8 * P));
	expect_blind(dev, IOVA, 8 * P);
	expect_reaches(dev, IOVA + 8 * P, mem + 16 * P, 8 * P);
	expect("map of other memory", 0, map(IOVA, mem + 40 * P, 8 * P));
	expect_reaches(dev, IOVA, mem + 40 * P, 8 * P);
	expect("DESTROY of the IOAS", EBUSY, destroy(fd, ioas));
	expect("DESTROY of the page table", EBUSY, destroy(fd, hwpt));
	expect("detach", 0, detach(dev));
	expect("the page table", ENOENT, gone(hwpt));
	expect_blind(dev, IOVA, 64 * P);
	expect("attach", 0, attach(dev, ioas));
	expect_reaches(dev, IOVA, mem + 40 * P, 8 * P);
	expect("unmap of all", 0, unmap(0, UINT64_MAX));
	expect_blind(dev, IOVA, 64 * P);
	expect("unbind", 0, unbind(dev));
	expect("DESTROY of the IOAS", 0, destroy(fd, ioas));
}

/* Another IOAS, and none of what the first one had. */
static void replace_test(void)
{
	char *mem = room(64 * P);
	uint32_t dev, other, first, hwpt;

	fresh();
	other = new_ioas();
	dev = bound();
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("map", 0, map(IOVA + 16 * P, mem, P));
	expect("map", 0, map_in(other, IOVA, mem + 32 * P, 8 * P, R | W));
	expect("attach", 0, attach(dev, ioas));
	first = drv_result(ses);
	expect("replace by itself", 0, replace(dev, ioas));
	expect_u64("page table", first, drv_result(ses));
	expect("replace", 0, replace(dev, other));
	expect("the first page table", ENOENT, gone(first));
	expect_reaches(dev, IOVA, mem + 32 * P, 8 * P);
	expect_blind(dev, IOVA + 16 * P, P);
	expect("DESTROY of the IOAS left", 0, destroy(fd, ioas));
	expect("DESTROY of the IOAS it is in", EBUSY, destroy(fd, other));
	/* One that it cannot go to. */
	ioas = new_ioas();
	expect("map where interrupts go", 0, map(MSI, mem, P));
	expect("replace by that", EADDRINUSE, replace(dev, ioas));
	expect_reaches(dev, IOVA, mem + 32 * P, 8 * P);
	expect("unmap", 0, unmap(MSI, P));
	expect("map of nothing", 0, map(IOVA, (void *)P, P));
	expect("replace by that", EFAULT, replace(dev, ioas));
	expect_reaches(dev, IOVA, mem + 32 * P, 8 * P);
	expect("map where interrupts go", 0, map(MSI, mem, P));
	expect("unmap", 0, unmap(0, UINT64_MAX));
	expect("map", 0, map(IOVA, mem, P));
	/* One of the user's own, which stays. */
	expect("HWPT_ALLOC", 0, hwpt_alloc(dev, ioas, 0, &hwpt));
	expect("replace", 0, replace(dev, hwpt));
	expect_reaches(dev, IOVA, mem, P);
	expect("DESTROY", EBUSY, destroy(fd, hwpt));
	expect("replace", 0, replace(dev, other));
	expect("DESTROY", 0, destroy(fd, hwpt));
	expect_reaches(dev, IOVA, mem + 32 * P, 8 * P);
	expect("unbind", 0, unbind(dev));
}

/* Where a device writes its interrupts, nothing can be mapped. */
static void reserved_test(void)
{
	struct iommu_iova_range ranges[16];
	char *mem = room(4 * P);
	uint32_t dev, nr = 16, i, hit = 0;

	fresh();
	dev = bound();
	expect("map", 0, map(MSI + 0x1000, mem, P));
	expect("map", 0, map(IOVA, mem, P));
	expect("attach", EADDRINUSE, attach(dev, ioas));
	/* As before: nothing is reserved, nor pinned. */
	expect("map", 0, map(MSI + 0x3000, mem, P));
	expect("map of nothing", 0, map(IOVA + P, (void *)P, P));
	expect("unmap", 0, unmap(0, UINT64_MAX));
	expect("allow", 0, allow(ioas, MSI - P, MSI + P - 1));
	expect("attach", EADDRINUSE, attach(dev, ioas));
	expect("allow", 0, allow(ioas, P, MSI - 1));
	expect("attach", 0, attach(dev, ioas));
	expect("map", EINVAL, map(MSI, mem, P));
	expect("map", EINVAL, map(MSI + 0xff000, mem, P));
	expect("map below and into it", EINVAL, map(MSI - P, mem, 2 * P));
	expect("map below", 0, map(MSI - P, mem, P));
	expect("map above", 0, map(MSI + 0x100000, mem, P));
	expect("allow", EADDRINUSE, allow(ioas, P, MSI + P));
	expect("IOVA_RANGES", 0, usable(ioas, ranges, &nr));
	for (i = 0; i < nr; i++)
		hit |= ranges[i].start <= MSI + 0xfffff && ranges[i].last >= MSI;
	expect_u64("a usable range in it", 0, hit);
	expect("detach", 0, detach(dev));
	expect("map", 0, map(MSI, mem, P));
	nr = 16;
	expect("IOVA_RANGES", 0, usable(ioas, ranges, &nr));
	expect_u64("all is usable", UINT64_MAX, ranges[nr - 1].last);
}

/* What an IOMMU cannot address, and what it cannot map in part. */
static void narrow_test(void)
{
	struct iommu_iova_range ranges[16];
	char *mem = room(4 * P);
	uint32_t dev, nr = 16;
	uint64_t last;

	fresh();
	dev = bound();
	expect("map", 0, map(-HUGE, mem, P));
	expect("attach", EADDRINUSE, attach(dev, ioas));
	expect("unmap", 0, unmap(-HUGE, P));
	expect("map of half a page", 0, map(IOVA, mem, 100));
	expect("attach", EADDRINUSE, attach(dev, ioas));
	expect_u64("alignment", 1, alignment(ioas));
	expect("unmap", 0, unmap(IOVA, 100));
	expect("attach", 0, attach(dev, ioas));
	expect_u64("alignment", P, alignment(ioas));
	expect("map of half a page", EINVAL, map(IOVA, mem, 100));
	expect("map from within a page", EINVAL, map(IOVA, mem + 1, P));
	expect("IOVA_RANGES", 0, usable(ioas, ranges, &nr));
	last = ranges[nr - 1].last;
	expect_u64("it ends somewhere", 1, last != UINT64_MAX);
	expect("map behind its end", EINVAL, map(last + 1, mem, P));
	expect("map at the end of all", EINVAL, map(-P, mem, P));
	expect("detach", 0, detach(dev));
	expect_u64("alignment", 1, alignment(ioas));
	expect("map of half a page", 0, map(IOVA, mem, 100));
	expect("map at the end", 0, map(-P, mem, P));
}

/* A page table of the user's own, and what cannot be had. */
static void hwpt_test(void)
{
	char *mem = room(16 * P);
	struct pins before;
	uint32_t dev, hwpt, second, other;
	char data[16];
	struct iommu_hwpt_alloc nested = { .size = sizeof(nested) };
	struct iommu_hw_info info = { .size = sizeof(info) };

	fresh();
	other = new_ioas();
	dev = bound();
	before = pins_now();
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect_u64("held", 0, held_since(before));
	expect("for no device", ENOENT, hwpt_alloc(ioas, ioas, 0, &hwpt));
	expect("over nothing", ENOENT, hwpt_alloc(dev, 999, 0, &hwpt));
	expect("over a device", EINVAL, hwpt_alloc(dev, dev, 0, &hwpt));
	expect("to nest upon", EOPNOTSUPP,
	       hwpt_alloc(dev, ioas, 1 << 0, &hwpt));
	expect("with dirty tracking", EOPNOTSUPP,
	       hwpt_alloc(dev, ioas, 1 << 1, &hwpt));
	expect("with a flag of nobody's", EOPNOTSUPP,
	       hwpt_alloc(dev, ioas, 1U << 31, &hwpt));
	expect("HWPT_ALLOC", 0, hwpt_alloc(dev, ioas, 0, &hwpt));
	expect_u64("held", 16, held_since(before));
	expect("one upon it", EOPNOTSUPP, hwpt_alloc(dev, hwpt, 0, &second));
	nested.dev_id = dev;
	nested.pt_id = ioas;
	nested.data_type = 1;
	nested.data_len = sizeof(data);
	nested.data_uptr = (uintptr_t)data;
	expect("with data", EOPNOTSUPP, call(fd, IOMMU_HWPT_ALLOC, &nested));
	expect("a second", 0, hwpt_alloc(dev, ioas, 0, &second));
	expect_u64("held", 16, held_since(before));
	expect("DESTROY of the IOAS", EBUSY, destroy(fd, ioas));
	expect("map", 0, map(IOVA + HUGE, mem, P));
	expect("attach", 0, attach(dev, hwpt));
	expect_u64("page table", hwpt, drv_result(ses));
	expect_reaches(dev, IOVA, mem, 16 * P);
	expect_reaches(dev, IOVA + HUGE, mem, P);
	expect("DESTROY", EBUSY, destroy(fd, hwpt));
	expect("DESTROY of the second", 0, destroy(fd, second));
	expect("replace by the IOAS", 0, replace(dev, ioas));
	expect_reaches(dev, IOVA, mem, 16 * P);
	expect("replace", 0, replace(dev, hwpt));
	expect("detach", 0, detach(dev));
	expect_u64("held", 17, held_since(before));
	expect("DESTROY", 0, destroy(fd, hwpt));
	expect_u64("held", 0, held_since(before));
	expect("over another", 0, hwpt_alloc(dev, other, 0, &hwpt));
	/* It outlives its device, and goes with the context. */
	expect("GET_HW_INFO of an IOAS", ENOENT,
	       (info.dev_id = ioas, call(fd, IOMMU_GET_HW_INFO, &info)));
	info.dev_id = dev;
	info.data_len = sizeof(data);
	info.data_uptr = (uintptr_t)data;
	memset(data, 7, sizeof(data));
	expect("GET_HW_INFO", 0, call(fd, IOMMU_GET_HW_INFO, &info));
	expect_u64("the rest is zeroed", 1,
		   info.data_len >= sizeof(data) || !data[sizeof(data) - 1]);
	expect_u64("capabilities", 0, info.out_capabilities);
	info.data_len = sizeof(data);
	info.data_uptr = 1;
	expect("GET_HW_INFO", EFAULT, call(fd, IOMMU_GET_HW_INFO, &info));
	expect("unbind", 0, unbind(dev));
}

/* One pin for all who look: page tables, accesses, another IOAS. */
static void once_test(void)
{
	char *mem = room(32 * P);
	uint32_t dev, other, hwpt, access;
	struct pins before;

	fresh();
	other = new_ioas();
	dev = bound();
	before = pins_now();
	expect("map", 0, map(IOVA, mem, 32 * P));
	expect("attach", 0, attach(dev, ioas));
	expect_u64("held", 32, held_since(before));
	expect("HWPT_ALLOC", 0, hwpt_alloc(dev, ioas, 0, &hwpt));
	expect_u64("held", 32, held_since(before));
	expect("copy", 0, copy_to(other, IOVA, IOVA + 8 * P, 16 * P));
	expect("access", 0, drv(ses, "access obey"));
	access = drv_result(ses);
	expect("attach of it", 0, drv(ses, "attach %u %u", access, other));
	expect("pin", 0, drv(ses, "pin %u %#llx %llu 1", access, IOVA, 8 * P));
	expect_u64("held", 32, held_since(before));
	expect("replace", 0, replace(dev, other));
	expect_reaches(dev, IOVA, mem + 8 * P, 16 * P);
	expect_u64("held", 32, held_since(before));
	expect("DESTROY", 0, destroy(fd, hwpt));
	expect_u64("held", 16, held_since(before));
	expect("detach", 0, detach(dev));
	expect_u64("held", 8, held_since(before));
	expect("attach", 0, attach(dev, ioas));
	/* An unmap asks the access, and takes from the device at once. */
	expect("unmap", 0, unmap_in(other, IOVA, 16 * P));
	expect_u64("held", 32, held_since(before));
	expect_reaches(dev, IOVA, mem, 32 * P);
	expect("unmap", 0, unmap(IOVA, 32 * P));
	expect_u64("held", 0, held_since(before));
}

static uint32_t limit_dev;

/* 16 pages of 64 may be pinned. */
static void limited(void)
{
	struct pins before = pins_now();
	char *mem;

	be_nobody(16 * P);
	mem = room(64 * P);
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("map", 0, map(IOVA + HUGE, mem + 8 * P, 20 * P));
	expect("map", 0, map(IOVA + 2 * HUGE, mem + 28 * P, 36 * P));
	expect("attach", ENOMEM, attach(limit_dev, ioas));
	expect_u64("held", 0, held_by_nobody(before));
	expect_blind(limit_dev, IOVA, 8 * P);
	/* Nothing is charged any more, nor reserved. */
	expect("unmap", 0, unmap(IOVA + HUGE, 20 * P));
	expect("unmap", 0, unmap(IOVA + 2 * HUGE, 36 * P));
	expect("map", 0, map(MSI, mem, P));
	expect("unmap", 0, unmap(MSI, P));
	expect("map", 0, map(IOVA + HUGE, mem + 8 * P, 8 * P));
	expect("attach", 0, attach(limit_dev, ioas));
	expect_u64("held", 16, held_by_nobody(before));
	expect_reaches(limit_dev, IOVA, mem, 8 * P);
	expect("map of one more", ENOMEM, map(IOVA + 2 * HUGE, mem, P));
	expect_blind(limit_dev, IOVA + 2 * HUGE, P);
	expect("unmap", 0, unmap(IOVA, 8 * P));
	expect("map of one more", 0, map(IOVA + 2 * HUGE, mem, P));
	expect_reaches(limit_dev, IOVA + 2 * HUGE, mem, P);
	expect("copy within the limit", 0,
	       copy_to(ioas, IOVA + 4 * HUGE, IOVA + HUGE, 8 * P));
	expect_reaches(limit_dev, IOVA + 4 * HUGE, mem + 8 * P, 8 * P);
	expect("detach", 0, detach(limit_dev));
	expect_u64("held", 0, held_by_nobody(before));
}

static void limit_test(void)
{
	fresh();
	limit_dev = bound();
	in_child(limited);
	expect("unmap", 0, unmap(0, UINT64_MAX));
	close(ses);
	close(fd);
	/* By process. */
	fd = open_iommu();
	ses = drv_open(fd);
	expect("RLIMIT_MODE 1", 0, set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	ioas = new_ioas();
	limit_dev = bound();
	in_child(limited);
}

/* What cannot be pinned cannot be mapped for a device, nor attached to. */
static void fault_test(void)
{
	char *mem = room(4 * P);
	struct pins before = pins_now();
	uint32_t dev;

	fresh();
	dev = bound();
	munmap(mem + 2 * P, P);
	expect("map", 0, map(IOVA, mem, 4 * P));
	expect("attach", EFAULT, attach(dev, ioas));
	expect_u64("held", 0, held_since(before));
	expect("unmap", 0, unmap(IOVA, 4 * P));
	expect("attach", 0, attach(dev, ioas));
	expect("map", EFAULT, map(IOVA, mem, 4 * P));
	expect_u64("held", 0, held_since(before));
	expect_blind(dev, IOVA, 4 * P);
	expect("map", 0, map(IOVA, mem, 2 * P));
	expect("map over it", EEXIST, map(IOVA + P, mem, 2 * P));
	expect_u64("held", 2, held_since(before));
	expect_reaches(dev, IOVA, mem, 2 * P);
}

/* Neither a child nor what it writes parts a program from its device. */
static void fork_test(void)
{
	char *mem = room(8 * P);
	pid_t pid;
	uint32_t dev;
	int status;

	fresh();
	dev = bound();
	memset(mem, 1, 4 * P);
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("attach", 0, attach(dev, ioas));
	pid = fork();
	if (!pid) {
		memset(mem, 2, 8 * P);
		_exit(0);
	}
	memset(mem, 3, 8 * P);
	expect_reaches(dev, IOVA, mem, 8 * P);
	waitpid(pid, &status, 0);
	memset(mem, 4, 8 * P);
	expect_reaches(dev, IOVA, mem, 8 * P);
}

/* A context that all processes have closed lasts as long as its devices. */
static void closed_test(void)
{
	struct pins before = pins_now();
	char *mem = room(8 * P);
	uint32_t dev;

	fresh();
	dev = bound();
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("attach", 0, attach(dev, ioas));
	close(fd);
	expect_u64("held", 8, held_since(before));
	expect_reaches(dev, IOVA, mem, 8 * P);
	/* The session's end unbinds, and is the context's. */
	close(ses);
	expect_u64("held", 0, held_since(before));
	fresh();
	bound();
}

/* Devices of one group share what they reach. */
static void group_test(void)
{
	uint32_t a, b, other, hwpt;
	char *mem = room(8 * P);
	int ctx2, ses2;

	fresh();
	other = new_ioas();
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("map", 0, map_in(other, IOVA, mem + 4 * P, P, R | W));
	a = bound_to(bdf);
	ctx2 = open_iommu();
	ses2 = drv_open(ctx2);
	expect("the other by another context", EPERM,
	       drv(ses2, "bind %s", bdf2));
	b = bound_to(bdf2);
	expect("attach", 0, attach(a, ioas));
	hwpt = drv_result(ses);
	expect("attach of the other elsewhere", EINVAL, attach(b, other));
	expect("attach of the other", 0, attach(b, ioas));
	expect_u64("page table", hwpt, drv_result(ses));
	expect_reaches(a, IOVA, mem, 8 * P);
	expect_reaches(b, IOVA, mem, 8 * P);
	expect("detach of one", 0, detach(a));
	expect_reaches(b, IOVA, mem, 8 * P);
	expect("DESTROY of the page table", EBUSY, destroy(fd, hwpt));
	expect("attach of it", 0, attach(a, ioas));
	/* Both go. */
	expect("replace", 0, replace(a, other));
	expect("the page table", ENOENT, gone(hwpt));
	expect_reaches(b, IOVA, mem + 4 * P, P);
	expect("DESTROY of the IOAS", 0, destroy(fd, ioas));
	expect("unbind", 0, unbind(a));
	expect("the group by another context", EPERM,
	       drv(ses2, "bind %s", bdf));
	expect_reaches(b, IOVA, mem + 4 * P, P);
	expect("unbind", 0, unbind(b));
	expect("the group by another context", 0, drv(ses2, "bind %s", bdf));
	close(ses2);
	close(ctx2);
}

/* Two devices on one IOAS share a page table, which goes with the last. */
static void shared_test(void)
{
	uint32_t a, b, hwpt;
	char *mem = room(8 * P);

	fresh();
	expect("map", 0, map(IOVA, mem, 8 * P));
	a = bound_to(bdf);
	b = bound_to(bdf2);
	expect("attach", 0, attach(a, ioas));
	hwpt = drv_result(ses);
	expect("attach", 0, attach(b, ioas));
	expect_u64("page table", hwpt, drv_result(ses));
	expect("map", 0, map(IOVA + 8 * P, mem, 8 * P));
	expect_reaches(a, IOVA, mem, 8 * P);
	expect_reaches(b, IOVA + 8 * P, mem, 8 * P);
	expect("detach", 0, detach(a));
	expect_blind(a, IOVA, 8 * P);
	expect_reaches(b, IOVA, mem, 8 * P);
	/* Reserved for both; the one that stays keeps it so. */
	expect("map where interrupts go", EINVAL, map(MSI, mem, P));
	expect("unbind", 0, unbind(b));
	expect("the page table", ENOENT, gone(hwpt));
	expect("map where interrupts go", 0, map(MSI, mem, P));
}

/* --- memory that nobody can hurry --- */

static int uffd_for(char *mem, size_t len)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING,
		.range = { (uintptr_t)mem, len },
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	return uffd;
}

static void uffd_fill(int uffd, char *mem, size_t len)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)mem, len } };

	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
		die("UFFDIO_ZEROPAGE");
}

static uint32_t stuck_dev;
static int stuck_rc;

static void *attach_stuck(void *arg)
{
	(void)arg;
	stuck_rc = attach(stuck_dev, ioas);
	return NULL;
}

/*
 * An attach that waits for memory keeps nobody from mapping and unmapping, and
 * has all that is mapped when it is done.
 */
static void stalled_test(void)
{
	struct pins before = pins_now();
	char *mem = room(64 * P);
	pthread_t thread;
	int uffd;

	uffd = uffd_for(mem + 16 * P, 16 * P);
	fresh();
	stuck_dev = bound();
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("map", 0, map(IOVA + 8 * P, mem + 8 * P, 8 * P));
	expect("map", 0, map(IOVA + 16 * P, mem + 16 * P, 16 * P));
	expect("map", 0, map(IOVA + 32 * P, mem + 32 * P, 8 * P));
	if (pthread_create(&thread, NULL, attach_stuck, NULL))
		die("thread");
	sleep(1);
	expect("unmap below", 0, unmap(IOVA, 8 * P));
	expect("map below", 0, map(IOVA + 2 * P, mem + 40 * P, 4 * P));
	expect("unmap above", 0, unmap(IOVA + 32 * P, 8 * P));
	expect("map above", 0, map(IOVA + HUGE, mem + 48 * P, 8 * P));
	expect("map of it where interrupts go", EINVAL, map(MSI, mem, P));
	expect("DESTROY of the IOAS", EBUSY, destroy(fd, ioas));
	uffd_fill(uffd, mem + 16 * P, 16 * P);
	pthread_join(thread, NULL);
	expect("attach", 0, stuck_rc);
	expect_blind(stuck_dev, IOVA, 2 * P);
	expect_reaches(stuck_dev, IOVA + 2 * P, mem + 40 * P, 4 * P);
	expect_blind(stuck_dev, IOVA + 6 * P, 2 * P);
	expect_reaches(stuck_dev, IOVA + 8 * P, mem + 8 * P, 24 * P);
	expect_blind(stuck_dev, IOVA + 32 * P, 8 * P);
	expect_reaches(stuck_dev, IOVA + HUGE, mem + 48 * P, 8 * P);
	expect_u64("held", 36, held_since(before));
	expect("unmap", 0, unmap(0, UINT64_MAX));
	expect_u64("held", 0, held_since(before));
	close(uffd);
}

/* A process that is killed while it attaches leaves all as it was. */
static void killed_test(void)
{
	struct pins before = pins_now();
	char *mem = room(64 * P);
	pid_t pid;
	int uffd, status;

	uffd = uffd_for(mem + 16 * P, 16 * P);
	fresh();
	stuck_dev = bound();
	expect("map", 0, map(IOVA, mem, 16 * P));
	expect("map", 0, map(IOVA + 16 * P, mem + 16 * P, 16 * P));
	pid = fork();
	if (!pid) {
		attach(stuck_dev, ioas);
		_exit(0);
	}
	sleep(1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	expect_u64("killed", 1, WIFSIGNALED(status));
	expect_blind(stuck_dev, IOVA, 16 * P);
	expect_u64("held", 0, held_since(before));
	expect("map where interrupts go", 0, map(MSI, mem, P));
	expect("unmap", 0, unmap(MSI, P));
	uffd_fill(uffd, mem + 16 * P, 16 * P);
	expect("attach", 0, attach(stuck_dev, ioas));
	expect_reaches(stuck_dev, IOVA, mem, 32 * P);
	close(uffd);
}

/* --- many at once --- */

static volatile bool enough;
static char *race_mem;

static void *race_map(void *arg)
{
	uint64_t at = (uintptr_t)arg, n = 0;

	while (!enough) {
		uint64_t iova = IOVA + at * 16 * P + (n++ % 4) * P;

		if (!map(iova, race_mem + at * 16 * P, 8 * P))
			unmap(iova, 8 * P);
	}
	return NULL;
}

/* Attach and detach against map and unmap: in the end all is right. */
static void race_test(void)
{
	struct pins before = pins_now();
	time_t end = time(NULL) + 8;
	pthread_t threads[3];
	uint32_t dev, hwpt;
	unsigned long i, n = 0;

	race_mem = room(256 * P);
	fresh();
	dev = bound();
	expect("map", 0, map(IOVA + 128 * P, race_mem, 64 * P));
	for (i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, race_map, (void *)i))
			die("thread");
	for (; time(NULL) < end; n++) {
		if (attach(dev, ioas))
			break;
		expect_reaches(dev, IOVA + 128 * P, race_mem, 64 * P);
		if (n % 2 && (hwpt_alloc(dev, ioas, 0, &hwpt) ||
			      replace(dev, hwpt) || replace(dev, ioas) ||
			      destroy(fd, hwpt)))
			break;
		if (detach(dev))
			break;
	}
	enough = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	expect_u64("all went well", 1, time(NULL) >= end);
	expect_u64("and often", 1, n > 3);
	expect_u64("held", 0, held_since(before));
	expect("attach", 0, attach(dev, ioas));
	expect_blind(dev, IOVA, 128 * P);
	expect_u64("held", 64, held_since(before));
}

/* Each page by itself, where the user wants it so. */
static void small_test(void)
{
	char *mem = room(8 * P);
	uint32_t dev;

	fresh();
	dev = bound();
	expect("HUGE_PAGES 0", 0,
	       set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0));
	expect("map", 0, map(IOVA, mem, 8 * P));
	expect("attach", 0, attach(dev, ioas));
	expect_reaches(dev, IOVA, mem, 8 * P);
	expect("HUGE_PAGES 1", EINVAL,
	       set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 1));
	expect("HUGE_PAGES 0", 0,
	       set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0));
	expect("unmap", 0, unmap(IOVA, 8 * P));
	expect("HUGE_PAGES 1", 0,
	       set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 1));
	expect_u64("alignment", P, alignment(ioas));
}

/* 64 MiB in huge pages and small ones, of which some are mapped twice. */
static void large_test(void)
{
	struct pins before = pins_now();
	char *mem = room(33 * HUGE);
	uint32_t dev, hwpt, i;

	mem += -(uintptr_t)mem & (HUGE - 1);
	madvise(mem, 16 * HUGE, MADV_HUGEPAGE);
	fresh();
	dev = bound();
	expect("map", 0, map(IOVA, mem, 32 * HUGE));
	expect("attach", 0, attach(dev, ioas));
	expect("HWPT_ALLOC", 0, hwpt_alloc(dev, ioas, 0, &hwpt));
	for (i = 0; i < 32; i++)
		expect_reaches(dev, IOVA + i * HUGE + i * P,
			       mem + i * HUGE + i * P, P);
	expect("map", 0, map(IOVA + 64 * HUGE, mem + P, HUGE));
	expect_reaches(dev, IOVA + 64 * HUGE, mem + P, HUGE);
	expect_u64("held", 32 * 512 + 512, held_since(before));
	expect("replace", 0, replace(dev, hwpt));
	expect_reaches(dev, IOVA + 16 * HUGE, mem + 16 * HUGE, 4 * P);
	expect("unmap", 0, unmap(IOVA, 32 * HUGE));
	expect_blind(dev, IOVA, 4 * P);
	expect_reaches(dev, IOVA + 64 * HUGE, mem + P, 4 * P);
	expect_u64("held", 512, held_since(before));
}

/* The IOAS that VFIO's ioctls mean. */
static int coherent(void)
{
	return ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
}

static void vfio_test(void)
{
	uint32_t id, dev;

	fresh();
	expect("id", ENODEV, drv(ses, "vfio-id"));
	expect("create", 0, drv(ses, "vfio-create"));
	expect("id", 0, drv(ses, "vfio-id"));
	id = drv_result(ses);
	expect_u64("another one", 1, id && id != ioas);
	expect("create", 0, drv(ses, "vfio-create"));
	expect("id", 0, drv(ses, "vfio-id"));
	expect_u64("the same", id, drv_result(ses));
	/* QEMU's IOMMU cannot keep all of a device's DMA coherent. */
	expect_u64("coherent without a device", 1, coherent());
	dev = bound();
	expect("attach", 0, attach(dev, id));
	expect_u64("coherent with one", 0, coherent());
	expect("detach", 0, detach(dev));
	expect_u64("coherent without it", 1, coherent());
	expect("unbind", 0, unbind(dev));
	expect("no IOMMU", EINVAL, drv(ses, "vfio-no-iommu"));
	expect("DESTROY", 0, destroy(fd, id));
	expect("id", ENODEV, drv(ses, "vfio-id"));
	expect("no IOMMU", 0, drv(ses, "vfio-no-iommu"));
	expect("create", EINVAL, drv(ses, "vfio-create"));
}

static int unmap_dma(uint64_t iova, uint64_t len)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = iova,
		.size = len,
	};

	return call(fd, VFIO_IOMMU_UNMAP_DMA, &cmd);
}

/*
 * An unmap of VFIO's first version cuts what it does not cover: the rest stays
 * where it is, for the device too.
 */
static void cut_test(void)
{
	struct pins before = pins_now();
	struct iommu_vfio_ioas vfio = {
		.size = sizeof(vfio),
		.op = IOMMU_VFIO_IOAS_SET,
	};
	char *mem = room(64 * P);
	uint32_t dev, hwpt;

	fresh();
	vfio.ioas_id = ioas;
	expect("VFIO_IOAS", 0, call(fd, IOMMU_VFIO_IOAS, &vfio));
	dev = bound();
	expect("map", 0, map(IOVA, mem, 64 * P));
	expect("attach", 0, attach(dev, ioas));
	expect("SET_IOMMU with what may be huge", EINVAL,
	       ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) ? errno : 0);
	expect("detach", 0, detach(dev));
	expect("SET_IOMMU", 0,
	       ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) ? errno : 0);
	expect("attach", 0, attach(dev, ioas));
	expect("HWPT_ALLOC", 0, hwpt_alloc(dev, ioas, 0, &hwpt));
	expect_u64("held", 64, held_since(before));
	expect("unmap of the middle", 0, unmap_dma(IOVA + 16 * P, 8 * P));
	expect_u64("held", 56, held_since(before));
	expect_reaches(dev, IOVA, mem, 16 * P);
	expect_blind(dev, IOVA + 16 * P, 8 * P);
	expect_reaches(dev, IOVA + 24 * P, mem + 24 * P, 40 * P);
	expect("unmap of the end", 0, unmap_dma(IOVA + 60 * P, 8 * P));
	expect_u64("held", 52, held_since(before));
	expect_reaches(dev, IOVA + 24 * P, mem + 24 * P, 36 * P);
	expect_blind(dev, IOVA + 60 * P, 4 * P);
	expect("replace", 0, replace(dev, hwpt));
	expect_reaches(dev, IOVA, mem, 16 * P);
	expect_blind(dev, IOVA + 16 * P, 8 * P);
	expect("unmap of one page", 0, unmap_dma(IOVA + P, P));
	expect_reaches(dev, IOVA + 2 * P, mem + 2 * P, 14 * P);
	expect("replace", 0, replace(dev, ioas));
	expect("DESTROY", 0, destroy(fd, hwpt));
	expect_reaches(dev, IOVA + 2 * P, mem + 2 * P, 14 * P);
	expect_u64("held", 51, held_since(before));
	expect("detach", 0, detach(dev));
	expect_u64("held", 0, held_since(before));
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "bind", bind_test },
	{ "attach", attach_test },
	{ "replace", replace_test },
	{ "reserved", reserved_test },
	{ "narrow", narrow_test },
	{ "hwpt", hwpt_test },
	{ "once", once_test },
	{ "limit", limit_test },
	{ "fault", fault_test },
	{ "fork", fork_test },
	{ "closed", closed_test },
	{ "group", group_test },
	{ "shared", shared_test },
	{ "stalled", stalled_test },
	{ "killed", killed_test },
	{ "race", race_test },
	{ "small", small_test },
	{ "large", large_test },
	{ "vfio", vfio_test },
	{ "cut", cut_test },
};

int main(int argc, char **argv)
{
	struct pins before = pins_now();
	unsigned int i;

	if (argc < 3)
		return 64;
	bdf = argv[2];
	bdf2 = argc > 3 ? argv[3] : NULL;
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(tests[i].name, argv[1]))
			continue;
		tests[i].run();
		close(ses);
		close(fd);
		expect_u64("pins that nobody undid", 0, held_since(before));
		return expect_sum();
	}
	return 64;
}
