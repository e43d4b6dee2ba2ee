// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet.h"

/* FD is -1 for none. Returns 0, or -1 with errno. */
int packet_send(int sock, const char *text, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = {
		.iov_base = (void *)text,
		.iov_len = strlen(text),
	};
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *header;
	ssize_t len;

	if (fd >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	do {
		len = sendmsg(sock, &message, MSG_NOSIGNAL);
	} while (len < 0 && errno == EINTR);
	return len < 0 ? -1 : 0;
}

/*
 * Fills TEXT, with an end, and *FD with the descriptor that came, or -1. One
 * that does not fit, or brings more than one descriptor, is an error, and so
 * is the end of the connection. Returns 0, or -1 with errno.
 */
int packet_receive(int sock, char *text, size_t size, int *fd)
{
	union {
		char room[CMSG_SPACE(sizeof(*fd))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { .iov_base = text, .iov_len = size - 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		/* not the room, whose alignment would let in a second one */
		.msg_controllen = CMSG_LEN(sizeof(*fd)),
	};
	struct cmsghdr *header;
	ssize_t len;

	*fd = -1;
	do {
		len = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(*fd)))
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	text[len] = '\0';
	/* the kernel has closed what there was no room for */
	if (len && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
	    !memchr(text, '\0', len))
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = len ? EPROTO : ECONNRESET;
	return -1;
}
