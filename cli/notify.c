// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"
#include "packet.h"

/* A manager that takes no datagram for so long is left alone, in seconds. */
#define PATIENCE 5

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
		ret = connect(sock, (struct sockaddr *)&address, len);
	if (!ret)
		ret = packet_send(sock, state, fd);
	err = errno;
	close(sock);
	errno = err;
	return ret;
}
