// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "devnode.h"
#include "handover.h"
#include "holder.h"
#include "names.h"
#include "roots.h"

/* What a service manager hands back is at descriptors from here on. */
#define LISTEN_FIRST 3

/* Of our own or of other people's doing; nobody waits for it. */
void hold_remark(const struct hold *hold, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clean_text(text);
	if (hold->service)
		note(text);
	else
		syslog(LOG_DAEMON | LOG_NOTICE, "%s: %s",
		       hold->name ? hold->name : hold->path, text);
}

static int place_named(struct hold *hold, struct problem *p)
{
	char *path;

	hold->folder = names_folder(true, p);
	if (hold->folder < 0)
		return -1;
	path = names_path(p);
	if (!path ||
	    asprintf(&hold->socket_path, "%s/%s.sock", path, hold->name) < 0)
		abort();
	free(path);
	hold->base = strdup(hold->name);
	if (!hold->base)
		abort();
	hold->socket_suffix = ".sock";
	return handover_address(hold->socket_path, &hold->address, p);
}

/* The folder of a socket elsewhere is its user's choice, and must be there. */
static int place_socket(struct hold *hold, struct problem *p)
{
	const char *slash = strrchr(hold->path, '/');
	const char *base = slash ? slash + 1 : hold->path;
	char *folder;

	hold->socket_path = strdup(hold->path);
	hold->base = strdup(base);
	if (!hold->socket_path || !hold->base)
		abort();
	hold->socket_suffix = "";
	if (handover_address(hold->path, &hold->address, p))
		return -1;
	folder = slash ? strndup(hold->path, slash - hold->path + 1) :
			 strdup(".");
	if (!folder)
		abort();
	if (!*base || !strcmp(base, ".") || !strcmp(base, "..") ||
	    strlen(base) + SUFFIX_MAX > NAME_MAX) {
		free(folder);
		problem_set(p, STATUS_FAILED, 0,
			    "'%.200s' cannot be a socket's path", hold->path);
		clean_text(p->text);
		return -1;
	}
	hold->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (hold->folder < 0) {
		problem_set(p, errno == EACCES ? STATUS_NOT_PERMITTED :
			    STATUS_FAILED, errno,
			    "cannot open the socket's folder '%.200s': %s",
			    folder, strerror(errno));
		clean_text(p->text);
	}
	free(folder);
	return hold->folder < 0 ? -1 : 0;
}

static int in_use(const struct hold *hold, pid_t owner, struct problem *p)
{
	char who[32] = "a process out of sight";

	if (owner > 0)
		snprintf(who, sizeof(who), "process %d", owner);
	if (hold->name)
		return problem_set(p, STATUS_IN_USE, 0,
			"%s holds a context named '%s' already: use it with "
			"'-c %s', or end it with 'iommufdctl context destroy "
			"%s'", who, hold->name, hold->name, hold->name);
	problem_set(p, STATUS_IN_USE, 0,
		    "%s holds a context at '%s' already: choose another path",
		    who, hold->path);
	clean_text(p->text);
	return -1;
}

static int take_lock(struct hold *hold, struct problem *p)
{
	pid_t owner = 0;

	hold->lock = lock_take(hold->folder, hold_file(hold, ".lock"), &owner);
	if (hold->lock >= 0)
		return 0;
	if (errno == EBUSY)
		return in_use(hold, owner, p);
	problem_set(p, errno == EACCES ? STATUS_NOT_PERMITTED : STATUS_FAILED,
		    errno, "cannot make the lock of '%.200s': %s",
		    hold->socket_path, strerror(errno));
	clean_text(p->text);
	return -1;
}

/*
 * What the service manager kept for us while we were away: sd_listen_fds(3).
 * Descriptors that are nothing of ours are closed. Returns -1 for no context.
 */
