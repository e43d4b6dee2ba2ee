// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "change.h"
#include "errors_ioas.h"
#include "ioctls.h"

static int failed(struct problem *p, const struct context *context,
		  uint32_t id, const struct change *change, enum trying what)
{
	const struct attempt attempt = {
		.what = what,
		.context = context,
		.id = id,
		.ranges = change->allow,
	};

	return problem_ioas(p, &attempt, errno);
}

/*
 * All of it or nothing. What can be read, and so be put back, comes first; the
 * kernel tells no one which ranges are set aside. Returns 0, or -1 with the
 * problem filled.
 */
int change_ioas(const struct context *context, uint32_t id,
		const struct change *change, struct problem *p)
{
	int fd = context->fd;
	uint64_t before = 0, value = change->huge_pages == TRUTH_YES;
	bool switched = change->huge_pages != TRUTH_UNKNOWN;

	if (switched &&
	    (iommu_option(fd, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, id,
			  &before) ||
	     iommu_option(fd, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, id,
			  &value)))
		return failed(p, context, id, change, TRYING_HUGE_PAGES);
	if (!change->allow.known ||
	    !ioas_allow(fd, id, change->allow.ranges, change->allow.count))
		return 0;
	failed(p, context, id, change, TRYING_ALLOW);
	if (switched)
		iommu_option(fd, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET,
			     id, &before);
	return -1;
}

void change_free(struct change *change)
{
	free((void *)change->allow.ranges);
	change->allow = (struct range_list){};
}
