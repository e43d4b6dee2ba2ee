// SPDX-License-Identifier: GPL-2.0-or-later
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

#include "contexts.h"
#include "devnode.h"
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

static void read_comm(int proc, struct holder *holder)
{
	char path[32];

	snprintf(path, sizeof(path), "%d/comm", holder->pid);
	read_at(proc, path, holder->comm, sizeof(holder->comm));
	/* a name may hold a newline; the kernel adds one at the end */
	if (*holder->comm)
		holder->comm[strlen(holder->comm) - 1] = '\0';
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

/* Looks into process ONLY, or with 0 into all. */
static int find(struct found *found, pid_t only, struct problem *p)
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

/* What to say of fd:N that is not open, or is something else. */
static int wrong_fd(const struct context_spec *spec, struct problem *p)
{
	if (fcntl(spec->fd, F_GETFD) < 0)
		return problem_set(p, STATUS_NOT_FOUND, EBADF,
			"descriptor %d is not open: open it in the shell "
			"with 'exec %d<>/dev/iommu'", spec->fd, spec->fd);
	return problem_set(p, STATUS_NOT_FOUND, 0,
		"descriptor %d is no iommufd: open one in the shell with "
		"'exec %d<>/dev/iommu'", spec->fd, spec->fd);
}

static int select_fd(const struct found *found,
		     const struct context_spec *spec, size_t *group,
		     struct problem *p)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct opening *o = &found->openings[i];

		if (!is_own(o) || o->holder.fd != spec->fd)
			continue;
		*group = o->group;
		return 0;
	}
	return wrong_fd(spec, p);
}

/* "pid:812:3, pid:812:5", the first of each context, as many as fit */
static void choices(const struct found *found, pid_t pid, char *buf,
		    size_t size)
{
	size_t used = 0, last = found->groups;

	for (size_t i = 0; i < found->count; i++) {
		const struct opening *o = &found->openings[i];

		if (o->holder.pid != pid || o->group == last)
			continue;
		if (used + 32 >= size) {
			snprintf(buf + used, size - used, ", ...");
			return;
		}
		used += snprintf(buf + used, size - used, "%spid:%d:%d",
				 used ? ", " : "", pid, o->holder.fd);
		last = o->group;
	}
}

/* Of a process with no iommufd in sight: is it there, and may it be seen? */
static int no_context(pid_t pid, struct problem *p)
{
	char text[32];
	int fd;

	snprintf(text, sizeof(text), "/proc/%d/fd", pid);
	fd = root_open(text, O_RDONLY | O_DIRECTORY);
	snprintf(text, sizeof(text), "%d", pid);
	if (fd < 0)
		return problem_errno(p, DOING_LOOK, errno, text);
	close(fd);
	return problem_set(p, STATUS_NOT_FOUND, 0,
			   "process %d holds no context: 'iommufdctl list' "
			   "shows who does", pid);
}

static int select_pid(const struct found *found,
		      const struct context_spec *spec, size_t *group,
		      struct problem *p)
{
	size_t hits = 0, last = 0;
	char list[256] = "";

	for (size_t i = 0; i < found->count; i++) {
		const struct opening *o = &found->openings[i];

		if (o->holder.pid != spec->pid)
			continue;
		if (spec->fd == o->holder.fd) {
			*group = o->group;
			return 0;
		}
		if (!hits || o->group != last)
			hits++;
		last = o->group;
	}
	choices(found, spec->pid, list, sizeof(list));
	if (!hits)
		return no_context(spec->pid, p);
	if (spec->fd >= 0)
		return problem_set(p, STATUS_NOT_FOUND, 0,
			"descriptor %d of process %d is no iommufd: "
			"choose from %s", spec->fd, spec->pid, list);
	if (hits > 1)
		return problem_set(p, STATUS_FAILED, 0,
			"process %d holds %zu contexts: choose from %s",
			spec->pid, hits, list);
	*group = last;
	return 0;
}

static int select_id(const struct found *found,
		     const struct context_spec *spec, size_t *group,
		     struct problem *p)
{
	bool numbered = !found->count;

	for (size_t g = 0; g < found->groups; g++) {
		const struct opening *o = &found->openings[found->first[g]];

		if (o->info.context == spec->id) {
			*group = g;
			return 0;
		}
		if (o->info.context != UNKNOWN)
			numbered = true;
	}
	if (!numbered)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
			"this kernel's iommufd does not number its contexts: "
			"use -c pid:PID");
	return problem_set(p, STATUS_NOT_FOUND, 0,
		"there is no context %ju%s: 'iommufdctl list' shows what "
		"there is", (uintmax_t)spec->id,
		found->hidden ? " that this user may see" : "");
}

