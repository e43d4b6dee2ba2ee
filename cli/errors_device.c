// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errors_device.h"
#include "errors_ioas.h"
#include "ioctls.h"
#include "roots.h"
#include "scan.h"

/* The last part of where PATH leads; empty where it leads nowhere. */
static const char *read_link(const char *path, char target[256])
{
	char *full = root_path(path);
	ssize_t len = readlink(full, target, 255);

	free(full);
	target[len > 0 ? len : 0] = '\0';
	return basename(target);
}

/* Calls back with each entry of folder PATH but those with a dot. */
static void each_entry(const char *path,
		       void (*call)(const char *name, void *data), void *data)
{
	int fd = root_open(path, O_RDONLY | O_DIRECTORY);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			call(entry->d_name, data);
	closedir(dir);
}

/* struct neighbours - devices of one group that are in the way of another */
struct neighbours {
	FILE *out;
	const char *address;
	size_t count;
};

static void name_neighbour(const char *name, void *data)
{
	struct neighbours *n = data;
	char path[320], target[256];
	const char *driver;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", name);
	driver = read_link(path, target);
	if (!strcmp(name, n->address) || !*driver || strstr(driver, "vfio"))
		return;
	fprintf(n->out, "%s%s (driver %s)", n->count++ ? ", " : "", name,
		driver);
}

/* "0000:00:1f.2 (driver ahci)": what the host has of the device's group. */
static size_t print_neighbours(FILE *out, const char *address)
{
	struct neighbours n = { .out = out, .address = address };
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/iommu_group/devices", address);
	each_entry(path, name_neighbour, &n);
	return n.count;
}

/* Someone else in the group does DMA by a driver of the host's. */
static void explain_group(FILE *out, const struct device_attempt *a)
{
	fputs("its IOMMU group is in use by ", out);
	if (print_neighbours(out, a->address))
		fputs(": a group goes as a whole, so bind these to vfio-pci, or "
		      "unbind them", out);
	else
		fputs("someone else: end that use first", out);
}

/* The kernel says EPERM for that as well as for what else can be missing. */
static bool group_in_use(const char *address)
{
	char *text = NULL;
	size_t size, count;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	count = print_neighbours(out, address);
	fclose(out);
	free(text);
	return count;
}

/* struct user - who has a device's node open */
struct user {
	dev_t dev;
	int pid;
};

static void look_at_process(const char *name, void *data)
{
	struct user *user = data;
	char path[64];
	struct dirent *entry;
	uint64_t pid;
	struct stat st;
	DIR *dir;

	if (user->pid || !parse_number(name, INT32_MAX, &pid) ||
	    pid == (uint64_t)getpid())
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return;
	while (!user->pid && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    !fstatat(dirfd(dir), entry->d_name, &st, 0) &&
		    S_ISCHR(st.st_mode) && st.st_rdev == user->dev)
			user->pid = pid;
	closedir(dir);
}

/* EINVAL: as a rule it is bound already, through another descriptor. */
static void explain_bound(FILE *out, const struct device_attempt *a)
{
	struct user user = {};
	char path[64], comm[64];
	struct stat st;

	if (!fstat(a->device, &st)) {
		user.dev = st.st_rdev;
		each_entry("/proc", look_at_process, &user);
	}
	if (!user.pid) {
		fputs("the kernel does not take that: it is in use by a "
		      "process out of sight, or its IOMMU cannot keep caches "
		      "coherent", out);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", user.pid);
	if (root_read(path, comm, sizeof(comm)) <= 0)
		*comm = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	clean_text(comm);
	fprintf(out, "it is bound already, by %s[%d], which has it open: "
		"'iommufdctl device unbind' there, or end that process",
		comm, user.pid);
}

/* "0xfee00000-0xfeefffff (msi)", of the device's group */
static bool print_reserved(FILE *out, const char *address)
{
	char path[128], text[1024];
	char *line, *next = text;
	unsigned long long first, last;
	size_t count = 0;
	int kind;

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/iommu_group/reserved_regions",
		 address);
	if (root_read(path, text, sizeof(text)) <= 0)
		return false;
	while ((line = strsep(&next, "\n"))) {
		kind = 0;
		sscanf(line, "%llx %llx %n", &first, &last, &kind);
		/* these may be mapped, as the guest's own are */
		if (!kind || !strncmp(line + kind, "direct-relaxable", 16))
			continue;
		fprintf(out, "%s0x%llx-0x%llx (%s)", count++ ? ", " : "",
			first, last, line + kind);
	}
	return count;
}

/* EADDRINUSE: what is mapped, or set aside, has no place with this device. */
static void explain_reserved(FILE *out, const struct device_attempt *a)
{
	unsigned int width = device_width(a->context->fd, a->id);
	char *reserved = NULL;
	size_t size;
	FILE *list = open_memstream(&reserved, &size);
	bool any;

	if (!list)
		abort();
	any = *a->address && print_reserved(list, a->address);
	if (fclose(list))
		abort();
	fprintf(out, "something is mapped, or set aside, where this device can "
		"have nothing: ");
	if (any)
		fprintf(out, "reserved are %s", reserved);
	else
		fputs("in a range that is reserved", out);
	if (width)
		fprintf(out, ", and what is beyond the %u bits that its IOMMU "
			"takes", width);
	fputs("; unmap that, or have it mapped after the device is attached",
	      out);
	free(reserved);
}

