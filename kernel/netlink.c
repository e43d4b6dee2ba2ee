// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "iommufd": formats what show.c yields for
 * programs, and sends events. include/uapi/linux/iommufd_netlink.h has the
 * numbers, netlink/iommufd.yaml the meaning.
 *
 * A dump resumes by the ids that it was at, so it can be as long as it likes:
 * what lived all the time is in it exactly once. It says NLM_F_DUMP_INTR if
 * anything in its scope has changed since it began.
 */
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/iommufd_netlink.h>

#include "compat.h"
#include "iommufd_private.h"

/* What a request may name. All else that a reply has is refused in it. */
#define CONTEXT_REQUEST_MAX IOMMUFD_NL_CONTEXT_ID
#define OBJECT_REQUEST_MAX IOMMUFD_NL_OBJECT_REFERS_TO
#define RANGE_REQUEST_MAX IOMMUFD_NL_RANGE_KIND

#define EVENTS_GROUP 0

static struct genl_family iommufd_nl_family;

/**
 * struct iommufd_nl_walk - a dump on its way
 * @error: of the request; reported by the dump itself, as on older kernels
 *         what prepares a dump cannot say why it fails
 * @why: the same in words
 * @one_ctx: only of the context @ctx
 * @begun: @ctx has been met
 * @done: there is no more to come
 * @ctx: where to go on
 * @id: the same: lowest object id wanted, or IOMMUFD_SHOW_END
 * @only_id: only objects of this id, if not 0
 * @refers_to: only what refers to this id, if not 0
 * @type: only objects of this type, if below IOMMUFD_OBJ_TYPES
 * @kind: of the ranges to go on with
 * @one_kind: and only those
 * @from: IOVA to go on from
 * @more: there are more ranges of this kind
 * @ctxs: room for one batch
 * @objs: the same
 * @ranges: the same
 */
struct iommufd_nl_walk {
	int error;
	const char *why;
	bool one_ctx;
	bool begun;
	bool done;
	u64 ctx;
	u32 id;
	u32 only_id;
	u32 refers_to;
	enum iommufd_object_type type;
	enum iommufd_range_kind kind;
	bool one_kind;
	unsigned long from;
	bool more;
	union {
		struct iommufd_ctx_info ctxs[IOMMUFD_SHOW_BATCH];
		struct iommufd_object_info objs[IOMMUFD_SHOW_BATCH];
		struct iommufd_range_info ranges[IOMMUFD_SHOW_BATCH];
	};
};

/*
 * May this be answered at all? Contexts belong to no namespace, and all of them
 * are shown, so it takes the right to see all processes of the host.
 */
static int check_request(struct sk_buff *skb, const struct nlmsghdr *nlh,
			 const char **why)
{
	DECLARE_BITMAP(seen, IOMMUFD_NL_OBJECT_MAX + 1) = {};
	const struct nlattr *nla;
	int rem;

	if (!netlink_capable(skb, CAP_SYS_ADMIN)) {
		*why = "CAP_SYS_ADMIN in the initial user namespace is needed";
		return -EPERM;
	}
	if (!net_eq(sock_net(skb->sk), &init_net)) {
		*why = "ask from the initial network namespace";
		return -EPERM;
	}
	/* The parser takes the last one and says nothing. */
	nlmsg_for_each_attr(nla, nlh, GENL_HDRLEN, rem) {
		if (nla_type(nla) > IOMMUFD_NL_OBJECT_MAX)
			continue;
		if (__test_and_set_bit(nla_type(nla), seen)) {
			*why = "an attribute is there twice";
			return -EINVAL;
		}
	}
	return 0;
}

/* The same for what is no dump: that can say at once what is wrong. */
static int check_do(struct sk_buff *skb, struct genl_info *info)
{
	const char *why;
	int rc;

	rc = check_request(skb, info->nlhdr, &why);
	if (rc)
		info->extack->_msg = why;
	return rc;
}

