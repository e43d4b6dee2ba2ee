// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ioas FD: makes an IOAS on the inherited FD and prints its id.
 */
#define _GNU_SOURCE
#include "iommu.h"

int main(int argc, char **argv)
{
	uint32_t id;
	int rc;

	if (argc != 2)
		return 64;
	rc = ioas_alloc(atoi(argv[1]), &id);
	if (rc)
		puts(strerrorname_np(rc));
	else
		printf("%u\n", id);
	return rc != 0;
}
