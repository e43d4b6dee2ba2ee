// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "errors.h"
#include "ioctls.h"
#include "rlimit_mode.h"

static const char *const names[] = { "user", "process" };

/* WORD as --rlimit-mode has it; does not return if it is wrong. */
enum rlimit_mode rlimit_mode_option(const char *word)
{
	for (int mode = RLIMIT_MODE_USER; mode < RLIMIT_MODE_UNSET; mode++)
		if (!strcmp(word, names[mode]))
			return mode;
	usage_error("'%s' is no rlimit mode: it is user or process", word);
}

static int explain(int err, struct problem *p)
{
	switch (err) {
	case EPERM:
		return problem_set(p, STATUS_NOT_PERMITTED, err,
			"not permitted to set the rlimit mode: that takes "
			"CAP_SYS_RESOURCE");
	case ENOTTY:
	case EOPNOTSUPP:
		return problem_set(p, STATUS_UNSUPPORTED, err,
			"this kernel's iommufd has no rlimit mode that could "
			"be set: leave out --rlimit-mode");
	case EBUSY:
		return problem_set(p, STATUS_IN_USE, err,
			"the rlimit mode can be set only while the context "
			"has no object");
	default:
		return problem_set(p, STATUS_FAILED, err,
			"cannot set the rlimit mode: %s", strerror(err));
	}
}

/*
 * To be the first call on a new descriptor. Set also where it is what the
 * driver begins with: a caller who asks for it is to know that it can be had.
 */
int rlimit_mode_set(int fd, enum rlimit_mode mode, struct problem *p)
{
	uint64_t value = mode;

	if (mode == RLIMIT_MODE_UNSET ||
	    !iommu_option(fd, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_SET,
			  0, &value))
		return 0;
	return explain(errno, p);
}

/* Of a context that is not new: is it as wanted? */
int rlimit_mode_check(int fd, enum rlimit_mode mode, struct problem *p)
{
	uint64_t value;

	if (mode == RLIMIT_MODE_UNSET)
		return 0;
	if (iommu_option(fd, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0,
			 &value))
		return explain(errno, p);
	if (value == (uint64_t)mode)
		return 0;
	return problem_set(p, STATUS_IN_USE, 0,
		"the context that the service manager kept has another rlimit "
		"mode than '%s': stop the service before it is started anew",
		names[mode]);
}
