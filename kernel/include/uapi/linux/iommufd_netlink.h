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

/* The same numbers as IOMMU_OPTION_RLIMIT_MODE has. */
enum iommufd_nl_rlimit_mode {
	IOMMUFD_NL_RLIMIT_MODE_USER,
	IOMMUFD_NL_RLIMIT_MODE_PROCESS,
};

enum iommufd_nl_range_kind {
	IOMMUFD_NL_RANGE_KIND_USABLE,	/* not reserved */
	IOMMUFD_NL_RANGE_KIND_ALLOWED,	/* as by IOMMU_IOAS_ALLOW_IOVAS */
	IOMMUFD_NL_RANGE_KIND_RESERVED,	/* nothing can be mapped there */
	IOMMUFD_NL_RANGE_KIND_MAPPING,	/* an area */
};

/* A request for one thing, or for a dump; events are never requests. */
enum iommufd_nl_cmd {
	IOMMUFD_NL_CMD_CONTEXT_GET = 1,
	IOMMUFD_NL_CMD_OBJECT_GET,
	IOMMUFD_NL_CMD_RANGE_GET,
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
	IOMMUFD_NL_CONTEXT_RLIMIT_MODE,	/* u32: enum iommufd_nl_rlimit_mode */
	IOMMUFD_NL_CONTEXT_PINNED_BYTES, /* u64 */
	IOMMUFD_NL_CONTEXT_LIMIT_BYTES,	/* u64; absent where there is none */

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
	IOMMUFD_NL_OBJECT_IOAS,		/* nest: enum iommufd_nl_ioas */
	IOMMUFD_NL_OBJECT_ACCESS,	/* nest: enum iommufd_nl_access */
	IOMMUFD_NL_OBJECT_DEVICE,	/* nest: enum iommufd_nl_device */
	IOMMUFD_NL_OBJECT_HWPT,		/* nest: enum iommufd_nl_hwpt */

	__IOMMUFD_NL_OBJECT_MAX,
	IOMMUFD_NL_OBJECT_MAX = __IOMMUFD_NL_OBJECT_MAX - 1
};

enum iommufd_nl_ioas {
	IOMMUFD_NL_IOAS_PAD = 1,
	IOMMUFD_NL_IOAS_AREAS,		/* u64: how many mappings */
	IOMMUFD_NL_IOAS_MAPPED_BYTES,	/* u64 */
	IOMMUFD_NL_IOAS_PINNED_BYTES,	/* u64 */
	IOMMUFD_NL_IOAS_ALIGNMENT,	/* u64 */
	IOMMUFD_NL_IOAS_HUGE_PAGES,	/* u8: 0 or 1 */

	__IOMMUFD_NL_IOAS_MAX,
	IOMMUFD_NL_IOAS_MAX = __IOMMUFD_NL_IOAS_MAX - 1
};

enum iommufd_nl_access {
	IOMMUFD_NL_ACCESS_PAD = 1,
	IOMMUFD_NL_ACCESS_OWNER,	/* string: the driver's module */
	IOMMUFD_NL_ACCESS_PINNED_BYTES,	/* u64 */

	__IOMMUFD_NL_ACCESS_MAX,
	IOMMUFD_NL_ACCESS_MAX = __IOMMUFD_NL_ACCESS_MAX - 1
};

enum iommufd_nl_device {
	IOMMUFD_NL_DEVICE_PAD = 1,
	IOMMUFD_NL_DEVICE_NAME,		/* string: as in sysfs */
	IOMMUFD_NL_DEVICE_GROUP,	/* u32: its IOMMU group */

	__IOMMUFD_NL_DEVICE_MAX,
	IOMMUFD_NL_DEVICE_MAX = __IOMMUFD_NL_DEVICE_MAX - 1
};

enum iommufd_nl_hwpt {
	IOMMUFD_NL_HWPT_PAD = 1,
	IOMMUFD_NL_HWPT_AUTOMATIC,	/* flag: goes with its last device */
	IOMMUFD_NL_HWPT_PAGE_SIZES,	/* u64: a bit for each that it can map */

	__IOMMUFD_NL_HWPT_MAX,
	IOMMUFD_NL_HWPT_MAX = __IOMMUFD_NL_HWPT_MAX - 1
};

enum iommufd_nl_range {
	IOMMUFD_NL_RANGE_PAD = 1,
	IOMMUFD_NL_RANGE_CONTEXT,	/* u64: the context's id */
	IOMMUFD_NL_RANGE_OBJECT,	/* u32: the IOAS's id */
	IOMMUFD_NL_RANGE_KIND,		/* u32: enum iommufd_nl_range_kind */
	IOMMUFD_NL_RANGE_START,		/* u64: first IOVA */
	IOMMUFD_NL_RANGE_LAST,		/* u64: last IOVA */
	IOMMUFD_NL_RANGE_READABLE,	/* flag, of a mapping */
	IOMMUFD_NL_RANGE_WRITEABLE,	/* flag, of a mapping */

	__IOMMUFD_NL_RANGE_MAX,
	IOMMUFD_NL_RANGE_MAX = __IOMMUFD_NL_RANGE_MAX - 1
};

#endif
