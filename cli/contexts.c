// SPDX-License-Identifier: GPL-2.0-or-later
/* From what was found, or from the device, to a descriptor of ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "contexts.h"
#include "devnode.h"
#include "handover.h"
#include "roots.h"

/* To select from where a look is not worth while: found_select() says why. */
static const struct found nothing;

/*
 * Everything that can be seen, for a look at all of it or (SPEC not NULL) at
 * one context and all who hold it. Returns 0, or -1 with the problem filled.
 */
int found_all(struct found *found, const struct context_spec *spec,
	      struct problem *p)
{
	struct context context;

	if (!spec || spec->form != CONTEXT_NAME || root_replayed())
		return found_look(found, 0, p);
	/* not closed before the end, as it is what is looked for */
	if (named_take(spec->text, &context, p) || found_look(found, 0, p))
		return -1;
	found->named = context.fd;
	return 0;
}

/* A descriptor of ours for the one that O tells of, or -1 with errno. */
static int take(const struct opening *o)
{
	int pidfd, fd, err;

	if (is_own(o))
		return fcntl(o->holder.fd, F_DUPFD_CLOEXEC, 3);
	pidfd = syscall(SYS_pidfd_open, o->holder.pid, 0);
	if (pidfd < 0)
		return -1;
	fd = syscall(SYS_pidfd_getfd, pidfd, o->holder.fd, 0);
	err = errno;
	close(pidfd);
	errno = err;
	return fd;
}

/* What our own descriptor FD tells of its context now. */
void own_fdinfo(int fd, struct fdinfo *info)
{
	char path[64], text[2048];
	int len;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	len = root_read(path, text, sizeof(text));
	parse_fdinfo(text, len > 0 ? len : 0, info);
}

/*
 * Gets hold of a context through whichever of its openings lets us. Returns
 * 0, or -1 with the problem filled; the descriptor is the caller's to close.
 */
int found_take(const struct found *found, size_t group,
	       struct context *context, struct problem *p)
{
	char subject[16];
	int err = EBADF;
	pid_t whose = 0;

	if (root_replayed())
		return problem_set(p, STATUS_UNSUPPORTED, 0,
			"IOMMUFDCTL_ROOT is set: what another host's "
			"processes hold can be listed, not taken");
	/* our own ones are last, and the cheapest */
	for (size_t i = found->first[group + 1]; i-- > found->first[group];) {
		const struct opening *o = &found->openings[i];
		struct fdinfo now;
		int fd = take(o);

		if (fd < 0) {
			err = errno;
			whose = o->holder.pid;
			continue;
		}
		/* the number may have come to mean another file meanwhile */
		own_fdinfo(fd, &now);
		if (is_iommufd(fd) && now.context == o->info.context) {
			*context = (struct context){ fd, now };
			return 0;
		}
		close(fd);
		err = EBADF;
		whose = o->holder.pid;
	}
	snprintf(subject, sizeof(subject), "%d", whose);
	return problem_errno(p, DOING_TAKE, err, subject);
}

/* An inherited one needs no look into /proc. */
static int open_own(const struct context_spec *spec, struct context *context,
		    struct problem *p)
{
	int fd;

	if (!is_iommufd(spec->fd))
		return found_select(&nothing, spec, NULL, p);
	fd = fcntl(spec->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return problem_errno(p, DOING_OPEN_DEVICE, errno, "");
	context->fd = fd;
	own_fdinfo(fd, &context->info);
	return 0;
}

/* Finds and takes in one. Returns 0, or -1 with the problem filled. */
int context_open(const struct context_spec *spec, struct context *context,
		 struct problem *p)
{
	struct found found;
	size_t group;
	int ret;

	if (spec->form == CONTEXT_NAME)
		return named_take(spec->text, context, p);
	if (spec->form == CONTEXT_FD)
		return open_own(spec, context, p);
	if (found_look(&found, spec->form == CONTEXT_PID ? spec->pid : 0, p))
		return -1;
	ret = found_select(&found, spec, &group, p);
	if (!ret)
		ret = found_take(&found, group, context, p);
	found_free(&found);
	return ret;
}

/* A fresh context, ours alone. */
int context_new(struct context *context, struct problem *p)
{
	int fd = root_open(DEVICE_NODE, O_RDWR);

	if (fd < 0)
		return problem_errno(p, DOING_OPEN_DEVICE, errno, "");
	context->fd = fd;
	own_fdinfo(fd, &context->info);
	return 0;
}
