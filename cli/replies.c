// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include <linux/iommufd_netlink.h>

#include "parse.h"
#include "replies.h"

#define HEADER sizeof(struct genlmsghdr)

/*
 * Is all of a message in the LEFT bytes? libmnl takes a length of 2^31 or more
 * for a negative one, and looks for attributes up to where the next message
 * would begin.
 */
bool message_ok(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (uint32_t)left &&
	       MNL_ALIGN(nlh->nlmsg_len) <= (uint32_t)left;
}

/* The command, or -1 for a message too short to have one. */
static int command_of(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) < HEADER ? -1 : header->cmd;
}

/*
 * Attributes of a later version have numbers that we do not know: no error.
 * (mnl_attr_validate() looks for more, and does so a million times.)
 */
static bool is_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == sizeof(uint32_t);
}

static bool is_u64(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == sizeof(uint64_t);
}

/* Leaves *VALUE alone if it is none. */
static void get_u64(const struct nlattr *attr, uint64_t *value)
{
	if (is_u64(attr))
		*value = mnl_attr_get_u64(attr);
}

/* Cut where it does not fit, and fit for a terminal. */
static void copy_text(const struct nlattr *attr, char *buf, size_t size)
{
	const char *text = mnl_attr_get_payload(attr);
	size_t len = strnlen(text, mnl_attr_get_payload_len(attr));

	snprintf(buf, size, "%.*s", (int)len, text);
	clean_text(buf);
}

/* A word of the kernel's own: small letters, digits and '-'. */
static bool copy_word(const struct nlattr *attr, char *buf, size_t size)
{
	const char *text = mnl_attr_get_payload(attr);
	size_t len = strnlen(text, mnl_attr_get_payload_len(attr));

	if (!len || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(text[i] >= 'a' && text[i] <= 'z') && text[i] != '-' &&
		    !(text[i] >= '0' && text[i] <= '9'))
			return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return true;
}

/* A group's name and number, as far as it is the wanted one. */
static void parse_group(const struct nlattr *nest, const char *name,
			uint32_t *number)
{
	const struct nlattr *attr;
	char found[GENL_NAMSIZ] = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
			copy_text(attr, found, sizeof(found));
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID &&
		    is_u32(attr))
			id = mnl_attr_get_u32(attr);
	}
	if (!strcmp(found, name))
		*number = id;
}

bool parse_family(const struct nlmsghdr *nlh, const char *group,
		  struct family_reply *reply)
{
	const struct nlattr *attr, *nest;

	*reply = (struct family_reply){};
	if (command_of(nlh) < 0)
		return false;
	mnl_attr_for_each(attr, nlh, HEADER) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			if (mnl_attr_validate(attr, MNL_TYPE_U16))
				return false;
			reply->id = mnl_attr_get_u16(attr);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			mnl_attr_for_each_nested(nest, attr)
				parse_group(nest, group, &reply->group);
			break;
		}
	}
	return reply->id;
}

/* Is this nlctrl's word that the family with this number is no more? */
bool parse_family_gone(const struct nlmsghdr *nlh, uint16_t id)
{
	struct family_reply family;

	return nlh->nlmsg_type == GENL_ID_CTRL &&
	       command_of(nlh) == CTRL_CMD_DELFAMILY &&
	       parse_family(nlh, "", &family) && family.id == id;
}

static const char *mode_name(uint32_t mode)
{
	switch (mode) {
	case IOMMUFD_NL_RLIMIT_MODE_USER:
		return "user";
	case IOMMUFD_NL_RLIMIT_MODE_PROCESS:
		return "process";
	}
	return NULL;
}

bool parse_context_reply(const struct nlmsghdr *nlh,
			 struct context_reply *reply)
{
	const struct nlattr *attr;
	struct context_info *info = &reply->info;

	memset(reply, 0, sizeof(*reply));
	info->id = UNKNOWN;
	info->uid = UNKNOWN;
	info->pinned_bytes = UNKNOWN;
	info->limit_bytes = UNKNOWN;
	info->objects_known = true;
	if (command_of(nlh) != IOMMUFD_NL_CMD_CONTEXT_GET)
		return false;
	mnl_attr_for_each(attr, nlh, HEADER) {
		switch (mnl_attr_get_type(attr)) {
		case IOMMUFD_NL_CONTEXT_ID:
			get_u64(attr, &info->id);
			break;
		case IOMMUFD_NL_CONTEXT_OPENER_UID:
			if (is_u32(attr))
				info->uid = mnl_attr_get_u32(attr);
			break;
		case IOMMUFD_NL_CONTEXT_OPENER_COMM:
			copy_text(attr, reply->opener, sizeof(reply->opener));
			break;
		case IOMMUFD_NL_CONTEXT_RLIMIT_MODE:
			if (is_u32(attr))
				info->rlimit_mode =
					mode_name(mnl_attr_get_u32(attr));
			break;
		case IOMMUFD_NL_CONTEXT_PINNED_BYTES:
			get_u64(attr, &info->pinned_bytes);
			break;
		case IOMMUFD_NL_CONTEXT_LIMIT_BYTES:
			get_u64(attr, &info->limit_bytes);
			break;
		}
	}
	return info->id != UNKNOWN;
}

