// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "devnode.h"
#include "handover.h"
#include "names.h"

/* Room for more than one, so that more than one is noticed. */
#define ROOM 8

/* Between two tries of a socket whose holder is about to listen. */
#define PAUSE_MS 20

/* Returns 0, or -1 with the problem filled. */
int handover_address(const char *path, struct sockaddr_un *address,
		     struct problem *p)
{
	size_t len = strlen(path), most = sizeof(address->sun_path) - 1;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!len)
		return problem_set(p, STATUS_FAILED, 0,
				   "a socket's path cannot be empty");
	if (len > most) {
		problem_set(p, STATUS_FAILED, ENAMETOOLONG,
			    "the socket's path has %zu characters and the "
			    "kernel takes %zu: choose a shorter one than "
			    "'%.*s'", len, most, 200, path);
		clean_text(p->text);
		return -1;
	}
	memcpy(address->sun_path, path, len);
	return 0;
}

/* Never waits: the byte fits into an empty socket. 0, or -1 with errno. */
int handover_send(int sock, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = {};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ?
	       0 : -1;
}

/* How many descriptors came with MESSAGE; all but the first are closed. */
static size_t descriptors(struct msghdr *message, int *first)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t count = 0;

	for (; header; header = CMSG_NXTHDR(message, header)) {
		size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd),
			       sizeof(fd));
			if (count++)
				close(fd);
			else
				*first = fd;
		}
	}
	return count;
}

static int bad_server(struct problem *p, const char *what)
{
	return problem_set(p, STATUS_FAILED, 0, "what listens there %s: it is "
			   "no holder of a context", what);
}

/* Takes what SOCK brings. Returns 0, or -1 with the problem filled. */
static int receive(int sock, int *fd, struct problem *p)
{
	union {
		char room[CMSG_SPACE(ROOM * sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte = -1;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	size_t count;
	ssize_t len;

	do {
		len = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return problem_set(p, STATUS_FAILED, ETIMEDOUT,
				   "the holder has not answered for %d "
				   "seconds: is it stopped?", HANDOVER_TIMEOUT);
	if (len < 0)
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot receive the context: %s",
				   strerror(errno));
	count = descriptors(&message, fd);
	if (!len)
		return problem_set(p, STATUS_NOT_PERMITTED, 0,
				   "the holder hung up: it hands the context to "
				   "its own user and to root, or has ended");
	if (count == 1 && !byte && !(message.msg_flags & MSG_CTRUNC)) {
		if (is_iommufd(*fd))
			return 0;
		close(*fd);
		return bad_server(p, "sent a descriptor that is no iommufd");
	}
	if (count)
		close(*fd);
	return bad_server(p, count ? "does not keep to the protocol" :
				     "sent no descriptor");
}

/* A connection, with a limit to each step on it; or -1 with errno. */
static int dial(const struct sockaddr_un *address)
{
	const struct timeval limit = { .tv_sec = HANDOVER_TIMEOUT };
	int sock, err;

	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -1;
	if (setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(sock, (const struct sockaddr *)address, sizeof(*address))) {
		err = errno;
		close(sock);
		errno = err;
		return -1;
	}
	return sock;
}

static int dial_failed(const char *path, int err, struct problem *p)
{
	switch (err) {
	case ENOENT:
		problem_set(p, STATUS_NOT_FOUND, err,
			    "there is no socket '%s': has its holder been "
			    "started?", path);
		break;
	case ECONNREFUSED:
		problem_set(p, STATUS_NOT_FOUND, err,
			    "no one listens at '%s': its holder has ended",
			    path);
		break;
	case EACCES:
	case EPERM:
		problem_set(p, STATUS_NOT_PERMITTED, err,
			    "not permitted to connect to '%s': its owner can "
			    "open it to others with 'hold --mode'", path);
		break;
	case EAGAIN:
		problem_set(p, STATUS_FAILED, ETIMEDOUT,
			    "no one has taken a connection at '%s' for %d "
			    "seconds: is its holder stopped?", path,
			    HANDOVER_TIMEOUT);
		break;
	default:
		problem_set(p, STATUS_FAILED, err, "cannot connect to '%s': %s",
			    path, strerror(err));
	}
	clean_text(p->text);
	return -1;
}

/* Over a connection, which is closed. */
static int take_over(int sock, struct context *context, struct problem *p)
{
	int fd = -1, ret = receive(sock, &fd, p);

	if (!ret && send(sock, "", 1, MSG_NOSIGNAL) != 1) {
		ret = problem_set(p, STATUS_FAILED, errno,
				  "cannot answer the holder: %s",
				  strerror(errno));
		close(fd);
	}
	close(sock);
	if (ret)
		return -1;
	context->fd = fd;
	own_fdinfo(fd, &context->info);
	return 0;
}

/*
 * The context that is handed over at socket PATH. Returns 0, or -1 with the
 * problem filled; the descriptor is the caller's to close.
 */
int handover_take(const char *path, struct context *context, struct problem *p)
{
	struct sockaddr_un address;
	int sock;

	if (handover_address(path, &address, p))
		return -1;
	sock = dial(&address);
	if (sock < 0)
		return dial_failed(path, errno, p);
	return take_over(sock, context, p);
}

static int no_one_holds(const char *name, struct problem *p)
{
	if (!strcmp(name, "default"))
		return problem_set(p, STATUS_NOT_FOUND, 0,
			"no context is chosen and none named 'default' is "
			"held: 'iommufdctl create ioas' starts it, or open one "
			"with 'exec 3<>/dev/iommu' and add '-c fd:3'");
	return problem_set(p, STATUS_NOT_FOUND, 0,
		"no one holds a context named '%s': start its holder with "
		"'iommufdctl context create %s', or open one with "
		"'exec 3<>/dev/iommu' and use '-c fd:3'", name, name);
}

/* A holder that has its lock will listen soon, unless it is about to end. */
static int dial_holder(int folder, const char *name,
		       const struct sockaddr_un *address)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };
	struct name_info info;
	int sock, left = HANDOVER_TIMEOUT * 1000 / PAUSE_MS;
	bool held;

	do {
		held = name_held(folder, name, &info);
		sock = dial(address);
		if (sock >= 0 || (errno != ENOENT && errno != ECONNREFUSED))
			return sock;
		if (held)
			nanosleep(&pause, NULL);
	} while (held && left--);
	return -1;
}

/* The same for the context that is held as NAME. */
int named_take(const char *name, struct context *context, struct problem *p)
{
	int folder = names_folder(false, p), sock, err;
	struct sockaddr_un address;
	char *folder_path, *path;

	if (folder < 0)
		return p->err == ENOENT ? no_one_holds(name, p) : -1;
	folder_path = names_path(p);
	if (!folder_path || asprintf(&path, "%s/%s.sock", folder_path, name) < 0)
		abort();
	free(folder_path);
	if (handover_address(path, &address, p)) {
		sock = -1;
	} else {
		sock = dial_holder(folder, name, &address);
		err = errno;
		if (sock < 0 && (err == ENOENT || err == ECONNREFUSED))
			no_one_holds(name, p);
		else if (sock < 0)
			dial_failed(path, err, p);
	}
	free(path);
	close(folder);
	return sock < 0 ? -1 : take_over(sock, context, p);
}
