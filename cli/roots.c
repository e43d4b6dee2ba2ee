// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * With IOMMUFDCTL_ROOT=DIR another host is looked at: its /dev, /proc and /sys
 * as they were copied to DIR. Its processes are not ours, so nothing of theirs
 * is ever taken or compared: see root_replayed()'s callers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "roots.h"

static const char *prefix(void)
{
	const char *root = secure_getenv("IOMMUFDCTL_ROOT");

	return root ? root : "";
}

bool root_replayed(void)
{
	return *prefix();
}

/* Where PATH, which is absolute, really lies; allocated, never NULL. */
char *root_path(const char *path)
{
	char *full;

	if (asprintf(&full, "%s%s", prefix(), path) < 0)
		abort();
	return full;
}

/* PATH is absolute. Returns a descriptor, or -1 with errno. */
int root_open(const char *path, int flags)
{
	char *full;
	int fd, err;

	if (asprintf(&full, "%s%s", prefix(), path) < 0) {
		errno = ENOMEM;
		return -1;
	}
	do {
		fd = open(full, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	err = errno;
	free(full);
	errno = err;
	return fd;
}

int root_stat(const char *path, struct stat *st)
{
	char *full;
	int ret, err;

	if (asprintf(&full, "%s%s", prefix(), path) < 0) {
		errno = ENOMEM;
		return -1;
	}
	ret = stat(full, st);
	err = errno;
	free(full);
	errno = err;
	return ret;
}

/*
 * The start of a small file as a string, cut at SIZE - 1. Returns its length,
 * or -1 with errno.
 */
int root_read(const char *path, char *buf, unsigned int size)
{
	int fd = root_open(path, O_RDONLY);
	ssize_t len, used = 0;

	if (fd < 0)
		return -1;
	while ((len = read(fd, buf + used, size - 1 - used)) > 0 ||
	       (len < 0 && errno == EINTR))
		used += len > 0 ? len : 0;
	close(fd);
	if (len < 0)
		return -1;
	buf[used] = '\0';
	return used;
}

/* Returns NULL with errno. */
DIR *root_opendir(const char *path)
{
	int fd = root_open(path, O_RDONLY | O_DIRECTORY), err;
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir) {
		err = errno;
		close(fd);
		errno = err;
	}
	return dir;
}

/*
 * Where the link at PATH leads, cut at SIZE - 1. Returns its length, or -1 with
 * errno.
 */
int root_readlink(const char *path, char *buf, unsigned int size)
{
	char *full;
	ssize_t len;
	int err;

	if (asprintf(&full, "%s%s", prefix(), path) < 0) {
		errno = ENOMEM;
		return -1;
	}
	len = readlink(full, buf, size - 1);
	err = errno;
	free(full);
	errno = err;
	if (len < 0)
		return -1;
	buf[len] = '\0';
	return len;
}

/* The last word of where a link leads: what sysfs calls what it leads to. */
bool root_linkname(const char *path, char *name, unsigned int size)
{
	char target[1024];
	const char *base;

	if (root_readlink(path, target, sizeof(target)) < 0)
		return false;
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (!*base || strlen(base) >= size)
		return false;
	memcpy(name, base, strlen(base) + 1);
	return true;
}
