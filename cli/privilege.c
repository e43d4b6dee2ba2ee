// SPDX-License-Identifier: GPL-2.0-or-later
/* What a program may: its limit on locked memory, and whose it is. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "launch.h"
#include "parse.h"

/* Both limits, so that the program cannot raise its own again. */
int limit_memlock(uint64_t bytes, struct problem *p)
{
	rlim_t value = bytes == UINT64_MAX ? RLIM_INFINITY : bytes;
	const struct rlimit limit = { value, value };

	if (!setrlimit(RLIMIT_MEMLOCK, &limit))
		return 0;
	if (errno == EPERM)
		return problem_set(p, STATUS_NOT_PERMITTED, errno,
			"not permitted to raise the limit on locked memory: "
			"that takes CAP_SYS_RESOURCE");
	return problem_set(p, STATUS_FAILED, errno,
			   "cannot set the limit on locked memory: %s",
			   strerror(errno));
}

static const struct passwd *find_user(const char *name)
{
	const struct passwd *user = getpwnam(name);
	uint64_t uid;

	/* -1 would leave it as it is */
	if (!user && parse_number(name, UINT_MAX - 1, &uid))
		user = getpwuid(uid);
	return user;
}

/* Groups first: without its privilege a process cannot drop them. */
int become_user(const char *name, struct problem *p)
{
	const struct passwd *user = find_user(name);
	uid_t uid;
	gid_t gid;

	if (!user) {
		problem_set(p, STATUS_FAILED, 0,
			    "there is no user '%.200s': see 'getent passwd'",
			    name);
		clean_text(p->text);
		return -1;
	}
	uid = user->pw_uid;
	gid = user->pw_gid;
	if (initgroups(user->pw_name, gid) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid)) {
		if (errno == EPERM)
			return problem_set(p, STATUS_NOT_PERMITTED, errno,
				"not permitted to become another user: that "
				"takes CAP_SETUID and CAP_SETGID");
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot become user '%.200s': %s", name,
				   strerror(errno));
	}
	if (uid && !setuid(0))
		return problem_set(p, STATUS_FAILED, 0,
				   "user '%.200s' could become root again: "
				   "start without ambient capabilities", name);
	return 0;
}
