// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "found.h"
#include "parse.h"
#include "roots.h"
#include "vfio_users.h"

#define NODES "/dev/vfio/"

/* struct node - a node that a driver has, and its number */
struct node {
	dev_t dev;
	char name[SYSFS_NAME];
};

struct nodes {
	struct node *nodes;
	size_t count;
	size_t room;
};

/* Those of /sys/class/CLASS: each is below /dev/vfio/FOLDER. */
static void add_class(struct nodes *nodes, const char *class,
		      const char *folder)
{
	char path[SYSFS_NAME + NAME_MAX], text[32];
	unsigned int major, minor;
	struct dirent *entry;
	struct node *node;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/%s", class);
	dir = root_opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/%s/%s/dev", class,
			 entry->d_name);
		if (*entry->d_name == '.' ||
		    strlen(entry->d_name) + strlen(folder) >= SYSFS_NAME ||
		    root_read(path, text, sizeof(text)) < 0 ||
		    !parse_device_number(text, &major, &minor))
			continue;
		if (nodes->count == nodes->room) {
			nodes->room = nodes->room ? nodes->room * 2 : 16;
			nodes->nodes = reallocarray(nodes->nodes, nodes->room,
						    sizeof(*node));
			if (!nodes->nodes)
				abort();
		}
		node = &nodes->nodes[nodes->count++];
		node->dev = makedev(major, minor);
		snprintf(node->name, sizeof(node->name), "%s%.*s", folder,
			 SYSFS_NAME / 2, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

/*
 * The name of VFIO's node that descriptor NAME is, or NULL. By its number, as a
 * container may have it under another path; in a replayed host, by its path.
 */
static const char *node_of(const struct nodes *nodes, int fd_dir,
			   const char *name, char text[PATH_MAX])
{
	struct statx st;
	ssize_t len;
	dev_t dev;

	if (root_replayed()) {
		len = readlinkat(fd_dir, name, text, PATH_MAX - 1);
		if (len < 0)
			return NULL;
		text[len] = '\0';
		return strncmp(text, NODES, strlen(NODES)) ?
		       NULL : text + strlen(NODES);
	}
	/* DONT_SYNC: another's descriptor may lie on a dead network mount */
	if (statx(fd_dir, name, AT_STATX_DONT_SYNC, STATX_TYPE, &st) ||
	    !S_ISCHR(st.stx_mode))
		return NULL;
	dev = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	for (size_t i = 0; i < nodes->count; i++)
		if (nodes->nodes[i].dev == dev)
			return nodes->nodes[i].name;
	return NULL;
}

static void append(struct vfio_users *users, const char *node,
		   const struct holder *holder)
{
	struct vfio_user *user;

	if (users->count == users->room) {
		users->room = users->room ? users->room * 2 : 16;
		users->users = reallocarray(users->users, users->room,
					    sizeof(*user));
		if (!users->users)
			abort();
	}
	user = &users->users[users->count++];
	snprintf(user->node, sizeof(user->node), "%.*s",
		 SYSFS_NAME - 1, node);
	user->holder = *holder;
}

static void look_into(struct vfio_users *users, const struct nodes *nodes,
		      int proc, pid_t pid)
{
	struct holder holder = { .pid = pid };
	char path[64], text[PATH_MAX];
	struct dirent *entry;
	const char *node;
	uint64_t n;
	int fd_dir;
	DIR *dir;

	snprintf(path, sizeof(path), "%d/fd", pid);
	fd_dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd_dir < 0) {
		if (errno == EACCES || errno == EPERM)
			users->hidden = true;
		return;
	}
	dir = fdopendir(fd_dir);
	if (!dir) {
		close(fd_dir);
		return;
	}
	while ((entry = readdir(dir))) {
		if (!parse_number(entry->d_name, INT_MAX, &n))
			continue;
		node = node_of(nodes, fd_dir, entry->d_name, text);
		if (!node)
			continue;
		holder.fd = n;
		if (!*holder.comm)
			read_comm(proc, &holder);
		append(users, node, &holder);
	}
	closedir(dir);
}

static int by_holder(const void *a, const void *b)
{
	const struct holder *x = &((const struct vfio_user *)a)->holder;
	const struct holder *y = &((const struct vfio_user *)b)->holder;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

/* Returns 0, or -1 with the problem filled. */
int vfio_users_look(struct vfio_users *users, struct problem *p)
{
	struct nodes nodes = {};
	struct dirent *entry;
	uint64_t pid;
	DIR *dir;

	*users = (struct vfio_users){};
	dir = root_opendir("/proc");
	if (!dir)
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot read /proc: %s", strerror(errno));
	add_class(&nodes, "vfio-dev", "devices/");
	add_class(&nodes, "vfio", "");
	/* mounted with hidepid, /proc does not even tell that there is more */
	if (!root_replayed() && faccessat(dirfd(dir), "1", F_OK, 0))
		users->hidden = true;
	while ((entry = readdir(dir)))
		if (parse_number(entry->d_name, INT_MAX, &pid))
			look_into(users, &nodes, dirfd(dir), pid);
	closedir(dir);
	free(nodes.nodes);
	if (users->count)
		qsort(users->users, users->count, sizeof(*users->users),
		      by_holder);
	return 0;
}

void vfio_users_free(struct vfio_users *users)
{
	free(users->users);
	*users = (struct vfio_users){};
}

struct holder *vfio_holders(const struct vfio_users *users,
			    const struct device_info *device, size_t *count)
{
	char group[32] = "", cdev[SYSFS_NAME + 16] = "";
	struct holder *holders = NULL;

	*count = 0;
	if (device->group != UNKNOWN)
		snprintf(group, sizeof(group), "%ju",
			 (uintmax_t)device->group);
	if (*device->cdev)
		snprintf(cdev, sizeof(cdev), "devices/%s", device->cdev);
	for (size_t i = 0; i < users->count; i++) {
		const struct vfio_user *user = &users->users[i];

		if (strcmp(user->node, group) && strcmp(user->node, cdev))
			continue;
		if (!holders)
			holders = calloc(users->count, sizeof(*holders));
		if (!holders)
			abort();
		holders[(*count)++] = user->holder;
	}
	return holders;
}
