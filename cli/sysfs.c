// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "parse.h"
#include "roots.h"
#include "sysfs.h"

#define GROUPS "/sys/kernel/iommu_groups"
#define PCI "/sys/bus/pci/devices"

/* For an attribute, or a link, of a device: the names of two folders at most. */
#define PATH_SIZE (2 * (NAME_MAX + 1) + 64)

/*
 * Drivers, beside those of VFIO, that leave DMA to whoever owns the group:
 * .driver_managed_dma of their struct.
 */
static const char *const managed[] = { "pcieport", "pci-stub" };

bool driver_blocks(const char *driver)
{
	if (!*driver || strstr(driver, "vfio"))
		return false;
	for (size_t i = 0; i < sizeof(managed) / sizeof(managed[0]); i++)
		if (!strcmp(driver, managed[i]))
			return false;
	return true;
}

const char *iommu_kind_name(enum iommu_kind kind)
{
	static const char *const names[] = {
		[IOMMU_INTEL] = "intel",
		[IOMMU_AMD] = "amd",
		[IOMMU_SMMU_V3] = "arm-smmu-v3",
		[IOMMU_SMMU] = "arm-smmu",
	};

	return names[kind];
}

static bool usable(const char *name)
{
	return *name != '.' && strlen(name) < SYSFS_NAME;
}

static void set_name(struct device_name *name, const char *address,
		     const char *bus)
{
	snprintf(name->address, sizeof(name->address), "%.*s", SYSFS_NAME - 1,
		 address);
	snprintf(name->bus, sizeof(name->bus), "%.*s", SYSFS_NAME - 1, bus);
	clean_text(name->address);
	clean_text(name->bus);
}

static void add(struct device_list *list, const char *address, const char *bus)
{
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->names = reallocarray(list->names, list->room,
					   sizeof(*list->names));
		if (!list->names)
			abort();
	}
	set_name(&list->names[list->count++], address, bus);
}

/*
 * A domain of five digits (those of VMD are) comes behind all of four. Numbers
 * in other buses' addresses are mostly hexadecimal, and of one length.
 */
static int by_address(const void *a, const void *b)
{
	const struct device_name *x = a, *y = b;
	int ret = strcmp(x->bus, y->bus);
	size_t m = strlen(x->address), n = strlen(y->address);

	if (ret && (!strcmp(x->bus, "pci") || !strcmp(y->bus, "pci")))
		return strcmp(x->bus, "pci") ? 1 : -1;
	if (ret)
		return ret;
	if (m != n && !strcmp(x->bus, "pci"))
		return m < n ? -1 : 1;
	return strcmp(x->address, y->address);
}

/* The devices of group NUMBER that are on other buses than PCI. */
static void add_others(struct device_list *list, const char *number)
{
	char path[PATH_SIZE], bus[SYSFS_NAME];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), GROUPS "/%s/devices", number);
	dir = root_opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!usable(entry->d_name))
			continue;
		snprintf(path, sizeof(path), GROUPS "/%s/devices/%s/subsystem",
			 number, entry->d_name);
		if (root_linkname(path, bus, sizeof(bus)) && strcmp(bus, "pci"))
			add(list, entry->d_name, bus);
	}
	closedir(dir);
}

/*
 * All of PCI, and of other buses those that an IOMMU knows. A host without a
 * PCI bus, or without an IOMMU, has none of these, which is no error. Returns
 * 0, or -1 with the problem filled.
 */
int sysfs_devices(struct device_list *list, struct problem *p)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	*list = (struct device_list){};
	if (root_stat("/sys/bus", &st))
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot read /sys: %s (is sysfs mounted?)",
				   strerror(errno));
	dir = root_opendir(PCI);
	while (dir && (entry = readdir(dir)))
		if (usable(entry->d_name))
			add(list, entry->d_name, "pci");
	if (dir)
		closedir(dir);
	dir = root_opendir(GROUPS);
	while (dir && (entry = readdir(dir)))
		if (usable(entry->d_name))
			add_others(list, entry->d_name);
	if (dir)
		closedir(dir);
	if (list->count)
		qsort(list->names, list->count, sizeof(*list->names),
		      by_address);
	return 0;
}

void sysfs_devices_free(struct device_list *list)
{
	free(list->names);
	*list = (struct device_list){};
}

static void device_path(char path[PATH_SIZE], const struct device_name *name,
			const char *what)
{
	snprintf(path, PATH_SIZE, "/sys/bus/%s/devices/%s/%s", name->bus,
		 name->address, what);
}

static void read_link(const struct device_name *name, const char *what,
		      char value[SYSFS_NAME])
{
	char path[PATH_SIZE];

	device_path(path, name, what);
	if (!root_linkname(path, value, SYSFS_NAME))
		*value = '\0';
	clean_text(value);
}

/*
 * A device that VFIO has is in its class whether the kernel can give it a
 * character device or not. Only what has a number has a node.
 */
static void find_cdev(const struct device_name *name, char cdev[SYSFS_NAME])
{
	char path[PATH_SIZE], what[SYSFS_NAME + 32];
	struct dirent *entry;
	struct stat st;
	uint64_t n;
	DIR *dir;

	*cdev = '\0';
	device_path(path, name, "vfio-dev");
	dir = root_opendir(path);
	if (!dir)
		return;
	while (!*cdev && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4) ||
		    !parse_number(entry->d_name + 4, UINT32_MAX, &n))
			continue;
		snprintf(what, sizeof(what), "vfio-dev/vfio%u/dev",
			 (unsigned int)n);
		device_path(path, name, what);
		if (!root_stat(path, &st))
			snprintf(cdev, SYSFS_NAME, "vfio%u", (unsigned int)n);
	}
	closedir(dir);
}

