// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * group N BDF: opens the device BDF by way of its group N and a container, as
 * there was before /dev/iommu; says "open" and keeps it until standard input
 * ends, or says at which step it was refused, and why.
 */
#define _GNU_SOURCE
#include "pci.h"

static int refused(const char *step)
{
	printf("%s: %s\n", step, strerrorname_np(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int container = open("/dev/vfio/vfio", O_RDWR), group, fd;
	char path[64];

	if (argc != 3)
		return 64;
	snprintf(path, sizeof(path), "/dev/vfio/%s", argv[1]);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0)
		return refused("files");
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		return refused("container");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return refused("iommu");
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]);
	if (fd < 0)
		return refused("device");
	done(call(fd, VFIO_DEVICE_GET_INFO, &info), "info");
	puts("open");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
