// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * use FD ID: asks the IOAS for its ranges. Prints the errno's name.
 */
#define _GNU_SOURCE
#include "iommu.h"

int main(int argc, char **argv)
{
	int rc;

	if (argc != 3)
		return 64;
	rc = ioas_use(atoi(argv[1]), strtoul(argv[2], NULL, 0));
	if (rc)
		puts(strerrorname_np(rc));
	return rc != 0;
}
