// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "errors.h"
#include "netlink.h"

static struct nlmsghdr *start(struct netlink *nl, uint16_t family,
			      uint8_t command, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buf);
	struct genlmsghdr *header;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->sequence;
	header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));
	header->cmd = command;
	header->version = 1;
	return nlh;
}

/* Begins a request to our family, in the socket's buffer. */
struct nlmsghdr *netlink_request(struct netlink *nl, uint8_t command,
				 bool dump)
{
	/* an answer to one thing is one message, and then the ACK its end */
	return start(nl, nl->family, command, dump ? NLM_F_DUMP : NLM_F_ACK);
}

static ssize_t receive(struct netlink *nl)
{
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
	} while (len < 0 && errno == EINTR);
	return len;
}

/*
 * Passes on what a datagram of the reply has. *END is set where it is over.
 * Returns 0, what TAKE returned, or -errno.
 */
static int pass_on(struct netlink *nl, ssize_t len, netlink_taker take,
		   void *data, bool *end)
{
	const struct nlmsghdr *nlh = (void *)nl->buf;
	int left = len, ret = 0;

	for (; !ret && message_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		/* left over from a request that was given up */
		if (nlh->nlmsg_seq != nl->sequence)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			nl->interrupted = true;
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE) {
			ret = take(nlh, data);
		} else if (nlh->nlmsg_type == NLMSG_ERROR ||
			   nlh->nlmsg_type == NLMSG_DONE) {
			*end = true;
			return parse_end(nlh, nl->reason);
		}
	}
	return ret;
}

/*
 * Sends REQUEST and gives TAKE each message of the reply. Returns 0 at its
 * end, what TAKE returned if that was not 0, or -errno.
 */
int netlink_ask(struct netlink *nl, struct nlmsghdr *request,
		netlink_taker take, void *data)
{
	bool end = false;
	ssize_t len;
	int ret = 0;

	nl->interrupted = false;
	*nl->reason = '\0';
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return -errno;
	while (!end && !ret) {
		len = receive(nl);
		if (len < 0)
			return -errno;
		ret = pass_on(nl, len, take, data, &end);
	}
	return ret;
}

static int take_family(const struct nlmsghdr *nlh, void *data)
{
	return parse_family(nlh, IOMMUFD_NL_MCGRP_EVENTS, data) ? 0 : -EBADMSG;
}

static int find_family(struct netlink *nl)
{
	struct family_reply family = {};
	struct nlmsghdr *request = start(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
					 NLM_F_ACK);
	int ret;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME,
			  IOMMUFD_NL_FAMILY_NAME);
	ret = netlink_ask(nl, request, take_family, &family);
	nl->family = family.id;
	nl->group = family.group;
	return ret;
}

/* Ends whatever is left of a socket. */
void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

/*
 * Returns 0 and a socket, NETLINK_ABSENT where the kernel has no such family
 * (or no netlink for us), or -1 with the problem filled.
 */
int netlink_open(struct netlink **out, struct problem *p)
{
	struct netlink *nl = calloc(1, sizeof(*nl));
	int yes = 1, ret;

	*out = NULL;
	if (!nl)
		return problem_errno(p, DOING_ANYTHING, ENOMEM, "");
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID)) {
		netlink_close(nl);
		return NETLINK_ABSENT;
	}
	/* refused by a kernel that cannot say why it refuses: then it does not */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &yes, sizeof(yes));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &yes, sizeof(yes));
	if (getrandom(&nl->sequence, sizeof(nl->sequence), 0) < 0)
		nl->sequence = 1;
	ret = find_family(nl);
	if (ret == -ENOENT) {
		netlink_close(nl);
		return NETLINK_ABSENT;
	}
	if (ret) {
		netlink_problem(nl, p, -ret);
		netlink_close(nl);
		return -1;
	}
	*out = nl;
	return 0;
}

/* What to say of a request that ended with errno ERR. Always -1. */
int netlink_problem(const struct netlink *nl, struct problem *p, int err)
{
	enum exit_status status = STATUS_FAILED;

	if (err == EPERM || err == EACCES)
		status = STATUS_NOT_PERMITTED;
	else if (err == ENOENT)
		status = STATUS_NOT_FOUND;
	return problem_set(p, status, err, "the kernel refused%s: %s",
			   *nl->reason ? "" : " a netlink request",
			   *nl->reason ? nl->reason : strerror(err));
}

/* Returns 0 or -errno. */
int netlink_join(struct netlink *nl, uint32_t group)
{
	return mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group,
				     sizeof(group)) < 0 ? -errno : 0;
}

/*
 * Waits for what is sent to the groups that were joined. Returns 0, what TAKE
 * returned, or -errno: -ENOBUFS where some of it was lost.
 */
int netlink_receive(struct netlink *nl, netlink_taker take, void *data)
{
	ssize_t len = receive(nl);
	const struct nlmsghdr *nlh = (void *)nl->buf;
	int left = len, ret = 0;

	if (len < 0)
		return -errno;
	for (; !ret && message_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			ret = take(nlh, data);
	return ret;
}

/*
 * Throws away what waits to be received. The kernel tells of a loss before it
 * gives what it had kept, and what came before a loss is of no use after it.
 */
void netlink_drain(struct netlink *nl)
{
	int fd = mnl_socket_get_fd(nl->sock);

	while (recv(fd, nl->buf, sizeof(nl->buf), MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS || errno == EINTR)
		;
}

static int take_object(const struct nlmsghdr *nlh, void *data)
{
	return parse_object_reply(nlh, data) ? 0 : -EBADMSG;
}

/* One object. Returns 0 or -errno: -ENOENT also where its context is not. */
int netlink_object(struct netlink *nl, uint64_t context, uint32_t id,
		   struct object_reply *object)
{
	struct nlmsghdr *request =
		netlink_request(nl, IOMMUFD_NL_CMD_OBJECT_GET, false);

	mnl_attr_put_u64(request, IOMMUFD_NL_OBJECT_CONTEXT, context);
	mnl_attr_put_u32(request, IOMMUFD_NL_OBJECT_ID, id);
	return netlink_ask(nl, request, take_object, object);
}

/* struct ids - a list of ids that grows */
struct ids {
	uint64_t *ids;
	size_t count;
	size_t room;
};

static int take_id(const struct nlmsghdr *nlh, void *data)
{
	struct object_reply object;
	struct ids *list = data;

	if (!parse_object_reply(nlh, &object))
		return -EBADMSG;
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		uint64_t *more = reallocarray(list->ids, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->ids = more;
		list->room = room;
	}
	list->ids[list->count++] = object.info.id;
	return 0;
}

/*
 * All that refer to OBJECT, of which the kernel had told some. *IDS are the
 * caller's to free. Returns 0 or -errno.
 */
int netlink_complete(struct netlink *nl, struct object_reply *object,
		     uint64_t **ids)
{
	struct nlmsghdr *request =
		netlink_request(nl, IOMMUFD_NL_CMD_OBJECT_GET, true);
	struct ids list = {};
	int ret;

	mnl_attr_put_u64(request, IOMMUFD_NL_OBJECT_CONTEXT, object->context);
	mnl_attr_put_u32(request, IOMMUFD_NL_OBJECT_REFERS_TO,
			 object->info.id);
	ret = netlink_ask(nl, request, take_id, &list);

	*ids = list.ids;
	if (!ret)
		object->info.referred_by =
			(struct id_list){ true, list.count, list.ids };
	/* gone meanwhile, like its context */
	return ret == -ENOENT ? 0 : ret;
}
