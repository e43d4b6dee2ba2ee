// SPDX-License-Identifier: GPL-2.0-or-later
/* One pass over /proc, and what belongs together in what it brings. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "devnode.h"
#include "found.h"
#include "roots.h"

/* In a replayed host no process is us, whatever its number. */
bool is_own(const struct opening *opening)
{
	return !root_replayed() && opening->holder.pid == getpid();
}

/* Reads what fits; an unreadable file is an empty one. */
static size_t read_at(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return 0;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		len = 0;
	buf[len] = '\0';
	return len;
}

/*
 * Is descriptor NAME of the process whose fd folder is FD_DIR an iommufd? By
 * its device number, as a container may have the node under another path; a
 * replayed host's links lead nowhere, and all that is left is the path.
 */
static bool leads_to_device(int fd_dir, const char *name, dev_t dev)
{
	struct statx st;
	char path[64];
	ssize_t len;

	if (root_replayed()) {
		len = readlinkat(fd_dir, name, path, sizeof(path) - 1);
		if (len < 0)
			return false;
		path[len] = '\0';
		return !strcmp(path, DEVICE_NODE);
	}
	/* DONT_SYNC: another's descriptor may lie on a dead network mount */
	if (statx(fd_dir, name, AT_STATX_DONT_SYNC, STATX_TYPE, &st))
		return false;
	return S_ISCHR(st.stx_mode) &&
	       makedev(st.stx_rdev_major, st.stx_rdev_minor) == dev;
}

static int append(struct found *found, const struct opening *opening)
{
	if (found->count == found->room) {
		size_t room = found->room ? found->room * 2 : 16;
		struct opening *more = reallocarray(found->openings, room,
						    sizeof(*more));

		if (!more)
			return -ENOMEM;
		found->openings = more;
		found->room = room;
	}
	found->openings[found->count++] = *opening;
	return 0;
}

/* PROC is the folder of all processes. */
void read_comm(int proc, struct holder *holder)
{
	char path[32];
	size_t len;

	snprintf(path, sizeof(path), "%d/comm", holder->pid);
	len = read_at(proc, path, holder->comm, sizeof(holder->comm));
	/* a name may hold a newline; the kernel adds one at the end */
	if (len && holder->comm[len - 1] == '\n')
		holder->comm[len - 1] = '\0';
	clean_text(holder->comm);
}

/*
 * Appends the iommufds of one process. Returns 0, or -errno: of a process
 * that is gone -ENOENT or -ESRCH, of one that we may not look into -EACCES or
 * -EPERM.
 */
static int look_into(struct found *found, int proc, pid_t pid, dev_t dev)
{
	struct opening opening = { .holder.pid = pid };
	struct dirent *entry;
	char text[2048], path[64];
	int fd_dir, ret = 0;
	uint64_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "%d/fd", pid);
	fd_dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd_dir < 0)
		return -errno;
	dir = fdopendir(fd_dir);
	if (!dir) {
		ret = -errno;
		close(fd_dir);
		return ret;
	}
	errno = 0;
	while (!ret && (entry = readdir(dir))) {
		if (!parse_number(entry->d_name, INT_MAX, &n) ||
		    !leads_to_device(fd_dir, entry->d_name, dev))
			continue;
		snprintf(path, sizeof(path), "%d/fdinfo/%d", pid, (int)n);
		parse_fdinfo(text, read_at(proc, path, text, sizeof(text)),
			     &opening.info);
		opening.holder.fd = n;
		if (!*opening.holder.comm)
			read_comm(proc, &opening.holder);
		ret = append(found, &opening);
	}
	closedir(dir);
	return ret;
}

static int by_context(const void *a, const void *b)
{
	const struct opening *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (is_own(x) != is_own(y))
		return is_own(x) ? 1 : -1;
	if (x->holder.pid != y->holder.pid)
		return x->holder.pid < y->holder.pid ? -1 : 1;
	return x->holder.fd < y->holder.fd ? -1 : x->holder.fd > y->holder.fd;
}

static int by_id(const void *a, const void *b)
{
	const struct opening *x = a, *y = b;

	if (x->info.context != y->info.context)
		return x->info.context < y->info.context ? -1 : 1;
	if (x->holder.pid != y->holder.pid)
		return x->holder.pid < y->holder.pid ? -1 : 1;
	return x->holder.fd < y->holder.fd ? -1 : x->holder.fd > y->holder.fd;
}