static int select_name(const struct context_spec *spec, struct problem *p)
{
	if (!strcmp(spec->text, "default"))
		return problem_set(p, STATUS_NOT_FOUND, 0,
			"no context is chosen and none named 'default' is "
			"held: open one with 'exec 3<>/dev/iommu' and add "
			"'-c fd:3'");
	return problem_set(p, STATUS_NOT_FOUND, 0,
		"no one holds a context named '%s': open one with "
		"'exec 3<>/dev/iommu' and use '-c fd:3'", spec->text);
}

/*
 * Everything that can be seen, for a look at all of it or (SPEC not NULL) at
 * one context and all who hold it. Returns 0, or -1 with the problem filled.
 */
int found_all(struct found *found, const struct context_spec *spec,
	      struct problem *p)
{
	if (spec && spec->form == CONTEXT_NAME)
		return select_name(spec, p);
	return find(found, 0, p);
}

/* Which group is meant. Returns 0, or -1 with the problem filled. */
int found_select(const struct found *found, const struct context_spec *spec,
		 size_t *group, struct problem *p)
{
	switch (spec->form) {
	case CONTEXT_FD:
		return select_fd(found, spec, group, p);
	case CONTEXT_PID:
		return select_pid(found, spec, group, p);
	case CONTEXT_ID:
		return select_id(found, spec, group, p);
	case CONTEXT_NAME:
		break;
	}
	return select_name(spec, p);
}

/* A descriptor of ours for the one that O tells of, or -1 with errno. */
static int take(const struct opening *o)
{
	int pidfd, fd, err;

	if (is_own(o))
		return fcntl(o->holder.fd, F_DUPFD_CLOEXEC, 3);
	pidfd = syscall(SYS_pidfd_open, o->holder.pid, 0);
	if (pidfd < 0)
		return -1;
	fd = syscall(SYS_pidfd_getfd, pidfd, o->holder.fd, 0);
	err = errno;
	close(pidfd);
	errno = err;
	return fd;
}

/* What our own descriptor FD tells of its context now. */
void own_fdinfo(int fd, struct fdinfo *info)
{
	char path[64], text[2048];
	int len;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	len = root_read(path, text, sizeof(text));
	parse_fdinfo(text, len > 0 ? len : 0, info);
}

/*
 * Gets hold of a context through whichever of its openings lets us. Returns
 * 0, or -1 with the problem filled; the descriptor is the caller's to close.
 */
int found_take(const struct found *found, size_t group,
	       struct context *context, struct problem *p)
{
	char subject[16];
	int err = EBADF;
	pid_t whose = 0;

	if (root_replayed())
		return problem_set(p, STATUS_UNSUPPORTED, 0,
			"IOMMUFDCTL_ROOT is set: what another host's "
			"processes hold can be listed, not taken");
	/* our own ones are last, and the cheapest */
	for (size_t i = found->first[group + 1]; i-- > found->first[group];) {
		const struct opening *o = &found->openings[i];
		struct fdinfo now;
		int fd = take(o);

		if (fd < 0) {
			err = errno;
			whose = o->holder.pid;
			continue;
		}
		/* the number may have come to mean another file meanwhile */
		own_fdinfo(fd, &now);
		if (is_iommufd(fd) && now.context == o->info.context) {
			*context = (struct context){ fd, now };
			return 0;
		}
		close(fd);
		err = EBADF;
		whose = o->holder.pid;
	}
	snprintf(subject, sizeof(subject), "%d", whose);
	return problem_errno(p, DOING_TAKE, err, subject);
}

/* An inherited one needs no look into /proc. */
static int open_own(const struct context_spec *spec, struct context *context,
		    struct problem *p)
{
	int fd;

	if (!is_iommufd(spec->fd))
		return wrong_fd(spec, p);
	fd = fcntl(spec->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return problem_errno(p, DOING_OPEN_DEVICE, errno, "");
	context->fd = fd;
	own_fdinfo(fd, &context->info);
	return 0;
}

/* Finds and takes in one. Returns 0, or -1 with the problem filled. */
int context_open(const struct context_spec *spec, struct context *context,
		 struct problem *p)
{
	struct found found;
	size_t group;
	int ret;

	if (spec->form == CONTEXT_NAME)
		return select_name(spec, p);
	if (spec->form == CONTEXT_FD)
		return open_own(spec, context, p);
	if (find(&found, spec->form == CONTEXT_PID ? spec->pid : 0, p))
		return -1;
	ret = found_select(&found, spec, &group, p);
	if (!ret)
		ret = found_take(&found, group, context, p);
	found_free(&found);
	return ret;
}

/* A fresh context, ours alone. */
int context_new(struct context *context, struct problem *p)
{
	int fd = root_open(DEVICE_NODE, O_RDWR);

	if (fd < 0)
		return problem_errno(p, DOING_OPEN_DEVICE, errno, "");
	context->fd = fd;
	own_fdinfo(fd, &context->info);
	return 0;
}
