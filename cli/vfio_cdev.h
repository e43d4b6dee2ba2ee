/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VFIO character device of a PCI device, and what it can be told. */
#ifndef CLI_VFIO_CDEV_H
#define CLI_VFIO_CDEV_H

#include "errors.h"

int vfio_cdev_open(const char *address, struct problem *p);

/* Ioctls on it: 0, or -1 with errno. */
int vfio_bind(int device, int iommufd, uint32_t *id);
int vfio_attach(int device, uint32_t *pt);
int vfio_detach(int device);

#endif