/* One open file is one context, as each open() of the device makes its own. */
static bool same_file(const struct opening *a, const struct opening *b)
{
	return !root_replayed() &&
	       !syscall(SYS_kcmp, a->holder.pid, b->holder.pid, KCMP_FILE,
			(unsigned long)a->holder.fd,
			(unsigned long)b->holder.fd);
}

static long compare(int fd, const struct holder *holder)
{
	return syscall(SYS_kcmp, getpid(), holder->pid, KCMP_FILE,
		       (unsigned long)fd, (unsigned long)holder->fd);
}

/* Is what HOLDER has open there what our FD is, beyond doubt? */
bool holder_has(int fd, const struct holder *holder)
{
	return !compare(fd, holder);
}

/* Is what HOLDER had open there no longer what our FD is? */
bool has_gone(int fd, const struct holder *holder)
{
	long ret = compare(fd, holder);

	/* what may not be asked is taken to be as it was */
	return ret > 0 || (ret < 0 && (errno == ESRCH || errno == EBADF));
}

/*
 * Gives each opening its group: by the id that the driver tells, or, where it
 * tells none, by asking the kernel whether two are one open file. Where even
 * that is not permitted each opening stands for itself.
 */
static int group_openings(struct found *found)
{
	struct opening *o = found->openings;
	size_t *leader, groups = 0, i, g;

	leader = calloc(found->count + 1, sizeof(*leader));
	if (!leader)
		return -ENOMEM;
	found->first = leader;
	if (!found->count)
		return 0;
	qsort(o, found->count, sizeof(*o), by_id);
	/* of a driver that numbers contexts, one without was just closed */
	while (o[0].info.context != UNKNOWN &&
	       o[found->count - 1].info.context == UNKNOWN)
		found->count--;
	for (i = 0; i < found->count; i++) {
		/* known ids are sorted: only the last group can be it */
		g = groups && o[i].info.context != UNKNOWN ? groups - 1 : 0;
		for (; g < groups; g++) {
			const struct opening *l = &o[leader[g]];

			if (o[i].info.context != UNKNOWN ?
			    l->info.context == o[i].info.context :
			    l->info.context == UNKNOWN && same_file(l, &o[i]))
				break;
		}
		if (g == groups)
			leader[groups++] = i;
		o[i].group = g;
	}
	qsort(o, found->count, sizeof(*o), by_context);
	for (i = 0, g = 0; i < found->count; i++)
		if (!i || o[i].group != o[i - 1].group)
			leader[g++] = i;
	leader[groups] = found->count;
	found->groups = groups;
	return 0;
}

/* Returns 0, or -ENOMEM: one that ended while we looked is no error. */
static int note_process(struct found *found, int proc, pid_t pid, dev_t dev)
{
	int ret = look_into(found, proc, pid, dev);

	if (ret == -EACCES || ret == -EPERM)
		found->hidden = true;
	return ret == -ENOMEM ? ret : 0;
}

/*
 * Looks into process ONLY, or with 0 into all. Returns 0, or -1 with the
 * problem filled; that ONLY is not there is for found_select() to find out.
 */
int found_look(struct found *found, pid_t only, struct problem *p)
{
	struct dirent *entry;
	uint64_t pid;
	int proc, ret = 0;
	dev_t dev = 0;
	DIR *dir;

	*found = (struct found){};
	if (device_number(&dev) && !root_replayed())
		return problem_errno(p, DOING_OPEN_DEVICE, ENOENT, "");
	proc = root_open("/proc", O_RDONLY | O_DIRECTORY);
	if (proc < 0)
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot read /proc: %s", strerror(errno));
	dir = fdopendir(proc);
	if (!dir) {
		ret = errno;
		close(proc);
		return problem_errno(p, DOING_ANYTHING, ret, "");
	}
	if (only)
		ret = note_process(found, proc, only, dev);
	/* mounted with hidepid, /proc does not even tell that there is more */
	if (!only && !root_replayed() && faccessat(proc, "1", F_OK, 0))
		found->hidden = true;
	while (!only && !ret && (entry = readdir(dir)))
		if (parse_number(entry->d_name, INT_MAX, &pid))
			ret = note_process(found, proc, pid, dev);
	if (!ret)
		ret = group_openings(found);
	closedir(dir);
	if (ret) {
		found_free(found);
		return problem_errno(p, DOING_ANYTHING, -ret, "");
	}
	return 0;
}

void found_free(struct found *found)
{
	free(found->openings);
	free(found->first);
	*found = (struct found){};
}
