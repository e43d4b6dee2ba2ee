// SPDX-License-Identifier: GPL-2.0-or-later
/* Where named contexts are kept, and who holds which; names.h has the rules. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "roots.h"

/* The folder's path, allocated, or NULL with the problem filled. */
char *names_path(struct problem *p)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	char *path;

	if (root_replayed() || !geteuid())
		return root_path("/run/iommufdctl");
	if (!runtime || runtime[0] != '/') {
		problem_set(p, STATUS_NOT_FOUND, 0,
			    "named contexts of a user are kept below "
			    "XDG_RUNTIME_DIR, which is not set: log in through "
			    "a session, or open a context with "
			    "'exec 3<>/dev/iommu' and use '-c fd:3'");
		return NULL;
	}
	if (asprintf(&path, "%s/iommufdctl", runtime) < 0)
		abort();
	return path;
}

/* Nobody else may be able to put a socket in there. */
static int check_folder(int fd, const char *path, struct problem *p)
{
	struct stat st;

	if (fstat(fd, &st))
		return problem_errno(p, DOING_ANYTHING, errno, "");
	if (st.st_uid != geteuid())
		return problem_set(p, STATUS_FAILED, 0,
				   "'%s' belongs to another user (uid %u): "
				   "remove it", path, st.st_uid);
	if (st.st_mode & 022)
		return problem_set(p, STATUS_FAILED, 0,
				   "'%s' can be written by others (mode %04o): "
				   "'chmod 0755' it", path,
				   st.st_mode & 07777);
	return 0;
}

/*
 * A descriptor of the folder, or -1 with the problem filled; without MAKE, that
 * there is none is a problem with ENOENT and no text.
 */
int names_folder(bool make, struct problem *p)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char *path = names_path(p);
	int fd, err;

	if (!path)
		return -1;
	fd = open(path, flags);
	if (fd < 0 && errno == ENOENT && make) {
		mode_t old = umask(022);

		err = mkdir(path, 0755) ? errno : 0;
		umask(old);
		/* EEXIST: another was as quick */
		if (!err || err == EEXIST)
			fd = open(path, flags);
		else
			errno = err;
	}
	if (fd < 0 && errno == ENOENT && !make) {
		problem_set(p, STATUS_NOT_FOUND, ENOENT, "%s", "");
	} else if (fd < 0) {
		err = errno;
		problem_set(p, STATUS_FAILED, err,
			    "cannot keep contexts in '%s': %s", path,
			    err == ELOOP || err == ENOTDIR ?
			    "it is no folder: remove it" : strerror(err));
	} else if (check_folder(fd, path, p)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		clean_text(p->text);
	free(path);
	return fd;
}

/*
 * Whether the folder is there, or can be made: without, a driver is of no use.
 * Makes nothing, so that nothing is left where there is no driver.
 */
bool names_place(struct problem *p)
{
	int folder = names_folder(false, p), err = 0;
	char *path, *slash;

	if (folder >= 0) {
		close(folder);
		return true;
	}
	if (p->err != ENOENT || *p->text)
		return false;
	path = names_path(p);
	if (!path)
		return false;
	/* its parent's path, for as long as that is looked at */
	slash = strrchr(path, '/');
	*slash = '\0';
	if (faccessat(AT_FDCWD, *path ? path : "/", W_OK | X_OK, AT_EACCESS))
		err = errno;
	*slash = '/';
	if (err) {
		problem_set(p, STATUS_FAILED, err,
			    "cannot keep contexts in '%s': %s", path,
			    strerror(err));
		clean_text(p->text);
	}
	free(path);
	return !err;
}

