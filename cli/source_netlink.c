// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The source for this project's driver: the kernel tells of every context and
 * object, whoever has it; only the holders are looked for in /proc. Objects
 * are passed on as they come, in one dump over all contexts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "contexts.h"
#include "names.h"
#include "netlink.h"
#include "source.h"

#define NAME "netlink"

/*
 * struct listing - a list on its way
 * @contexts: all that there are, by id
 * @at: the one that the sink was given last, or is to be given first
 * @open: it was
 * @names: of contexts, by their holders
 * @holders: room for those of one context
 * @more: for a second request while the first is answered
 */
struct listing {
	struct sink *sink;
	struct problem *p;
	const struct found *found;
	struct context_info *contexts;
	size_t count;
	size_t room;
	size_t at;
	bool open;
	size_t group;
	struct name_list names;
	struct holder *holders;
	struct netlink *more;
	struct object_reply object;
};

static int take_context(const struct nlmsghdr *nlh, void *data)
{
	struct listing *l = data;
	struct context_reply reply;

	if (!parse_context_reply(nlh, &reply))
		return -EBADMSG;
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct context_info *more = reallocarray(l->contexts, room,
							 sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->contexts = more;
		l->room = room;
	}
	l->contexts[l->count++] = reply.info;
	return 0;
}

/* One context by its id, or with UNKNOWN all. Returns 0 or -errno. */
static int get_contexts(struct netlink *nl, uint64_t id, struct listing *l)
{
	struct nlmsghdr *request =
		netlink_request(nl, IOMMUFD_NL_CMD_CONTEXT_GET, id == UNKNOWN);

	if (id != UNKNOWN)
		mnl_attr_put_u64(request, IOMMUFD_NL_CONTEXT_ID, id);
	return netlink_ask(nl, request, take_context, l);
}

/* Who has the context open, in *HOLDERS for the caller to free. */
static int get_holders(const struct found *found, size_t group,
		       struct context_info *info, struct holder **holders)
{
	size_t first = found->first[group], end = found->first[group + 1];
	struct holder *room = reallocarray(*holders, end - first,
					   sizeof(*room));

	if (!room)
		return -ENOMEM;
	*holders = room;
	info->holders = room;
	for (size_t i = first; i < end; i++)
		if (!is_own(&found->openings[i]))
			room[info->holder_count++] = found->openings[i].holder;
	return 0;
}

/* Groups have the order of ids too, so both are gone through once. */
static int find_holders(struct listing *l, struct context_info *info)
{
	const struct found *found = l->found;
	const struct opening *o;
	int ret;

	for (; l->group < found->groups; l->group++) {
		o = &found->openings[found->first[l->group]];
		if (o->info.context == info->id) {
			ret = get_holders(found, l->group, info, &l->holders);
			info->name = name_of(&l->names, info->holders,
					     info->holder_count);
			return ret;
		}
		if (o->info.context > info->id)
			break;
	}
	return 0;
}

static int close_context(struct listing *l)
{
	if (!l->open)
		return 0;
	l->open = false;
	l->at++;
	return l->sink->context_end(l->sink) ? 1 : 0;
}

static int open_context(struct listing *l)
{
	int ret = find_holders(l, &l->contexts[l->at]);

	if (ret)
		return ret;
	l->open = true;
	return l->sink->context(l->sink, &l->contexts[l->at]) ? 1 : 0;
}

/* Gives the sink every context up to ID, which stays open. */
static int advance(struct listing *l, uint64_t id)
{
	int ret = 0;

	while (!ret && l->at < l->count && l->contexts[l->at].id < id) {
		if (!l->open)
			ret = open_context(l);
		if (!ret)
			ret = close_context(l);
	}
	if (!ret && !l->open && l->at < l->count &&
	    l->contexts[l->at].id == id)
		ret = open_context(l);
	return ret;
}

static int complete_in_list(struct listing *l, uint64_t **ids)
{
	int ret = 0;

	if (!l->more)
		ret = netlink_open(&l->more, l->p);
	if (ret)
		return ret < 0 ? ret : -ENODEV;
	return netlink_complete(l->more, &l->object, ids);
}

static int take_object(const struct nlmsghdr *nlh, void *data)
{
	struct listing *l = data;
	struct object_reply *object = &l->object;
	uint64_t *ids = NULL;
	int ret;

	if (!parse_object_reply(nlh, object))
		return -EBADMSG;
	ret = advance(l, object->context);
	/* of a context that was opened meanwhile nothing else is known */
	if (ret || !l->open || l->contexts[l->at].id != object->context)
		return ret;
	if (object->cut)
		ret = complete_in_list(l, &ids);
	if (!ret)
		ret = l->sink->object(l->sink, &object->info) ? 1 : 0;
	free(ids);
	return ret;
}

