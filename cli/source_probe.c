// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The source that works on any iommufd: holders from /proc, and for a context
 * that can be taken its ids, asked about one by one with an ioctl that changes
 * nothing. Only IOASes answer to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "contexts.h"
#include "ioctls.h"
#include "names.h"
#include "source.h"

/*
 * How many unknown ids in a row mean that there are no more: with no count to
 * go by, and while fdinfo's count says that some are yet to come.
 * iommufdctl(1), SOURCES, tells users.
 */
#define GAP 1024
#define GAP_COUNTED 65536

#define ID_MAX 0x7fffffff

#define NAME "probe"

/* What was met on the way, for one note at the end. */
struct tally {
	size_t closed;		/* contexts that may not be looked into */
	uint64_t other;		/* objects that are no IOAS */
	uint64_t missed;	/* IOASes that were counted and not met */
};

static struct object_info blank(uint32_t id)
{
	return (struct object_info){
		.id = id,
		.type = "ioas",
		.users = UNKNOWN,
		.areas = UNKNOWN,
		.mapped_bytes = UNKNOWN,
		.pinned_bytes = UNKNOWN,
		.alignment = UNKNOWN,
		.huge_pages = TRUTH_UNKNOWN,
	};
}

/* Fills INFO; its holders are the caller's to free. */
static int describe(const struct found *found, size_t group,
		    const struct name_list *names, struct context_info *info,
		    struct problem *p)
{
	const struct opening *o = &found->openings[found->first[group]];
	size_t count = found->first[group + 1] - found->first[group];
	struct holder *holders = calloc(count, sizeof(*holders));

	if (!holders)
		return problem_errno(p, DOING_ANYTHING, ENOMEM, "");
	*info = (struct context_info){
		.id = o->info.context,
		.uid = UNKNOWN,
		.pinned_bytes = UNKNOWN,
		.limit_bytes = UNKNOWN,
		.holders = holders,
	};
	for (size_t i = 0; i < count; i++)
		if (!is_own(&o[i]))
			holders[info->holder_count++] = o[i].holder;
	info->name = name_of(names, holders, info->holder_count);
	return 0;
}

/* What a context tells of itself; NULL where it does not. */
static const char *ask_rlimit_mode(int fd)
{
	uint64_t mode;

	if (iommu_option(fd, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0,
			 &mode))
		return NULL;
	return mode ? "process" : "user";
}

static uint64_t count_ioas(const struct fdinfo *info)
{
	if (info->objects == UNKNOWN)
		return UNKNOWN;
	/* of a type that there is none of, a driver that counts says nothing */
	return info->ioas == UNKNOWN ? 0 : info->ioas;
}

/* Counted anew: objects may have gone while we asked. */
static void reckon(int fd, uint64_t seen, struct tally *tally)
{
	struct fdinfo now;
	uint64_t ioas;

	own_fdinfo(fd, &now);
	ioas = count_ioas(&now);
	if (ioas == UNKNOWN)
		return;
	if (now.objects > ioas)
		tally->other += now.objects - ioas;
	if (ioas > seen)
		tally->missed += ioas - seen;
}

/*
 * Asks for every id from 1 on until all IOASes that fdinfo counts have
 * answered, or none has for a long way.
 */
static int probe_objects(const struct context *context, struct sink *sink,
			 struct tally *tally, struct problem *p)
{
	uint64_t expected = count_ioas(&context->info);
	uint32_t gap = expected == UNKNOWN ? GAP : GAP_COUNTED;
	uint32_t missed = 0;
	uint64_t seen = 0;

	for (uint32_t id = 1; id <= ID_MAX && seen < expected; id++) {
		struct object_info info = blank(id);

		if (!ioas_exists(context->fd, id)) {
			seen++;
			missed = 0;
			if (sink->object(sink, &info))
				return 1;
		} else if (errno != ENOENT) {
			return problem_object(p, DOING_ASK, errno,
					      context->info.context, id);
		} else if (++missed == gap) {
			break;
		}
	}
	reckon(context->fd, seen, tally);
	return 0;
}

static int list_group(const struct found *found, size_t group,
		      const struct name_list *names, struct sink *sink, struct tally *tally,
		      struct problem *p)
{
	const struct fdinfo *fdinfo =
		&found->openings[found->first[group]].info;
	struct context context = { .fd = -1 };
	struct context_info info;
	int ret;

	if (describe(found, group, names, &info, p))
		return -1;
	/* of an empty one is known already what it holds */
	info.objects_known = !found_take(found, group, &context, p) ||
			     !fdinfo->objects;
	if (context.fd >= 0)
		info.rlimit_mode = ask_rlimit_mode(context.fd);
	ret = sink->context(sink, &info);
	free((void *)info.holders);
	if (!info.objects_known)
		tally->closed++;
	if (context.fd >= 0) {
		if (!ret)
			ret = probe_objects(&context, sink, tally, p);
		close(context.fd);
	}
	return ret ? ret : sink->context_end(sink);
}

