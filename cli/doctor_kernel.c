// SPDX-License-Identifier: GPL-2.0-or-later
/* The drivers: iommufd's, and VFIO's. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "errors.h"
#include "parse.h"
#include "roots.h"
#include "sysfs.h"

#define LOAD "modprobe iommufd && echo iommufd >/etc/modules-load.d/iommufd.conf"

static const char *const config_words[] = {
	[CONFIG_NO] = " is not set in ",
	[CONFIG_MODULE] = "=m in ",
	[CONFIG_YES] = "=y in ",
};

/* "CONFIG_IOMMUFD=m in /boot/config-6.12.38", allocated. */
static char *config_text(const struct host *host, const char *name)
{
	enum config_value value = host_config(host, name);

	if (value == CONFIG_UNKNOWN)
		return text_of("this kernel's configuration is not to be found");
	return text_of("%s%s%s", name, config_words[value], host->config_path);
}

/* Is a kernel other than the running one provided with module iommufd? */
static bool for_another(const struct host *host, char other[96])
{
	DIR *dir = root_opendir("/lib/modules");
	struct dirent *entry;
	struct module module;
	bool hit = false;

	while (dir && !hit && (entry = readdir(dir))) {
		struct host fake = {};

		if (entry->d_name[0] == '.' ||
		    strlen(entry->d_name) >= sizeof(fake.release) ||
		    !strcmp(entry->d_name, host->release))
			continue;
		memcpy(fake.release, entry->d_name, strlen(entry->d_name) + 1);
		host_module(&fake, "iommufd", &module);
		hit = *module.path && strncmp(module.path, "kernel/", 7);
		if (hit)
			memcpy(other, fake.release, sizeof(fake.release));
	}
	if (dir)
		closedir(dir);
	return hit;
}

/* Debian's kernels that the module is made for: see README. */
static bool module_fits(const struct host *host)
{
	return !strncmp(host->release, "6.1.", 4) ||
	       !strncmp(host->release, "6.12.", 5);
}

/* As Debian's packages have it. */
static const char *arch(const struct host *host)
{
	return host->cpu == CPU_ARM ? "arm64" : "amd64";
}

static void iommufd_missing(const struct host *host, const char *config,
			    struct finding *f)
{
	bool dkms = host_entries("/var/lib/dkms/iommufd");
	char other[96];

	if (host_config(host, "CONFIG_IOMMUFD") == CONFIG_MODULE) {
		found(f, VERDICT_FAIL, "the kernel's own module is missing: "
		      "%s, but it is not in /lib/modules/%s", config,
		      host->release);
		mend(f, "apt-get install --reinstall linux-image-%s",
		     host->release);
		return;
	}
	if (for_another(host, other)) {
		found(f, VERDICT_FAIL, "this project's module is installed for "
		      "kernel %s, not for %s, which runs", other,
		      host->release);
		if (dkms)
			mend(f, "apt-get install linux-headers-%s && dkms "
			     "autoinstall -k %s && modprobe iommufd",
			     host->release, host->release);
	} else if (dkms) {
		found(f, VERDICT_FAIL, "this project's module is known to DKMS, "
		      "but was not built for kernel %s", host->release);
		mend(f, "apt-get install linux-headers-%s && dkms autoinstall "
		     "-k %s && modprobe iommufd", host->release, host->release);
	} else if (!module_fits(host)) {
		found(f, VERDICT_FAIL, "kernel %s has no iommufd (%s), and is "
		      "none that this project's module is made for",
		      host->release, config);
		mend(f, "apt-get install linux-image-%s linux-headers-%s  # then "
		     "reboot into that kernel", arch(host), arch(host));
	} else {
		found(f, VERDICT_FAIL, "kernel %s has no iommufd (%s), and this "
		      "project's module is not installed", host->release,
		      config);
	}
	if (!f->remedy)
		mend(f, "apt-get install linux-headers-%s build-essential dkms "
		     "&& make dkms-install && " LOAD
		     "  # in this project's source", host->release);
}

static void iommufd_loaded(const struct host *host, const char *config,
			   const struct module *module, struct finding *f)
{
	if (!module->ours) {
		found(f, VERDICT_OK, "the kernel's own module is loaded (Linux "
		      "%s; %s)", host->release, config);
	} else if (!strcmp(module->version, VERSION)) {
		found(f, VERDICT_OK, "this project's module, version %s, is "
		      "loaded (Linux %s; %s)", module->version, host->release,
		      config);
	} else {
		found(f, VERDICT_WARN, "this project's module has version %s, "
		      "this tool %s", *module->version ? module->version :
		      "unknown", VERSION);
		mend(f, "make dkms-install && modprobe -r iommufd && modprobe "
		     "iommufd  # in this project's source");
	}
}

