// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "ioctls.h"

/* Of the published header's enum iommu_hw_info_type. */
#define IOMMU_HW_INFO_TYPE_INTEL_VTD 1

static int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret;
}

int ioas_create(int fd, uint32_t *id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };

	if (call(fd, IOMMU_IOAS_ALLOC, &cmd))
		return -1;
	*id = cmd.out_ioas_id;
	return 0;
}

int object_destroy(int fd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return call(fd, IOMMU_DESTROY, &cmd);
}

/* Sets an option to *VALUE, or gets it there, as OP says. */
int iommu_option(int fd, uint32_t option, uint16_t op, uint32_t object,
		 uint64_t *value)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = option,
		.op = op,
		.object_id = object,
		.val64 = op == IOMMU_OPTION_OP_SET ? *value : 0,
	};

	if (call(fd, IOMMU_OPTION, &cmd))
		return -1;
	*value = cmd.val64;
	return 0;
}

/* Asks for no ranges at all: that there are more (EMSGSIZE) is a yes too. */
int ioas_exists(int fd, uint32_t id)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
	};

	if (call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd) && errno != EMSGSIZE)
		return -1;
	return 0;
}

/* Asks for no data at all. */
int device_exists(int fd, uint32_t id)
{
	struct iommu_hw_info cmd = { .size = sizeof(cmd), .dev_id = id };

	return call(fd, IOMMU_GET_HW_INFO, &cmd);
}

/*
 * Asks for no bits, of pages of no size: refused with EINVAL or EOPNOTSUPP, as
 * the IOMMU's driver has it, but for ENOENT, which is a no.
 */
int hwpt_paging_exists(int fd, uint32_t id)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = id,
		.flags = IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
	};

	if (call(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd) && errno != EINVAL &&
	    errno != EOPNOTSUPP)
		return -1;
	return 0;
}

/* Has nothing invalidated, with data of no type, which may be refused. */
int hwpt_nested_exists(int fd, uint32_t id)
{
	struct iommu_hwpt_invalidate cmd = { .size = sizeof(cmd), .hwpt_id = id };

	if (call(fd, IOMMU_HWPT_INVALIDATE, &cmd) && errno != EINVAL &&
	    errno != EOPNOTSUPP)
		return -1;
	return 0;
}

/* Linux 6.13's IOMMU_VIOMMU_ALLOC; too short a struct is refused by who has it. */
bool has_viommu(int fd)
{
	uint32_t size = sizeof(size);

	return ioctl(fd, _IO(IOMMUFD_TYPE, 0x90), &size) && errno != ENOTTY;
}

/*
 * How many bits an address has that the IOMMU of device ID takes; 0 where that
 * is not known. Of Intel's, from its capability register (VT-d, 11.4.2: MGAW).
 */
unsigned int device_width(int fd, uint32_t id)
{
	struct {
		uint32_t flags;
		uint32_t reserved;
		uint64_t cap;
		uint64_t ecap;
	} vtd = {};
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = id,
		.data_len = sizeof(vtd),
		.data_uptr = (uintptr_t)&vtd,
	};

	if (call(fd, IOMMU_GET_HW_INFO, &cmd) ||
	    cmd.out_data_type != IOMMU_HW_INFO_TYPE_INTEL_VTD ||
	    cmd.data_len < sizeof(vtd))
		return 0;
	return (vtd.cap >> 16 & 0x3f) + 1;
}

/* A page table of what IOAS maps, for DEVICE. */
int hwpt_create(int fd, uint32_t device, uint32_t ioas, uint32_t *id)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = device,
		.pt_id = ioas,
	};

	if (call(fd, IOMMU_HWPT_ALLOC, &cmd))
		return -1;
	*id = cmd.out_hwpt_id;
	return 0;
}

/* *QUEUE is where faults are read and answered; it holds the object. */
int fault_create(int fd, uint32_t *id, int *queue)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };

	if (call(fd, IOMMU_FAULT_QUEUE_ALLOC, &cmd))
		return -1;
	*id = cmd.out_fault_id;
	*queue = cmd.out_fault_fd;
	return 0;
}

/* *RANGES is the caller's to free, also where *COUNT is 0. */
int ioas_ranges(int fd, uint32_t id, struct iommu_iova_range **ranges,
		uint32_t *count, uint64_t *alignment)
{
	struct iommu_iova_range *room;
	uint32_t size = 16;

	/* It may grow between two calls, but not for ever. */
	for (int tries = 0; tries < 8; tries++) {
		struct iommu_ioas_iova_ranges cmd = {
			.size = sizeof(cmd),
			.ioas_id = id,
			.num_iovas = size,
		};

		room = calloc(size, sizeof(*room));
		if (!room)
			return -1;
		cmd.allowed_iovas = (uintptr_t)room;
		if (!call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd)) {
			*ranges = room;
			*count = cmd.num_iovas < size ? cmd.num_iovas : size;
			*alignment = cmd.out_iova_alignment;
			return 0;
		}
		free(room);
		if (errno != EMSGSIZE)
			return -1;
		size = cmd.num_iovas;
	}
	return -1;
}

/* With a COUNT of 0 nothing is set aside any more. */
int ioas_allow(int fd, uint32_t id, const struct range *ranges, size_t count)
{
	struct iommu_iova_range *list = calloc(count + 1, sizeof(*list));
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.num_iovas = count,
		.allowed_iovas = (uintptr_t)list,
	};
	int ret, err;

	if (!list)
		return -1;
	for (size_t i = 0; i < count; i++)
		list[i] = (struct iommu_iova_range){
			.start = ranges[i].start,
			.last = ranges[i].last,
		};
	ret = call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
	err = errno;
	free(list);
	errno = err;
	return ret;
}

int ioas_map(int fd, struct mapping *mapping, const void *memory)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = mapping->flags,
		.ioas_id = mapping->id,
		.user_va = (uintptr_t)memory,
		.length = mapping->length,
		.iova = mapping->iova,
	};

	if (call(fd, IOMMU_IOAS_MAP, &cmd))
		return -1;
	mapping->iova = cmd.iova;
	return 0;
}

/* FILE is a memfd, or lies where memfds do; from its beginning. */
int ioas_map_file(int fd, struct mapping *mapping, int file)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = mapping->flags,
		.ioas_id = mapping->id,
		.fd = file,
		.length = mapping->length,
		.iova = mapping->iova,
	};

	if (call(fd, IOMMU_IOAS_MAP_FILE, &cmd))
		return -1;
	mapping->iova = cmd.iova;
	return 0;
}

/*
 * *UNMAPPED, in bytes, is right on an error too, as far as the driver tells.
 * The range that is all there is has a length that no number holds; the
 * interface has another for it.
 */
int ioas_unmap(int fd, uint32_t id, const struct range *range,
	       uint64_t *unmapped)
{
	uint64_t length = range->last - range->start;
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.iova = range->start,
		.length = length == UINT64_MAX ? length : length + 1,
	};
	int ret;

	length = cmd.length;
	/* not again after EINTR: what was done till then would be forgotten */
	ret = ioctl(fd, IOMMU_IOAS_UNMAP, &cmd);
	/* not every driver writes it on an error */
	*unmapped = ret && cmd.length == length ? 0 : cmd.length;
	return ret;
}
