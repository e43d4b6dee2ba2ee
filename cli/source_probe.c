// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The source that works on any iommufd: holders from /proc, for a context that
 * can be taken the objects that answer (scan.h), and of a named one what its
 * holder has written down of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contexts.h"
#include "ioctls.h"
#include "kept.h"
#include "names.h"
#include "scan.h"
#include "source.h"

#define NAME "probe"

/* What was met on the way, for one note at the end. */
struct tally {
	size_t closed;		/* contexts that may not be looked into */
	size_t unsteady;	/* that changed all the time */
	uint64_t other;		/* objects of types that do not answer */
	uint64_t missed;	/* IOASes that were counted and not met */
};

/* struct subject - a context that is being looked at */
struct subject {
	struct context context;	/* its descriptor is -1 where it has none */
	struct context_info info;
	struct scan scan;
	struct kept_list kept;
};

static struct object_info blank(uint32_t id, const char *type)
{
	return (struct object_info){
		.id = id,
		.type = type,
		.users = UNKNOWN,
		.areas = UNKNOWN,
		.mapped_bytes = UNKNOWN,
		.pinned_bytes = UNKNOWN,
		.alignment = UNKNOWN,
		.huge_pages = TRUTH_UNKNOWN,
	};
}

/*
 * What OBJECT refers to, where that is known; *ID is room for it. An IOAS and a
 * fault queue refer to nothing, by what they are. That a number still stands
 * for the same object is as sure as its type is.
 */
static void refer(const struct subject *s, struct object_info *object,
		  uint64_t *id)
{
	const struct kept_record *device =
		kept_find(&s->kept, KEPT_DEVICE, object->id);
	bool known = !strcmp(object->type, "ioas") ||
		     !strcmp(object->type, "fault");
	const char *type = NULL;

	*id = 0;
	if (!strcmp(object->type, "device") && device) {
		known = true;
		*id = device->pt;
		type = "hwpt-";
	} else if (!strcmp(object->type, "hwpt-paging")) {
		*id = kept_ioas_of(&s->kept, object->id);
		known = *id;
		type = "ioas";
	}
	if (*id && (!scan_type(&s->scan, *id) ||
		    strncmp(scan_type(&s->scan, *id), type, strlen(type))))
		known = false;
	object->refers_to = (struct id_list){ known, known && *id, id };
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

/* Counted anew: objects may have gone while we asked. */
static void reckon(const struct subject *s, struct tally *tally)
{
	struct fdinfo now;
	uint64_t ioas;

	own_fdinfo(s->context.fd, &now);
	ioas = count_ioas(&now);
	if (ioas == UNKNOWN)
		return;
	if (ioas > s->scan.ioas)
		tally->missed += ioas - s->scan.ioas;
	else
		ioas = s->scan.ioas;
	if (now.objects > ioas + s->scan.count - s->scan.ioas)
		tally->other += now.objects - ioas -
				(s->scan.count - s->scan.ioas);
}

/* Of those who have gone since the look into /proc, none is left in INFO. */
static void drop_gone(int fd, struct context_info *info)
{
	struct holder *holders = (struct holder *)info->holders;
	size_t left = 0;

	for (size_t i = 0; i < info->holder_count; i++)
		if (!has_gone(fd, &holders[i]))
			holders[left++] = holders[i];
	info->holder_count = left;
}

static int give_objects(struct subject *s, struct sink *sink)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < s->scan.count; i++) {
		uint32_t id = s->scan.objects[i].id;
		struct object_info object = blank(id, scan_type(&s->scan, id));
		uint64_t other;

		refer(s, &object, &other);
		ret = sink->object(sink, &object);
	}
	return ret;
}

/* Asked before anything is written, so that all is told as of the end. */
static int look_into(struct subject *s, struct tally *tally,
		     struct problem *p)
{
	if (s->context.fd < 0)
		return 0;
	s->info.rlimit_mode = ask_rlimit_mode(s->context.fd);
	if (scan_context(&s->scan, s->context.fd))
		return problem_errno(p, DOING_ANYTHING, errno, "");
	kept_read(s->info.name, &s->kept);
	/* its holder has their descriptors, so they are there */
	for (size_t i = 0; i < s->kept.count; i++)
		if (s->kept.records[i].kind == KEPT_FAULT)
			scan_add_fault(&s->scan, s->kept.records[i].id);
	tally->unsteady += s->scan.unsteady;
	reckon(s, tally);
	drop_gone(s->context.fd, &s->info);
	return 0;
}

