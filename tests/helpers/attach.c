// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attach FD ID CDEV: binds the VFIO character device to the context at FD and
 * attaches it to IOAS ID, which from then on pins what is mapped there. Prints
 * "attached" and stays until it is killed.
 *
 * The two ioctls came with Linux 6.6, after the headers of some hosts.
 */
#define _GNU_SOURCE
#include "iommu.h"

struct bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
};

struct attach_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id;
};

#define BIND_IOMMUFD _IO(';', 100 + 18)
#define ATTACH_PT _IO(';', 100 + 19)

static int fail(const char *what, int rc)
{
	fprintf(stderr, "%s: %s\n", what, strerrorname_np(rc));
	return 1;
}

int main(int argc, char **argv)
{
	struct bind_iommufd bind = { .argsz = sizeof(bind) };
	struct attach_pt attach = { .argsz = sizeof(attach) };
	int dev, rc;

	if (argc != 4)
		return 64;
	bind.iommufd = atoi(argv[1]);
	attach.pt_id = strtoul(argv[2], NULL, 0);
	dev = open(argv[3], O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return fail(argv[3], errno);
	rc = call(dev, BIND_IOMMUFD, &bind);
	if (rc)
		return fail("bind", rc);
	rc = call(dev, ATTACH_PT, &attach);
	if (rc)
		return fail("attach", rc);
	puts("attached");
	fflush(stdout);
	for (;;)
		pause();
}
