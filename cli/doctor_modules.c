// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel module: whether it is there, and whose it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "roots.h"

/* "updates/dkms/iommufd.ko.xz" is of module "iommufd"; '-' and '_' are one. */
static bool is_of(const char *path, size_t len, const char *name)
{
	const char *base = memrchr(path, '/', len), *end = path + len;

	base = base ? base + 1 : path;
	for (; *name && base < end; name++, base++)
		if (*base != *name && !(*base == '-' && *name == '_'))
			return false;
	return !*name && end - base >= 3 && !strncmp(base, ".ko", 3) &&
	       (end - base == 3 || base[3] == '.');
}

/* In a list of modules, a line each, which ':' and more may follow. */
static bool find_listed(const struct host *host, const char *list,
			const char *name, char *path, size_t size)
{
	char *list_path = text_of("/lib/modules/%s/%s", host->release, list);
	char *full = root_path(list_path), *line = NULL;
	FILE *in = fopen(full, "re");
	size_t room = 0;
	bool hit = false;

	free(list_path);
	free(full);
	if (!in)
		return false;
	while (!hit && getline(&line, &room, in) > 0) {
		size_t len = strcspn(line, ":\n");

		hit = len < size && is_of(line, len, name);
		if (hit) {
			memcpy(path, line, len);
			path[len] = '\0';
		}
	}
	free(line);
	fclose(in);
	return hit;
}

static bool sys_module(const char *name, const char *file, char *buf,
		       unsigned int size)
{
	char *path = text_of("/sys/module/%s/%s", name, file);
	bool ok = host_word(path, buf, size);

	free(path);
	return ok;
}

/* NAME with '_' where its file has '-'. */
void host_module(const struct host *host, const char *name,
		 struct module *module)
{
	char word[32], skipped[256];

	*module = (struct module){};
	if (*host->release) {
		find_listed(host, "modules.dep", name, module->path,
			    sizeof(module->path));
		module->builtin = find_listed(host, "modules.builtin", name,
					      skipped, sizeof(skipped));
		module->ours = *module->path &&
			       strncmp(module->path, "kernel/", 7);
	}
	/* What is built in may have a folder, but never came in. */
	module->loaded = sys_module(name, "initstate", word, sizeof(word));
	if (!module->loaded)
		return;
	module->ours = sys_module(name, "taint", word, sizeof(word)) &&
		       strchr(word, 'O');
	if (!sys_module(name, "version", module->version,
			sizeof(module->version)))
		module->version[0] = '\0';
}
