// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory: what may be pinned, and in which pages. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "parse.h"
#include "roots.h"

/* A line of /proc/meminfo; UNKNOWN if it is not there. */
static uint64_t meminfo(const char *key)
{
	char text[8192], *at;
	size_t len = strlen(key);

	if (root_read("/proc/meminfo", text, sizeof(text)) <= 0)
		return UNKNOWN;
	for (at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!strncmp(at, key, len) && at[len] == ':')
			return strtoull(at + len + 1, NULL, 10);
	return UNKNOWN;
}

/*
 * For the shell that asked, and for later ones. What the shell's user names is
 * named by that shell: only the command in quotes is root's.
 */
static void raise_limit(struct finding *f, uint64_t need)
{
	mend(f, "su -c \"prlimit --pid $$ --memlock=%ju:%ju && echo '$(id -un) "
	     "- memlock %ju' >/etc/security/limits.d/60-iommufd.conf\"",
	     (uintmax_t)need, (uintmax_t)need,
	     (uintmax_t)((need + 1023) / 1024));
}

static void without_plan(const struct who *who, const char *limit,
			 struct finding *f)
{
	char *most;

	if (who->memlock <= PLAN_REST) {
		found(f, VERDICT_WARN, "the limit is %s, too little for any "
		      "virtual machine (--plan tells what one needs)", limit);
		raise_limit(f, (UINT64_C(4) << 30) + PLAN_REST);
		return;
	}
	most = size_text(who->memlock - PLAN_REST);
	found(f, VERDICT_OK, "the limit is %s, enough for machines of this "
	      "user with %s of memory together", limit, most);
	free(most);
}

static void with_plan(const struct host *host, const char *limit,
		      struct finding *f)
{
	uint64_t need = plan_memlock(&host->plan);
	char *text = size_text(need);

	if (host->who.memlock < need) {
		found(f, VERDICT_FAIL, "the limit is %s, the planned machine "
		      "needs %s", limit, text);
		raise_limit(f, need);
	} else {
		found(f, VERDICT_OK, "the limit is %s, the planned machine "
		      "needs %s", limit, text);
	}
	free(text);
}

void check_memlock(struct host *host, struct finding *f)
{
	const struct who *who = &host->who;
	uint64_t total = meminfo("MemTotal");
	char *limit, *have, *want;

	if (host->plan.mem && total != UNKNOWN &&
	    host->plan.mem / 1024 > total) {
		have = size_text(total * 1024);
		want = size_text(host->plan.mem);
		found(f, VERDICT_FAIL, "the planned machine has %s of memory, "
		      "this host %s in all", want, have);
		free(have);
		free(want);
		return;
	}
	if (who->memlock == UNKNOWN) {
		found(f, VERDICT_WARN, "the limit is not known: "
		      "/proc/self/limits does not tell");
		return;
	}
	limit = size_text(who->memlock);
	if (who->memlock == MEMLOCK_UNLIMITED)
		found(f, VERDICT_OK, "there is no limit");
	else if (host_has_cap(host, CAP_BIT_IPC_LOCK))
		found(f, VERDICT_OK, "the limit is %s, which does not bind who "
		      "has CAP_IPC_LOCK, as this user does", limit);
	else if (host->plan.mem)
		with_plan(host, limit, f);
	else
		without_plan(who, limit, f);
	free(limit);
}

/* The word in brackets: "always [madvise] never". */
static void chosen(const char *path, char *word, unsigned int size)
{
	char text[128], *open;

	*word = '\0';
	if (!host_word(path, text, sizeof(text)))
		return;
	open = strchr(text, '[');
	if (!open)
		return;
	open[strcspn(open, "]")] = '\0';
	if (strlen(open + 1) < size)
		memcpy(word, open + 1, strlen(open));
}

void check_hugepages(struct host *host, struct finding *f)
{
	uint64_t free_pages = meminfo("HugePages_Free");
	uint64_t kib = meminfo("Hugepagesize"), need;
	char thp[32], *size, *want;
	bool transparent;

	chosen("/sys/kernel/mm/transparent_hugepage/enabled", thp, sizeof(thp));
	transparent = !strcmp(thp, "always") || !strcmp(thp, "madvise");
	if (free_pages == UNKNOWN || kib == UNKNOWN || !kib) {
		found(f, VERDICT_WARN, "this kernel has none");
		return;
	}
	size = size_text(kib * 1024);
	need = host->plan.mem / 1024 / kib + !!(host->plan.mem / 1024 % kib);
	want = host->plan.mem ?
	       text_of(", of which the planned machine would fill %ju",
		       (uintmax_t)need) : text_of("%s", "");
	found(f, transparent || (free_pages && free_pages >= need) ?
	      VERDICT_OK : VERDICT_WARN,
	      "%ju free ones of %s are set aside%s; transparent ones: %s",
	      (uintmax_t)free_pages, size, want, *thp ? thp : "none");
	if (f->verdict == VERDICT_WARN && need)
		mend(f, "sysctl -w vm.nr_hugepages=%ju",
		     (uintmax_t)(need - free_pages +
				 meminfo("HugePages_Total")));
	else if (f->verdict == VERDICT_WARN && *thp)
		mend(f, "echo madvise "
		     ">/sys/kernel/mm/transparent_hugepage/enabled");
	free(size);
	free(want);
}
