// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/fdinfo/FD: what the owner of a context may know of it without any
 * privilege, and the way from a process to a context id.
 */
#include <linux/fs.h>
#include <linux/seq_file.h>

#include "iommufd_private.h"

/**
 * iommufd_show_fdinfo - adds our lines to a file's fdinfo
 * @m: output
 * @file: an open /dev/iommu, held by the caller
 *
 * The context's id, the number of its objects, and of each type that there is
 * any of. The counters are read one by one and without a lock, so beside a
 * running create or destroy they may be one apart.
 */
void iommufd_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;
	unsigned int i;

	seq_printf(m, "iommufd-ctx:\t%llu\n", ictx->id);
	seq_printf(m, "iommufd-objects:\t%lu\n", READ_ONCE(ictx->nr_objects));
	for (i = 0; i < IOMMUFD_OBJ_TYPES; i++) {
		unsigned int nr = READ_ONCE(ictx->nr_by_type[i]);

		if (nr)
			seq_printf(m, "iommufd-%s:\t%u\n",
				   iommufd_object_type_name(i), nr);
	}

	/* Whoever has read an id may go and look it up in debugfs. */
	iommufd_debugfs_make(ictx->id);
}
