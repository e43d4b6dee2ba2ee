// SPDX-License-Identifier: GPL-2.0-or-later
/* A holder as a process of its own: how it starts, and how it ends. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"
#include "names.h"

/* Where the new process has the pipe on which it says how it went. */
#define REPORT_FD 3

/* A holder that was asked to end has that long before it is made to. */
#define GRACE_MS 5000

/* What goes through the pipe: at once, as it is shorter than PIPE_BUF. */
struct report {
	enum exit_status status;
	int err;
	char text[640];
};

static int send_report(const struct problem *p)
{
	struct report report = {};

	if (p) {
		report.status = p->status;
		report.err = p->err;
		snprintf(report.text, sizeof(report.text), "%s", p->text);
	}
	return write(REPORT_FD, &report, sizeof(report)) == sizeof(report) ?
	       0 : -1;
}

/*
 * Nothing of the caller's is kept: a shell that waits for the end of our
 * output, or for a terminal to be free, is not to wait for the holder.
 */
static int detach(int report)
{
	int null;

	if (setsid() < 0 || chdir("/"))
		return -1;
	if (report != REPORT_FD && dup2(report, REPORT_FD) < 0)
		return -1;
	if (syscall(SYS_close_range, REPORT_FD + 1, UINT_MAX, 0))
		return -1;
	null = open("/dev/null", O_RDWR);
	if (null < 0)
		return -1;
	for (int fd = 0; fd < REPORT_FD; fd++)
		if (dup2(null, fd) < 0)
			return -1;
	return null > REPORT_FD ? close(null) : 0;
}

_Noreturn static void hold_apart(struct hold *hold, int report)
{
	struct problem problem;
	int ret;

	if (detach(report)) {
		problem_errno(&problem, DOING_ANYTHING, errno, "");
		ret = -1;
	} else {
		/* who started our caller is not to be told of us */
		unsetenv("NOTIFY_SOCKET");
		ret = hold_begin(hold, &problem);
		/* a caller that is gone does not know that there is a holder */
		if (!ret && send_report(NULL)) {
			hold_end(hold);
			_exit(STATUS_FAILED);
		}
		if (ret)
			hold_end(hold);
	}
	if (ret) {
		send_report(&problem);
		_exit(problem.status);
	}
	close(REPORT_FD);
	ret = hold_serve(hold, &problem);
	if (ret)
		hold_remark(hold, "%s", problem.text);
	hold_end(hold);
	_exit(ret ? problem.status : STATUS_DONE);
}

static int read_report(int fd, struct problem *p)
{
	struct report report;
	ssize_t len;

	do {
		len = read(fd, &report, sizeof(report));
	} while (len < 0 && errno == EINTR);
	if (len != sizeof(report))
		return problem_set(p, STATUS_FAILED, 0,
				   "the holder ended before it was ready");
	if (!report.status)
		return 0;
	return problem_set(p, report.status, report.err, "%s", report.text);
}

/*
 * Starts a process that holds HOLD, and returns when its socket takes
 * connections: 0, or -1 with the problem filled and nothing left behind.
 */
int hold_start(struct hold *hold, struct problem *p)
{
	int ends[2], ret;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return problem_errno(p, DOING_ANYTHING, errno, "");
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		ret = errno;
		close(ends[0]);
		close(ends[1]);
		return problem_set(p, STATUS_FAILED, ret,
				   "cannot start a holder: %s", strerror(ret));
	}
	if (!pid)
		hold_apart(hold, ends[1]);
	close(ends[1]);
	ret = read_report(ends[0], p);
	close(ends[0]);
	if (ret)
		waitpid(pid, NULL, 0);
	return ret;
}

static int not_held(const char *name, struct problem *p)
{
	return problem_set(p, STATUS_NOT_FOUND, 0,
			   "no one holds a context named '%s': 'iommufdctl "
			   "context list' shows who holds what", name);
}

/* Is the process gone, within MS? */
static bool ends_within(int pidfd, int ms)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	return poll(&wait, 1, ms) == 1;
}

static int end_process(int pidfd, pid_t pid, struct problem *p)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) &&
	    errno != ESRCH)
		return problem_set(p, errno == EPERM ? STATUS_NOT_PERMITTED :
				   STATUS_FAILED, errno,
				   "cannot end the holder, process %d: %s", pid,
				   strerror(errno));
	if (ends_within(pidfd, GRACE_MS))
		return 0;
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (ends_within(pidfd, GRACE_MS))
		return 0;
	return problem_set(p, STATUS_FAILED, ETIMEDOUT,
			   "the holder, process %d, does not end: it hangs in "
			   "the kernel", pid);
}

/*
 * What a holder leaves behind that was killed is cleared as the next one
 * would, by a holder's own means: behind its lock.
 */
static void sweep(int folder, const char *name)
{
	static const char *const suffixes[] = {
		".sock", ".dev", ".kept", ".status", ".tmp", ".lock"
	};
	char file[CONTEXT_NAME_MAX + SUFFIX_MAX];
	pid_t owner;
	int lock;

	snprintf(file, sizeof(file), "%s.lock", name);
	if (faccessat(folder, file, F_OK, AT_SYMLINK_NOFOLLOW))
		return;
	lock = lock_take(folder, file, &owner);
	if (lock < 0)
		return;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(file, sizeof(file), "%s%s", name, suffixes[i]);
		unlinkat(folder, file, 0);
	}
	close(lock);
}

static int stop(int folder, const char *name, struct problem *p)
{
	struct name_info info, again;
	int pidfd, ret;

	if (!name_held(folder, name, &info))
		return not_held(name, p);
	if (!info.pid)
		return problem_set(p, STATUS_FAILED, 0,
				   "the holder of '%s' is out of sight, in "
				   "another container: end it there", name);
	pidfd = syscall(SYS_pidfd_open, info.pid, 0);
	if (pidfd < 0)
		return errno == ESRCH ? not_held(name, p) :
		       problem_errno(p, DOING_ANYTHING, errno, "");
	/* the lock, still its, tells that the number was not used anew */
	if (!name_held(folder, name, &again) || again.pid != info.pid)
		ret = not_held(name, p);
	else
		ret = end_process(pidfd, info.pid, p);
	close(pidfd);
	return ret;
}

/* Ends NAME's holder and returns when it is gone. */
int hold_stop(const char *name, struct problem *p)
{
	int folder = names_folder(false, p), ret;

	if (folder < 0)
		return p->err == ENOENT ? not_held(name, p) : -1;
	ret = stop(folder, name, p);
	if (!ret || p->status == STATUS_NOT_FOUND)
		sweep(folder, name);
	close(folder);
	return ret;
}