static int put_ctx(struct sk_buff *skb, const struct iommufd_ctx_info *info)
{
	if (nla_put_u64_64bit(skb, IOMMUFD_NL_CONTEXT_ID, info->id,
			      IOMMUFD_NL_CONTEXT_PAD) ||
	    (info->opener &&
	     nla_put_u32(skb, IOMMUFD_NL_CONTEXT_OPENER_PID, info->opener)) ||
	    nla_put_string(skb, IOMMUFD_NL_CONTEXT_OPENER_COMM, info->comm) ||
	    nla_put_u32(skb, IOMMUFD_NL_CONTEXT_OPENER_UID,
			from_kuid(&init_user_ns, info->uid)) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_CONTEXT_OBJECTS,
			      info->nr_objects, IOMMUFD_NL_CONTEXT_PAD) ||
	    nla_put_u32(skb, IOMMUFD_NL_CONTEXT_RLIMIT_MODE,
			info->rlimit_process ? IOMMUFD_NL_RLIMIT_MODE_PROCESS :
					       IOMMUFD_NL_RLIMIT_MODE_USER) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_CONTEXT_PINNED_BYTES,
			      info->pinned, IOMMUFD_NL_CONTEXT_PAD) ||
	    (info->limit != U64_MAX &&
	     nla_put_u64_64bit(skb, IOMMUFD_NL_CONTEXT_LIMIT_BYTES,
			       info->limit, IOMMUFD_NL_CONTEXT_PAD)))
		return -EMSGSIZE;
	return 0;
}

