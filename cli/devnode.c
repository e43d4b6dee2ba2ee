// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "devnode.h"
#include "parse.h"
#include "roots.h"

#define MISC_MAJOR 10

/*
 * The kernel's word first: a node may be missing (a container), or left over
 * from a module that had another minor. Returns 0, or -1 where there is no
 * such driver.
 */
int device_number(dev_t *dev)
{
	unsigned int major, minor;
	struct stat st;
	char text[4096];

	if (root_read("/sys/class/misc/iommu/dev", text, sizeof(text)) > 0 &&
	    parse_device_number(text, &major, &minor)) {
		*dev = makedev(major, minor);
		return 0;
	}
	if (root_read("/proc/misc", text, sizeof(text)) > 0) {
		if (!parse_misc_minor(text, "iommu", &minor))
			return -1;
		*dev = makedev(MISC_MAJOR, minor);
		return 0;
	}
	if (!root_stat(DEVICE_NODE, &st) && S_ISCHR(st.st_mode)) {
		*dev = st.st_rdev;
		return 0;
	}
	return -1;
}

/* A replayed host's device is whatever file stands in for it. */
bool is_iommufd(int fd)
{
	struct stat st, node;
	dev_t dev;

	if (fstat(fd, &st))
		return false;
	if (root_replayed())
		return !root_stat(DEVICE_NODE, &node) &&
		       node.st_dev == st.st_dev && node.st_ino == st.st_ino;
	return S_ISCHR(st.st_mode) && !device_number(&dev) &&
	       st.st_rdev == dev;
}
