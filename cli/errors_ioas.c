// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "errors_ioas.h"
#include "ioctls.h"

/* So many ranges fit into a line that is to be read. */
#define RANGES_SHOWN 4

/*
 * struct usable - what an IOAS says of where mappings may be
 * @count: 0 also where it says nothing
 */
struct usable {
	struct iommu_iova_range *ranges;
	uint32_t count;
	uint64_t alignment;
};

static void ask_usable(const struct attempt *a, struct usable *usable)
{
	*usable = (struct usable){ .alignment = 1 };
	if (ioas_ranges(a->context->fd, a->id, &usable->ranges, &usable->count,
			&usable->alignment))
		*usable = (struct usable){ .alignment = 1 };
}

static bool is_usable(const struct usable *usable, uint64_t start,
		      uint64_t last)
{
	for (uint32_t i = 0; i < usable->count; i++)
		if (start >= usable->ranges[i].start &&
		    last <= usable->ranges[i].last)
			return true;
	return false;
}

/* "usable are 0x0-0xfedfffff, 0xfef00000-0xffffffffffffffff" */
static void print_usable(FILE *out, const struct usable *usable)
{
	if (!usable->count) {
		fputs("no range is usable", out);
		return;
	}
	for (uint32_t i = 0; i < usable->count && i < RANGES_SHOWN; i++)
		fprintf(out, "%s0x%jx-0x%jx", i ? ", " : "usable are ",
			(uintmax_t)usable->ranges[i].start,
			(uintmax_t)usable->ranges[i].last);
	if (usable->count > RANGES_SHOWN)
		fprintf(out, " and %u more ('iommufdctl show' has all)",
			usable->count - RANGES_SHOWN);
}

static void print_place(FILE *out, const struct attempt *a)
{
	fprintf(out, "0x%jx-0x%jx", (uintmax_t)a->iova,
		(uintmax_t)(a->iova + (a->length - 1)));
}

/*
 * How many bits an address may have where devices limit that: an IOMMU's
 * aperture ends at a power of two. 0 where LAST is below that end.
 */
static unsigned int beyond_aperture(const struct usable *usable, uint64_t last)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < usable->count; i++)
		if (usable->ranges[i].last > end)
			end = usable->ranges[i].last;
	if (!end || last <= end || (end & (end + 1)))
		return 0;
	return 64 - __builtin_clzll(end);
}

/* A mapping at an address that the kernel does not take. */
static void explain_place(FILE *out, const struct attempt *a, int err)
{
	struct usable usable;
	unsigned int width;
	uint64_t align;

	ask_usable(a, &usable);
	align = usable.alignment;
	if (align && a->length % align) {
		fprintf(out, "the length, %ju, is not a multiple of %ju, which "
			"this ioas asks for", (uintmax_t)a->length,
			(uintmax_t)align);
	} else if (a->fixed && align && a->iova % align) {
		fprintf(out, "the address, 0x%jx, is not a multiple of 0x%jx, "
			"which this ioas asks for", (uintmax_t)a->iova,
			(uintmax_t)align);
	} else if (a->fixed && usable.count &&
		   !is_usable(&usable, a->iova, a->iova + (a->length - 1))) {
		print_place(out, a);
		width = beyond_aperture(&usable, a->iova + (a->length - 1));
		if (width)
			fprintf(out, " is beyond the %u bits that the IOMMU of "
				"its devices takes: ", width);
		else
			fputs(" is not where mappings may be: ", out);
		print_usable(out, &usable);
	} else if (a->fixed && err != EINVAL) {
		print_place(out, a);
		fputs(" is mapped already, or a part of it: unmap that, or "
		      "choose another address with --iova", out);
	} else {
		fputs("the kernel does not take that: ", out);
		print_usable(out, &usable);
		fprintf(out, ", in steps of %ju", (uintmax_t)align);
	}
	free(usable.ranges);
}

static void explain_room(FILE *out, const struct attempt *a, int err)
{
	struct usable usable;

	(void)err;
	ask_usable(a, &usable);
	fprintf(out, "there is no free range of %ju bytes: unmap something, "
		"or have more ranges allowed; ", (uintmax_t)a->length);
	print_usable(out, &usable);
	free(usable.ranges);
}

