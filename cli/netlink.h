/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talking to the kernel's generic netlink family "iommufd". */
#ifndef CLI_NETLINK_H
#define CLI_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/iommufd_netlink.h>

#include "replies.h"

struct problem;

/*
 * struct netlink - a socket, for one request at a time
 * @sock: the socket
 * @family: number of the family
 * @group: number of its group of events
 * @sequence: of the last request
 * @reason: why the last request failed, in the kernel's words; may be empty
 * @interrupted: something has changed while the last dump was made
 * @buf: what is sent, and then what is received
 */
struct netlink {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t group;
	uint32_t sequence;
	char reason[REASON_MAX];
	bool interrupted;
	char buf[32768] __attribute__((aligned(8)));
};

/* In place of 0 or -1: there is no such family, so nothing was asked. */
#define NETLINK_ABSENT 1

/* Takes one message of a reply. Not 0: enough, and netlink_ask() returns it. */
typedef int (*netlink_taker)(const struct nlmsghdr *nlh, void *data);

int netlink_open(struct netlink **nl, struct problem *p);
void netlink_close(struct netlink *nl);
struct nlmsghdr *netlink_request(struct netlink *nl, uint8_t command,
				 bool dump);
int netlink_ask(struct netlink *nl, struct nlmsghdr *request,
		netlink_taker take, void *data);
int netlink_problem(const struct netlink *nl, struct problem *p, int err);
int netlink_join(struct netlink *nl, uint32_t group);
void netlink_drain(struct netlink *nl);
int netlink_receive(struct netlink *nl, netlink_taker take, void *data);

int netlink_object(struct netlink *nl, uint64_t context, uint32_t id,
		   struct object_reply *object);
int netlink_complete(struct netlink *nl, struct object_reply *object,
		     uint64_t **ids);

#endif
