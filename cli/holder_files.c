// SPDX-License-Identifier: GPL-2.0-or-later
/* The files and sockets of a holder; names.h tells what each is for. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holder.h"

/* A file of ours in the folder; in a buffer of its own until the next call. */
const char *hold_file(const struct hold *hold, const char *suffix)
{
	static char name[NAME_MAX + 1];

	snprintf(name, sizeof(name), "%s%s", hold->base, suffix);
	return name;
}

/*
 * A socket that no one listens at was left by a kill -9, since the lock is
 * ours. What is no socket, or someone else's, stays.
 */
int hold_clear_stale(struct hold *hold, struct problem *p)
{
	const char *name = hold_file(hold, hold->socket_suffix);
	struct stat st;
	int sock, err;

	if (fstatat(hold->folder, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return 0;
		return problem_errno(p, DOING_ANYTHING, errno, "");
	}
	if (!S_ISSOCK(st.st_mode)) {
		problem_set(p, STATUS_FAILED, EEXIST,
			    "'%.200s' is there and is no socket: remove it, or "
			    "choose another path", hold->socket_path);
		clean_text(p->text);
		return -1;
	}
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return problem_errno(p, DOING_ANYTHING, errno, "");
	err = connect(sock, (const struct sockaddr *)&hold->address,
		      sizeof(hold->address)) ? errno : 0;
	close(sock);
	if (err == ECONNREFUSED)
		err = unlinkat(hold->folder, name, 0) ? errno : ENOENT;
	if (err == ENOENT)
		return 0;
	if (!err || err == EAGAIN)
		problem_set(p, STATUS_IN_USE, EADDRINUSE,
			    "another program listens at '%.200s': choose "
			    "another path", hold->socket_path);
	else
		problem_set(p, err == EACCES || err == EPERM ?
			    STATUS_NOT_PERMITTED : STATUS_FAILED, err,
			    "cannot replace the socket '%.200s': %s",
			    hold->socket_path, strerror(err));
	clean_text(p->text);
	return -1;
}

/* The socket is born with its mode: at no time is it open to anyone else. */
static int make_socket(const struct sockaddr_un *address, int type, mode_t mode)
{
	int sock, ret, err;
	mode_t old;

	sock = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -1;
	old = umask(0777 & ~mode);
	ret = bind(sock, (const struct sockaddr *)address, sizeof(*address));
	err = errno;
	umask(old);
	errno = err;
	if (ret)
		close(sock);
	return ret ? -1 : sock;
}

static int socket_failed(const char *path, int err, struct problem *p)
{
	return problem_set(p, err == EACCES ? STATUS_NOT_PERMITTED :
			   STATUS_FAILED, err, "cannot make the socket '%s': "
			   "%s", path, strerror(err));
}

/*
 * Bound by its path, so that it has its path's name wherever sockets are
 * listed; that it lies in the folder that we know, with the mode that we want
 * (a default ACL may change that), is seen before anyone can connect. Returns
 * the socket, or -1 with the problem filled.
 */
static int listen_at(struct hold *hold, const struct sockaddr_un *address,
		     const char *suffix, int type, mode_t mode,
		     struct problem *p)
{
	int sock = make_socket(address, type, mode);
	struct stat st;

	if (sock < 0)
		return socket_failed(address->sun_path, errno, p);
	if (fstatat(hold->folder, hold_file(hold, suffix), &st,
		    AT_SYMLINK_NOFOLLOW) || !S_ISSOCK(st.st_mode) ||
	    st.st_uid != geteuid() || (st.st_mode & 0777) != mode)
		problem_set(p, STATUS_FAILED, 0,
			    "the socket '%s' did not come out with mode "
			    "%04o where it was meant to be: see the "
			    "folder's ACL", address->sun_path, mode);
	else if (listen(sock, SOMAXCONN))
		problem_errno(p, DOING_ANYTHING, errno, "");
	else
		return sock;
	/* before the close: so far it is ours for certain */
	unlinkat(hold->folder, hold_file(hold, suffix), 0);
	close(sock);
	return -1;
}

/* The socket at which the context is handed over; as listen_at(). */
int hold_listen(struct hold *hold, struct problem *p)
{
	return listen_at(hold, &hold->address, hold->socket_suffix, SOCK_STREAM,
			 hold->mode, p);
}

/*
 * Another socket of a named context, NAME with SUFFIX. What is there by that
 * name is a killed holder's, since the lock is ours.
 */
int hold_listen_too(struct hold *hold, const char *suffix, int type,
		    mode_t mode, struct problem *p)
{
	struct sockaddr_un address = hold->address;
	size_t len = strlen(address.sun_path) - strlen(hold->socket_suffix);

	snprintf(address.sun_path + len, sizeof(address.sun_path) - len, "%s",
		 suffix);
	if (unlinkat(hold->folder, hold_file(hold, suffix), 0) && errno != ENOENT)
		return socket_failed(address.sun_path, errno, p);
	return listen_at(hold, &address, suffix, type, mode, p);
}

/*
 * A file of a named context. Replaced as a whole: who reads it sees the one
 * before or this one. Returns 0, or -1 with errno.
 */
int hold_write(struct hold *hold, const char *suffix, const char *text,
	       size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	char temporary[NAME_MAX + 1];
	int fd, err = 0;

	snprintf(temporary, sizeof(temporary), "%s", hold_file(hold, ".tmp"));
	fd = openat(hold->folder, temporary, flags, 0600);
	if (fd < 0)
		return -1;
	errno = ENOSPC;
	if (write(fd, text, len) != (ssize_t)len)
		err = errno;
	close(fd);
	if (!err && renameat(hold->folder, temporary, hold->folder,
			     hold_file(hold, suffix)))
		err = errno;
	if (err)
		unlinkat(hold->folder, temporary, 0);
	errno = err;
	return err ? -1 : 0;
}
