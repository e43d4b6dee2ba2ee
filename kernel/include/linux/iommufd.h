/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iommufd offers to other drivers. Names and signatures are those that
 * Linux 6.12 publishes, exported in the symbol namespace IOMMUFD.
 *
 * A driver built outside the kernel tree, against a kernel without
 * CONFIG_IOMMUFD, says that it means this module by defining
 * IOMMUFD_OUT_OF_TREE. It does not define the CONFIG_ symbol itself: that one
 * also changes the layout of other subsystems' structs.
 */
#ifndef __LINUX_IOMMUFD_H
#define __LINUX_IOMMUFD_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/types.h>

struct file;
struct iommufd_ctx;

#if IS_ENABLED(CONFIG_IOMMUFD) || defined(IOMMUFD_OUT_OF_TREE)
void iommufd_ctx_get(struct iommufd_ctx *ictx);
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file);
struct iommufd_ctx *iommufd_ctx_from_fd(int fd);
void iommufd_ctx_put(struct iommufd_ctx *ictx);
#else
static inline void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
}

static inline struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
}
#endif

#endif
