// SPDX-License-Identifier: GPL-2.0-or-later
/* The client's side of NAME.dev and NAME.kept: keeper.h has what is said. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handover.h"
#include "keeper.h"
#include "kept.h"
#include "names.h"
#include "packet.h"

static char *slurp(int folder, const char *file)
{
	char *text = NULL, room[4096];
	size_t size;
	ssize_t len;
	FILE *out;
	int fd;

	fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	while ((len = read(fd, room, sizeof(room))) > 0)
		fwrite(room, 1, len, out);
	close(fd);
	if (fclose(out))
		abort();
	return text;
}

/* The first line tells whose the rest is; that of one before it is stale. */
static bool is_of(const char *text, pid_t pid)
{
	uint64_t n;
	char digits[16];
	size_t len = strcspn(text, "\n");

	if (strncmp(text, "pid ", 4) || len - 4 >= sizeof(digits))
		return false;
	memcpy(digits, text + 4, len - 4);
	digits[len - 4] = '\0';
	return parse_number(digits, INT_MAX, &n) && (!pid || n == (uint64_t)pid);
}

static void parse_lines(const char *text, struct kept_list *list)
{
	struct kept_record record;
	size_t len;

	for (; *text; text += len + !!text[len]) {
		len = strcspn(text, "\n");
		/* of a later version */
		if (!parse_kept(text, len, &record))
			continue;
		list->records = reallocarray(list->records, list->count + 1,
					     sizeof(record));
		if (!list->records)
			abort();
		list->records[list->count++] = record;
	}
}

/*
 * What the holder of NAME (NULL: there is none) has written down. It is not
 * asked, so it cannot keep us waiting.
 */
void kept_read(const char *name, struct kept_list *list)
{
	char file[CONTEXT_NAME_MAX + SUFFIX_MAX], *text;
	struct problem ignored;
	struct name_info info;
	int folder;

	*list = (struct kept_list){};
	folder = name ? names_folder(false, &ignored) : -1;
	if (folder < 0)
		return;
	snprintf(file, sizeof(file), "%s.kept", name);
	text = name_held(folder, name, &info) ? slurp(folder, file) : NULL;
	if (text && is_of(text, info.pid))
		parse_lines(text + strcspn(text, "\n"), list);
	free(text);
	close(folder);
}

void kept_free(struct kept_list *list)
{
	free(list->records);
	*list = (struct kept_list){};
}

/* NULL where there is none. */
const struct kept_record *kept_find(const struct kept_list *list,
				    enum kept_kind kind, uint32_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->records[i].id == id && list->records[i].kind == kind)
			return &list->records[i];
	return NULL;
}

/* The IOAS that page table HWPT is of, or 0 where that is not known. */
uint32_t kept_ioas_of(const struct kept_list *list, uint32_t hwpt)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct kept_record *r = &list->records[i];

		if (r->ioas && (r->kind == KEPT_DEVICE ? r->pt : r->id) == hwpt)
			return r->ioas;
	}
	return 0;
}

static int dial_failed(const char *name, int err, struct problem *p)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		return problem_set(p, STATUS_NOT_FOUND, err,
			"the holder of '%s' keeps no devices: it is of an "
			"older version, or has just ended; start it anew",
			name);
	case EACCES:
	case EPERM:
		return problem_set(p, STATUS_NOT_PERMITTED, err,
			"the holder of '%s' keeps devices for its own user and "
			"for root only", name);
	default:
		return problem_set(p, STATUS_FAILED, err,
			"cannot speak to the holder of '%s': %s", name,
			strerror(err));
	}
}

/* A connection, with a limit to each step on it; or -1 with the problem. */
static int dial(const char *name, struct problem *p)
{
	const struct timeval limit = { .tv_sec = HANDOVER_TIMEOUT };
	struct sockaddr_un address;
	char *folder = names_path(p), *path;
	int sock, err;

	if (!folder)
		return -1;
	if (asprintf(&path, "%s/%s.dev", folder, name) < 0)
		abort();
	free(folder);
	sock = handover_address(path, &address, p);
	free(path);
	if (sock)
		return -1;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock >= 0 &&
	    !setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) &&
	    !setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) &&
	    !connect(sock, (const struct sockaddr *)&address, sizeof(address)))
		return sock;
	err = errno;
	if (sock >= 0)
		close(sock);
	return dial_failed(name, err, p);
}

/* What the holder's errno means. */
static int refused(const char *name, int err, struct problem *p)
{
	switch (err) {
	case ENOENT:
		return problem_set(p, STATUS_NOT_FOUND, err,
			"the holder of '%s' keeps no such object: 'iommufdctl "
			"device list' shows what it keeps", name);
	case ENOSPC:
		return problem_set(p, STATUS_FAILED, err,
			"the holder of '%s' keeps as much as it can", name);
	default:
		return problem_set(p, STATUS_FAILED, err,
			"the holder of '%s' refuses that: %s", name,
			strerror(err));
	}
}

/* One packet there and one back. Returns 0, or -1 with the problem filled. */
static int ask(const char *name, const char *text, int fd, int *copy,
	       struct problem *p)
{
	char answer[32];
	uint64_t err;
	int sock = dial(name, p), ret;

	*copy = -1;
	if (sock < 0)
		return -1;
	ret = packet_send(sock, text, fd) ||
	      packet_receive(sock, answer, sizeof(answer), copy);
	if (ret)
		ret = problem_set(p, STATUS_FAILED, errno, "the holder of '%s' "
				  "does not answer: %s", name,
				  errno == EAGAIN ? "is it stopped?" :
				  strerror(errno));
	else if (!parse_number(answer, INT_MAX, &err))
		ret = refused(name, EPROTO, p);
	else if (err)
		ret = refused(name, err, p);
	close(sock);
	if (ret && *copy >= 0) {
		close(*copy);
		*copy = -1;
	}
	return ret;
}

/*
 * Has NAME's holder keep, or ("tell") write down, RECORD; FD, or -1, goes
 * along. Returns 0, or -1 with the problem filled.
 */
int keeper_ask(const char *name, const char *verb,
	       const struct kept_record *record, int fd, struct problem *p)
{
	char line[KEPT_LINE_SIZE], text[KEEPER_PACKET_SIZE];
	int copy, ret;

	print_kept(line, record);
	snprintf(text, sizeof(text), "%s %s", verb, line);
	ret = ask(name, text, fd, &copy, p);
	if (copy >= 0)
		close(copy);
	return ret;
}

/* *FD, of what is kept as ID, is the caller's to close. */
int keeper_copy(const char *name, uint32_t id, int *fd, struct problem *p)
{
	char text[KEEPER_PACKET_SIZE];

	snprintf(text, sizeof(text), "copy %" PRIu32, id);
	if (ask(name, text, -1, fd, p))
		return -1;
	if (*fd >= 0)
		return 0;
	return problem_set(p, STATUS_FAILED, 0, "the holder of '%s' sent no "
			   "descriptor", name);
}

int keeper_drop(const char *name, uint32_t id, struct problem *p)
{
	char text[KEEPER_PACKET_SIZE];
	int copy;

	snprintf(text, sizeof(text), "drop %" PRIu32, id);
	return ask(name, text, -1, &copy, p);
}