static void say_hidden(struct sink *sink, const struct found *found,
		       const char *what)
{
	char text[160];

	if (!found->hidden)
		return;
	snprintf(text, sizeof(text), "other %s may exist: to look into every "
		 "process takes CAP_SYS_PTRACE", what);
	sink->note(sink, text);
}

static void say(struct sink *sink, const struct tally *tally)
{
	char text[160];

	if (tally->closed) {
		snprintf(text, sizeof(text), "%zu context%s could not be "
			 "looked into: that takes the right to trace a holder",
			 tally->closed, tally->closed == 1 ? "" : "s");
		sink->note(sink, text);
	}
	if (tally->other) {
		snprintf(text, sizeof(text), "%ju object%s of types that the "
			 "probe cannot see left out", (uintmax_t)tally->other,
			 tally->other == 1 ? "" : "s");
		sink->note(sink, text);
	}
	if (tally->missed) {
		snprintf(text, sizeof(text), "%ju ioas not met: past a long "
			 "gap of ids, or made meanwhile",
			 (uintmax_t)tally->missed);
		sink->note(sink, text);
	}
}

static int probe_list(const struct query *query, struct sink *sink,
		      struct problem *p)
{
	struct name_list names;
	const struct context_spec *only = query->only;
	struct tally tally = {};
	struct found found;
	size_t group, end;
	int ret;

	if (found_all(&found, only, p))
		return -1;
	/* without names there is as much to tell */
	names_list(&names, p);
	group = 0;
	end = found.groups;
	if (only) {
		ret = found_select(&found, only, &group, p);
		if (ret)
			goto out;
		end = group + 1;
	}
	ret = sink->begin(sink, NAME);
	for (; !ret && group < end; group++)
		ret = list_group(&found, group, &names, sink, &tally, p);
	if (!ret)
		ret = sink->end(sink);
	if (!ret) {
		say_hidden(sink, &found, only ? "holders" : "contexts");
		say(sink, &tally);
	}
out:
	names_free(&names);
	found_free(&found);
	return ret;
}

/* Fills INFO in full; its ranges are the caller's to free. */
static int ask(const struct context *context, uint32_t id,
	       struct object_info *info, struct problem *p)
{
	struct iommu_iova_range *room;
	struct range *ranges;
	uint64_t huge_pages;
	uint32_t count;

	*info = blank(id);
	if (ioas_ranges(context->fd, id, &room, &count, &info->alignment))
		return problem_object(p, DOING_ASK, errno,
				      context->info.context, id);
	ranges = calloc(count + 1, sizeof(*ranges));
	if (!ranges) {
		free(room);
		return problem_errno(p, DOING_ANYTHING, ENOMEM, "");
	}
	for (uint32_t i = 0; i < count; i++)
		ranges[i] = (struct range){ .start = room[i].start,
					    .last = room[i].last };
	free(room);
	info->ranges = (struct range_list){ true, count, ranges };
	if (!iommu_option(context->fd, IOMMU_OPTION_HUGE_PAGES,
			  IOMMU_OPTION_OP_GET, id, &huge_pages))
		info->huge_pages = huge_pages ? TRUTH_YES : TRUTH_NO;
	return 0;
}

static int show_one(const struct context_info *info,
		    const struct object_info *object, struct sink *sink)
{
	return sink->begin(sink, NAME) || sink->context(sink, info) ||
	       sink->object(sink, object) || sink->context_end(sink) ||
	       sink->end(sink);
}

static int probe_show(const struct context_spec *spec, uint32_t id,
		      struct sink *sink, struct problem *p)
{
	struct context context = { .fd = -1 };
	struct context_info info = {};
	struct object_info object = {};
	struct name_list names;
	struct found found;
	size_t group;
	int ret;

	if (found_all(&found, spec, p))
		return -1;
	names_list(&names, p);
	ret = found_select(&found, spec, &group, p);
	if (!ret)
		ret = found_take(&found, group, &context, p);
	if (!ret)
		ret = describe(&found, group, &names, &info, p);
	info.objects_known = true;
	if (!ret) {
		info.rlimit_mode = ask_rlimit_mode(context.fd);
		ret = ask(&context, id, &object, p);
	}
	if (!ret)
		ret = show_one(&info, &object, sink);
	if (!ret)
		say_hidden(sink, &found, "holders");
	names_free(&names);
	found_free(&found);
	free((void *)object.ranges.ranges);
	free((void *)info.holders);
	if (context.fd >= 0)
		close(context.fd);
	return ret;
}

const struct source source_probe = {
	.name = NAME,
	.list = probe_list,
	.show = probe_show,
};
