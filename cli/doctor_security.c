// SPDX-License-Identifier: GPL-2.0-or-later
/* What keeps users, or everyone, from something by policy. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "parse.h"
#include "roots.h"

void check_ptrace(struct host *host, struct finding *f)
{
	uint64_t scope = host_number("/proc/sys/kernel/yama/ptrace_scope");
	bool may = host_has_cap(host, CAP_BIT_SYS_PTRACE);

	if (scope == UNKNOWN || !scope) {
		found(f, VERDICT_OK, "%s: contexts of one's own processes can "
		      "be taken", scope ? "no restriction" : "0");
	} else if (scope < 3 && may) {
		found(f, VERDICT_OK, "%ju, which does not bind who has "
		      "CAP_SYS_PTRACE, as this user does", (uintmax_t)scope);
	} else if (scope < 3) {
		found(f, VERDICT_WARN, "%ju: -c pid:PID and list's objects need "
		      "root", (uintmax_t)scope);
		mend(f, "sysctl -w kernel.yama.ptrace_scope=0");
	} else {
		found(f, VERDICT_WARN, "%ju: -c pid:PID and list's objects are "
		      "for nobody until the next boot", (uintmax_t)scope);
		mend(f, "grep -r ptrace_scope /etc/sysctl.conf /etc/sysctl.d  "
		     "# what sets it; change it there, then reboot");
	}
}

static bool secure_boot(void)
{
	char data[16];

	/* four bytes of attributes, then the value */
	return root_read("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-"
			 "11d2-aa0d-00e098032b8c", data, sizeof(data)) >= 5 &&
	       data[4] == 1;
}

void check_lockdown(struct host *host, struct finding *f)
{
	const char *boot = secure_boot() ? "; Secure Boot is on" : "";
	char text[96] = "", *mode;

	if (!host_word("/sys/kernel/security/lockdown", text, sizeof(text))) {
		found(f, VERDICT_OK, "not known of%s", boot);
		return;
	}
	mode = strchr(text, '[');
	if (!mode || !strncmp(mode, "[none]", 6)) {
		found(f, VERDICT_OK, "none%s", boot);
		return;
	}
	mode[strcspn(mode, "]")] = '\0';
	mode++;
	if (!host->module_unsigned) {
		found(f, VERDICT_OK, "%s, which the driver is not kept out "
		      "by%s", mode, boot);
		return;
	}
	found(f, VERDICT_WARN, "%s: a module that DKMS built loads only once "
	      "its key is enrolled%s", mode, boot);
	mend(f, "mokutil --import /var/lib/dkms/mok.pub  # then reboot, and "
	     "confirm it at the console");
}

void check_debugfs(struct host *host, struct finding *f)
{
	char *full = root_path("/proc/self/mounts"), *line = NULL;
	FILE *in = fopen(full, "re");
	size_t room = 0;
	bool mounted = false, known = in;

	free(full);
	while (in && !mounted && getline(&line, &room, in) > 0)
		mounted = strstr(line, " /sys/kernel/debug debugfs ");
	free(line);
	if (in)
		fclose(in);
	if (host_exists("/sys/kernel/debug/iommufd")) {
		found(f, VERDICT_OK, "/sys/kernel/debug/iommufd/contexts is "
		      "there");
	} else if (mounted) {
		found(f, VERDICT_OK, "mounted; /sys/kernel/debug/iommufd is "
		      "seen by root, and with this project's module only");
	} else if (!known) {
		found(f, VERDICT_WARN, "not known: there is no "
		      "/proc/self/mounts");
	} else if (host_config(host, "CONFIG_DEBUG_FS") == CONFIG_NO) {
		found(f, VERDICT_OK, "this kernel has none");
	} else {
		found(f, VERDICT_WARN, "not mounted");
		mend(f, "mount -t debugfs debugfs /sys/kernel/debug");
	}
}

/* struct denials - what of them concerns us */
struct denials {
	size_t count;
	bool selinux;		/* the last one is SELinux's */
	char comm[64];		/* of the last one: the program */
	char profile[128];	/* its profile, of AppArmor */
	char what[128];		/* the file or the capability */
};

/* KEY="value" */
static void take(const char *line, const char *key, char *value, size_t size)
{
	const char *at = strstr(line, key);
	size_t len;

	*value = '\0';
	if (!at)
		return;
	at += strlen(key);
	len = strcspn(at, "\"\n");
	if (len < size) {
		memcpy(value, at, len);
		value[len] = '\0';
	}
}

