/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A check looks at the host and fills a finding. What several checks need to
 * know is in struct host, which is filled before the first of them; a check may
 * add to it for those that come after.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse_plan.h"

enum verdict {
	VERDICT_OK,
	VERDICT_WARN,	/* works, but not for everyone or not as well */
	VERDICT_FAIL,	/* no device can be passed through like this */
};

/*
 * struct finding - what a check says
 * @verdict: of the check
 * @seen: what is there, one line; set by found()
 * @remedy: a command for a shell of root, set by mend(); NULL where nothing is
 *          to be mended, or no command can
 */
struct finding {
	enum verdict verdict;
	char *seen;
	char *remedy;
};

/* An answer from the kernel's build configuration. */
enum config_value { CONFIG_UNKNOWN, CONFIG_NO, CONFIG_MODULE, CONFIG_YES };

enum cpu { CPU_OTHER, CPU_INTEL, CPU_AMD, CPU_ARM };

#define CAP_BIT_IPC_LOCK 14
#define CAP_BIT_SYS_PTRACE 19

/*
 * struct who - the user who asks; UNKNOWN where /proc does not tell
 * @caps: the effective capabilities, 0 if not known
 * @groups: all of them, the effective one first
 * @memlock: the soft limit in bytes; UINT64_MAX - 1 is none at all
 */
struct who {
	uint64_t uid;
	uint64_t caps;
	uint64_t *groups;
	size_t group_count;
	uint64_t memlock;
	uint64_t memlock_hard;
};

#define MEMLOCK_UNLIMITED (UINT64_MAX - 1)

/*
 * struct host - what is known of the host before it is judged
 * @plan: what --plan asks for
 * @release: of the running kernel; empty if not known
 * @config: its build configuration, NULL if not found
 * @config_path: where that is
 * @cmdline: of the kernel
 * @guest: it is a virtual machine
 * @driver_remedy: by the check 'iommufd': what gets the driver loaded, or NULL
 * @module_unsigned: the same: that will load a module that DKMS has built
 * @iommu_remedy: by the check 'iommu': what turns it on, or NULL
 * @iommu_on: by the check 'iommu': there are groups
 */
struct host {
	struct plan plan;
	char release[96];
	char *config;
	char *config_path;
	char cmdline[4096];
	enum cpu cpu;
	bool guest;
	struct who who;
	char *driver_remedy;
	bool module_unsigned;
	char *iommu_remedy;
	bool iommu_on;
};

/*
 * struct module - a kernel module
 * @loaded: it is in the kernel, as a module
 * @ours: it was built outside the kernel's tree: loaded so, or found so
 * @version: of the loaded one, empty if it has none
 * @path: below /lib/modules/RELEASE, empty if it is not installed
 * @builtin: it is part of the kernel's image
 */
struct module {
	bool loaded;
	bool builtin;
	bool ours;
	char version[32];
	char path[256];
};

void found(struct finding *f, enum verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void mend(struct finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void host_learn(struct host *host);
void host_free(struct host *host);
enum config_value host_config(const struct host *host, const char *name);
bool host_option(const struct host *host, const char *option);
bool host_exists(const char *path);
uint64_t host_number(const char *path);
bool host_word(const char *path, char *buf, unsigned int size);
size_t host_entries(const char *path);
void host_module(const struct host *host, const char *name,
		 struct module *module);
bool needs_iommu(const struct host *host, struct finding *f);
bool host_has_cap(const struct host *host, int bit);

char *name_of_user(uint64_t uid);
char *name_of_group(uint64_t gid, char **members);
char *size_text(uint64_t bytes);

void check_iommufd(struct host *host, struct finding *f);
void check_device_node(struct host *host, struct finding *f);
void check_device_access(struct host *host, struct finding *f);
void check_iommu(struct host *host, struct finding *f);
void check_iommu_mode(struct host *host, struct finding *f);
void check_interrupts(struct host *host, struct finding *f);
void check_groups(struct host *host, struct finding *f);
void check_vfio_cdev(struct host *host, struct finding *f);
void check_memlock(struct host *host, struct finding *f);
void check_hugepages(struct host *host, struct finding *f);
void check_ptrace(struct host *host, struct finding *f);
void check_lockdown(struct host *host, struct finding *f);
void check_debugfs(struct host *host, struct finding *f);
void check_denials(struct host *host, struct finding *f);

#endif
