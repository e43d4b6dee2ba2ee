// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attach FD ID CDEV: binds the VFIO character device to the context at FD and
 * attaches it to IOAS ID, which from then on pins what is mapped there. Prints
 * "attached" and stays until it is killed.
 */
#define _GNU_SOURCE
#include <linux/iommufd_vfio.h>

#include "iommu.h"

static int fail(const char *what, int rc)
{
	fprintf(stderr, "%s: %s\n", what, strerrorname_np(rc));
	return 1;
}

int main(int argc, char **argv)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	int dev, rc;

	if (argc != 4)
		return 64;
	bind.iommufd = atoi(argv[1]);
	attach.pt_id = strtoul(argv[2], NULL, 0);
	dev = open(argv[3], O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return fail(argv[3], errno);
	rc = call(dev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	if (rc)
		return fail("bind", rc);
	rc = call(dev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	if (rc)
		return fail("attach", rc);
	puts("attached");
	fflush(stdout);
	for (;;)
		pause();
}