/* Whoever has it is not asked for the limit. */
static bool may_lock_memory(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	return !syscall(SYS_capget, &head, data) &&
	       data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &
	       CAP_TO_MASK(CAP_IPC_LOCK);
}

/* How much our address space has pinned, in bytes. */
uint64_t pinned_bytes(void)
{
	unsigned long long kib = 0;
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");

	if (!status)
		return 0;
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmPin: %llu kB", &kib) == 1)
			break;
	fclose(status);
	return kib * 1024;
}

/* ENOMEM, where memory is pinned. */
void explain_memlock(FILE *out, const struct context *context)
{
	struct rlimit limit;
	uint64_t mode = 0;

	if (may_lock_memory() || getrlimit(RLIMIT_MEMLOCK, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY) {
		fputs("no memory: see the memory limit of this cgroup", out);
		return;
	}
	fprintf(out, "no memory, or more would be pinned than the limit of "
		"%ju KiB allows ('ulimit -l'", (uintmax_t)limit.rlim_cur / 1024);
	if (!iommu_option(context->fd, IOMMU_OPTION_RLIMIT_MODE,
			  IOMMU_OPTION_OP_GET, 0, &mode))
		fprintf(out, ", counted for the %s",
			mode ? "process" : "user");
	/* a user's sum is not to be had */
	if (mode)
		fprintf(out, ", which has %ju KiB pinned",
			(uintmax_t)pinned_bytes() / 1024);
	fputs("): raise it, or do it with CAP_IPC_LOCK", out);
}

static void explain_memory(FILE *out, const struct attempt *a, int err)
{
	(void)err;
	explain_memlock(out, a->context);
}

static void explain_fault(FILE *out, const struct attempt *a, int err)
{
	(void)err;
	if (a->foreign)
		fputs("a device's own memory (a BAR) cannot be mapped by this "
		      "kernel's iommufd, which maps what can be pinned: leave "
		      "it out, and devices cannot reach each other", out);
	else
		fputs("the memory cannot be pinned (a file that became shorter, "
		      "or a device's own memory), or the IOMMU of a device "
		      "cannot address the place", out);
}

static void explain_unmapped(FILE *out, const struct attempt *a, int err)
{
	(void)err;
	print_place(out, a);
	fputs(" has no mapping, or cuts one, which goes as a whole only", out);
}

static void explain_pinned(FILE *out, const struct attempt *a, int err)
{
	(void)err;
	print_place(out, a);
	fputs(" has memory that a driver does not let go of: end that use "
	      "first", out);
}

static void explain_allow(FILE *out, const struct attempt *a, int err)
{
	struct usable usable;
	const struct range *r = a->ranges.ranges;

	(void)err;
	ask_usable(a, &usable);
	for (size_t i = 0; i < a->ranges.count; i++, r++) {
		if (is_usable(&usable, r->start, r->last))
			continue;
		fprintf(out, "0x%jx-0x%jx cannot be set aside, as it is "
			"reserved in whole or in part: ",
			(uintmax_t)r->start, (uintmax_t)r->last);
		print_usable(out, &usable);
		free(usable.ranges);
		return;
	}
	free(usable.ranges);
	fputs("a range among them is in use for something else", out);
}

/* Two ranges that have an address in common, or one that is too short. */
static void explain_list(FILE *out, const struct attempt *a, int err)
{
	const struct range *r = a->ranges.ranges;

	(void)err;
	for (size_t i = 0; i < a->ranges.count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (r[i].start > r[j].last || r[j].start > r[i].last)
				continue;
			fprintf(out, "0x%jx-0x%jx and 0x%jx-0x%jx overlap",
				(uintmax_t)r[j].start, (uintmax_t)r[j].last,
				(uintmax_t)r[i].start, (uintmax_t)r[i].last);
			return;
		}
		if (r[i].start == r[i].last) {
			fprintf(out, "0x%jx-0x%jx is one address: a range that "
				"is set aside has two at least",
				(uintmax_t)r[i].start, (uintmax_t)r[i].last);
			return;
		}
	}
	fputs("the kernel does not take that list", out);
}

