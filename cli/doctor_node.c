// SPDX-License-Identifier: GPL-2.0-or-later
/* The file /dev/iommu, and who may open it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "devnode.h"
#include "doctor.h"
#include "parse.h"
#include "roots.h"

/* What `make install` and a package put into place. */
#define RULE "echo 'SUBSYSTEM==\"misc\", KERNEL==\"iommu\", GROUP=\"kvm\", " \
	"MODE=\"0660\"' >/etc/udev/rules.d/60-iommufd.rules && udevadm " \
	"control --reload && udevadm trigger --name-match=iommu"

/* struct node - what the file is; UNKNOWN what is not known of it */
struct node {
	bool is_device;
	dev_t dev;
	uint64_t mode;
	uint64_t uid;
	uint64_t gid;
};

/*
 * A replayed host has a file in the node's place, whose words say what the node
 * was: "0660 0 104 10:126", which are mode, owner, group and number.
 */
static void read_replayed(struct node *node)
{
	unsigned int mode, major_nr, minor_nr;
	char text[96], *words[4];
	int count = 0;

	if (!host_word(DEVICE_NODE, text, sizeof(text)))
		return;
	for (char *word = strtok(text, " "); word && count < 4;
	     word = strtok(NULL, " "))
		words[count++] = word;
	if (count < 4 || !parse_mode(words[0], &mode) ||
	    !parse_number(words[1], UINT32_MAX, &node->uid) ||
	    !parse_number(words[2], UINT32_MAX, &node->gid) ||
	    !parse_device_number(words[3], &major_nr, &minor_nr))
		return;
	node->mode = mode;
	node->dev = makedev(major_nr, minor_nr);
}

static bool read_node(struct node *node)
{
	struct stat st;

	*node = (struct node){ true, 0, UNKNOWN, UNKNOWN, UNKNOWN };
	if (root_stat(DEVICE_NODE, &st))
		return false;
	if (root_replayed()) {
		read_replayed(node);
		return true;
	}
	node->is_device = S_ISCHR(st.st_mode);
	node->dev = st.st_rdev;
	node->mode = st.st_mode & 07777;
	node->uid = st.st_uid;
	node->gid = st.st_gid;
	return true;
}

static void make_anew(struct finding *f, dev_t dev)
{
	mend(f, "rm -f /dev/iommu && mknod -m 0660 /dev/iommu c %u %u && chgrp "
	     "kvm /dev/iommu", major(dev), minor(dev));
}

static void describe_node(const struct node *node, struct finding *f)
{
	char *user = name_of_user(node->uid), *members;
	char *group = name_of_group(node->gid, &members);

	if (node->mode & 0006)
		found(f, VERDICT_OK, "/dev/iommu (%u:%u) is open to everyone, "
		      "mode %04o", major(node->dev), minor(node->dev),
		      (unsigned int)node->mode);
	else if ((node->mode & 0060) == 0060 && node->gid)
		found(f, VERDICT_OK, "/dev/iommu (%u:%u) is open to user %s and "
		      "group %s%s%s%s, mode %04o", major(node->dev),
		      minor(node->dev), user, group, *members ? " (" : "",
		      members, *members ? ")" : "", (unsigned int)node->mode);
	else
		found(f, VERDICT_WARN, "/dev/iommu (%u:%u) is open to user %s "
		      "alone: mode %04o, group %s", major(node->dev),
		      minor(node->dev), user, (unsigned int)node->mode, group);
	if (f->verdict == VERDICT_WARN)
		mend(f, RULE);
	free(user);
	free(group);
	free(members);
}

