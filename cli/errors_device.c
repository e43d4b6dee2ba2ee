// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errors_device.h"
#include "errors_ioas.h"
#include "ioctls.h"
#include "scan.h"
#include "sysfs.h"
#include "vfio_users.h"

/* What sysfs has of the attempt's device; false for none. */
static bool look_up(const struct device_attempt *a, struct device_info *info)
{
	struct device_name name = { .bus = "pci" };

	snprintf(name.address, sizeof(name.address), "%s", a->address);
	return *a->address && sysfs_device(&name, info);
}

/* "0000:00:1f.2 (driver ahci)": what the host has of the device's group. */
static size_t print_blockers(FILE *out, const struct device_attempt *a)
{
	struct group_info group;
	struct device_info info;
	size_t count = 0;

	if (!look_up(a, &info))
		return 0;
	sysfs_group(info.group, &group);
	for (size_t i = 0; i < group.member_count; i++) {
		const struct group_member *m = &group.members[i];

		if (m->blocks && strcmp(m->name.address, a->address))
			fprintf(out, "%s%s (driver %s)", count++ ? ", " : "",
				m->name.address, m->driver);
	}
	sysfs_group_free(&group);
	return count;
}

/* Who else has the device, or its group, open. False: no one that we may see. */
static bool find_user(const struct device_attempt *a, struct holder *user)
{
	struct problem ignored;
	struct vfio_users users;
	struct device_info info;
	struct holder *holders;
	bool found = false;
	size_t count;

	if (!look_up(a, &info) || vfio_users_look(&users, &ignored))
		return false;
	holders = vfio_holders(&users, &info, &count);
	for (size_t i = 0; !found && i < count; i++) {
		found = holders[i].pid != getpid();
		*user = holders[i];
	}
	free(holders);
	vfio_users_free(&users);
	return found;
}

/* Someone else in the group does DMA, by a driver of the host's or by VFIO. */
static void explain_group(FILE *out, const struct device_attempt *a)
{
	struct holder user;

	fputs("its IOMMU group is in use by ", out);
	if (print_blockers(out, a))
		fputs(": a group goes as a whole, so bind these to vfio-pci, or "
		      "unbind them", out);
	else if (find_user(a, &user))
		fprintf(out, "%s[%d], which has it open: end that first",
			user.comm, user.pid);
	else
		fputs("someone else: end that use first", out);
}

/* The kernel says EPERM for that as well as for what else can be missing. */
static bool group_in_use(const struct device_attempt *a)
{
	char *text = NULL;
	size_t size, count;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	count = print_blockers(out, a);
	fclose(out);
	free(text);
	return count;
}

/* EINVAL: as a rule it is bound already, through another descriptor. */
static void explain_bound(FILE *out, const struct device_attempt *a)
{
	struct holder user;

	if (find_user(a, &user))
		fprintf(out, "it is bound already, by %s[%d], which has it "
			"open: 'iommufdctl device unbind' there, or end that "
			"process", user.comm, user.pid);
	else
		fputs("the kernel does not take that: it is in use by a "
		      "process out of sight, or its IOMMU cannot keep caches "
		      "coherent", out);
}

/* "0xfee00000-0xfeefffff (msi)", of the device's group */
static bool print_reserved(FILE *out, const struct device_attempt *a)
{
	struct group_info group;
	struct device_info info;
	size_t count = 0;

	if (!look_up(a, &info))
		return false;
	sysfs_group(info.group, &group);
	for (size_t i = 0; i < group.reserved_count; i++) {
		const struct reserved_region *r = &group.reserved[i];

		/* these may be mapped, as the guest's own are */
		if (strcmp(r->type, "direct-relaxable"))
			fprintf(out, "%s0x%jx-0x%jx (%s)", count++ ? ", " : "",
				(uintmax_t)r->start, (uintmax_t)r->last,
				r->type);
	}
	sysfs_group_free(&group);
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
	any = print_reserved(list, a);
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

#define UNPINNABLE \
	"some of the memory that is mapped cannot be pinned: a file that " \
	"became shorter, or a device's own memory"

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
	{ TRYING_ATTACH, EFAULT, STATUS_FAILED, UNPINNABLE, NULL },
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
	{ TRYING_HWPT, EFAULT, STATUS_FAILED, UNPINNABLE, NULL },
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

	if (err == EPERM && a->what == TRYING_BIND && group_in_use(a))
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
