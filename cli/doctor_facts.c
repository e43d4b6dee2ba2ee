// SPDX-License-Identifier: GPL-2.0-or-later
/* What several checks need to know of a host. All of it through the root. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "doctor.h"
#include "parse.h"
#include "roots.h"

char *text_of(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	return text;
}

void found(struct finding *f, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	free(f->seen);
	if (vasprintf(&f->seen, fmt, args) < 0)
		abort();
	va_end(args);
	clean_text(f->seen);
	f->verdict = verdict;
}

void mend(struct finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	free(f->remedy);
	if (vasprintf(&f->remedy, fmt, args) < 0)
		abort();
	va_end(args);
	clean_text(f->remedy);
}

bool host_exists(const char *path)
{
	struct stat st;

	return !root_stat(path, &st);
}

/* The first line of a file. */
bool host_word(const char *path, char *buf, unsigned int size)
{
	if (root_read(path, buf, size) <= 0)
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return *buf;
}

/* Of a file with nothing else in it; else UNKNOWN. */
uint64_t host_number(const char *path)
{
	char text[32];
	uint64_t n;

	if (!host_word(path, text, sizeof(text)) ||
	    !parse_number(text, UNKNOWN - 1, &n))
		return UNKNOWN;
	return n;
}

/* How many entries a folder has; 0 where there is none. */
size_t host_entries(const char *path)
{
	DIR *dir = root_opendir(path);
	struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* All of a file, which may be compressed; NULL if there is none. */
static char *read_config(const char *path)
{
	size_t used = 0, room = 0;
	char *text = NULL;
	gzFile in;
	int len, fd = root_open(path, O_RDONLY);

	if (fd < 0)
		return NULL;
	in = gzdopen(fd, "rb");
	if (!in)
		abort();
	do {
		room = room ? room * 2 : 1 << 16;
		text = realloc(text, room + 1);
		if (!text)
			abort();
		while (used < room) {
			len = gzread(in, text + used, room - used);
			if (len <= 0)
				break;
			used += len;
		}
	} while (used == room && room < 1 << 24);
	text[used] = '\0';
	gzclose(in);
	if (!strstr(text, "CONFIG_")) {
		free(text);
		return NULL;
	}
	return text;
}

/* PATH is allocated, and belongs to the host, or to nobody, from now on. */
static bool take_config(struct host *host, char *path)
{
	host->config = read_config(path);
	if (!host->config) {
		free(path);
		return false;
	}
	host->config_path = path;
	return true;
}

/* The running kernel's own word first: it cannot be another kernel's. */
static void learn_config(struct host *host)
{
	if (take_config(host, text_of("/proc/config.gz")) || !*host->release)
		return;
	if (!take_config(host, text_of("/boot/config-%s", host->release)))
		take_config(host, text_of("/lib/modules/%s/config",
					  host->release));
}

static void learn_cpu(struct host *host)
{
	char text[4096], vendor[96] = "";

	if (root_read("/proc/cpuinfo", text, sizeof(text)) > 0) {
		if (strstr(text, "GenuineIntel"))
			host->cpu = CPU_INTEL;
		else if (strstr(text, "AuthenticAMD") ||
			 strstr(text, "HygonGenuine"))
			host->cpu = CPU_AMD;
		else if (strstr(text, "CPU implementer"))
			host->cpu = CPU_ARM;
		host->guest = strstr(text, " hypervisor");
	}
	if (host_word("/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor)) &&
	    strstr(vendor, "QEMU"))
		host->guest = true;
}

/* The line of TEXT that begins with KEY, behind it; NULL if there is none. */
static char *after(char *text, const char *key)
{
	size_t len = strlen(key);

	while (*text) {
		if (!strncmp(text, key, len))
			return text + len;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

/* Blank-separated numbers up to the line's end, of which the I-th is wanted. */
static uint64_t nth_number(const char *line, unsigned int i)
{
	char *end;

	for (;;) {
		line += strspn(line, " \t");
		if (*line < '0' || *line > '9')
			return UNKNOWN;
		if (!i--)
			return strtoull(line, &end, 10);
		line += strcspn(line, " \t\n");
	}
}

static uint64_t limit(const char **text)
{
	char *end;
	uint64_t n = MEMLOCK_UNLIMITED;

	*text += strspn(*text, " ");
	if (strncmp(*text, "unlimited", 9)) {
		n = strtoull(*text, &end, 10);
		if (end == *text)
			n = UNKNOWN;
	}
	*text += strcspn(*text, "\n ");
	return n;
}

static void learn_who(struct who *who)
{
	char text[8192];
	const char *line;
	char *groups;
	uint64_t gid;

	*who = (struct who){ .uid = UNKNOWN, .memlock = UNKNOWN,
			     .memlock_hard = UNKNOWN };
	if (root_read("/proc/self/limits", text, sizeof(text)) > 0) {
		line = after(text, "Max locked memory");
		if (line) {
			who->memlock = limit(&line);
			who->memlock_hard = limit(&line);
		}
	}
	if (root_read("/proc/self/status", text, sizeof(text)) <= 0)
		return;
	line = after(text, "Uid:");
	if (line)
		who->uid = nth_number(line, 1);
	line = after(text, "CapEff:\t");
	if (line)
		who->caps = strtoull(line, NULL, 16);
	/* each is a digit and a blank, at least */
	who->groups = calloc(strlen(text) / 2 + 1, sizeof(*who->groups));
	if (!who->groups)
		abort();
	line = after(text, "Gid:");
	gid = line ? nth_number(line, 1) : UNKNOWN;
	if (gid != UNKNOWN)
		who->groups[who->group_count++] = gid;
	groups = after(text, "Groups:");
	if (groups) {
		groups[strcspn(groups, "\n")] = '\0';
		for (char *word = strtok(groups, "\t "); word;
		     word = strtok(NULL, "\t "))
			if (parse_number(word, UINT32_MAX, &gid))
				who->groups[who->group_count++] = gid;
	}
}

void host_learn(struct host *host)
{
	host_word("/proc/sys/kernel/osrelease", host->release,
		  sizeof(host->release));
	if (strchr(host->release, '/'))
		host->release[0] = '\0';
	host_word("/proc/cmdline", host->cmdline, sizeof(host->cmdline));
	learn_config(host);
	learn_cpu(host);
	learn_who(&host->who);
}

void host_free(struct host *host)
{
	free(host->config);
	free(host->config_path);
	free(host->who.groups);
	free(host->driver_remedy);
	free(host->iommu_remedy);
}

bool host_has_cap(const struct host *host, int bit)
{
	return host->who.caps >> bit & 1;
}

enum config_value host_config(const struct host *host, const char *name)
{
	char *value, *key;

	if (!host->config)
		return CONFIG_UNKNOWN;
	key = text_of("%s=", name);
	value = after(host->config, key);
	free(key);
	return !value ? CONFIG_NO : *value == 'm' ? CONFIG_MODULE : CONFIG_YES;
}

/* Is OPTION one of the words of the kernel's command line? */
bool host_option(const struct host *host, const char *option)
{
	size_t len = strlen(option);
	const char *at = host->cmdline;

	while ((at = strstr(at, option))) {
		if ((at == host->cmdline || at[-1] == ' ') &&
		    (!at[len] || at[len] == ' '))
			return true;
		at += len;
	}
	return false;
}
