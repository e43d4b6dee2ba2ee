// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
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
#include "vfio_cdev.h"

/* Long enough for "vfio" and any number. */
#define NAME_SIZE 32

/* The "vfio0" in the device's folder DIR. 0, or -1 with errno. */
static int find_name(const char *dir, char name[NAME_SIZE])
{
	int fd = root_open(dir, O_RDONLY | O_DIRECTORY);
	struct dirent *entry;
	DIR *stream;
	uint64_t n;

	if (fd < 0)
		return -1;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -1;
	}
	*name = '\0';
	while (!*name && (entry = readdir(stream)))
		if (!strncmp(entry->d_name, "vfio", 4) &&
		    strlen(entry->d_name) < NAME_SIZE &&
		    parse_number(entry->d_name + 4, UINT32_MAX, &n))
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	closedir(stream);
	errno = ENOENT;
	return *name ? 0 : -1;
}

/* Why a device has no character device: another driver, none, or no such. */
static int no_cdev(const char *address, struct problem *p)
{
	char path[96], target[256];
	struct stat st;
	char *full;
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (root_stat(path, &st))
		return problem_set(p, STATUS_NOT_FOUND, ENOENT,
				   "there is no PCI device %s: 'lspci -D' shows "
				   "what there is", address);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	full = root_path(path);
	len = readlink(full, target, sizeof(target) - 1);
	free(full);
	target[len > 0 ? len : 0] = '\0';
	if (len > 0 && !strstr(basename(target), "vfio")) {
		problem_set(p, STATUS_UNSUPPORTED, 0,
			    "device %s has driver %s: bind it to vfio-pci",
			    address, basename(target));
		clean_text(p->text);
		return -1;
	}
	if (len <= 0)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
				   "device %s has no driver: bind it to "
				   "vfio-pci", address);
	return problem_set(p, STATUS_UNSUPPORTED, 0,
			   "the VFIO driver of device %s makes no character "
			   "device: this kernel lacks CONFIG_VFIO_DEVICE_CDEV",
			   address);
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

/*
 * A kernel that makes no character devices may have the class device all the
 * same: only its number tells.
 */
static bool has_number(const char *dir, const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s/dev", dir, name);
	return !root_stat(path, &st);
}

/* Is FD the device that sysfs says NAME is? A replayed host's is a file. */
static bool is_device(int fd, const char *dir, const char *name)
{
	unsigned int major, minor;
	char path[160], text[32];
	struct stat st;

	if (root_replayed())
		return true;
	snprintf(path, sizeof(path), "%s/%s/dev", dir, name);
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
	char dir[96], node[64], name[NAME_SIZE];
	int fd;

	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s/vfio-dev", address);
	if (find_name(dir, name) || !has_number(dir, name))
		return no_cdev(address, p);
	snprintf(node, sizeof(node), "/dev/vfio/devices/%s", name);
	fd = root_open(node, O_RDWR);
	if (fd < 0)
		return cannot_open(node, errno, p);
	if (is_device(fd, dir, name))
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
