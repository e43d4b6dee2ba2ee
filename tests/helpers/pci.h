/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI device through VFIO's character device and /dev/iommu, as a program
 * with a driver of its own uses it: raw ioctls, and the end of the program with
 * the errno's name where one fails that should not.
 */
#ifndef TESTS_PCI_H
#define TESTS_PCI_H

#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <linux/iommufd_vfio.h>
#include <linux/pci_regs.h>

#include "iommu.h"

#define PAGE 4096ULL

struct pci {
	int iommu;		/* the context */
	int fd;			/* the device */
	uint32_t id;		/* the device in the context */
	uint32_t ioas;
	volatile void *bar;	/* BAR 0 */
	size_t bar_size;
};

/* Ends the program where @rc, an errno, is none. */
static inline void done(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "%s: %s\n", what, strerrorname_np(rc) ?: "?");
	exit(1);
}

static inline int open_node(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	done(fd < 0 ? errno : 0, node);
	return fd;
}

static inline int dev_bind(int fd, int iommu, uint32_t *id)
{
	struct vfio_device_bind_iommufd cmd = {
		.argsz = sizeof(cmd), .iommufd = iommu,
	};
	int rc = call(fd, VFIO_DEVICE_BIND_IOMMUFD, &cmd);

	if (id)
		*id = cmd.out_devid;
	return rc;
}

static inline int dev_attach(int fd, uint32_t pt, uint32_t *out)
{
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd), .pt_id = pt,
	};
	int rc = call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);

	if (out)
		*out = cmd.pt_id;
	return rc;
}

static inline int dev_detach(int fd)
{
	struct vfio_device_detach_iommufd_pt cmd = { .argsz = sizeof(cmd) };

	return call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

/* @flags: IOMMU_IOAS_MAP_READABLE and _WRITEABLE. */
static inline int map_at(int iommu, uint32_t ioas, void *mem, uint64_t length,
			 uint64_t iova, uint32_t flags)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)mem,
		.length = length,
		.iova = iova,
	};

	return call(iommu, IOMMU_IOAS_MAP, &cmd);
}

#define MAP_R IOMMU_IOAS_MAP_READABLE
#define MAP_RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

static inline int unmap_at(int iommu, uint32_t ioas, uint64_t iova,
			   uint64_t length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas,
		.iova = iova, .length = length,
	};

	return call(iommu, IOMMU_IOAS_UNMAP, &cmd);
}

static inline int dev_region(int fd, uint32_t index,
			     struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){
		.argsz = sizeof(*info), .index = index,
	};
	return call(fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* What the process can map to give to a device: zeroed, and whole pages. */
static inline void *memory(size_t length)
{
	void *mem = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	done(mem == MAP_FAILED ? errno : 0, "memory");
	return mem;
}

/* Bus mastering on or off, in the device's config space. */
static inline int dev_master(int fd, bool on)
{
	struct vfio_region_info info;
	uint16_t command;
	int rc = dev_region(fd, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (rc)
		return rc;
	if (pread(fd, &command, 2, info.offset + PCI_COMMAND) != 2)
		return errno;
	command |= PCI_COMMAND_MEMORY;
	command = on ? command | PCI_COMMAND_MASTER
		     : command & ~PCI_COMMAND_MASTER;
	return pwrite(fd, &command, 2, info.offset + PCI_COMMAND) == 2 ? 0
								       : errno;
}

static inline void map_bar(struct pci *d)
{
	struct vfio_region_info info;
	void *bar;

	done(dev_region(d->fd, VFIO_PCI_BAR0_REGION_INDEX, &info), "BAR 0");
	bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd,
		   info.offset);
	done(bar == MAP_FAILED ? errno : 0, "mapping BAR 0");
	d->bar = bar;
	d->bar_size = info.size;
}

/* Bound to a context of its own, attached to an IOAS there, BAR 0 mapped. */
static inline void dev_open(struct pci *d, const char *node)
{
	d->iommu = open_iommu();
	d->fd = open_node(node);
	done(dev_bind(d->fd, d->iommu, &d->id), "bind");
	done(ioas_alloc(d->iommu, &d->ioas), "ioas");
	done(dev_attach(d->fd, d->ioas, NULL), "attach");
	map_bar(d);
}

static inline void dev_close(struct pci *d)
{
	munmap((void *)d->bar, d->bar_size);
	close(d->fd);
	close(d->iommu);
}

/* An eventfd for an interrupt. */
static inline int dev_irq(int fd, uint32_t index, int event)
{
	struct {
		struct vfio_irq_set set;
		int32_t event;
	} cmd = {
		.set = {
			.argsz = sizeof(cmd),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD |
				 VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = index,
			.count = 1,
		},
		.event = event,
	};

	return call(fd, VFIO_DEVICE_SET_IRQS, &cmd);
}

static inline int dev_irq_off(int fd, uint32_t index)
{
	struct vfio_irq_set cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = index,
	};

	return call(fd, VFIO_DEVICE_SET_IRQS, &cmd);
}

#endif