/* Who has the lock: its pid, 0 where it is free, -1 if it is out of sight. */
static pid_t lock_owner(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

/* Is FILE still the one that LOCK is a descriptor of? */
bool lock_in_place(int lock, int folder, const char *file)
{
	struct stat ours, there;

	return !fstat(lock, &ours) &&
	       !fstatat(folder, file, &there, AT_SYMLINK_NOFOLLOW) &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/*
 * Locks FILE for this process, for which the kernel knows who has it. Its
 * descriptor is to be closed last, and no other one of that file ever by this
 * process: the first close ends the lock. Returns it, or -1 with errno; if that
 * is EBUSY, *OWNER is as lock_owner() has it.
 */
int lock_take(int folder, const char *file, pid_t *owner)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, err;

	for (int tries = 0; tries < 100; tries++) {
		fd = openat(folder, file, flags, 0600);
		if (fd < 0)
			return -1;
		if (fcntl(fd, F_SETLK, &lock)) {
			err = errno;
			*owner = lock_owner(fd);
			close(fd);
			errno = err == EACCES || err == EAGAIN ? EBUSY : err;
			return -1;
		}
		if (lock_in_place(fd, folder, file))
			return fd;
		/* who had it has unlinked it since we opened it */
		close(fd);
	}
	*owner = 0;
	errno = EBUSY;
	return -1;
}

/* The record of whoever has the lock; that of one before it does not count. */
static void read_status(int folder, struct name_info *info)
{
	char file[CONTEXT_NAME_MAX + SUFFIX_MAX], text[128];
	struct hold_record record;
	ssize_t len;
	int fd;

	info->clients = UNKNOWN;
	info->since = UNKNOWN;
	snprintf(file, sizeof(file), "%s.status", info->name);
	fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len < 0)
		return;
	text[len] = '\0';
	if (!parse_hold_record(text, &record) ||
	    (info->pid && record.pid != (uint64_t)info->pid))
		return;
	info->clients = record.clients;
	info->since = record.since;
}

/* Is NAME held? Then INFO is filled. */
bool name_held(int folder, const char *name, struct name_info *info)
{
	char file[CONTEXT_NAME_MAX + SUFFIX_MAX];
	pid_t owner;
	int fd;

	snprintf(file, sizeof(file), "%s.lock", name);
	fd = openat(folder, file,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	owner = lock_owner(fd);
	close(fd);
	if (!owner)
		return false;
	snprintf(info->name, sizeof(info->name), "%s", name);
	info->pid = owner > 0 ? owner : 0;
	read_status(folder, info);
	return true;
}

static int append(struct name_list *list, const struct name_info *info)
{
	struct name_info *more = reallocarray(list->names, list->count + 1,
					      sizeof(*more));

	if (!more)
		return -1;
	list->names = more;
	list->names[list->count++] = *info;
	return 0;
}

/* "vm1.lock" is of "vm1"; other files are of no name. */
static bool name_of_lock(const char *file, char name[CONTEXT_NAME_MAX + 1])
{
	const char *end = strrchr(file, '.');

	if (!end || strcmp(end, ".lock") || end - file > CONTEXT_NAME_MAX)
		return false;
	memcpy(name, file, end - file);
	name[end - file] = '\0';
	return parse_name(name);
}

static int by_name(const void *a, const void *b)
{
	const struct name_info *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Every name that is held. Returns 0, or -1 with the problem filled. */
int names_list(struct name_list *list, struct problem *p)
{
	char name[CONTEXT_NAME_MAX + 1];
	struct name_info info;
	struct dirent *entry;
	int folder, ret = 0;
	DIR *dir;

	*list = (struct name_list){};
	folder = names_folder(false, p);
	if (folder < 0)
		return p->err == ENOENT ? 0 : -1;
	dir = fdopendir(folder);
	if (!dir) {
		close(folder);
		return problem_errno(p, DOING_ANYTHING, errno, "");
	}
	while (!ret && (entry = readdir(dir)))
		if (name_of_lock(entry->d_name, name) &&
		    name_held(folder, name, &info))
			ret = append(list, &info);
	closedir(dir);
	if (ret) {
		names_free(list);
		return problem_errno(p, DOING_ANYTHING, ENOMEM, "");
	}
	if (list->count)
		qsort(list->names, list->count, sizeof(info), by_name);
	return 0;
}

void names_free(struct name_list *list)
{
	free(list->names);
	*list = (struct name_list){};
}

/* What holders of named contexts call this one; NAMES outlives INFO. */
const char *name_of(const struct name_list *names,
		    const struct holder *holders, size_t count)
{
	for (size_t n = 0; n < names->count; n++)
		for (size_t i = 0; i < count; i++)
			if (names->names[n].pid == holders[i].pid)
				return names->names[n].name;
	return NULL;
}
