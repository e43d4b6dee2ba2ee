// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failnth-netlink: every allocation of every netlink operation, and of every
 * event, made to fail, as failnth.h says. What is lost must be told: a request
 * ends with an errno, an event that was not sent with ENOBUFS for the listener.
 */
#define _GNU_SOURCE
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <linux/iommufd_netlink.h>

#include "failnth.h"

static char buf[32768] __attribute__((aligned(8)));
static int family, group;
static int nl = -1;		/* the socket of the operation */
static bool used;		/* it has met a failure: nothing is known of it */

static int nl_open(void)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	/* An answer that never comes is a failure, with EAGAIN. */
	struct timeval limit = { .tv_sec = 10 };
	/* An address: who has none is sent no event. */
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };

	if (s < 0 || bind(s, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit,
				sizeof(limit)))
		die("socket");
	return s;
}

/* Adds an attribute to the request in @at; the request's new end. */
static char *put(char *at, uint16_t type, const void *data, uint16_t len)
{
	struct nlattr attr = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	memset(at, 0, NLA_HDRLEN + NLA_ALIGN(len));
	memcpy(at, &attr, sizeof(attr));
	memcpy(at + NLA_HDRLEN, data, len);
	return at + NLA_HDRLEN + NLA_ALIGN(len);
}

/*
 * Sends a request with those attributes that are not 0, and reads all of the
 * answer. 0, or the errno that the kernel says.
 */
static int ask(int cmd, int flags, uint16_t ctx_attr, uint16_t id_attr)
{
	static char request[256] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = (void *)request;
	struct genlmsghdr genl = { .cmd = cmd, .version = 1 };
	char *at = request + NLMSG_HDRLEN + GENL_HDRLEN;
	uint32_t one = 1;

	memcpy(request + NLMSG_HDRLEN, &genl, sizeof(genl));
	if (ctx_attr)
		at = put(at, ctx_attr, &context, sizeof(context));
	if (id_attr)
		at = put(at, id_attr, &one, sizeof(one));
	*nlh = (struct nlmsghdr){ at - request, family,
				  NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0 };
	if (send(nl, request, nlh->nlmsg_len, 0) < 0)
		return errno;
	for (;;) {
		ssize_t left = recv(nl, buf, sizeof(buf), 0);

		if (left < 0)
			return errno;
		for (nlh = (void *)buf; NLMSG_OK(nlh, left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type == NLMSG_ERROR ||
			    nlh->nlmsg_type == NLMSG_DONE)
				return -*(int *)NLMSG_DATA(nlh);
		}
	}
}

static int request(int cmd, int flags, uint16_t ctx_attr, uint16_t id_attr)
{
	if (used) {
		close(nl);
		nl = nl_open();
	}
	used = true;
	return ask(cmd, flags, ctx_attr, id_attr);
}

static void fresh(void)
{
	nl = nl_open();
	used = false;
}

static void done(int rc)
{
	(void)rc;
	close(nl);
}

static int run_contexts(void)
{
	return request(IOMMUFD_NL_CMD_CONTEXT_GET, NLM_F_DUMP, 0, 0);
}

static int run_context(void)
{
	return request(IOMMUFD_NL_CMD_CONTEXT_GET, 0, IOMMUFD_NL_CONTEXT_ID, 0);
}

static int run_objects(void)
{
	return request(IOMMUFD_NL_CMD_OBJECT_GET, NLM_F_DUMP, 0, 0);
}

static int run_objects_of(void)
{
	return request(IOMMUFD_NL_CMD_OBJECT_GET, NLM_F_DUMP,
		       IOMMUFD_NL_OBJECT_CONTEXT, 0);
}

static int run_object(void)
{
	return request(IOMMUFD_NL_CMD_OBJECT_GET, 0, IOMMUFD_NL_OBJECT_CONTEXT,
		       IOMMUFD_NL_OBJECT_ID);
}

static int run_ranges(void)
{
	return request(IOMMUFD_NL_CMD_RANGE_GET, NLM_F_DUMP,
		       IOMMUFD_NL_RANGE_CONTEXT, IOMMUFD_NL_RANGE_OBJECT);
}

static uint32_t id;
static int other;

static void listen_in(void)
{
	fresh();
	if (setsockopt(nl, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)))
		die("join");
}

