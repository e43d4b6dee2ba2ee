/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of a host as sysfs shows them, one at a time: a host with very
 * many needs memory for their names only.
 */
#ifndef CLI_SYSFS_H
#define CLI_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse_sysfs.h"

struct problem;

/* The kernel's own limit for most; a longer name is passed over. */
#define SYSFS_NAME 64

struct device_name {
	char address[SYSFS_NAME];
	char bus[SYSFS_NAME];
};

/* PCI devices first, each bus in order of addresses. */
struct device_list {
	struct device_name *names;
	size_t count;
	size_t room;
};

enum iommu_kind {
	IOMMU_UNKNOWN,
	IOMMU_INTEL,
	IOMMU_AMD,
	IOMMU_SMMU_V3,
	IOMMU_SMMU,
};

/*
 * struct iommu_info - an IOMMU, or none
 * @name: as sysfs has it: "dmar0", "ivhd0"; empty for none
 * @address_width: bits of an IOVA that it translates, or UNKNOWN
 */
struct iommu_info {
	char name[SYSFS_NAME];
	enum iommu_kind kind;
	uint64_t address_width;
};

/*
 * struct device_info - a device; what it has not is empty, or UNKNOWN
 * @group: the number of its IOMMU group
 * @cdev: the name of its VFIO character device: "vfio0"
 * @numa_node: UNKNOWN also where the firmware did not say
 */
struct device_info {
	struct device_name name;
	uint64_t group;
	char driver[SYSFS_NAME];
	char cdev[SYSFS_NAME];
	uint64_t numa_node;
	struct iommu_info iommu;
};

/*
 * struct group_member - a device in a group
 * @blocks: its driver does DMA of its own in the host, so no other device of
 *          the group can be given away
 */
struct group_member {
	struct device_name name;
	char driver[SYSFS_NAME];
	bool blocks;
};

/*
 * struct group_info - an IOMMU group
 * @id: UNKNOWN: there is none, and all else is empty
 * @type: of its default domain: "DMA", "DMA-FQ", "identity"; empty where it
 *        cannot be known
 * @reserved_known: false where the kernel tells of no reserved regions
 */
struct group_info {
	uint64_t id;
	char type[SYSFS_NAME];
	struct group_member *members;
	size_t member_count;
	bool reserved_known;
	struct reserved_region *reserved;
	size_t reserved_count;
};

int sysfs_devices(struct device_list *list, struct problem *p);
void sysfs_devices_free(struct device_list *list);

bool sysfs_device(const struct device_name *name, struct device_info *info);

void sysfs_group(uint64_t id, struct group_info *group);
void sysfs_group_free(struct group_info *group);

void sysfs_iommu(const char *name, struct iommu_info *info);

/* "intel", "amd", "arm-smmu-v3", "arm-smmu"; NULL for an unknown one. */
const char *iommu_kind_name(enum iommu_kind kind);

/* Does a driver of this name do DMA in the host? Empty is none, and does not. */
bool driver_blocks(const char *driver);

#endif
