/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place that knows where /dev, /proc and /sys are. */
#ifndef CLI_ROOTS_H
#define CLI_ROOTS_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

bool root_replayed(void);
char *root_path(const char *path);
int root_open(const char *path, int flags);
int root_stat(const char *path, struct stat *st);
int root_read(const char *path, char *buf, unsigned int size);
DIR *root_opendir(const char *path);
int root_readlink(const char *path, char *buf, unsigned int size);
bool root_linkname(const char *path, char *name, unsigned int size);

#endif
