/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process has a VFIO device open, found in one pass over /proc. */
#ifndef CLI_VFIO_USERS_H
#define CLI_VFIO_USERS_H

#include "errors.h"
#include "source.h"
#include "sysfs.h"

/*
 * struct vfio_user - a descriptor that is a node of VFIO's
 * @node: which, by its name below /dev/vfio: "devices/vfio0", or "14", which is
 *        the node of a group, and so of each device in it
 */
struct vfio_user {
	char node[SYSFS_NAME];
	struct holder holder;
};

/*
 * struct vfio_users - sorted by process and descriptor
 * @hidden: there are processes that we may not look into
 */
struct vfio_users {
	struct vfio_user *users;
	size_t count;
	size_t room;
	bool hidden;
};

int vfio_users_look(struct vfio_users *users, struct problem *p);
void vfio_users_free(struct vfio_users *users);

/* Those who hold DEVICE. Allocated, NULL for none. */
struct holder *vfio_holders(const struct vfio_users *users,
			    const struct device_info *device, size_t *count);

#endif
