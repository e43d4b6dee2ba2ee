/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VFIO character device of a PCI device. */
#ifndef CLI_VFIO_CDEV_H
#define CLI_VFIO_CDEV_H

#include "errors.h"

int vfio_cdev_open(const char *address, struct problem *p);

#endif