/* One message, or that one was lost, and then no more. */
static void heard(int cmd, int rc)
{
	ssize_t len = recv(nl, buf, sizeof(buf), MSG_DONTWAIT);
	struct genlmsghdr *genl = NLMSG_DATA((struct nlmsghdr *)buf);

	if (rc && len < 0 && errno == EAGAIN)
		return;
	if (len < 0 && errno == ENOBUFS)
		return;
	if (len < 0)
		die("an event was lost, and nothing told");
	if (genl->cmd != cmd) {
		errno = EPROTO;
		die("another event");
	}
}

static int run_alloc(void)
{
	return ioas_alloc(fd, &id);
}

static void heard_created(int rc)
{
	heard(IOMMUFD_NL_CMD_OBJECT_CREATED, rc);
	if (!rc && destroy(fd, id))
		die("destroy");
	close(nl);
}

static void make_heard(void)
{
	if (ioas_alloc(fd, &id))
		die("alloc");
	listen_in();
}

static int run_destroy(void)
{
	return destroy(fd, id);
}

static void heard_destroyed(int rc)
{
	heard(IOMMUFD_NL_CMD_OBJECT_DESTROYED, rc);
	if (rc && destroy(fd, id))
		die("destroy");
	close(nl);
}

static int run_open(void)
{
	other = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return other < 0 ? errno : 0;
}

static void heard_opened(int rc)
{
	heard(IOMMUFD_NL_CMD_CONTEXT_CREATED, rc);
	if (!rc)
		close(other);
	close(nl);
}

static const struct op ops[] = {
	{ "context get", fresh, run_context, done, false },
	{ "context dump", fresh, run_contexts, done, false },
	{ "object get", fresh, run_object, done, false },
	{ "object dump", fresh, run_objects, done, false },
	{ "object dump of one context", fresh, run_objects_of, done, false },
	{ "range dump", fresh, run_ranges, done, false },
	{ "object-created", listen_in, run_alloc, heard_created, false },
	{ "object-destroyed", make_heard, run_destroy, heard_destroyed, false },
	{ "context-created", listen_in, run_open, heard_opened, false },
};

/* The attribute of this type among those from @at on, or NULL. */
static char *find(char *at, char *end, int type)
{
	while (at + NLA_HDRLEN <= end) {
		struct nlattr *attr = (void *)at;

		if (attr->nla_len < NLA_HDRLEN)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return at + NLA_HDRLEN;
		at += NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

/* The numbers of the family and its group, which CTRL gives with one request. */
static void look_up(void)
{
	struct nlmsghdr *nlh = (void *)buf;
	char *attrs = buf + NLMSG_HDRLEN + GENL_HDRLEN, *end, *at;
	int s = nl_open();
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		struct nlattr attr;
		char name[8];
	} req = {
		.nlh = { sizeof(req), GENL_ID_CTRL, NLM_F_REQUEST, 1, 0 },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attr = { NLA_HDRLEN + 8, CTRL_ATTR_FAMILY_NAME },
		.name = IOMMUFD_NL_FAMILY_NAME,
	};

	if (send(s, &req, sizeof(req), 0) < 0 ||
	    recv(s, buf, sizeof(buf), 0) < NLMSG_HDRLEN ||
	    nlh->nlmsg_type == NLMSG_ERROR)
		die("no netlink family");
	end = buf + nlh->nlmsg_len;
	at = find(attrs, end, CTRL_ATTR_FAMILY_ID);
	family = at ? *(uint16_t *)at : 0;
	at = find(attrs, end, CTRL_ATTR_MCAST_GROUPS);
	/* Groups are a nest of nests; there is but one. */
	at = at ? find(at + NLA_HDRLEN, end, CTRL_ATTR_MCAST_GRP_ID) : NULL;
	group = at ? *(uint32_t *)at : 0;
	if (!family || !group)
		die("no netlink family");
	close(s);
}

int main(void)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_READABLE,
		.ioas_id = 1,
		.user_va = (uintptr_t)buf & -4096UL,
		.length = 4096,
	};

	failnth_begin();
	failnth_also = ENOBUFS;
	look_up();
	if (call(fd, IOMMU_IOAS_MAP, &cmd))
		die("map");
	return failnth_run(ops, sizeof(ops) / sizeof(ops[0]));
}
