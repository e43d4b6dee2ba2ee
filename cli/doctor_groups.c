// SPDX-License-Identifier: GPL-2.0-or-later
/* Groups of devices that are to be given away, but cannot. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "errors.h"
#include "parse.h"
#include "sysfs.h"

/* struct survey - what the groups of all devices come to */
struct survey {
	size_t bound;		/* devices with a driver of VFIO */
	size_t groups;		/* with such a device */
	size_t spoilt;		/* of them, with one that the host uses too */
	uint64_t worst;		/* the first such group */
	const char *driver;	/* what its other devices are to have */
	char *blockers;		/* addresses in it, blanks between */
	char *names;		/* the same for people */
};

static void look_at_group(struct survey *s, const struct device_info *info)
{
	struct group_info group;
	char *text;

	sysfs_group(info->group, &group);
	s->bound++;
	for (size_t i = 0; i < group.member_count; i++) {
		/* each group once, by the first such device in it */
		if (!strcmp(group.members[i].name.address, info->name.address))
			break;
		if (strstr(group.members[i].driver, "vfio")) {
			sysfs_group_free(&group);
			return;
		}
	}
	s->groups++;
	for (size_t i = 0; i < group.member_count; i++) {
		const struct group_member *m = &group.members[i];

		if (!m->blocks)
			continue;
		if (s->worst == UNKNOWN) {
			s->worst = group.id;
			s->driver = strcmp(info->driver, "iommufd_vfio_pci") ?
				    "vfio-pci" : "iommufd_vfio_pci";
			s->spoilt++;
		} else if (s->worst != group.id) {
			s->spoilt++;
			break;
		}
		text = text_of("%s %s", s->blockers, m->name.address);
		free(s->blockers);
		s->blockers = text;
		text = text_of("%s%s%s (%s)", s->names, *s->names ? ", " : "",
			       m->name.address, m->driver);
		free(s->names);
		s->names = text;
	}
	sysfs_group_free(&group);
}

static void tell_groups(const struct survey *s, struct finding *f)
{
	if (!s->bound) {
		found(f, VERDICT_OK, "no device is bound to a driver of VFIO "
		      "yet ('iommufdctl devices' shows what there is)");
	} else if (!s->spoilt) {
		found(f, VERDICT_OK, "devices bound to a driver of VFIO: %zu, in "
		      "%zu groups, all of them viable", s->bound, s->groups);
	} else {
		found(f, VERDICT_FAIL, "of %zu groups with a device of VFIO %zu "
		      "are not viable, as the host uses devices of theirs too: "
		      "in group %ju %s", s->groups, s->spoilt,
		      (uintmax_t)s->worst, s->names);
		mend(f, "for d in%s; do echo %s "
		     ">/sys/bus/pci/devices/$d/driver_override; echo $d "
		     ">/sys/bus/pci/devices/$d/driver/unbind; echo $d "
		     ">/sys/bus/pci/drivers_probe; done", s->blockers,
		     s->driver);
	}
}

void check_groups(struct host *host, struct finding *f)
{
	struct survey survey = { .worst = UNKNOWN };
	struct device_list list;
	struct device_info info;
	struct problem problem;

	if (needs_iommu(host, f))
		return;
	if (sysfs_devices(&list, &problem)) {
		found(f, VERDICT_WARN, "%s", problem.text);
		return;
	}
	survey.blockers = text_of("%s", "");
	survey.names = text_of("%s", "");
	for (size_t i = 0; i < list.count; i++)
		if (sysfs_device(&list.names[i], &info) &&
		    info.group != UNKNOWN && strstr(info.driver, "vfio"))
			look_at_group(&survey, &info);
	sysfs_devices_free(&list);
	tell_groups(&survey, f);
	free(survey.blockers);
	free(survey.names);
}