static int kept_context(struct hold *hold)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	const char *name = getenv("LISTEN_FDNAMES") ?: "";
	uint64_t value, count;
	int kept = -1;

	if (!pid || !fds || !parse_number(pid, INT_MAX, &value) ||
	    value != (uint64_t)getpid() || !parse_number(fds, 1024, &count))
		return -1;
	for (int fd = LISTEN_FIRST; fd < LISTEN_FIRST + (int)count; fd++) {
		size_t len = strcspn(name, ":");

		if (fcntl(fd, F_SETFD, FD_CLOEXEC))
			close(fd);
		else if (!is_iommufd(fd))
			keeper_restore(hold, fd, name, hold->name ? len : 0);
		else if (kept >= 0)
			close(fd);
		else
			kept = fd;
		name += len + !!name[len];
	}
	return kept;
}

static int take_context(struct hold *hold, struct problem *p)
{
	if (hold->service)
		hold->context.fd = kept_context(hold);
	hold->kept = hold->context.fd >= 0;
	if (hold->kept) {
		own_fdinfo(hold->context.fd, &hold->context.info);
		return rlimit_mode_check(hold->context.fd, hold->rlimit_mode,
					 p);
	}
	if (context_new(&hold->context, p))
		return -1;
	return rlimit_mode_set(hold->context.fd, hold->rlimit_mode, p);
}

static int write_status(struct hold *hold)
{
	char text[128];
	int len;

	if (!hold->name)
		return 0;
	len = snprintf(text, sizeof(text),
		       "pid %d\nclients %" PRIu64 "\nsince %" PRIu64 "\n",
		       getpid(), hold->clients, hold->since);
	return hold_write(hold, ".status", text, len);
}

/* Another client has been served. */
void hold_count(struct hold *hold)
{
	hold->clients++;
	if (write_status(hold))
		hold_remark(hold, "cannot count a client: %s",
			    strerror(errno));
}

/* What ends us is read where it suits; a closed pipe ends nothing. */
static int take_signals(struct hold *hold)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	hold->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return hold->signals < 0 ? -1 : 0;
}

/*
 * From here on clients can connect. Returns 0, or -1 with the problem filled;
 * hold_end() is to be called either way.
 */
int hold_begin(struct hold *hold, struct problem *p)
{
	hold->folder = -1;
	hold->lock = -1;
	hold->listener = -1;
	hold->signals = -1;
	hold->context.fd = -1;
	hold->keeper.listener = -1;
	hold->clients = 0;
	hold->since = time(NULL);
	if (hold->name && !names_place(p))
		return -1;
	/* before all that opens, as it closes descriptors by their numbers */
	if (take_context(hold, p))
		return -1;
	if (take_signals(hold))
		return problem_errno(p, DOING_ANYTHING, errno, "");
	if (hold->name ? place_named(hold, p) : place_socket(hold, p))
		return -1;
	if (take_lock(hold, p))
		return -1;
	if (write_status(hold))
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot write the status of '%s': %s",
				   hold->name, strerror(errno));
	/* before the other one, at whose sight clients may come to this one */
	if (hold_clear_stale(hold, p) || (hold->name && keeper_begin(hold, p)))
		return -1;
	hold->listener = hold_listen(hold, p);
	return hold->listener < 0 ? -1 : 0;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

/*
 * Takes away all that hold_begin() made. The lock's file goes last, and all of
 * it only while that is the file we locked: else the folder was cleared under
 * our feet, and what is there now may be another holder's.
 */
void hold_end(struct hold *hold)
{
	if (hold->lock >= 0 &&
	    lock_in_place(hold->lock, hold->folder, hold_file(hold, ".lock"))) {
		if (hold->listener >= 0)
			unlinkat(hold->folder, hold_file(hold, hold->socket_suffix),
				 0);
		if (hold->name) {
			unlinkat(hold->folder, hold_file(hold, ".dev"), 0);
			unlinkat(hold->folder, hold_file(hold, ".kept"), 0);
			unlinkat(hold->folder, hold_file(hold, ".status"), 0);
			unlinkat(hold->folder, hold_file(hold, ".tmp"), 0);
		}
		unlinkat(hold->folder, hold_file(hold, ".lock"), 0);
	}
	close_if_open(hold->listener);
	/* devices first: they are in the context */
	keeper_end(&hold->keeper);
	close_if_open(hold->context.fd);
	close_if_open(hold->signals);
	close_if_open(hold->lock);
	close_if_open(hold->folder);
	free(hold->socket_path);
	free(hold->base);
}
