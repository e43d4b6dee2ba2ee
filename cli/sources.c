// SPDX-License-Identifier: GPL-2.0-or-later
/* Which source is asked: iommufdctl(1), SOURCES. */
#include "roots.h"
#include "source.h"

/* The kernel that is asked is this one, so not for another host's files. */
static bool netlink_fits(void)
{
	return !root_replayed();
}

int source_list(const struct query *query, struct sink *sink,
		struct problem *p)
{
	int ret = SOURCE_ABSENT;

	if (netlink_fits())
		ret = source_netlink.list(query, sink, p);
	if (ret == SOURCE_ABSENT)
		ret = source_probe.list(query, sink, p);
	return ret;
}

int source_show(const struct context_spec *spec, uint32_t id,
		struct sink *sink, struct problem *p)
{
	int ret = SOURCE_ABSENT;

	if (netlink_fits())
		ret = source_netlink.show(spec, id, sink, p);
	if (ret == SOURCE_ABSENT)
		ret = source_probe.show(spec, id, sink, p);
	return ret;
}
