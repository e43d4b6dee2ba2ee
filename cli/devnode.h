/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/iommu, and how one of its descriptors is told from any other. */
#ifndef CLI_DEVNODE_H
#define CLI_DEVNODE_H

#include <stdbool.h>
#include <sys/types.h>

#define DEVICE_NODE "/dev/iommu"

int device_number(dev_t *dev);
bool is_iommufd(int fd);

#endif
