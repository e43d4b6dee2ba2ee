/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The generic netlink family "iommufd": every context and object of the host,
 * as it is seen from outside. It only looks; nothing can be changed by it.
 *
 * kernel/netlink/iommufd.yaml describes it for programs, iommufd(4) for people.
 * tests/host/netlink.bats holds the numbers here against that description.
 */
#ifndef _UAPI_IOMMUFD_NETLINK_H
#define _UAPI_IOMMUFD_NETLINK_H

#define IOMMUFD_NL_FAMILY_NAME "iommufd"
#define IOMMUFD_NL_FAMILY_VERSION 1

/* The one multicast group. */
#define IOMMUFD_NL_MCGRP_EVENTS "events"

/* A request for one thing, or for a dump; events are never requests. */
enum iommufd_nl_cmd {
	IOMMUFD_NL_CMD_CONTEXT_GET = 1,
	IOMMUFD_NL_CMD_OBJECT_GET,
	IOMMUFD_NL_CMD_CONTEXT_CREATED,
	IOMMUFD_NL_CMD_CONTEXT_DESTROYED,
	IOMMUFD_NL_CMD_OBJECT_CREATED,
	IOMMUFD_NL_CMD_OBJECT_DESTROYED,

	__IOMMUFD_NL_CMD_MAX,
	IOMMUFD_NL_CMD_MAX = __IOMMUFD_NL_CMD_MAX - 1
};

enum iommufd_nl_context {
	IOMMUFD_NL_CONTEXT_PAD = 1,
	IOMMUFD_NL_CONTEXT_ID,		/* u64 */
	IOMMUFD_NL_CONTEXT_OPENER_PID,	/* u32; absent where unseen */
	IOMMUFD_NL_CONTEXT_OPENER_COMM,	/* string: the process's name */
	IOMMUFD_NL_CONTEXT_OPENER_UID,	/* u32 */
	IOMMUFD_NL_CONTEXT_OBJECTS,	/* u64: how many */

	__IOMMUFD_NL_CONTEXT_MAX,
	IOMMUFD_NL_CONTEXT_MAX = __IOMMUFD_NL_CONTEXT_MAX - 1
};

enum iommufd_nl_object {
	IOMMUFD_NL_OBJECT_PAD = 1,
	IOMMUFD_NL_OBJECT_CONTEXT,	/* u64: the context's id */
	IOMMUFD_NL_OBJECT_ID,		/* u32 */
	IOMMUFD_NL_OBJECT_TYPE,		/* string */
	IOMMUFD_NL_OBJECT_REFERS_TO,	/* u32, once an object */
	IOMMUFD_NL_OBJECT_REFERRED_BY,	/* u32, once an object */
	IOMMUFD_NL_OBJECT_REFERRED_BY_CUT, /* flag: there are more of these */
	IOMMUFD_NL_OBJECT_USERS,	/* u32: lasting references */
	IOMMUFD_NL_OBJECT_KERNEL_OWNED,	/* flag: a driver's own */

	__IOMMUFD_NL_OBJECT_MAX,
	IOMMUFD_NL_OBJECT_MAX = __IOMMUFD_NL_OBJECT_MAX - 1
};

#endif
