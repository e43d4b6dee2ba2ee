// SPDX-License-Identifier: GPL-2.0-or-later
/* The holder's side of NAME.dev: keeper.h has what is said there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devnode.h"
#include "handover.h"
#include "holder.h"
#include "notify.h"
#include "packet.h"
#include "roots.h"

/* Where a descriptor could not be had: until the next try. */
#define BREATH_MS 100

/* More than any machine has devices for one guest. */
#define KEPT_MAX 256

void keeper_end(struct keeper *keeper)
{
	while (keeper->asker_count)
		close(keeper->askers[--keeper->asker_count].fd);
	/* in the order of their coming, as a kernel would close them */
	for (size_t i = 0; i < keeper->count; i++)
		if (keeper->kept[i].fd >= 0)
			close(keeper->kept[i].fd);
	keeper->count = 0;
	free(keeper->kept);
	keeper->kept = NULL;
	if (keeper->listener >= 0)
		close(keeper->listener);
	keeper->listener = -1;
}

static void add(struct keeper *keeper, const struct kept_record *record, int fd)
{
	if (!keeper->kept)
		keeper->kept = calloc(KEPT_MAX, sizeof(*keeper->kept));
	if (!keeper->kept)
		abort();
	keeper->kept[keeper->count++] = (struct kept){ *record, fd };
}

static struct kept *find(struct keeper *keeper, uint32_t id)
{
	for (size_t i = 0; i < keeper->count; i++)
		if (keeper->kept[i].record.id == id)
			return &keeper->kept[i];
	return NULL;
}

static void forget(struct keeper *keeper, struct kept *kept)
{
	if (kept->fd >= 0)
		close(kept->fd);
	memmove(kept, kept + 1, (char *)(keeper->kept + --keeper->count) -
				(char *)kept);
}

/* NAME.kept, for who looks on. */
static void publish(struct hold *hold)
{
	const struct keeper *keeper = &hold->keeper;
	char line[KEPT_LINE_SIZE];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, "pid %d\n", getpid());
	for (size_t i = 0; i < keeper->count; i++) {
		print_kept(line, &keeper->kept[i].record);
		fprintf(out, "%s\n", line);
	}
	if (fclose(out))
		abort();
	if (hold_write(hold, ".kept", text, size))
		hold_remark(hold, "cannot write down what is kept: %s",
			    strerror(errno));
	free(text);
}

/*
 * A service manager has what is kept while we are restarted, by a name that is
 * its record, in characters that such a name may have.
 */
static void store(const struct hold *hold, const struct kept *kept, bool there)
{
	char line[KEPT_LINE_SIZE], state[KEPT_LINE_SIZE + 64];

	if (!hold->service || kept->fd < 0)
		return;
	print_kept(line, &kept->record);
	for (char *c = line; *c; c++)
		*c = *c == ' ' ? '/' : *c == ':' ? '+' : *c;
	snprintf(state, sizeof(state), "%s=1\nFDNAME=%s%s",
		 there ? "FDSTORE" : "FDSTOREREMOVE", line,
		 there ? "\nFDPOLL=0" : "");
	if (notify_manager(state, there ? kept->fd : -1))
		hold_remark(hold, "cannot speak to the service manager: %s",
			    strerror(errno));
}

/* Whatever it is, the context itself is not to be kept twice. */
static bool may_be_kept(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || is_iommufd(fd))
		return false;
	return !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode);
}

/* Takes FD over if it returns 0, and not with -errno. */
static int keep(struct hold *hold, const struct kept_record *record, int fd)
{
	struct keeper *keeper = &hold->keeper;
	struct kept *old = find(keeper, record->id);

	if (record->kind == KEPT_HWPT ? fd >= 0 : fd < 0)
		return -EINVAL;
	if (fd >= 0 && !may_be_kept(fd))
		return -EBADF;
	/* its id would still be taken if what it stood for were there */
	if (old && old->fd >= 0)
		return -EEXIST;
	if (old)
		forget(keeper, old);
	if (keeper->count == KEPT_MAX)
		return -ENOSPC;
	add(keeper, record, fd);
	store(hold, &keeper->kept[keeper->count - 1], true);
	publish(hold);
	return 0;
}

static int tell(struct hold *hold, const struct kept_record *record)
{
	struct kept *kept = find(&hold->keeper, record->id), old;

	if (!kept || kept->record.kind != record->kind)
		return -ENOENT;
	if (!memcmp(&kept->record, record, sizeof(*record)))
		return 0;
	/*
	 * A manager takes an open file once, whatever its name: the old one
	 * goes first, or with it would go what was stored by the new one.
	 */
	old = *kept;
	kept->record = *record;
	store(hold, &old, false);
	store(hold, kept, true);
	publish(hold);
	return 0;
}

static int drop(struct hold *hold, uint32_t id)
{
	struct kept *kept = find(&hold->keeper, id);

	if (!kept)
		return -ENOENT;
	store(hold, kept, false);
	forget(&hold->keeper, kept);
	publish(hold);
	return 0;
}

/* struct request - what a client wants, and what it gets */
struct request {
	char text[KEEPER_PACKET_SIZE];
	int fd;		/* that came along, -1 for none */
	int copy;	/* to go back, -1 for none */
};