void check_device_node(struct host *host, struct finding *f)
{
	struct node node;
	bool there = read_node(&node);
	dev_t dev;

	if (device_number(&dev)) {
		found(f, VERDICT_FAIL, there ?
		      "/dev/iommu is left over: no driver is behind it" :
		      "there is no /dev/iommu, as no driver is loaded");
		if (host->driver_remedy)
			mend(f, "%s", host->driver_remedy);
		return;
	}
	if (!there) {
		found(f, VERDICT_FAIL, "the driver is there (%u:%u), /dev/iommu "
		      "is not; a container has to be given it by who starts it",
		      major(dev), minor(dev));
		make_anew(f, dev);
		return;
	}
	if (node.mode == UNKNOWN) {
		found(f, VERDICT_OK, "/dev/iommu is there; whose it is is not "
		      "known");
		return;
	}
	if (!node.is_device || node.dev != dev) {
		found(f, VERDICT_FAIL, "/dev/iommu is not the driver's, which "
		      "is %u:%u", major(dev), minor(dev));
		make_anew(f, dev);
		return;
	}
	describe_node(&node, f);
}

static bool is_member(const struct who *who, uint64_t gid)
{
	for (size_t i = 0; i < who->group_count; i++)
		if (who->groups[i] == gid)
			return true;
	return false;
}

/* As the kernel decides, but for access control lists. */
static bool may_open(const struct who *who, const struct node *node)
{
	unsigned int bits = node->mode;

	if (!who->uid)
		return true;
	if (who->uid == node->uid)
		bits >>= 6;
	else if (is_member(who, node->gid))
		bits >>= 3;
	return (bits & 06) == 06;
}

/* 0, or errno. The context that it makes is gone at once. */
static int try_open(const struct host *host, const struct node *node)
{
	int fd;

	if (root_replayed())
		return node->mode == UNKNOWN || host->who.uid == UNKNOWN ? -1 :
		       may_open(&host->who, node) ? 0 : EACCES;
	fd = root_open(DEVICE_NODE, O_RDWR);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* NAME is in a list of the form "a, b". */
static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *at = list;

	while ((at = strstr(at, name))) {
		if ((at == list || at[-1] == ' ') &&
		    (!at[len] || at[len] == ','))
			return true;
		at += len;
	}
	return false;
}

static void refused(const char *user, const struct node *node,
		    struct finding *f)
{
	char *members, *group = name_of_group(node->gid, &members);

	if ((node->mode & 0060) != 0060 || !node->gid) {
		found(f, VERDICT_FAIL, "user %s may not open it: it is open to "
		      "its owner alone", user);
		mend(f, RULE " && adduser %s kvm  # then log in again", user);
	} else if (is_listed(members, user)) {
		found(f, VERDICT_FAIL, "user %s may not open it: the membership "
		      "of group %s counts from the next login on", user, group);
		mend(f, "newgrp %s  # as %s, for this shell", group, user);
	} else {
		found(f, VERDICT_FAIL, "user %s may not open it: it is no "
		      "member of group %s", user, group);
		mend(f, "adduser %s %s  # then log in again", user, group);
	}
	free(members);
	free(group);
}

void check_device_access(struct host *host, struct finding *f)
{
	char *user = host->who.uid == UNKNOWN ? text_of("unknown") :
						name_of_user(host->who.uid);
	struct node node;
	int err;

	if (!read_node(&node)) {
		found(f, VERDICT_FAIL, "user %s has nothing to open", user);
		if (host->driver_remedy)
			mend(f, "%s", host->driver_remedy);
		free(user);
		return;
	}
	err = try_open(host, &node);
	switch (err) {
	case 0:
		found(f, VERDICT_OK, "user %s may open it", user);
		break;
	case -1:
		found(f, VERDICT_WARN, "who may open it is not known");
		break;
	case EACCES:
		refused(user, &node, f);
		break;
	case EPERM:
		found(f, VERDICT_FAIL, "user %s is kept from it by a device "
		      "cgroup or a security module", user);
		mend(f, "systemctl set-property \"$(ps -o unit= $$)\" "
		     "DeviceAllow='/dev/iommu rw'  # in the shell or service "
		     "that is refused");
		break;
	default:
		found(f, VERDICT_FAIL, "user %s cannot open it: %s", user,
		      strerror(err));
		if (host->driver_remedy)
			mend(f, "%s", host->driver_remedy);
		break;
	}
	free(user);
}