void check_iommufd(struct host *host, struct finding *f)
{
	enum config_value value = host_config(host, "CONFIG_IOMMUFD");
	char *config = config_text(host, "CONFIG_IOMMUFD");
	struct module module;

	host_module(host, "iommufd", &module);
	if (module.loaded) {
		iommufd_loaded(host, config, &module, f);
	} else if (module.builtin || value == CONFIG_YES) {
		found(f, VERDICT_OK, "it is part of the kernel (Linux %s; %s)",
		      host->release, config);
	} else if (host_exists("/sys/class/misc/iommu")) {
		found(f, VERDICT_OK, "a driver is there, from where is not "
		      "known (%s)", config);
	} else if (*module.path) {
		found(f, VERDICT_FAIL, "%s module is installed, but not "
		      "loaded: /lib/modules/%s/%s",
		      module.ours ? "this project's" : "the kernel's own",
		      host->release, module.path);
		mend(f, LOAD);
	} else {
		iommufd_missing(host, config, f);
	}
	free(config);
	if (f->verdict != VERDICT_FAIL)
		return;
	host->module_unsigned = value == CONFIG_NO;
	if (f->remedy)
		host->driver_remedy = text_of("%s", f->remedy);
}

/* How many devices have a character device, and the first one's node. */
static size_t count_cdevs(char *first, size_t size)
{
	struct device_list list;
	struct device_info info;
	struct problem problem;
	size_t count = 0;

	if (sysfs_devices(&list, &problem))
		return 0;
	for (size_t i = 0; i < list.count; i++) {
		if (!sysfs_device(&list.names[i], &info) || !*info.cdev)
			continue;
		if (!count++)
			snprintf(first, size, "/dev/vfio/devices/%s",
				 info.cdev);
	}
	sysfs_devices_free(&list);
	return count;
}

#define KVM "for userspace drivers and for machines without KVM, as KVM takes " \
	"only files that VFIO itself made"
#define REBUILT "make vfio-modules vfio-modules-install && modprobe vfio-pci" \
	"  # in this project's source"

/* Those that can be rebuilt for the running kernel: see README. */
static bool can_rebuild(const struct host *host)
{
	return !strncmp(host->release, "6.12.", 5);
}

static void our_driver(const struct host *host, const struct module *driver,
		       const char *nodes, struct finding *f)
{
	if (!driver->loaded) {
		found(f, VERDICT_WARN, "iommufd_vfio_pci is installed, but not "
		      "loaded; it is " KVM);
		mend(f, "modprobe iommufd_vfio_pci");
		return;
	}
	found(f, host->plan.mem ? VERDICT_WARN : VERDICT_OK,
	      "iommufd_vfio_pci is loaded, " KVM "%s", nodes);
	if (host->plan.mem && can_rebuild(host))
		mend(f, REBUILT);
}

/* VFIO as it can make character devices, the kernel's or rebuilt. */
static void vfio_itself(const struct module *vfio, const char *what,
			const char *nodes, struct finding *f)
{
	if (vfio->loaded || vfio->builtin ||
	    (!*vfio->path && host_exists("/sys/class/vfio"))) {
		found(f, VERDICT_OK, "%s, and is loaded%s", what, nodes);
		return;
	}
	found(f, VERDICT_WARN, "%s, but is not loaded", what);
	mend(f, "modprobe vfio-pci");
}

void check_vfio_cdev(struct host *host, struct finding *f)
{
	enum config_value value = host_config(host, "CONFIG_VFIO_DEVICE_CDEV");
	char *config = config_text(host, "CONFIG_VFIO_DEVICE_CDEV");
	struct module vfio, driver;
	char first[96], *nodes;
	size_t count = count_cdevs(first, sizeof(first));
	bool updated;

	host_module(host, "vfio", &vfio);
	host_module(host, "iommufd_vfio_pci", &driver);
	updated = *vfio.path && strncmp(vfio.path, "kernel/", 7);
	nodes = !count ? text_of("; no device is bound to it yet") :
		count == 1 ? text_of("; one device: %s", first) :
		text_of("; %zu devices, the first is %s", count, first);
	if (value == CONFIG_YES) {
		vfio_itself(&vfio, "the kernel's own VFIO has them", nodes, f);
	} else if (driver.loaded) {
		our_driver(host, &driver, nodes, f);
	} else if (updated && vfio.loaded && !vfio.ours) {
		found(f, VERDICT_FAIL, "a rebuilt VFIO that has them is "
		      "installed (%s), but the kernel's own is loaded",
		      vfio.path);
		mend(f, "modprobe -r vfio-pci vfio_iommu_type1 vfio && "
		     "modprobe vfio-pci");
	} else if (vfio.ours || count) {
		vfio_itself(&vfio, "a rebuilt VFIO has them", nodes, f);
	} else if (*driver.path) {
		our_driver(host, &driver, nodes, f);
	} else if (value == CONFIG_UNKNOWN) {
		found(f, VERDICT_WARN, "not known: %s, and no device has one",
		      config);
	} else {
		found(f, VERDICT_FAIL, "the kernel's VFIO has none (%s)",
		      config);
		mend(f, can_rebuild(host) ? REBUILT : "make dkms-install && "
		     "modprobe iommufd_vfio_pci  # in this project's source");
	}
	free(config);
	free(nodes);
}
