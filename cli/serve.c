// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The holder at work. One process and one poll: nothing in here waits for a
 * client, so that none can keep the others, or a signal, waiting.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "handover.h"
#include "holder.h"

/* That many at once; others wait in the socket's queue, a timeout at most. */
#define CLIENTS_MAX 256

/* Where a descriptor could not be had: until the next try. */
#define BREATH_MS 100

/* Deadlines are in milliseconds since boot. */
#define NEVER INT64_MAX

/* A client that has got the descriptor and has yet to say so. */
struct client {
	int fd;
	struct ucred peer;
	int64_t deadline;
};

struct serving {
	struct hold *hold;
	struct client clients[CLIENTS_MAX];
	size_t count;
	int64_t client_time;
	int64_t accept_after;	/* not before this time */
	int64_t end;		/* of it all */
	bool over;
};

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One at a time where only one may have it. */
static size_t client_limit(const struct serving *s)
{
	return s->hold->once ? 1 : CLIENTS_MAX;
}

static bool may_have_it(const struct hold *hold, const struct ucred *peer)
{
	return (hold->mode & 077) || !peer->uid || peer->uid == geteuid();
}

static void greet(struct serving *s, int fd)
{
	struct client client = { .fd = fd };
	socklen_t len = sizeof(client.peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client.peer, &len)) {
		close(fd);
		return;
	}
	if (!may_have_it(s->hold, &client.peer)) {
		hold_remark(s->hold, "refused to process %d of uid %u: the "
			    "context is for uid %u and root",
			    client.peer.pid, client.peer.uid, geteuid());
		close(fd);
		return;
	}
	if (handover_send(fd, s->hold->context.fd)) {
		/* EPIPE: gone already */
		if (errno != EPIPE && errno != ECONNRESET)
			hold_remark(s->hold, "cannot hand over to process %d: "
				    "%s", client.peer.pid, strerror(errno));
		close(fd);
		return;
	}
	client.deadline = now() + s->client_time;
	s->clients[s->count++] = client;
}

static void take_in(struct serving *s)
{
	while (s->count < client_limit(s)) {
		int fd = accept4(s->hold->listener, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			greet(s, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN)
			s->accept_after = now() + BREATH_MS;
		return;
	}
}

static void drop(struct serving *s, size_t i)
{
	close(s->clients[i].fd);
	s->clients[i] = s->clients[--s->count];
}

/* Its byte, whatever it is, makes it a client that has been served. */
static void hear(struct serving *s, size_t i)
{
	ssize_t len;
	char byte;

	len = recv(s->clients[i].fd, &byte, 1, 0);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	drop(s, i);
	if (len != 1)
		return;
	hold_count(s->hold);
	if (s->hold->once)
		s->over = true;
}

static void drop_late(struct serving *s)
{
	int64_t time = now();

	for (size_t i = s->count; i-- > 0;) {
		if (s->clients[i].deadline > time)
			continue;
		hold_remark(s->hold, "process %d of uid %u did not answer: "
			    "dropped", s->clients[i].peer.pid,
			    s->clients[i].peer.uid);
		drop(s, i);
	}
}

static int time_left(const struct serving *s, bool listening)
{
	int64_t next = s->end, left;

	if (keeper_deadline(&s->hold->keeper) < next)
		next = keeper_deadline(&s->hold->keeper);
	for (size_t i = 0; i < s->count; i++)
		if (s->clients[i].deadline < next)
			next = s->clients[i].deadline;
	if (!listening && s->count < client_limit(s) && s->accept_after < next)
		next = s->accept_after;
	if (next == NEVER)
		return -1;
	left = next - now();
	return left < 0 ? 0 : left > 60000 ? 60000 : left;
}

static bool signalled(const struct hold *hold)
{
	struct signalfd_siginfo info;

	return read(hold->signals, &info, sizeof(info)) == sizeof(info);
}

/* Waits for whatever comes next and deals with it. 0, or -1 with errno. */
static int step(struct serving *s, bool *ended)
{
	struct pollfd fds[CLIENTS_MAX + 2 + ASKERS_MAX + 1];
	bool listening = s->count < client_limit(s) &&
			 s->accept_after <= now();
	size_t count = s->count, keeping;

	fds[0] = (struct pollfd){ .fd = s->hold->signals, .events = POLLIN };
	fds[1] = (struct pollfd){
		.fd = listening ? s->hold->listener : -1,
		.events = POLLIN,
	};
	for (size_t i = 0; i < count; i++)
		fds[i + 2] = (struct pollfd){
			.fd = s->clients[i].fd,
			.events = POLLIN,
		};
	keeping = keeper_poll(&s->hold->keeper, fds + count + 2, now());
	if (poll(fds, count + 2 + keeping, time_left(s, listening)) < 0)
		return errno == EINTR ? 0 : -1;
	if (fds[0].revents && signalled(s->hold)) {
		*ended = true;
		return 0;
	}
	/* from the end, since the last one takes a dropped one's place */
	for (size_t i = count; i-- > 0;)
		if (fds[i + 2].revents)
			hear(s, i);
	drop_late(s);
	keeper_step(s->hold, fds + count + 2, now());
	if (fds[1].revents && !s->over)
		take_in(s);
	return 0;
}

int hold_serve(struct hold *hold, struct problem *p)
{
	struct serving s = {
		.hold = hold,
		.client_time = (hold->timeout ? hold->timeout :
				HANDOVER_TIMEOUT) * (int64_t)1000,
		.end = hold->once && hold->timeout ?
		       now() + hold->timeout * (int64_t)1000 : NEVER,
	};
	bool ended = false;
	int ret = 0;

	while (!s.over && !ended && !ret && now() < s.end)
		ret = step(&s, &ended);
	while (s.count)
		drop(&s, s.count - 1);
	if (ret)
		return problem_errno(p, DOING_ANYTHING, errno, "");
	if (!hold->once || s.over)
		return 0;
	if (ended)
		return problem_set(p, STATUS_FAILED, 0,
				   "ended by a signal before a client came");
	return problem_set(p, STATUS_FAILED, ETIMEDOUT,
			   "no client has been served within %u seconds",
			   hold->timeout);
}
