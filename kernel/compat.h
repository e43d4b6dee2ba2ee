/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that this module is built for, and
 * nowhere else: the rest is written for the newest.
 */
#ifndef __IOMMUFD_COMPAT_H
#define __IOMMUFD_COMPAT_H

#include <linux/version.h>
#include <net/genetlink.h>

/* Attributes of the request that a dump answers. */
static inline struct nlattr **
iommufd_dump_attrs(const struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return ((const struct genl_dumpit_info *)cb->data)->info.attrs;
#else
	return ((const struct genl_dumpit_info *)cb->data)->attrs;
#endif
}

#endif