static int list_group(const struct found *found, size_t group,
		      const struct name_list *names, struct sink *sink,
		      struct tally *tally, struct problem *p)
{
	const struct opening *o = &found->openings[found->first[group]];
	struct subject s = { .context.fd = -1 };
	bool held;
	int ret;

	if (describe(found, group, names, &s.info, p))
		return -1;
	held = s.info.holder_count;
	/* of an empty one is known already what it holds */
	s.info.objects_known = !found_take(found, group, &s.context, p) ||
			       !o->info.objects;
	if (!s.info.objects_known)
		tally->closed++;
	ret = look_into(&s, tally, p);
	/* the last one who had it has gone, and it is ours alone now */
	if (!ret && (!held || s.info.holder_count)) {
		ret = sink->context(sink, &s.info) ||
		      give_objects(&s, sink) || sink->context_end(sink);
	}
	if (s.context.fd >= 0)
		close(s.context.fd);
	scan_free(&s.scan);
	kept_free(&s.kept);
	free((void *)s.info.holders);
	return ret;
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
	if (tally->unsteady) {
		snprintf(text, sizeof(text), "%zu context%s changed all the "
			 "time: shown as last seen", tally->unsteady,
			 tally->unsteady == 1 ? "" : "s");
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

/* Fills in what 'show' tells of an IOAS; its ranges are the caller's to free. */
static int ask_ioas(const struct context *context, struct object_info *info,
		    struct problem *p)
{
	struct iommu_iova_range *room;
	struct range *ranges;
	uint64_t huge_pages;
	uint32_t count;

	if (ioas_ranges(context->fd, info->id, &room, &count,
			&info->alignment))
		return problem_object(p, DOING_FIND, errno,
				      context->info.context, info->id);
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
			  IOMMU_OPTION_OP_GET, info->id, &huge_pages))
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

/* What S->context is, but for its objects; without one it is an error. */
static int take(const struct found *found, const struct context_spec *spec,
		struct subject *s, struct problem *p)
{
	struct name_list names;
	size_t group;
	int ret;

	ret = found_select(found, spec, &group, p);
	if (!ret)
		ret = found_take(found, group, &s->context, p);
	if (ret)
		return -1;
	names_list(&names, p);
	ret = describe(found, group, &names, &s->info, p);
	kept_read(s->info.name, &s->kept);
	s->info.objects_known = true;
	s->info.rlimit_mode = ask_rlimit_mode(s->context.fd);
	s->info.name = s->info.name ? strdup(s->info.name) : NULL;
	names_free(&names);
	return ret;
}

/* The one, and the one that it refers to. */
static int look_at(struct subject *s, uint32_t id, struct problem *p)
{
	const struct kept_record *device = kept_find(&s->kept, KEPT_DEVICE, id);
	uint32_t other = device ? device->pt : kept_ioas_of(&s->kept, id);
	int fd = s->context.fd;

	scanner_begin(&s->scan.scanner, fd);
	if (kept_find(&s->kept, KEPT_FAULT, id))
		scan_add_fault(&s->scan, id);
	else if (scan_one(&s->scan, id))
		return problem_object(p, DOING_ASK, errno,
				      s->context.info.context, id);
	if (other && other != id)
		scan_one(&s->scan, other);
	return 0;
}

static int probe_show(const struct context_spec *spec, uint32_t id,
		      struct sink *sink, struct problem *p)
{
	struct subject s = { .context.fd = -1 };
	struct object_info object = {};
	struct found found;
	uint64_t other;
	int ret;

	if (found_all(&found, spec, p))
		return -1;
	ret = take(&found, spec, &s, p);
	if (!ret)
		ret = look_at(&s, id, p);
	if (!ret) {
		object = blank(id, scan_type(&s.scan, id));
		refer(&s, &object, &other);
		if (!strcmp(object.type, "ioas"))
			ret = ask_ioas(&s.context, &object, p);
	}
	if (!ret)
		ret = show_one(&s.info, &object, sink);
	if (!ret)
		say_hidden(sink, &found, "holders");
	found_free(&found);
	free((void *)object.ranges.ranges);
	free((void *)s.info.holders);
	free((void *)s.info.name);
	kept_free(&s.kept);
	scan_free(&s.scan);
	if (s.context.fd >= 0)
		close(s.context.fd);
	return ret;
}

const struct source source_probe = {
	.name = NAME,
	.list = probe_list,
	.show = probe_show,
};