static bool read_attribute(const char *iommu, const char *attribute,
			   char *text, unsigned int size)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/sys/class/iommu/%s/%s", iommu,
		 attribute);
	return root_read(path, text, size) > 0;
}

/* NAME is as /sys/class/iommu has it. */
void sysfs_iommu(const char *name, struct iommu_info *info)
{
	char text[64];

	*info = (struct iommu_info){ .address_width = UNKNOWN };
	snprintf(info->name, sizeof(info->name), "%s", name);
	if (read_attribute(name, "intel-iommu/cap", text, sizeof(text))) {
		info->kind = IOMMU_INTEL;
		parse_intel_cap(text, &info->address_width);
	} else if (read_attribute(name, "amd-iommu/features", text,
				  sizeof(text))) {
		info->kind = IOMMU_AMD;
		parse_amd_features(text, &info->address_width);
	} else if (!strncmp(name, "smmu3.", 6)) {
		info->kind = IOMMU_SMMU_V3;
	} else if (!strncmp(name, "smmu.", 5)) {
		info->kind = IOMMU_SMMU;
	}
	clean_text(info->name);
}

/* Returns whether there is such a device (it may just have gone). */
bool sysfs_device(const struct device_name *name, struct device_info *info)
{
	char path[PATH_SIZE], text[SYSFS_NAME];
	struct stat st;

	*info = (struct device_info){
		.name = *name,
		.group = UNKNOWN,
		.numa_node = UNKNOWN,
		.iommu.address_width = UNKNOWN,
	};
	device_path(path, name, "");
	if (root_stat(path, &st))
		return false;
	read_link(name, "iommu_group", text);
	if (!parse_number(text, INT_MAX, &info->group))
		info->group = UNKNOWN;
	read_link(name, "driver", info->driver);
	find_cdev(name, info->cdev);
	device_path(path, name, "numa_node");
	if (root_read(path, text, sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (!parse_number(text, INT_MAX, &info->numa_node))
			info->numa_node = UNKNOWN;
	}
	read_link(name, "iommu", text);
	if (*text)
		sysfs_iommu(text, &info->iommu);
	return true;
}

static int by_member(const void *a, const void *b)
{
	const struct group_member *x = a, *y = b;

	return by_address(&x->name, &y->name);
}

static void read_members(struct group_info *group)
{
	char path[PATH_SIZE], bus[SYSFS_NAME];
	struct group_member *member;
	struct dirent *entry;
	size_t room = 0;
	DIR *dir;

	snprintf(path, sizeof(path), GROUPS "/%ju/devices",
		 (uintmax_t)group->id);
	dir = root_opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (!usable(entry->d_name))
			continue;
		snprintf(path, sizeof(path), GROUPS "/%ju/devices/%s/subsystem",
			 (uintmax_t)group->id, entry->d_name);
		if (!root_linkname(path, bus, sizeof(bus)))
			continue;
		if (group->member_count == room) {
			room = room ? room * 2 : 4;
			group->members = reallocarray(group->members, room,
						      sizeof(*member));
			if (!group->members)
				abort();
		}
		member = &group->members[group->member_count++];
		set_name(&member->name, entry->d_name, bus);
		read_link(&member->name, "driver", member->driver);
		member->blocks = driver_blocks(member->driver);
	}
	if (dir)
		closedir(dir);
	if (group->member_count)
		qsort(group->members, group->member_count,
		      sizeof(*group->members), by_member);
}

/* A line that has another form is passed over: it is of a kernel to come. */
static void read_reserved(struct group_info *group)
{
	char path[PATH_SIZE], text[8192];
	size_t room = 1;
	char *line;

	snprintf(path, sizeof(path), GROUPS "/%ju/reserved_regions",
		 (uintmax_t)group->id);
	if (root_read(path, text, sizeof(text)) < 0)
		return;
	group->reserved_known = true;
	for (line = text; *line; line++)
		room += *line == '\n';
	group->reserved = calloc(room, sizeof(*group->reserved));
	if (!group->reserved)
		abort();
	for (line = text; *line; line += strcspn(line, "\n"),
	     line += *line == '\n')
		if (parse_reserved_region(line, &group->reserved
					  [group->reserved_count]))
			group->reserved_count++;
}

/* For ID UNKNOWN, an empty one. */
void sysfs_group(uint64_t id, struct group_info *group)
{
	char path[PATH_SIZE];

	*group = (struct group_info){ .id = id };
	if (id == UNKNOWN)
		return;
	snprintf(path, sizeof(path), GROUPS "/%ju/type", (uintmax_t)id);
	if (root_read(path, group->type, sizeof(group->type)) < 0)
		*group->type = '\0';
	group->type[strcspn(group->type, "\n")] = '\0';
	clean_text(group->type);
	read_members(group);
	read_reserved(group);
}

void sysfs_group_free(struct group_info *group)
{
	free(group->members);
	free(group->reserved);
	*group = (struct group_info){ .id = UNKNOWN };
}