/*
 * Cause and next step. The first row that fits is taken; without a text it is
 * what explain() prints. What no row fits is for errors.c.
 */
static const struct {
	enum trying what;
	int err;
	enum exit_status status;
	const char *text;
	void (*explain)(FILE *out, const struct attempt *a, int err);
} causes[] = {
	{ TRYING_MAP, ENOMEM, STATUS_FAILED, NULL, explain_memory },
	{ TRYING_MAP, EINVAL, STATUS_FAILED, NULL, explain_place },
	{ TRYING_MAP, EADDRINUSE, STATUS_IN_USE, NULL, explain_place },
	{ TRYING_MAP, EEXIST, STATUS_IN_USE, NULL, explain_place },
	{ TRYING_MAP, ENOSPC, STATUS_FAILED, NULL, explain_room },
	{ TRYING_MAP, EOVERFLOW, STATUS_FAILED,
	  "it would end behind the last address that can be mapped", NULL },
	{ TRYING_MAP, EFAULT, STATUS_FAILED, NULL, explain_fault },
	{ TRYING_MAP, EACCES, STATUS_NOT_PERMITTED,
	  "the file is not open for that: --read-only asks for less", NULL },
	{ TRYING_MAP, EPERM, STATUS_NOT_PERMITTED,
	  "not permitted: memory that is sealed against writing is mapped "
	  "with --read-only", NULL },
	{ TRYING_MAP, EOPNOTSUPP, STATUS_UNSUPPORTED,
	  "this kernel's iommufd cannot map such memory", NULL },
	{ TRYING_UNMAP, ENOENT, STATUS_FAILED, NULL, explain_unmapped },
	{ TRYING_UNMAP, EOVERFLOW, STATUS_FAILED,
	  "a range begins below the last address and is shorter than 2^64-1 "
	  "bytes, or is all there is: --all", NULL },
	{ TRYING_UNMAP, EBUSY, STATUS_IN_USE,
	  "someone else is unmapping there just now: see what is left", NULL },
	{ TRYING_UNMAP, EDEADLK, STATUS_IN_USE, NULL, explain_pinned },
	{ TRYING_ALLOW, EADDRINUSE, STATUS_IN_USE, NULL, explain_allow },
	{ TRYING_ALLOW, EINVAL, STATUS_FAILED, NULL, explain_list },
	{ TRYING_ALLOW, ENOMEM, STATUS_FAILED,
	  "no memory for so many ranges: see the memory limit of this cgroup",
	  NULL },
	{ TRYING_HUGE_PAGES, EADDRINUSE, STATUS_IN_USE,
	  "something is mapped that is not made of whole pages: unmap that "
	  "first", NULL },
	{ TRYING_HUGE_PAGES, EINVAL, STATUS_FAILED,
	  "large pages cannot be switched now: what is mapped for a device "
	  "already may not fit", NULL },
	{ TRYING_HUGE_PAGES, EOPNOTSUPP, STATUS_UNSUPPORTED,
	  "this kernel's iommufd does not have that option", NULL },
	{}
};

/* Translates ERR of what was tried. Always -1. */
int problem_ioas(struct problem *p, const struct attempt *a, int err)
{
	uint64_t context = a->context->info.context;
	char *text = NULL;
	size_t size, i = 0;
	FILE *out;

	/* the same errno tells of a range that there is not */
	if (err == ENOENT &&
	    (a->what != TRYING_UNMAP || ioas_exists(a->context->fd, a->id)))
		return problem_object(p, DOING_CHANGE, err, context, a->id);
	while (causes[i].err &&
	       (causes[i].what != a->what || causes[i].err != err))
		i++;
	if (!causes[i].err)
		return problem_object(p, DOING_ANYTHING, err, context, a->id);
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	if (causes[i].explain)
		causes[i].explain(out, a, err);
	else
		fputs(causes[i].text, out);
	if (a->unmapped)
		fprintf(out, " (%ju bytes were unmapped all the same)",
			(uintmax_t)a->unmapped);
	if (fclose(out))
		abort();
	problem_set(p, causes[i].status, err, "%s", text);
	free(text);
	p->context = context;
	p->id = a->id;
	return -1;
}
