// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * many FD COUNT: makes COUNT IOAS in the context behind the inherited FD.
 */
#include "iommu.h"

int main(int argc, char **argv)
{
	uint32_t id;
	int fd, nr;

	if (argc != 3)
		return 64;
	fd = atoi(argv[1]);
	for (nr = atoi(argv[2]); nr > 0; nr--) {
		int rc = ioas_alloc(fd, &id);

		if (rc) {
			fprintf(stderr, "many: %s\n", strerror(rc));
			return 1;
		}
	}
	return 0;
}