static void judge(struct denials *d, const char *line)
{
	bool apparmor = strstr(line, "apparmor=\"DENIED\"");

	if (!apparmor && !strstr(line, "avc:  denied"))
		return;
	if (!strstr(line, "/dev/iommu") && !strstr(line, "vfio") &&
	    !strstr(line, "iommufd") && !strstr(line, "name=\"iommu\"") &&
	    !strstr(line, "capname=\"ipc_lock\""))
		return;
	d->count++;
	d->selinux = !apparmor;
	take(line, "comm=\"", d->comm, sizeof(d->comm));
	take(line, "profile=\"", d->profile, sizeof(d->profile));
	take(line, " path=\"", d->what, sizeof(d->what));
	if (!*d->what)
		take(line, " name=\"", d->what, sizeof(d->what));
	if (!*d->what)
		take(line, "capname=\"", d->what, sizeof(d->what));
}

/*
 * A log, record by record. Of /dev/kmsg one read is one record; where some were
 * overwritten meanwhile it says EPIPE, and goes on. Returns 0, or errno.
 */
static int search_log(const char *path, struct denials *d)
{
	int fd = root_open(path, O_RDONLY | O_NONBLOCK), err = 0;
	/* longer than any record, or it could not be read */
	static char buffer[1 << 16];
	char *line = NULL;
	size_t room = 0;
	FILE *in;

	if (fd < 0)
		return errno;
	in = fdopen(fd, "r");
	if (!in)
		abort();
	setvbuf(in, buffer, _IOFBF, sizeof(buffer));
	for (;;) {
		errno = 0;
		if (getline(&line, &room, in) > 0) {
			judge(d, line);
			continue;
		}
		err = ferror(in) ? errno : 0;
		if (err != EPIPE && err != EINTR)
			break;
		clearerr(in);
	}
	free(line);
	fclose(in);
	return err == EAGAIN ? 0 : err;
}

/*
 * Who was refused chose these words, and root is to paste the command: only
 * what no shell takes for more than a word.
 */
static bool is_plain(const char *word)
{
	return *word && *word != '-' &&
	       !word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_./:@+-")];
}

static void tell_denials(const struct denials *d, struct finding *f)
{
	found(f, VERDICT_WARN, "%zu in the log; the last: %s refused %s to %s%s%s",
	      d->count, d->selinux ? "SELinux" : "AppArmor", d->what,
	      *d->comm ? d->comm : "a program", *d->profile ? " under " : "",
	      d->profile);
	if (d->selinux && !is_plain(d->comm))
		mend(f, "ausearch -m avc --raw | audit2allow -w  # names each; "
		     "audit2allow -M makes a policy of it");
	else if (d->selinux)
		mend(f, "ausearch -m avc -c '%s' --raw | audit2allow -M "
		     "iommufd-local && semodule -i iommufd-local.pp", d->comm);
	else if (!strncmp(d->profile, "libvirt-", 8) && *d->what == '/' &&
		 is_plain(d->what))
		mend(f, "echo '%s rw,' "
		     ">>/etc/apparmor.d/local/abstractions/libvirt-qemu && "
		     "systemctl reload apparmor", d->what);
	else
		mend(f, "aa-logprof  # asks for each whether to allow it");
}

/* Is there anything that would refuse? Unknown counts as yes. */
static bool has_policy(void)
{
	char text[256];

	if (!host_word("/sys/kernel/security/lsm", text, sizeof(text)))
		return true;
	return strstr(text, "apparmor") || strstr(text, "selinux");
}

void check_denials(struct host *host, struct finding *f)
{
	struct denials denials = {};
	int kernel, audit;

	(void)host;
	if (!has_policy()) {
		found(f, VERDICT_OK, "neither SELinux nor AppArmor is active");
		return;
	}
	kernel = search_log("/dev/kmsg", &denials);
	/* with a daemon of its own, what is audited goes there alone */
	audit = search_log("/var/log/audit/audit.log", &denials);
	if (denials.count) {
		tell_denials(&denials, f);
	} else if (kernel || (audit && audit != ENOENT)) {
		found(f, VERDICT_WARN, "the %s's log cannot be read: %s",
		      kernel ? "kernel" : "audit daemon",
		      strerror(kernel ? kernel : audit));
		if (kernel != ENOENT)
			mend(f, "dmesg | grep -e DENIED -e 'avc: *denied'");
	} else {
		found(f, VERDICT_OK, "none in the log");
	}
}