/* One more id; what is more than has room is told of as cut. */
static void add_id(const struct nlattr *attr, struct id_list *list,
		   uint64_t *ids, bool *cut)
{
	if (!is_u32(attr))
		return;
	if (list->count < REPLY_IDS_MAX)
		ids[list->count++] = mnl_attr_get_u32(attr);
	else
		*cut = true;
}

static void blank_object(struct object_reply *reply)
{
	struct object_info *info = &reply->info;

	/* not the arrays, which are long: what counts is the lists' counts */
	*info = (struct object_info){
		.id = UNKNOWN,
		.type = reply->type,
		.users = UNKNOWN,
		.refers_to = { true, 0, reply->refers_to },
		.referred_by = { true, 0, reply->referred_by },
		.areas = UNKNOWN,
		.mapped_bytes = UNKNOWN,
		.pinned_bytes = UNKNOWN,
		.alignment = UNKNOWN,
		.huge_pages = TRUTH_UNKNOWN,
	};
	reply->context = UNKNOWN;
	reply->cut = false;
	reply->owned = false;
	reply->type[0] = '\0';
}

static void parse_ioas(const struct nlattr *nest, struct object_info *info)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case IOMMUFD_NL_IOAS_AREAS:
			get_u64(attr, &info->areas);
			break;
		case IOMMUFD_NL_IOAS_MAPPED_BYTES:
			get_u64(attr, &info->mapped_bytes);
			break;
		case IOMMUFD_NL_IOAS_PINNED_BYTES:
			get_u64(attr, &info->pinned_bytes);
			break;
		case IOMMUFD_NL_IOAS_ALIGNMENT:
			get_u64(attr, &info->alignment);
			break;
		case IOMMUFD_NL_IOAS_HUGE_PAGES:
			if (!mnl_attr_validate(attr, MNL_TYPE_U8))
				info->huge_pages = mnl_attr_get_u8(attr) ?
					TRUTH_YES : TRUTH_NO;
			break;
		}
	}
}

static void parse_access(const struct nlattr *nest, struct object_reply *reply)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case IOMMUFD_NL_ACCESS_OWNER:
			copy_text(attr, reply->owner, sizeof(reply->owner));
			reply->info.owner = reply->owner;
			break;
		case IOMMUFD_NL_ACCESS_PINNED_BYTES:
			get_u64(attr, &reply->info.pinned_bytes);
			break;
		}
	}
}

bool parse_object_reply(const struct nlmsghdr *nlh,
			struct object_reply *reply)
{
	const char *tail = mnl_nlmsg_get_payload_tail(nlh);
	struct object_info *info = &reply->info;
	const struct nlattr *attr;

	blank_object(reply);
	if (command_of(nlh) != IOMMUFD_NL_CMD_OBJECT_GET)
		return false;
	/* mnl_attr_for_each(), which asks for the tail each time */
	for (attr = mnl_nlmsg_get_payload_offset(nlh, HEADER);
	     mnl_attr_ok(attr, tail - (const char *)attr);
	     attr = mnl_attr_next(attr)) {
		switch (mnl_attr_get_type(attr)) {
		case IOMMUFD_NL_OBJECT_CONTEXT:
			get_u64(attr, &reply->context);
			break;
		case IOMMUFD_NL_OBJECT_ID:
			if (is_u32(attr))
				info->id = mnl_attr_get_u32(attr);
			break;
		case IOMMUFD_NL_OBJECT_TYPE:
			if (!copy_word(attr, reply->type, sizeof(reply->type)))
				return false;
			break;
		case IOMMUFD_NL_OBJECT_USERS:
			if (is_u32(attr))
				info->users = mnl_attr_get_u32(attr);
			break;
		case IOMMUFD_NL_OBJECT_REFERS_TO:
			add_id(attr, &info->refers_to, reply->refers_to,
			       &reply->cut);
			break;
		case IOMMUFD_NL_OBJECT_REFERRED_BY:
			add_id(attr, &info->referred_by, reply->referred_by,
			       &reply->cut);
			break;
		case IOMMUFD_NL_OBJECT_REFERRED_BY_CUT:
			reply->cut = true;
			break;
		case IOMMUFD_NL_OBJECT_KERNEL_OWNED:
			reply->owned = true;
			break;
		case IOMMUFD_NL_OBJECT_IOAS:
			parse_ioas(attr, info);
			break;
		case IOMMUFD_NL_OBJECT_ACCESS:
			parse_access(attr, reply);
			break;
		}
	}
	return reply->context != UNKNOWN && info->id != UNKNOWN &&
	       *reply->type;
}

