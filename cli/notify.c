// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

/* A manager that takes no datagram for so long is left alone, in seconds. */
#define PATIENCE 5

static int send_state(int sock, const struct sockaddr_un *address,
		      socklen_t address_len, const char *state, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = {};
	struct iovec text = {
		.iov_base = (void *)state,
		.iov_len = strlen(state),
	};
	struct msghdr message = {
		.msg_name = (void *)address,
		.msg_namelen = address_len,
		.msg_iov = &text,
		.msg_iovlen = 1,
	};
	struct cmsghdr *header;

	if (fd >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(sock, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/*
 * Tells the service manager, where there is one, STATE ("READY=1"); with FD
 * not -1 that descriptor goes along. Returns 0, or -1 with errno.
 */
int notify_manager(const char *state, int fd)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	const struct timeval limit = { .tv_sec = PATIENCE };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len;
	int sock, ret, err;

	if (!path || !*path)
		return 0;
	if ((path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(address.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	len = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		len++;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -1;
	ret = setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (!ret)
		ret = send_state(sock, &address, len, state, fd);
	err = errno;
	close(sock);
	errno = err;
	return ret;
}
