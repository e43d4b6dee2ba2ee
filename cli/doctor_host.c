// SPDX-License-Identifier: GPL-2.0-or-later
/* The IOMMU: whether it is on, and what it does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "parse.h"
#include "roots.h"
#include "sysfs.h"

#define GROUPS "/sys/kernel/iommu_groups"
#define TABLES "/sys/firmware/acpi/tables/"
#define GRUB "/etc/default/grub && update-grub  # then reboot"
#define FIRMWARE "systemctl reboot --firmware-setup  # turn on %s there"

/* What to tell whoever runs the virtual machine that this host is. */
#define GIVE_IOMMU "virt-xml NAME --edit --features ioapic.driver=qemu && " \
	"virt-xml NAME --add-device --iommu model=intel,driver.intremap=on," \
	"driver.caching_mode=on  # on the host of this machine NAME"

static void remove_option(struct finding *f, const char *option)
{
	mend(f, "sed -i 's/ *\\b%s\\b//' " GRUB, option);
}

static void add_option(struct finding *f, const char *option)
{
	mend(f, "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&%s /' " GRUB, option);
}

/* A group that VFIO made up, for a device without an IOMMU, is none. */
static size_t count_groups(void)
{
	DIR *dir = root_opendir(GROUPS);
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir))) {
		char *path, name[32];

		if (entry->d_name[0] == '.')
			continue;
		path = text_of(GROUPS "/%s/name", entry->d_name);
		if (!host_word(path, name, sizeof(name)) ||
		    strcmp(name, "vfio-noiommu"))
			count++;
		free(path);
	}
	if (dir)
		closedir(dir);
	return count;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The IOMMUs that the kernel has, as the first in order stands for them. */
static size_t first_iommu(struct iommu_info *first)
{
	char (*names)[SYSFS_NAME] = NULL;
	DIR *dir = root_opendir("/sys/class/iommu");
	struct dirent *entry;
	size_t count = 0;

	*first = (struct iommu_info){ .address_width = UNKNOWN };
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    strlen(entry->d_name) >= SYSFS_NAME)
			continue;
		names = reallocarray(names, count + 1, sizeof(*names));
		if (!names)
			abort();
		memcpy(names[count++], entry->d_name,
		       strlen(entry->d_name) + 1);
	}
	if (dir)
		closedir(dir);
	if (count) {
		qsort(names, count, sizeof(*names), by_text);
		sysfs_iommu(names[0], first);
	}
	free(names);
	return count;
}

static void iommu_is_on(size_t groups, struct finding *f)
{
	struct iommu_info first;
	size_t count = first_iommu(&first);
	const char *kind = iommu_kind_name(first.kind);
	bool one = count == 1;
	char *width = first.address_width == UNKNOWN ? text_of("%s", "") :
		text_of("%ju-bit addresses, ", (uintmax_t)first.address_width);

	if (count)
		found(f, VERDICT_OK, "on: %zu %s (%s), %s%zu groups", count,
		      one ? "IOMMU" : "IOMMUs", kind ? kind : first.name,
		      width, groups);
	else
		found(f, VERDICT_OK, "on: %zu groups", groups);
	free(width);
}

/*
 * Whose IOMMU the options are to be about. The firmware's word counts more than
 * the processor: a virtual machine may have Intel's on any.
 */
static enum cpu iommu_vendor(const struct host *host)
{
	return host_exists(TABLES "DMAR") ? CPU_INTEL :
	       host_exists(TABLES "IVRS") ? CPU_AMD : host->cpu;
}

/* An option on the kernel's command line that turns it off, or NULL. */
static const char *switched_off(const struct host *host)
{
	static const char *const options[] = {
		"intel_iommu=off", "amd_iommu=off", "iommu=off",
	};

	enum cpu vendor = iommu_vendor(host);

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if ((i == 0 && vendor == CPU_AMD) ||
		    (i == 1 && vendor == CPU_INTEL))
			continue;
		if (host_option(host, options[i]))
			return options[i];
	}
	return NULL;
}

/* Does the kernel turn Intel's on without being told? */
static bool intel_by_default(const struct host *host)
{
	return host_config(host, "CONFIG_INTEL_IOMMU_DEFAULT_ON") ==
		CONFIG_YES ||
	       host_config(host, "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF") ==
		CONFIG_YES;
}

static void no_table(const struct host *host, struct finding *f)
{
	static const char *const names[] = {
		[CPU_OTHER] = "the IOMMU", [CPU_INTEL] = "VT-d",
		[CPU_AMD] = "IOMMU (AMD-Vi)", [CPU_ARM] = "SMMU",
	};

	if (host->guest) {
		found(f, VERDICT_FAIL, "off: this is a virtual machine that was "
		      "given none");
		mend(f, GIVE_IOMMU);
		return;
	}
	found(f, VERDICT_FAIL, "off: the firmware tells of none: %s is turned "
	      "off there, or the machine has none", names[host->cpu]);
	mend(f, FIRMWARE, names[host->cpu]);
}

