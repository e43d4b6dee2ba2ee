// SPDX-License-Identifier: GPL-2.0-or-later
/* Users, groups and sizes as people call them. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns.h"
#include "doctor.h"
#include "roots.h"

/* A replayed host has names of its own. */
static FILE *open_names(const char *path)
{
	char *full = root_path(path);
	FILE *in = fopen(full, "re");

	free(full);
	return in;
}

/* Allocated; the number where it has no name. */
char *name_of_user(uint64_t uid)
{
	const struct passwd *user = NULL;
	char *name;
	FILE *in;

	if (!root_replayed()) {
		user = getpwuid(uid);
		return user ? text_of("%s", user->pw_name) :
			      text_of("%ju", (uintmax_t)uid);
	}
	in = open_names("/etc/passwd");
	while (in && (user = fgetpwent(in)) && user->pw_uid != uid)
		;
	name = user ? text_of("%s", user->pw_name) :
		      text_of("%ju", (uintmax_t)uid);
	if (in)
		fclose(in);
	return name;
}

static char *join(char **words)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	for (size_t i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", words[i]);
	if (fclose(out))
		abort();
	return text;
}

/* The same, and in MEMBERS who is listed in it. */
char *name_of_group(uint64_t gid, char **members)
{
	const struct group *group = NULL;
	FILE *in = NULL;
	char *name;

	if (root_replayed()) {
		in = open_names("/etc/group");
		while (in && (group = fgetgrent(in)) && group->gr_gid != gid)
			;
	} else {
		group = getgrgid(gid);
	}
	*members = group ? join(group->gr_mem) : text_of("%s", "");
	name = group ? text_of("%s", group->gr_name) :
		       text_of("%ju", (uintmax_t)gid);
	if (in)
		fclose(in);
	return name;
}

/* "8 MiB", as the tables have it. */
char *size_text(uint64_t bytes)
{
	static const struct column column = { .type = COLUMN_SIZE };

	return bytes == MEMLOCK_UNLIMITED ? text_of("unlimited") :
					    column_text(&column, &bytes);
}
