// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/iommufd_vfio.h>

#include "parse.h"
#include "roots.h"
#include "sysfs.h"
#include "vfio_cdev.h"

#define OUR_DRIVER "iommufd_vfio_pci"

/*
 * Why a device has no character device: another driver, or none. Ours can be
 * loaded only where vfio-pci makes none.
 */
static int no_cdev(const struct device_info *info, struct problem *p)
{
	const char *address = info->name.address;
	struct stat st;
	bool ours = !root_stat("/sys/bus/pci/drivers/" OUR_DRIVER, &st);
	const char *driver = ours ? OUR_DRIVER : "vfio-pci";

	if (!*info->driver)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
				   "device %s has no driver: bind it to %s",
				   address, driver);
	if (!strstr(info->driver, "vfio"))
		return problem_set(p, STATUS_UNSUPPORTED, 0,
				   "device %s has driver %s: bind it to %s",
				   address, info->driver, driver);
	return problem_set(p, STATUS_UNSUPPORTED, 0,
			   "the VFIO driver of device %s makes no character "
			   "device: this kernel lacks CONFIG_VFIO_DEVICE_CDEV: "
			   "%s", address, ours ? "bind it to " OUR_DRIVER :
			   "'iommufdctl doctor' says what to do");
}

static int cannot_open(const char *path, int err, struct problem *p)
{
	char who[160];

	switch (err) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return problem_set(p, STATUS_UNSUPPORTED, err,
				   "the driver is there, its node %s is not: "
				   "'udevadm trigger' makes it, or the "
				   "container lacks it", path);
	case EACCES:
	case EPERM:
		explain_node(path, who, sizeof(who));
		return problem_set(p, STATUS_NOT_PERMITTED, err,
				   "no permission to open %s: %s", path, who);
	default:
		return problem_set(p, STATUS_FAILED, err, "cannot open %s: %s",
				   path, strerror(err));
	}
}

/* Is FD the device that sysfs says NAME is? A replayed host's is a file. */
static bool is_device(int fd, const struct device_info *info)
{
	unsigned int major, minor;
	char path[192], text[32];
	struct stat st;

	if (root_replayed())
		return true;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/%s/dev",
		 info->name.address, info->cdev);
	return root_read(path, text, sizeof(text)) > 0 &&
	       parse_device_number(text, &major, &minor) && !fstat(fd, &st) &&
	       S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

/*
 * Opens the one of the PCI device at ADDRESS, which is as sysfs writes it.
 * Returns its descriptor, or -1 with the problem filled.
 */
int vfio_cdev_open(const char *address, struct problem *p)
{
	struct device_name name = { .bus = "pci" };
	struct device_info info;
	char node[96];
	int fd;

	snprintf(name.address, sizeof(name.address), "%s", address);
	if (!sysfs_device(&name, &info))
		return problem_set(p, STATUS_NOT_FOUND, ENOENT,
				   "there is no PCI device %s: 'lspci -D' shows "
				   "what there is", address);
	if (!*info.cdev)
		return no_cdev(&info, p);
	snprintf(node, sizeof(node), "/dev/vfio/devices/%s", info.cdev);
	fd = root_open(node, O_RDWR);
	if (fd < 0)
		return cannot_open(node, errno, p);
	if (is_device(fd, &info))
		return fd;
	close(fd);
	return problem_set(p, STATUS_FAILED, 0,
			   "%s is not the device that the kernel has for %s: "
			   "'udevadm trigger' makes it anew", node, address);
}

static int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -1 : 0;
}

/* Until its last descriptor is closed. */
int vfio_bind(int device, int iommufd, uint32_t *id)
{
	struct vfio_device_bind_iommufd cmd = {
		.argsz = sizeof(cmd),
		.iommufd = iommufd,
	};

	if (call(device, VFIO_DEVICE_BIND_IOMMUFD, &cmd))
		return -1;
	*id = cmd.out_devid;
	return 0;
}

/* *PT is an IOAS or a page table, and then the page table that it came to. */
int vfio_attach(int device, uint32_t *pt)
{
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.pt_id = *pt,
	};

	if (call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd))
		return -1;
	*pt = cmd.pt_id;
	return 0;
}

int vfio_detach(int device)
{
	struct vfio_device_detach_iommufd_pt cmd = { .argsz = sizeof(cmd) };

	return call(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}