/* The firmware tells of one, and nobody turned it off. */
static void not_used(const struct host *host, const char *table,
		     struct finding *f)
{
	if (!strcmp(table, "DMAR") && !host_option(host, "intel_iommu=on") &&
	    !intel_by_default(host)) {
		found(f, VERDICT_FAIL, "off: the kernel's command line lacks "
		      "intel_iommu=on");
		add_option(f, "intel_iommu=on");
	} else if (!strcmp(table, "VIOT") &&
		   host_config(host, "CONFIG_VIRTIO_IOMMU") != CONFIG_YES) {
		found(f, VERDICT_FAIL, "off: it is a virtio-iommu, for which "
		      "this kernel has no driver built in");
		if (host_config(host, "CONFIG_VIRTIO_IOMMU") == CONFIG_MODULE)
			mend(f, "echo virtio_iommu "
			     ">>/etc/initramfs-tools/modules && "
			     "update-initramfs -u  # then reboot");
	} else {
		found(f, VERDICT_FAIL, "off: the firmware tells of one (table "
		      "%s), but the kernel does not use it", table);
		mend(f, "dmesg | grep -iE 'dmar|iommu|amd-vi|smmu'  # tells why");
	}
}

void check_iommu(struct host *host, struct finding *f)
{
	static const char *const tables[] = { "DMAR", "IVRS", "IORT", "VIOT" };
	size_t groups = count_groups();
	const char *option = switched_off(host);

	host->iommu_on = groups;
	if (groups) {
		iommu_is_on(groups, f);
		return;
	}
	if (option) {
		found(f, VERDICT_FAIL, "off: the kernel's command line has %s",
		      option);
		remove_option(f, option);
	} else {
		for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) &&
		     !f->seen; i++) {
			char *path = text_of(TABLES "%s", tables[i]);

			if (host_exists(path))
				not_used(host, tables[i], f);
			free(path);
		}
		if (!f->seen)
			no_table(host, f);
	}
	if (f->remedy)
		host->iommu_remedy = text_of("%s", f->remedy);
}

/* For a check that makes no sense while the IOMMU is off. */
bool needs_iommu(const struct host *host, struct finding *f)
{
	if (host->iommu_on)
		return false;
	found(f, VERDICT_WARN, "not known while the IOMMU is off");
	if (host->iommu_remedy)
		mend(f, "%s", host->iommu_remedy);
	return true;
}

void check_iommu_mode(struct host *host, struct finding *f)
{
	size_t lazy = 0, strict = 0, identity = 0, other = 0;
	DIR *dir;
	struct dirent *entry;

	if (needs_iommu(host, f))
		return;
	dir = root_opendir(GROUPS);
	while (dir && (entry = readdir(dir))) {
		char *path, type[32];

		if (entry->d_name[0] == '.')
			continue;
		path = text_of(GROUPS "/%s/type", entry->d_name);
		if (!host_word(path, type, sizeof(type)))
			other++;
		else if (!strcmp(type, "DMA-FQ"))
			lazy++;
		else if (!strcmp(type, "DMA"))
			strict++;
		else if (!strcmp(type, "identity"))
			identity++;
		else
			other++;
		free(path);
	}
	if (dir)
		closedir(dir);
	found(f, VERDICT_OK, "%s: %zu groups translated (%zu strict, %zu lazy), "
	      "%zu passed through, %zu unknown",
	      lazy + strict >= identity ? lazy + strict ? "translation" :
	      "unknown" : "passthrough", lazy + strict, strict, lazy, identity,
	      other);
}

enum isolation { ISOLATION_UNKNOWN, ISOLATION_NO, ISOLATION_YES };

/*
 * x86 puts "IR" into the name of an interrupt controller behind an IOMMU; on
 * ARM it is the ITS that keeps devices apart.
 */
static enum isolation find_isolation(const struct host *host)
{
	char *full = root_path("/proc/interrupts"), *line = NULL;
	FILE *in = fopen(full, "re");
	size_t room = 0;
	enum isolation isolation = in ? ISOLATION_NO : ISOLATION_UNKNOWN;

	free(full);
	if (!in)
		return isolation;
	while (isolation == ISOLATION_NO && getline(&line, &room, in) > 0)
		if (host->cpu == CPU_ARM ? !!strstr(line, " ITS-") :
		    strstr(line, " IR-") || strstr(line, "-IR "))
			isolation = ISOLATION_YES;
	free(line);
	fclose(in);
	return isolation;
}

static void not_isolated(const struct host *host, struct finding *f)
{
	static const char *const options[] = {
		"intremap=off", "nointremap",
	};
	char word[8];

	if (host_word("/sys/module/iommufd/parameters/allow_unsafe_interrupts",
		      word, sizeof(word)) && *word == 'Y') {
		found(f, VERDICT_WARN, "off, and allow_unsafe_interrupts has "
		      "devices bound nevertheless");
		mend(f, "echo N >/sys/module/iommufd/parameters/"
		     "allow_unsafe_interrupts");
		return;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!host_option(host, options[i]))
			continue;
		found(f, VERDICT_FAIL, "off: the kernel's command line has %s",
		      options[i]);
		remove_option(f, options[i]);
		return;
	}
	found(f, VERDICT_FAIL, host->cpu == CPU_ARM ?
	      "off: no interrupt goes through an ITS" :
	      "off: no interrupt controller is behind the IOMMU");
	if (host->guest)
		mend(f, GIVE_IOMMU);
	else if (host->cpu != CPU_ARM)
		mend(f, FIRMWARE, "interrupt remapping and x2APIC");
}

void check_interrupts(struct host *host, struct finding *f)
{
	if (needs_iommu(host, f))
		return;
	switch (find_isolation(host)) {
	case ISOLATION_UNKNOWN:
		found(f, VERDICT_WARN, "not known: there is no "
		      "/proc/interrupts");
		break;
	case ISOLATION_YES:
		found(f, VERDICT_OK, host->cpu == CPU_ARM ?
		      "on: interrupts go through an ITS" :
		      "on: interrupts go through the IOMMU");
		break;
	case ISOLATION_NO:
		not_isolated(host, f);
		break;
	}
}