/* Returns 0 or -errno. */
static int answer(struct hold *hold, struct request *request)
{
	const char *rest = request->text + 5;
	struct kept_record record;
	struct kept *kept;
	uint64_t id = 0;
	int err;

	if (strlen(request->text) <= 5)
		return -EINVAL;
	if (!strncmp(request->text, "keep ", 5)) {
		if (!parse_kept(rest, strlen(rest), &record))
			return -EINVAL;
		err = keep(hold, &record, request->fd);
		if (!err)
			request->fd = -1;
		return err;
	}
	if (!strncmp(request->text, "tell ", 5))
		return parse_kept(rest, strlen(rest), &record) ?
		       tell(hold, &record) : -EINVAL;
	if (!parse_number(rest, INT32_MAX, &id))
		return -EINVAL;
	if (!strncmp(request->text, "drop ", 5))
		return drop(hold, id);
	if (strncmp(request->text, "copy ", 5))
		return -EINVAL;
	kept = find(&hold->keeper, id);
	if (!kept || kept->fd < 0)
		return -ENOENT;
	request->copy = kept->fd;
	return 0;
}

/*
 * FD, which a service manager had for us under a name of LEN bytes: kept on, or
 * closed where that is no name of ours.
 */
void keeper_restore(struct hold *hold, int fd, const char *name, size_t len)
{
	struct kept_record record;
	char line[KEPT_LINE_SIZE];

	if (len >= sizeof(line)) {
		close(fd);
		return;
	}
	memcpy(line, name, len);
	line[len] = '\0';
	for (char *c = line; *c; c++)
		*c = *c == '/' ? ' ' : *c == '+' ? ':' : *c;
	if (!parse_kept(line, len, &record) || !may_be_kept(fd) ||
	    find(&hold->keeper, record.id) || hold->keeper.count == KEPT_MAX)
		close(fd);
	else
		add(&hold->keeper, &record, fd);
}

/* From here on clients can connect. Returns 0, or -1 with the problem filled. */
int keeper_begin(struct hold *hold, struct problem *p)
{
	struct keeper *keeper = &hold->keeper;

	if (keeper->count)
		publish(hold);
	keeper->listener = hold_listen_too(hold, ".dev", SOCK_SEQPACKET,
					   0600, p);
	return keeper->listener < 0 ? -1 : 0;
}

static void hear(struct hold *hold, int sock)
{
	struct request request = { .copy = -1 };
	char text[16];
	int err;

	if (packet_receive(sock, request.text, sizeof(request.text),
			   &request.fd))
		return;
	err = answer(hold, &request);
	if (request.fd >= 0)
		close(request.fd);
	snprintf(text, sizeof(text), "%d", -err);
	/* who is gone already does not need it */
	packet_send(sock, text, request.copy);
}

static void take_in(struct hold *hold, int64_t now)
{
	struct keeper *keeper = &hold->keeper;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd;

	fd = accept4(keeper->listener, NULL, NULL,
		     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			keeper->accept_after = now + BREATH_MS;
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ||
	    (peer.uid && peer.uid != geteuid())) {
		close(fd);
		return;
	}
	keeper->askers[keeper->asker_count++] = (struct asker){
		.fd = fd,
		.deadline = now + HANDOVER_TIMEOUT * (int64_t)1000,
	};
}

/* Fills ASKERS_MAX + 1 of FDS at most; returns how many. */
size_t keeper_poll(const struct keeper *keeper, struct pollfd *fds,
		   int64_t now)
{
	bool listening = keeper->asker_count < ASKERS_MAX &&
			 keeper->accept_after <= now;

	if (keeper->listener < 0)
		return 0;
	fds[0] = (struct pollfd){
		.fd = listening ? keeper->listener : -1,
		.events = POLLIN,
	};
	for (size_t i = 0; i < keeper->asker_count; i++)
		fds[i + 1] = (struct pollfd){
			.fd = keeper->askers[i].fd,
			.events = POLLIN,
		};
	return keeper->asker_count + 1;
}

/* Deals with what poll found in those that keeper_poll() filled. */
void keeper_step(struct hold *hold, const struct pollfd *fds, int64_t now)
{
	struct keeper *keeper = &hold->keeper;

	if (keeper->listener < 0)
		return;
	/* from the end, since the last one takes a dropped one's place */
	for (size_t i = keeper->asker_count; i-- > 0;) {
		struct asker *asker = &keeper->askers[i];

		if (fds[i + 1].revents)
			hear(hold, asker->fd);
		else if (asker->deadline > now)
			continue;
		close(asker->fd);
		*asker = keeper->askers[--keeper->asker_count];
	}
	if (keeper->accept_after <= now)
		keeper->accept_after = 0;
	if (fds[0].revents)
		take_in(hold, now);
}

/* The next time that keeper_step() is wanted, whatever poll finds. */
int64_t keeper_deadline(const struct keeper *keeper)
{
	int64_t next = keeper->accept_after ? keeper->accept_after : INT64_MAX;

	for (size_t i = 0; i < keeper->asker_count; i++)
		if (keeper->askers[i].deadline < next)
			next = keeper->askers[i].deadline;
	return next;
}
