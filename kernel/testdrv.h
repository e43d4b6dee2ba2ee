/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the test driver share; see testdrv.c.
 */
#ifndef __IOMMUFD_TESTDRV_H
#define __IOMMUFD_TESTDRV_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct iommufd_ctx;

/**
 * struct testdrv_session - one open of the session file
 * @lock: one command at a time
 * @ictx: NULL while there is no context
 * @holds: struct testdrv_hold
 * @accesses: struct testdrv_access
 * @devices: struct testdrv_device
 * @result: of the last command
 * @told: bytes of it that were read
 */
struct testdrv_session {
	struct mutex lock;	/* for all below */
	struct iommufd_ctx *ictx;
	struct list_head holds;
	struct list_head accesses;
	struct list_head devices;
	u32 result;
	loff_t told;
};

int testdrv_next_u32(char **args, u32 *val);
int testdrv_next_ulong(char **args, unsigned long *val);

/* testdrv_access.c */
int testdrv_access_command(struct testdrv_session *s, const char *cmd,
			   char *args);
void testdrv_access_put(struct testdrv_session *s);

/* testdrv_device.c */
bool testdrv_device_command(struct testdrv_session *s, const char *cmd,
			    char *args, int *rc);
void testdrv_device_put(struct testdrv_session *s);

#endif