/* EINVAL: an object of another type, or a page table that is not for it. */
static void explain_pt(FILE *out, const struct device_attempt *a)
{
	struct scan scan = {};
	const char *type = NULL;

	scanner_begin(&scan.scanner, a->context->fd);
	if (!scan_one(&scan, a->pt))
		type = scan_type(&scan, a->pt);
	if (type && strcmp(type, "ioas") && strncmp(type, "hwpt-", 5))
		fprintf(out, "object %u is of type %s: a device is attached to "
			"an ioas or a hwpt", a->pt, type);
	else if (type && *type == 'h')
		fprintf(out, "hwpt %u is not for this device: it was made for "
			"one behind another IOMMU, or of another kind", a->pt);
	else
		fputs("the kernel does not take that: the device is not bound "
		      "any more, or its IOMMU cannot do what it is asked", out);
	scan_free(&scan);
}

static void explain_limit(FILE *out, const struct device_attempt *a)
{
	explain_memlock(out, a->context);
}

/*
 * Cause and next step. The first row that fits is taken; without a text it is
 * what explain() prints. What no row fits is for errors.c.
 */
static const struct {
	enum device_trying what;
	int err;
	enum exit_status status;
	const char *text;
	void (*explain)(FILE *out, const struct device_attempt *a);
} causes[] = {
	{ TRYING_BIND, EBUSY, STATUS_IN_USE, NULL, explain_group },
	{ TRYING_BIND, EINVAL, STATUS_IN_USE, NULL, explain_bound },
	{ TRYING_BIND, EPERM, STATUS_NOT_PERMITTED,
	  "nothing keeps its interrupts apart: enable interrupt remapping in "
	  "the firmware, or, to trust all who have devices, load iommufd with "
	  "allow_unsafe_interrupts=1", NULL },
	{ TRYING_BIND, ENODEV, STATUS_UNSUPPORTED,
	  "there is no IOMMU in front of it that iommufd can use", NULL },
	{ TRYING_BIND, ENOTTY, STATUS_UNSUPPORTED,
	  "this kernel's VFIO cannot bind a device to an iommufd", NULL },
	{ TRYING_BIND, EBADF, STATUS_UNSUPPORTED,
	  "this kernel's VFIO does not know the iommufd that the context is "
	  "of: the two have to be of one kernel, or one project", NULL },
	{ TRYING_ATTACH, ENOENT, STATUS_NOT_FOUND,
	  "there is no ioas or hwpt of that id: 'iommufdctl list' shows what "
	  "there is", NULL },
	{ TRYING_ATTACH, EADDRINUSE, STATUS_IN_USE, NULL, explain_reserved },
	{ TRYING_ATTACH, EBUSY, STATUS_IN_USE,
	  "another device of its IOMMU group is attached elsewhere: detach "
	  "that first, or attach both to one", NULL },
	{ TRYING_ATTACH, EINVAL, STATUS_FAILED, NULL, explain_pt },
	{ TRYING_ATTACH, ENOMEM, STATUS_FAILED, NULL, explain_limit },
	{ TRYING_ATTACH, EFAULT, STATUS_FAILED,
	  "some of the memory that is mapped cannot be pinned: a file that "
	  "became shorter, or a device's own memory", NULL },
	{ TRYING_DETACH, EINVAL, STATUS_FAILED,
	  "the device is not bound any more", NULL },
	{ TRYING_HWPT, ENOENT, STATUS_NOT_FOUND,
	  "there is no such device: 'iommufdctl list' shows what there is",
	  NULL },
	{ TRYING_HWPT, EINVAL, STATUS_FAILED,
	  "there is no such ioas, or none that the device's IOMMU could make a "
	  "page table of", NULL },
	{ TRYING_HWPT, EADDRINUSE, STATUS_IN_USE, NULL, explain_reserved },
	{ TRYING_HWPT, ENOMEM, STATUS_FAILED, NULL, explain_limit },
	{ TRYING_HWPT, EFAULT, STATUS_FAILED,
	  "some of the memory that is mapped cannot be pinned: a file that "
	  "became shorter, or a device's own memory", NULL },
	{ TRYING_HWPT, ENOTTY, STATUS_UNSUPPORTED,
	  "this kernel's iommufd cannot make hwpt objects", NULL },
	{ TRYING_HWPT, EOPNOTSUPP, STATUS_UNSUPPORTED,
	  "the device's IOMMU cannot do that", NULL },
	{}
};

/* Translates ERR of what was tried. Always -1. */
int problem_device(struct problem *p, const struct device_attempt *a, int err)
{
	uint64_t context = a->context->info.context;
	uint64_t id = a->id ? a->id : UNKNOWN;
	char *text = NULL;
	size_t size, i = 0;
	int row = err;
	FILE *out;

	if (err == EPERM && a->what == TRYING_BIND && group_in_use(a->address))
		row = EBUSY;
	while (causes[i].err &&
	       (causes[i].what != a->what || causes[i].err != row))
		i++;
	if (!causes[i].err)
		return problem_object(p, DOING_ANYTHING, err, context, id);
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	if (*a->address)
		fprintf(out, "%s: ", a->address);
	if (causes[i].explain)
		causes[i].explain(out, a);
	else
		fputs(causes[i].text, out);
	if (fclose(out))
		abort();
	problem_set(p, causes[i].status, err, "%s", text);
	clean_text(p->text);
	free(text);
	p->context = context;
	p->id = id;
	return -1;
}