static int get_objects(struct netlink *nl, uint64_t context, const char *type,
		       struct listing *l)
{
	struct nlmsghdr *request =
		netlink_request(nl, IOMMUFD_NL_CMD_OBJECT_GET, true);

	if (context != UNKNOWN)
		mnl_attr_put_u64(request, IOMMUFD_NL_OBJECT_CONTEXT, context);
	if (type)
		mnl_attr_put_strz(request, IOMMUFD_NL_OBJECT_TYPE, type);
	return netlink_ask(nl, request, take_object, l);
}

static int run_list(struct netlink *nl, uint64_t context, const char *type,
		    struct listing *l)
{
	int ret = l->sink->begin(l->sink, NAME) ? 1 : 0;

	if (!ret)
		ret = get_objects(nl, context, type, l);
	/*
	 * The one context is gone meanwhile; or there can be no object of that
	 * type, since the kernel does not know it.
	 */
	if (ret == -ENOENT || (ret == -EINVAL && type))
		ret = 0;
	if (!ret)
		ret = advance(l, UNKNOWN);
	if (!ret)
		ret = close_context(l);
	if (!ret)
		ret = l->sink->end(l->sink) ? 1 : 0;
	return ret;
}

static void say_hidden(struct sink *sink, const struct found *found)
{
	if (found->hidden)
		sink->note(sink, "other holders may exist: to look into every "
			   "process takes CAP_SYS_PTRACE");
}

/*
 * The id of the context that is meant. Returns 0, -1, or SOURCE_ABSENT where
 * it has none, as it is not of our driver.
 */
static int context_of(const struct found *found,
		      const struct context_spec *spec, uint64_t *id,
		      struct problem *p)
{
	size_t group;

	if (spec->form == CONTEXT_ID) {
		*id = spec->id;
		return 0;
	}
	if (found_select(found, spec, &group, p))
		return -1;
	*id = found->openings[found->first[group]].info.context;
	return *id == UNKNOWN ? SOURCE_ABSENT : 0;
}

/* What a kernel without the right to ask, or the family, comes down to. */
static bool is_absent(int ret)
{
	return ret == -EPERM || ret == -EOPNOTSUPP;
}

static int no_context(const struct found *found,
		      const struct context_spec *spec, struct problem *p)
{
	size_t group;

	if (!found_select(found, spec, &group, p))
		problem_set(p, STATUS_NOT_FOUND, ENOENT,
			    "the context is gone");
	return -1;
}

/*
 * Opens a socket and finds out which contexts there are, or with SPEC that one
 * is there; *ID is its id. Returns 0, -1, or SOURCE_ABSENT.
 */
static int begin(const struct context_spec *spec, struct netlink **nl,
		 struct found *found, uint64_t *id, struct listing *l,
		 struct problem *p)
{
	int ret = netlink_open(nl, p);

	*found = (struct found){};
	*id = UNKNOWN;
	if (ret)
		return ret < 0 ? ret : SOURCE_ABSENT;
	/*
	 * First the kernel's word, then the holders: a context that is opened
	 * in between is left out, and none is without those that it has.
	 */
	if (!spec) {
		ret = get_contexts(*nl, UNKNOWN, l);
		if (is_absent(ret))
			return SOURCE_ABSENT;
		if (ret)
			return netlink_problem(*nl, p, -ret);
		return found_all(found, NULL, p);
	}
	if (found_all(found, spec, p))
		return -1;
	ret = context_of(found, spec, id, p);
	if (ret)
		return ret;
	ret = get_contexts(*nl, *id, l);
	if (is_absent(ret))
		return SOURCE_ABSENT;
	if (ret == -ENOENT)
		return no_context(found, spec, p);
	return ret ? netlink_problem(*nl, p, -ret) : 0;
}

static int netlink_list(const struct query *query, struct sink *sink,
			struct problem *p)
{
	struct found found;
	struct listing l = { .sink = sink, .found = &found, .p = p };
	struct netlink *nl;
	uint64_t id;
	int ret;

	ret = begin(query->only, &nl, &found, &id, &l, p);
	if (!ret) {
		/* without names there is as much to tell */
		names_list(&l.names, p);
		ret = run_list(nl, id, query->type, &l);
		if (ret < 0)
			ret = netlink_problem(nl, p, -ret);
		else if (!ret)
			say_hidden(sink, &found);
	}
	found_free(&found);
	names_free(&l.names);
	free(l.holders);
	free(l.contexts);
	netlink_close(l.more);
	netlink_close(nl);
	return ret;
}

