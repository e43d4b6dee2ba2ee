// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of the contexts that were found -c means, or what to do if none. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "found.h"
#include "names.h"
#include "roots.h"

/* What to say of fd:N that is not open, or is something else. */
static int wrong_fd(const struct context_spec *spec, struct problem *p)
{
	if (fcntl(spec->fd, F_GETFD) < 0)
		return problem_set(p, STATUS_NOT_FOUND, EBADF,
			"descriptor %d is not open: open it in the shell "
			"with 'exec %d<>/dev/iommu'", spec->fd, spec->fd);
	return problem_set(p, STATUS_NOT_FOUND, 0,
		"descriptor %d is no iommufd: open one in the shell with "
		"'exec %d<>/dev/iommu'", spec->fd, spec->fd);
}

static int select_fd(const struct found *found,
		     const struct context_spec *spec, size_t *group,
		     struct problem *p)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct opening *o = &found->openings[i];

		if (!is_own(o) || o->holder.fd != spec->fd)
			continue;
		*group = o->group;
		return 0;
	}
	return wrong_fd(spec, p);
}

/* "pid:812:3, pid:812:5", the first of each context, as many as fit */
static void choices(const struct found *found, pid_t pid, char *buf,
		    size_t size)
{
	size_t used = 0, last = found->groups;

	for (size_t i = 0; i < found->count; i++) {
		const struct opening *o = &found->openings[i];

		if (o->holder.pid != pid || o->group == last)
			continue;
		if (used + 32 >= size) {
			snprintf(buf + used, size - used, ", ...");
			return;
		}
		used += snprintf(buf + used, size - used, "%spid:%d:%d",
				 used ? ", " : "", pid, o->holder.fd);
		last = o->group;
	}
}

/* Of a process with no iommufd in sight: is it there, and may it be seen? */
static int no_context(pid_t pid, struct problem *p)
{
	char text[32];
	int fd;

	snprintf(text, sizeof(text), "/proc/%d/fd", pid);
	fd = root_open(text, O_RDONLY | O_DIRECTORY);
	snprintf(text, sizeof(text), "%d", pid);
	if (fd < 0)
		return problem_errno(p, DOING_LOOK, errno, text);
	close(fd);
	return problem_set(p, STATUS_NOT_FOUND, 0,
			   "process %d holds no context: 'iommufdctl list' "
			   "shows who does", pid);
}

static int select_pid(const struct found *found,
		      const struct context_spec *spec, size_t *group,
		      struct problem *p)
{
	size_t hits = 0, last = 0;
	char list[256] = "";

	for (size_t i = 0; i < found->count; i++) {
		const struct opening *o = &found->openings[i];

		if (o->holder.pid != spec->pid)
			continue;
		if (spec->fd == o->holder.fd) {
			*group = o->group;
			return 0;
		}
		if (!hits || o->group != last)
			hits++;
		last = o->group;
	}
	choices(found, spec->pid, list, sizeof(list));
	if (!hits)
		return no_context(spec->pid, p);
	if (spec->fd >= 0)
		return problem_set(p, STATUS_NOT_FOUND, 0,
			"descriptor %d of process %d is no iommufd: "
			"choose from %s", spec->fd, spec->pid, list);
	if (hits > 1)
		return problem_set(p, STATUS_FAILED, 0,
			"process %d holds %zu contexts: choose from %s",
			spec->pid, hits, list);
	*group = last;
	return 0;
}

static int select_id(const struct found *found,
		     const struct context_spec *spec, size_t *group,
		     struct problem *p)
{
	bool numbered = !found->count;

	for (size_t g = 0; g < found->groups; g++) {
		const struct opening *o = &found->openings[found->first[g]];

		if (o->info.context == spec->id) {
			*group = g;
			return 0;
		}
		if (o->info.context != UNKNOWN)
			numbered = true;
	}
	if (!numbered)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
			"this kernel's iommufd does not number its contexts: "
			"use -c pid:PID");
	return problem_set(p, STATUS_NOT_FOUND, 0,
		"there is no context %ju%s: 'iommufdctl list' shows what "
		"there is", (uintmax_t)spec->id,
		found->hidden ? " that this user may see" : "");
}

/* Our own descriptor of it; in a replayed host, whatever its holder has. */
static int select_name(const struct found *found,
		       const struct context_spec *spec, size_t *group,
		       struct problem *p)
{
	struct context_spec own = { .form = CONTEXT_FD, .fd = found->named };
	struct context_spec holder = { .form = CONTEXT_PID, .fd = -1 };
	struct name_info info;
	int folder;
	bool held;

	if (!root_replayed())
		return select_fd(found, &own, group, p);
	folder = names_folder(false, p);
	held = folder >= 0 && name_held(folder, spec->text, &info);
	if (folder >= 0)
		close(folder);
	if (!held)
		return problem_set(p, STATUS_NOT_FOUND, 0,
				   "no one holds a context named '%s'",
				   spec->text);
	holder.pid = info.pid;
	return select_pid(found, &holder, group, p);
}

/* Which group is meant. Returns 0, or -1 with the problem filled. */
int found_select(const struct found *found, const struct context_spec *spec,
		 size_t *group, struct problem *p)
{
	switch (spec->form) {
	case CONTEXT_FD:
		return select_fd(found, spec, group, p);
	case CONTEXT_PID:
		return select_pid(found, spec, group, p);
	case CONTEXT_ID:
		return select_id(found, spec, group, p);
	case CONTEXT_NAME:
		break;
	}
	return select_name(found, spec, group, p);
}
