// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer harness for the tool's reading of netlink messages: a datagram of
 * whatever bytes, taken apart as netlink.c does. Besides staying inside of it,
 * what a parser accepts must be as it promises.
 */
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

#include "replies.h"

static void check(bool right)
{
	if (!right)
		abort();
}

/* A word or a text that ends inside its buffer, and steers no terminal. */
static void text(const char *buf, size_t size)
{
	size_t len = strnlen(buf, size);

	check(len < size);
	for (size_t i = 0; i < len; i++)
		check((unsigned char)buf[i] >= 0x20 && buf[i] != 0x7f);
}

static void list(const struct id_list *ids, const uint64_t *array)
{
	check(ids->known && ids->ids == array && ids->count <= REPLY_IDS_MAX);
}

static void one(const struct nlmsghdr *nlh)
{
	static struct object_reply object;
	struct context_reply context;
	struct family_reply family;
	struct event_reply event;
	struct range_reply range;
	char reason[REASON_MAX];
	int err;

	if (parse_family(nlh, "events", &family))
		check(family.id);
	parse_family_gone(nlh, 29);
	if (parse_context_reply(nlh, &context)) {
		check(context.info.id != UNKNOWN);
		text(context.opener, sizeof(context.opener));
	}
	if (parse_object_reply(nlh, &object)) {
		check(object.info.type == object.type && *object.type);
		text(object.type, sizeof(object.type));
		text(object.owner, sizeof(object.owner));
		list(&object.info.refers_to, object.refers_to);
		list(&object.info.referred_by, object.referred_by);
	}
	if (parse_range_reply(nlh, &range))
		check(range.range.start <= range.range.last);
	if (parse_event(nlh, &event)) {
		check(event.name && event.context != UNKNOWN);
		text(event.type, sizeof(event.type));
	}
	err = parse_end(nlh, reason);
	check(err <= 0 && err >= -4095);
	text(reason, sizeof(reason));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its very size, so that a read past the end is caught. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *copy = malloc(size);
	const struct nlmsghdr *nlh = copy;
	int left = size;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (; message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		one(nlh);
	free(copy);
	return 0;
}