static int put_ioas(struct sk_buff *skb, const struct iommufd_object_info *info)
{
	struct nlattr *nest = nla_nest_start(skb, IOMMUFD_NL_OBJECT_IOAS);

	if (!nest ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_IOAS_AREAS, info->areas,
			      IOMMUFD_NL_IOAS_PAD) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_IOAS_MAPPED_BYTES, info->mapped,
			      IOMMUFD_NL_IOAS_PAD) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_IOAS_PINNED_BYTES, info->pinned,
			      IOMMUFD_NL_IOAS_PAD) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_IOAS_ALIGNMENT, info->alignment,
			      IOMMUFD_NL_IOAS_PAD) ||
	    nla_put_u8(skb, IOMMUFD_NL_IOAS_HUGE_PAGES, info->huge_pages))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_access(struct sk_buff *skb,
		      const struct iommufd_object_info *info)
{
	struct nlattr *nest = nla_nest_start(skb, IOMMUFD_NL_OBJECT_ACCESS);

	if (!nest || nla_put_string(skb, IOMMUFD_NL_ACCESS_OWNER, info->owner) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_ACCESS_PINNED_BYTES, info->pinned,
			      IOMMUFD_NL_ACCESS_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_bound(struct sk_buff *skb,
		     const struct iommufd_object_info *info)
{
	struct nlattr *nest = nla_nest_start(skb, IOMMUFD_NL_OBJECT_DEVICE);

	if (!nest || nla_put_string(skb, IOMMUFD_NL_DEVICE_NAME, info->owner) ||
	    nla_put_u32(skb, IOMMUFD_NL_DEVICE_GROUP, info->group))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_hwpt(struct sk_buff *skb, const struct iommufd_object_info *info)
{
	struct nlattr *nest = nla_nest_start(skb, IOMMUFD_NL_OBJECT_HWPT);

	if (!nest ||
	    (info->automatic &&
	     nla_put_flag(skb, IOMMUFD_NL_HWPT_AUTOMATIC)) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_HWPT_PAGE_SIZES, info->page_sizes,
			      IOMMUFD_NL_HWPT_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What only this type of object has. */
static int put_nest(struct sk_buff *skb, const struct iommufd_object_info *info)
{
	switch (info->type) {
	case IOMMUFD_OBJ_IOAS:
		return put_ioas(skb, info);
	case IOMMUFD_OBJ_ACCESS:
		return put_access(skb, info);
	case IOMMUFD_OBJ_DEVICE:
		return put_bound(skb, info);
	case IOMMUFD_OBJ_HWPT:
		return put_hwpt(skb, info);
	default:
		return 0;
	}
}

static int put_range(struct sk_buff *skb, const struct iommufd_nl_walk *walk,
		     const struct iommufd_range_info *info)
{
	if (nla_put_u64_64bit(skb, IOMMUFD_NL_RANGE_CONTEXT, walk->ctx,
			      IOMMUFD_NL_RANGE_PAD) ||
	    nla_put_u32(skb, IOMMUFD_NL_RANGE_OBJECT, walk->id) ||
	    nla_put_u32(skb, IOMMUFD_NL_RANGE_KIND, walk->kind) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_RANGE_START, info->start,
			      IOMMUFD_NL_RANGE_PAD) ||
	    nla_put_u64_64bit(skb, IOMMUFD_NL_RANGE_LAST, info->last,
			      IOMMUFD_NL_RANGE_PAD) ||
	    (info->flags & IOMMU_IOAS_MAP_READABLE &&
	     nla_put_flag(skb, IOMMUFD_NL_RANGE_READABLE)) ||
	    (info->flags & IOMMU_IOAS_MAP_WRITEABLE &&
	     nla_put_flag(skb, IOMMUFD_NL_RANGE_WRITEABLE)))
		return -EMSGSIZE;
	return 0;
}

static int put_ids(struct sk_buff *skb, int attr, const u32 *ids,
		   unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (nla_put_u32(skb, attr, ids[i]))
			return -EMSGSIZE;
	return 0;
}

/* What an event has of an object, too. */
static int put_object_name(struct sk_buff *skb, u64 ctx, u32 id,
			   enum iommufd_object_type type)
{
	if (nla_put_u64_64bit(skb, IOMMUFD_NL_OBJECT_CONTEXT, ctx,
			      IOMMUFD_NL_OBJECT_PAD) ||
	    nla_put_u32(skb, IOMMUFD_NL_OBJECT_ID, id) ||
	    nla_put_string(skb, IOMMUFD_NL_OBJECT_TYPE,
			   iommufd_object_type_name(type)))
		return -EMSGSIZE;
	return 0;
}

static int put_object(struct sk_buff *skb, u64 ctx,
		      const struct iommufd_object_info *info)
{
	if (put_object_name(skb, ctx, info->id, info->type) ||
	    put_ids(skb, IOMMUFD_NL_OBJECT_REFERS_TO, info->refers_to,
		    info->nr_refers_to) ||
	    put_ids(skb, IOMMUFD_NL_OBJECT_REFERRED_BY, info->referrers,
		    info->nr_referrers) ||
	    (info->more_referrers &&
	     nla_put_flag(skb, IOMMUFD_NL_OBJECT_REFERRED_BY_CUT)) ||
	    nla_put_u32(skb, IOMMUFD_NL_OBJECT_USERS, info->users) ||
	    (info->owned &&
	     nla_put_flag(skb, IOMMUFD_NL_OBJECT_KERNEL_OWNED)) ||
	    put_nest(skb, info))
		return -EMSGSIZE;
	return 0;
}

/* Begins a reply, of a dump if @cb. */
static void *put_header(struct sk_buff *skb, u32 portid, u32 seq, u8 cmd,
			struct netlink_callback *cb)
{
	void *hdr = genlmsg_put(skb, portid, seq, &iommufd_nl_family,
				cb ? NLM_F_MULTI : 0, cmd);

	if (hdr && cb)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

static void *put_dump_header(struct sk_buff *skb, struct netlink_callback *cb,
			     u8 cmd)
{
	return put_header(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  cmd, cb);
}

/* Sends the only reply, unless @rc tells that it did not fit. */
static int reply(struct sk_buff *skb, void *hdr, int rc,
		 struct genl_info *info)
{
	if (WARN_ON_ONCE(rc)) {
		nlmsg_free(skb);
		return rc;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int context_doit(struct sk_buff *req, struct genl_info *info)
{
	struct iommufd_ctx_info ctx;
	struct sk_buff *skb;
	void *hdr;
	u64 id;
	int rc;

	rc = check_do(req, info);
	if (rc)
		return rc;
	if (GENL_REQ_ATTR_CHECK(info, IOMMUFD_NL_CONTEXT_ID)) {
		GENL_SET_ERR_MSG(info, "the id of a context is needed");
		return -EINVAL;
	}
	id = nla_get_u64(info->attrs[IOMMUFD_NL_CONTEXT_ID]);
	if (!iommufd_show_contexts(id, &ctx, 1) || ctx.id != id) {
		GENL_SET_ERR_MSG(info, "there is no such context");
		return -ENOENT;
	}

	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = put_header(skb, info->snd_portid, info->snd_seq,
			 IOMMUFD_NL_CMD_CONTEXT_GET, NULL);
	return reply(skb, hdr, hdr ? put_ctx(skb, &ctx) : -EMSGSIZE, info);
}

static int object_doit(struct sk_buff *req, struct genl_info *info)
{
	struct iommufd_object_info obj;
	struct sk_buff *skb;
	u32 id, next;
	void *hdr;
	u64 ctx;
	int rc;

	rc = check_do(req, info);
	if (rc)
		return rc;
	if (GENL_REQ_ATTR_CHECK(info, IOMMUFD_NL_OBJECT_CONTEXT) ||
	    GENL_REQ_ATTR_CHECK(info, IOMMUFD_NL_OBJECT_ID)) {
		GENL_SET_ERR_MSG(info, "the ids of a context and of an object are needed");
		return -EINVAL;
	}
	if (info->attrs[IOMMUFD_NL_OBJECT_TYPE] ||
	    info->attrs[IOMMUFD_NL_OBJECT_REFERS_TO]) {
		GENL_SET_ERR_MSG(info, "only a dump can be narrowed down");
		return -EINVAL;
	}
	ctx = nla_get_u64(info->attrs[IOMMUFD_NL_OBJECT_CONTEXT]);
	id = nla_get_u32(info->attrs[IOMMUFD_NL_OBJECT_ID]);
	next = id;
	rc = iommufd_show_objects(ctx, &next, &obj, 1, NULL);
	if (rc < 0) {
		GENL_SET_ERR_MSG(info, "there is no such context");
		return rc;
	}
	if (!rc || obj.id != id) {
		GENL_SET_ERR_MSG(info, "there is no such object in the context");
		return -ENOENT;
	}

	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = put_header(skb, info->snd_portid, info->snd_seq,
			 IOMMUFD_NL_CMD_OBJECT_GET, NULL);
	return reply(skb, hdr, hdr ? put_object(skb, ctx, &obj) : -EMSGSIZE,
		     info);
}

static struct iommufd_nl_walk *get_walk(struct netlink_callback *cb)
{
	return (struct iommufd_nl_walk *)cb->args[0];
}

static int dump_start(struct netlink_callback *cb)
{
	struct iommufd_nl_walk *walk;

	walk = kzalloc(sizeof(*walk), GFP_KERNEL_ACCOUNT);
	if (!walk)
		return -ENOMEM;
	walk->error = check_request(cb->skb, cb->nlh, &walk->why);
	walk->ctx = 1;
	walk->id = 1;
	walk->type = IOMMUFD_OBJ_TYPES;
	cb->args[0] = (long)walk;
	return 0;
}

static int dump_done(struct netlink_callback *cb)
{
	kfree(get_walk(cb));
	return 0;
}

/* No attribute, so that one with any is not mistaken for a filter. */
static int context_start(struct netlink_callback *cb)
{
	int rc = dump_start(cb);

	if (!rc && !get_walk(cb)->error &&
	    iommufd_compat_dump_attrs(cb)[IOMMUFD_NL_CONTEXT_ID]) {
		get_walk(cb)->why = "a dump has all contexts: ask for one without NLM_F_DUMP";
		get_walk(cb)->error = -EINVAL;
	}
	return rc;
}

static int object_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = iommufd_compat_dump_attrs(cb);
	struct iommufd_nl_walk *walk;
	int rc;

	rc = dump_start(cb);
	if (rc)
		return rc;
	walk = get_walk(cb);
	if (walk->error)
		return 0;
	if (attrs[IOMMUFD_NL_OBJECT_CONTEXT]) {
		walk->one_ctx = true;
		walk->ctx = nla_get_u64(attrs[IOMMUFD_NL_OBJECT_CONTEXT]);
	}
	if (attrs[IOMMUFD_NL_OBJECT_ID])
		walk->only_id = nla_get_u32(attrs[IOMMUFD_NL_OBJECT_ID]);
	if (attrs[IOMMUFD_NL_OBJECT_REFERS_TO])
		walk->refers_to =
			nla_get_u32(attrs[IOMMUFD_NL_OBJECT_REFERS_TO]);
	if ((attrs[IOMMUFD_NL_OBJECT_ID] && !walk->only_id) ||
	    (attrs[IOMMUFD_NL_OBJECT_REFERS_TO] && !walk->refers_to)) {
		walk->why = "no object has the id 0";
		walk->error = -EINVAL;
	}
	if (attrs[IOMMUFD_NL_OBJECT_TYPE]) {
		walk->type = 0;
		while (walk->type < IOMMUFD_OBJ_TYPES &&
		       nla_strcmp(attrs[IOMMUFD_NL_OBJECT_TYPE],
				  iommufd_object_type_name(walk->type)))
			walk->type++;
		if (walk->type == IOMMUFD_OBJ_TYPES) {
			walk->why = "there is no such type of object";
			walk->error = -EINVAL;
		}
	}
	return 0;
}

static int refuse_dump(const struct iommufd_nl_walk *walk,
		       struct netlink_callback *cb)
{
	if (cb->extack)
		cb->extack->_msg = walk->why;
	return walk->error;
}

/* Never 0, which would mean that there is nothing to compare with. */
static void set_generation(struct netlink_callback *cb, u32 generation)
{
	cb->seq = generation ?: 1;
}

static int context_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct iommufd_nl_walk *walk = get_walk(cb);
	unsigned int i, n;
	void *hdr;

	if (walk->error)
		return refuse_dump(walk, cb);
	do {
		set_generation(cb, iommufd_show_generation(false));
		n = iommufd_show_contexts(walk->ctx, walk->ctxs,
					  IOMMUFD_SHOW_BATCH);
		for (i = 0; i < n; i++) {
			hdr = put_dump_header(skb, cb,
					      IOMMUFD_NL_CMD_CONTEXT_GET);
			if (!hdr || put_ctx(skb, &walk->ctxs[i])) {
				genlmsg_cancel(skb, hdr);
				return skb->len ?: -EMSGSIZE;
			}
			genlmsg_end(skb, hdr);
			walk->ctx = walk->ctxs[i].id + 1;
		}
	} while (n == IOMMUFD_SHOW_BATCH);
	/* What changed since the last message is told with the end. */
	set_generation(cb, iommufd_show_generation(false));
	return skb->len;
}

static bool wanted(const struct iommufd_nl_walk *walk,
		   const struct iommufd_object_info *info)
{
	unsigned int i;

	if (walk->type < IOMMUFD_OBJ_TYPES && info->type != walk->type)
		return false;
	if (!walk->refers_to)
		return true;
	for (i = 0; i < info->nr_refers_to; i++)
		if (info->refers_to[i] == walk->refers_to)
			return true;
	return false;
}

/* To the next context, if there is one that is wanted. */
static bool next_ctx(struct iommufd_nl_walk *walk)
{
	struct iommufd_ctx_info info;

	if (walk->begun && walk->one_ctx)
		return false;
	if (!walk->one_ctx) {
		if (!iommufd_show_contexts(walk->ctx + walk->begun, &info, 1))
			return false;
		walk->ctx = info.id;
	}
	walk->id = walk->only_id ?: 1;
	return true;
}

/*
 * The next batch, and how the walk goes on behind it. A context that is gone
 * is at its end, but for one that was asked for and never met.
 */
static int fill_batch(struct iommufd_nl_walk *walk, u32 *next,
		      struct netlink_callback *cb)
{
	u32 generation;
	int n;

	*next = walk->id;
	n = iommufd_show_objects(walk->ctx, next, walk->objs,
				 walk->only_id ? 1 : IOMMUFD_SHOW_BATCH,
				 &generation);
	if (walk->only_id && n > 0 && walk->objs[0].id != walk->only_id)
		n = 0;
	if (walk->only_id || n < 0)
		*next = IOMMUFD_SHOW_END;
	if (!walk->one_ctx)
		generation = iommufd_show_generation(true);
	else if (n < 0)
		/* Another one than before, whatever that was. */
		generation = cb->prev_seq + 1;
	set_generation(cb, generation);
	if (n == -ENOENT && walk->one_ctx && !walk->begun) {
		walk->why = "there is no such context";
		walk->error = n;
	}
	walk->begun = true;
	return n;
}

static int object_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct iommufd_nl_walk *walk = get_walk(cb);
	void *hdr;
	u32 next;
	int i, n;

	if (walk->error)
		return refuse_dump(walk, cb);
	if (!walk->begun)
		walk->id = IOMMUFD_SHOW_END;
	while (!walk->done) {
		if (walk->id == IOMMUFD_SHOW_END && !next_ctx(walk)) {
			walk->done = true;
			break;
		}
		n = fill_batch(walk, &next, cb);
		if (walk->error)
			return refuse_dump(walk, cb);
		for (i = 0; i < n; i++) {
			if (!wanted(walk, &walk->objs[i]))
				continue;
			hdr = put_dump_header(skb, cb,
					      IOMMUFD_NL_CMD_OBJECT_GET);
			if (!hdr || put_object(skb, walk->ctx, &walk->objs[i])) {
				genlmsg_cancel(skb, hdr);
				walk->id = walk->objs[i].id;
				return skb->len ?: -EMSGSIZE;
			}
			genlmsg_end(skb, hdr);
		}
		walk->id = next;
		/* A filter that fits nothing makes for a long way. */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (!skb->len) {
		/* What changed since the last message is told with the end. */
		if (!walk->one_ctx)
			set_generation(cb, iommufd_show_generation(true));
		else
			fill_batch(walk, &next, cb);
	}
	return skb->len;
}

static int range_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = iommufd_compat_dump_attrs(cb);
	struct iommufd_nl_walk *walk;
	int rc;

	static_assert((int)IOMMUFD_RANGES_USABLE ==
		      (int)IOMMUFD_NL_RANGE_KIND_USABLE);
	static_assert((int)IOMMUFD_RANGES_ALLOWED ==
		      (int)IOMMUFD_NL_RANGE_KIND_ALLOWED);
	static_assert((int)IOMMUFD_RANGES_RESERVED ==
		      (int)IOMMUFD_NL_RANGE_KIND_RESERVED);
	static_assert((int)IOMMUFD_RANGES_MAPPED ==
		      (int)IOMMUFD_NL_RANGE_KIND_MAPPING);

	rc = dump_start(cb);
	if (rc)
		return rc;
	walk = get_walk(cb);
	walk->more = true;
	if (walk->error)
		return 0;
	if (!attrs[IOMMUFD_NL_RANGE_CONTEXT] ||
	    !attrs[IOMMUFD_NL_RANGE_OBJECT]) {
		walk->why = "the ids of a context and of an object are needed";
		walk->error = -EINVAL;
		return 0;
	}
	walk->ctx = nla_get_u64(attrs[IOMMUFD_NL_RANGE_CONTEXT]);
	walk->id = nla_get_u32(attrs[IOMMUFD_NL_RANGE_OBJECT]);
	if (attrs[IOMMUFD_NL_RANGE_KIND]) {
		walk->one_kind = true;
		walk->kind = nla_get_u32(attrs[IOMMUFD_NL_RANGE_KIND]);
	}
	return 0;
}

/* One batch. What went wrong is left in @walk. */
static int get_ranges(struct iommufd_nl_walk *walk)
{
	int n = iommufd_show_ranges(walk->ctx, walk->id, walk->kind,
				    &walk->from, &walk->more, walk->ranges,
				    IOMMUFD_SHOW_BATCH);

	switch (n) {
	case -ENOENT:
		walk->why = "there is no such object in the context";
		break;
	case -EOPNOTSUPP:
		walk->why = "only an address space has ranges";
		break;
	case -EAGAIN:
		walk->why = "the address space is being changed all the time";
		break;
	}
	if (n < 0)
		walk->error = n;
	return n;
}

static int range_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct iommufd_nl_walk *walk = get_walk(cb);
	void *hdr;
	int i, n;

	if (walk->error)
		return refuse_dump(walk, cb);
	while (!walk->done) {
		if (!walk->more) {
			walk->done = walk->one_kind ||
				     ++walk->kind == IOMMUFD_RANGE_KINDS;
			walk->from = 0;
			walk->more = true;
			continue;
		}
		n = get_ranges(walk);
		if (n < 0)
			return refuse_dump(walk, cb);
		for (i = 0; i < n; i++) {
			hdr = put_dump_header(skb, cb,
					      IOMMUFD_NL_CMD_RANGE_GET);
			if (!hdr || put_range(skb, walk, &walk->ranges[i])) {
				genlmsg_cancel(skb, hdr);
				walk->from = walk->ranges[i].start;
				walk->more = true;
				return skb->len ?: -EMSGSIZE;
			}
			genlmsg_end(skb, hdr);
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return skb->len;
}

static const struct nla_policy context_policy[CONTEXT_REQUEST_MAX + 1] = {
	[IOMMUFD_NL_CONTEXT_ID] = { .type = NLA_U64 },
};

static const struct nla_policy object_policy[OBJECT_REQUEST_MAX + 1] = {
	[IOMMUFD_NL_OBJECT_CONTEXT] = { .type = NLA_U64 },
	[IOMMUFD_NL_OBJECT_ID] = { .type = NLA_U32 },
	[IOMMUFD_NL_OBJECT_TYPE] = { .type = NLA_NUL_STRING, .len = 15 },
	[IOMMUFD_NL_OBJECT_REFERS_TO] = { .type = NLA_U32 },
};

static const struct nla_policy range_policy[RANGE_REQUEST_MAX + 1] = {
	[IOMMUFD_NL_RANGE_CONTEXT] = { .type = NLA_U64 },
	[IOMMUFD_NL_RANGE_OBJECT] = { .type = NLA_U32 },
	[IOMMUFD_NL_RANGE_KIND] =
		NLA_POLICY_MAX(NLA_U32, IOMMUFD_RANGE_KINDS - 1),
};

static const struct genl_ops iommufd_nl_ops[] = {
	{
		.cmd = IOMMUFD_NL_CMD_CONTEXT_GET,
		.policy = context_policy,
		.maxattr = CONTEXT_REQUEST_MAX,
		.doit = context_doit,
		.start = context_start,
		.dumpit = context_dumpit,
		.done = dump_done,
	},
	{
		.cmd = IOMMUFD_NL_CMD_OBJECT_GET,
		.policy = object_policy,
		.maxattr = OBJECT_REQUEST_MAX,
		.doit = object_doit,
		.start = object_start,
		.dumpit = object_dumpit,
		.done = dump_done,
	},
	{
		.cmd = IOMMUFD_NL_CMD_RANGE_GET,
		.policy = range_policy,
		.maxattr = RANGE_REQUEST_MAX,
		.start = range_start,
		.dumpit = range_dumpit,
		.done = dump_done,
	},
};

static const struct genl_multicast_group iommufd_nl_groups[] = {
	[EVENTS_GROUP] = {
		.name = IOMMUFD_NL_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

/*
 * In every network namespace, so that there it can be told why nothing comes.
 * Operations may run side by side: a long dump does not hold up other families.
 */
static struct genl_family iommufd_nl_family __ro_after_init = {
	.name = IOMMUFD_NL_FAMILY_NAME,
	.version = IOMMUFD_NL_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = iommufd_nl_ops,
	.n_ops = ARRAY_SIZE(iommufd_nl_ops),
	.mcgrps = iommufd_nl_groups,
	.n_mcgrps = ARRAY_SIZE(iommufd_nl_groups),
};

/**
 * iommufd_event_wanted - whether anyone listens
 *
 * In the initial network namespace only, and only there are events sent:
 * elsewhere it takes no more than a user namespace of one's own to join the
 * group.
 *
 * Return: false if there is nobody whom an event would reach.
 */
bool iommufd_event_wanted(void)
{
	return genl_has_listeners(&iommufd_nl_family, &init_net, EVENTS_GROUP);
}

/* Ends an event that was put together, or failed to be if @skb is NULL. */
static void send_event(struct sk_buff *skb, void *hdr, int rc)
{
	if (!skb || !hdr || WARN_ON_ONCE(rc)) {
		nlmsg_free(skb);
		/* Who listens learns that it has missed something. */
		genl_set_err(&iommufd_nl_family, &init_net, 0, EVENTS_GROUP,
			     -ENOBUFS);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast(&iommufd_nl_family, skb, 0, EVENTS_GROUP, GFP_KERNEL);
}

/**
 * iommufd_send_ctx - iommufd_event_ctx(), where anyone listens
 * @ctx: its id
 * @created: or it is gone
 *
 * Call without a lock. May sleep.
 */
void iommufd_send_ctx(u64 ctx, bool created)
{
	struct sk_buff *skb;
	void *hdr = NULL;
	int rc = 0;

	skb = genlmsg_new(nla_total_size_64bit(sizeof(u64)), GFP_KERNEL);
	if (skb)
		hdr = put_header(skb, 0, 0,
				 created ? IOMMUFD_NL_CMD_CONTEXT_CREATED :
					   IOMMUFD_NL_CMD_CONTEXT_DESTROYED,
				 NULL);
	if (hdr)
		rc = nla_put_u64_64bit(skb, IOMMUFD_NL_CONTEXT_ID, ctx,
				       IOMMUFD_NL_CONTEXT_PAD);
	send_event(skb, hdr, rc);
}

/**
 * iommufd_send_object - iommufd_event_object(), where anyone listens
 * @ctx: id of its context
 * @id: its own
 * @type: its type
 * @created: or it is gone
 *
 * Call without a lock. May sleep.
 */
void iommufd_send_object(u64 ctx, u32 id, enum iommufd_object_type type,
			 bool created)
{
	struct sk_buff *skb;
	void *hdr = NULL;
	int rc = 0;

	skb = genlmsg_new(nla_total_size_64bit(sizeof(u64)) +
			  nla_total_size(sizeof(u32)) + nla_total_size(16),
			  GFP_KERNEL);
	if (skb)
		hdr = put_header(skb, 0, 0,
				 created ? IOMMUFD_NL_CMD_OBJECT_CREATED :
					   IOMMUFD_NL_CMD_OBJECT_DESTROYED,
				 NULL);
	if (hdr)
		rc = put_object_name(skb, ctx, id, type);
	send_event(skb, hdr, rc);
}

/**
 * iommufd_netlink_init - once, before the first context
 *
 * Return: 0, or an errno: -EEXIST if the name is taken, -ENOMEM.
 */
int __init iommufd_netlink_init(void)
{
	return genl_register_family(&iommufd_nl_family);
}

/**
 * iommufd_netlink_exit - once, after the last context
 */
void iommufd_netlink_exit(void)
{
	genl_unregister_family(&iommufd_nl_family);
}