bool parse_range_reply(const struct nlmsghdr *nlh, struct range_reply *reply)
{
	const struct nlattr *attr;
	unsigned int seen = 0;

	*reply = (struct range_reply){};
	if (command_of(nlh) != IOMMUFD_NL_CMD_RANGE_GET)
		return false;
	mnl_attr_for_each(attr, nlh, HEADER) {
		switch (mnl_attr_get_type(attr)) {
		case IOMMUFD_NL_RANGE_KIND:
			if (!is_u32(attr))
				return false;
			reply->kind = mnl_attr_get_u32(attr);
			seen |= 1;
			break;
		case IOMMUFD_NL_RANGE_START:
			if (!is_u64(attr))
				return false;
			reply->range.start = mnl_attr_get_u64(attr);
			seen |= 2;
			break;
		case IOMMUFD_NL_RANGE_LAST:
			if (!is_u64(attr))
				return false;
			reply->range.last = mnl_attr_get_u64(attr);
			seen |= 4;
			break;
		case IOMMUFD_NL_RANGE_READABLE:
			reply->range.readable = true;
			break;
		case IOMMUFD_NL_RANGE_WRITEABLE:
			reply->range.writeable = true;
			break;
		}
	}
	return seen == 7 && reply->range.start <= reply->range.last;
}

static const char *event_name(int command)
{
	switch (command) {
	case IOMMUFD_NL_CMD_CONTEXT_CREATED:
		return "context-created";
	case IOMMUFD_NL_CMD_CONTEXT_DESTROYED:
		return "context-destroyed";
	case IOMMUFD_NL_CMD_OBJECT_CREATED:
		return "object-created";
	case IOMMUFD_NL_CMD_OBJECT_DESTROYED:
		return "object-destroyed";
	}
	return NULL;
}

/* False also of an event that we do not know. */
bool parse_event(const struct nlmsghdr *nlh, struct event_reply *reply)
{
	int command = command_of(nlh);
	bool context = command == IOMMUFD_NL_CMD_CONTEXT_CREATED ||
		       command == IOMMUFD_NL_CMD_CONTEXT_DESTROYED;
	const struct nlattr *attr;

	*reply = (struct event_reply){
		.name = event_name(command),
		.context = UNKNOWN,
		.id = UNKNOWN,
	};
	if (!reply->name)
		return false;
	mnl_attr_for_each(attr, nlh, HEADER) {
		int type = mnl_attr_get_type(attr);

		if (context) {
			if (type == IOMMUFD_NL_CONTEXT_ID && is_u64(attr))
				reply->context = mnl_attr_get_u64(attr);
		} else if (type == IOMMUFD_NL_OBJECT_CONTEXT && is_u64(attr)) {
			reply->context = mnl_attr_get_u64(attr);
		} else if (type == IOMMUFD_NL_OBJECT_ID && is_u32(attr)) {
			reply->id = mnl_attr_get_u32(attr);
		} else if (type == IOMMUFD_NL_OBJECT_TYPE &&
			   !copy_word(attr, reply->type,
				      sizeof(reply->type))) {
			return false;
		}
	}
	return reply->context != UNKNOWN &&
	       (context || (reply->id != UNKNOWN && *reply->type));
}

/* The kernel's own words among the attributes from OFFSET on. */
static void parse_reason(const struct nlmsghdr *nlh, size_t offset,
			 char *reason)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) < offset)
		return;
	mnl_attr_for_each(attr, nlh, offset)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			copy_text(attr, reason, REASON_MAX);
}

/*
 * Of a message that ends a reply, NLMSG_ERROR or NLMSG_DONE: 0 or -errno,
 * and in REASON (of REASON_MAX bytes) the kernel's words.
 */
int parse_end(const struct nlmsghdr *nlh, char *reason)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(int);
	int err;

	*reason = '\0';
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (len < sizeof(*error))
			return -EBADMSG;
		offset = sizeof(*error);
		/* what was asked follows, unless the kernel left it away */
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED) &&
		    error->msg.nlmsg_len >= NLMSG_HDRLEN &&
		    error->msg.nlmsg_len <= len)
			offset += error->msg.nlmsg_len - NLMSG_HDRLEN;
	} else if (nlh->nlmsg_type != NLMSG_DONE || len < sizeof(int)) {
		return -EBADMSG;
	}
	memcpy(&err, error, sizeof(err));
	if (err > 0 || err < -4095)
		return -EBADMSG;
	parse_reason(nlh, MNL_ALIGN(offset), reason);
	return err;
}
