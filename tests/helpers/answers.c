// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * answers CDEV: what the ioctls that the tool's probe asks with are answered
 * with, for an object of each type, and whether any of them left a trace. CDEV
 * is a VFIO character device. A line a question: its name, and then TYPE=ANSWER
 * for each type; at the end "untouched", or what was changed.
 */
#define _GNU_SOURCE
#include <linux/iommufd_vfio.h>

#include "iommu.h"

/* struct object - one of each type; id 0 is of none */
static struct {
	const char *type;
	uint32_t id;
} objects[8] = { { "zero", 0 }, { "none", 77 } };

static size_t count = 2;

static void add(const char *type, uint32_t id)
{
	objects[count].type = type;
	objects[count++].id = id;
}

static int fail(const char *what, int rc)
{
	fprintf(stderr, "%s: %s\n", what, strerrorname_np(rc) ?: "0");
	return 1;
}

static int ask_ioas(int fd, uint32_t id)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
	};

	return call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd);
}

static int ask_device(int fd, uint32_t id)
{
	struct iommu_hw_info cmd = { .size = sizeof(cmd), .dev_id = id };

	return call(fd, IOMMU_GET_HW_INFO, &cmd);
}

static int ask_paging(int fd, uint32_t id)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = id,
		.flags = IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
	};

	return call(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

static int ask_nested(int fd, uint32_t id)
{
	struct iommu_hwpt_invalidate cmd = { .size = sizeof(cmd), .hwpt_id = id };

	return call(fd, IOMMU_HWPT_INVALIDATE, &cmd);
}

static const struct {
	const char *name;
	int (*ask)(int fd, uint32_t id);
} questions[] = {
	{ "ioas", ask_ioas },
	{ "device", ask_device },
	{ "hwpt-paging", ask_paging },
	{ "hwpt-nested", ask_nested },
};

/* Two address spaces, a device on one, a page table of the other, a queue. */
static int make(int fd, int dev, uint32_t *last)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = fd };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt) };
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	uint32_t used, unused;
	int rc;

	if (ioas_alloc(fd, &used) || ioas_alloc(fd, &unused))
		return fail("ioas", errno);
	add("ioas-used", used);
	add("ioas", unused);
	rc = call(dev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	if (rc)
		return fail("bind", rc);
	add("device", bind.out_devid);
	attach.pt_id = used;
	rc = call(dev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	if (rc)
		return fail("attach", rc);
	add("hwpt-auto", attach.pt_id);
	hwpt.dev_id = bind.out_devid;
	hwpt.pt_id = unused;
	rc = call(fd, IOMMU_HWPT_ALLOC, &hwpt);
	if (rc)
		return fail("hwpt", rc);
	add("hwpt", hwpt.out_hwpt_id);
	*last = hwpt.out_hwpt_id;
	rc = call(fd, IOMMU_FAULT_QUEUE_ALLOC, &fault);
	if (rc)
		return fail("fault", rc);
	add("fault", fault.out_fault_id);
	*last = fault.out_fault_id;
	return 0;
}

/* What was in use is, what was not goes, and the next id is the next. */
static int is_touched(int fd, uint32_t last)
{
	uint32_t id;

	if (ioas_alloc(fd, &id) || id != last + 1)
		return fail("the next id", id);
	for (size_t i = 2; i < count; i++) {
		const char *type = objects[i].type;
		int rc = destroy(fd, objects[i].id);
		/* made in this order: one goes when what used it has gone */
		int want = strcmp(type, "hwpt") ? EBUSY : 0;

		if (rc != want)
			return fail(type, rc);
	}
	puts("untouched");
	return 0;
}

int main(int argc, char **argv)
{
	int fd, dev;
	uint32_t last = 0;

	if (argc != 2)
		return 64;
	fd = open_iommu();
	dev = open(argv[1], O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return fail(argv[1], errno);
	if (make(fd, dev, &last))
		return 1;
	for (size_t q = 0; q < sizeof(questions) / sizeof(*questions); q++) {
		printf("%s:", questions[q].name);
		for (size_t i = 0; i < count; i++) {
			int rc = questions[q].ask(fd, objects[i].id);

			printf(" %s=%s", objects[i].type,
			       strerrorname_np(rc) ?: "0");
		}
		putchar('\n');
	}
	return is_touched(fd, last);
}