static int show_one(const struct context_info *info,
		    const struct object_info *object, struct sink *sink)
{
	return sink->begin(sink, NAME) || sink->context(sink, info) ||
	       sink->object(sink, object) || sink->context_end(sink) ||
	       sink->end(sink);
}

/* Fills the object in full. Returns 0 or -1; *IDS are the caller's to free. */
static int get_object(struct netlink *nl, uint64_t context, uint32_t id,
		      struct object_reply *object, uint64_t **ids,
		      struct problem *p)
{
	int ret = netlink_object(nl, context, id, object);

	if (ret == -ENOENT)
		return problem_object(p, DOING_FIND, ENOENT, context, id);
	if (!ret && object->cut)
		ret = netlink_complete(nl, object, ids);
	return ret ? netlink_problem(nl, p, -ret) : 0;
}

/* struct range_room - a list of ranges that grows */
struct range_room {
	struct range *ranges;
	size_t count;
	size_t room;
};

#define KINDS (IOMMUFD_NL_RANGE_KIND_MAPPING + 1)

static int take_range(const struct nlmsghdr *nlh, void *data)
{
	struct range_room *list = data;
	struct range_reply reply;

	if (!parse_range_reply(nlh, &reply))
		return -EBADMSG;
	/* of a later version */
	if (reply.kind >= KINDS)
		return 0;
	list += reply.kind;
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		struct range *more = reallocarray(list->ranges, room,
						  sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->ranges = more;
		list->room = room;
	}
	list->ranges[list->count++] = reply.range;
	return 0;
}

static struct range_list known(const struct range_room *list)
{
	return (struct range_list){ true, list->count, list->ranges };
}

/* Of an IOAS, into LISTS, which are the caller's to free. Returns 0 or -1. */
static int get_ranges(struct netlink *nl, struct object_reply *object,
		      struct range_room *lists, struct problem *p)
{
	struct object_info *info = &object->info;
	struct nlmsghdr *request;
	int ret;

	if (strcmp(object->type, "ioas"))
		return 0;
	request = netlink_request(nl, IOMMUFD_NL_CMD_RANGE_GET, true);
	mnl_attr_put_u64(request, IOMMUFD_NL_RANGE_CONTEXT, object->context);
	mnl_attr_put_u32(request, IOMMUFD_NL_RANGE_OBJECT, info->id);
	ret = netlink_ask(nl, request, take_range, lists);
	/* gone meanwhile, and another one in its place */
	if (ret == -ENOENT || ret == -EOPNOTSUPP)
		return problem_object(p, DOING_FIND, ENOENT, object->context,
				      info->id);
	if (ret)
		return netlink_problem(nl, p, -ret);
	info->ranges = known(&lists[IOMMUFD_NL_RANGE_KIND_USABLE]);
	info->allowed = known(&lists[IOMMUFD_NL_RANGE_KIND_ALLOWED]);
	info->reserved = known(&lists[IOMMUFD_NL_RANGE_KIND_RESERVED]);
	info->mappings = known(&lists[IOMMUFD_NL_RANGE_KIND_MAPPING]);
	return 0;
}

static int netlink_show(const struct context_spec *spec, uint32_t id,
			struct sink *sink, struct problem *p)
{
	struct found found;
	struct listing l = { .sink = sink, .found = &found, .p = p };
	struct object_reply object = {};
	struct range_room ranges[KINDS] = {};
	uint64_t *ids = NULL, context;
	struct netlink *nl;
	int ret;

	ret = begin(spec, &nl, &found, &context, &l, p);
	if (!ret)
		ret = get_object(nl, context, id, &object, &ids, p);
	if (!ret)
		ret = get_ranges(nl, &object, ranges, p);
	if (!ret)
		names_list(&l.names, p);
	if (!ret && find_holders(&l, &l.contexts[0]))
		ret = problem_errno(p, DOING_ANYTHING, ENOMEM, "");
	if (!ret)
		ret = show_one(&l.contexts[0], &object.info, sink);
	if (!ret)
		say_hidden(sink, &found);
	found_free(&found);
	free(ids);
	for (size_t i = 0; i < KINDS; i++)
		free(ranges[i].ranges);
	names_free(&l.names);
	free(l.holders);
	free(l.contexts);
	netlink_close(nl);
	return ret;
}

const struct source source_netlink = {
	.name = NAME,
	.list = netlink_list,
	.show = netlink_show,
};
