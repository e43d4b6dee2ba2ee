// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * churn FD SECONDS [busy]: creates and destroys IOAS in the context behind the
 * inherited FD, a hundred at a time, for others to look at meanwhile. With busy,
 * an EBUSY is not the end: upstream's iommufd answers that to a destroy while
 * somebody else's call is on the object, ours never.
 */
#include <string.h>
#include <time.h>

#include "iommu.h"

int main(int argc, char **argv)
{
	unsigned long rounds = 0;
	uint32_t ids[100];
	time_t end;
	int fd, i, rc;

	if (argc != 3 && (argc != 4 || strcmp(argv[3], "busy")))
		return 64;
	fd = atoi(argv[1]);
	end = time(NULL) + atoi(argv[2]);
	for (; time(NULL) < end; rounds++) {
		for (i = 0; i < 100; i++) {
			if (ioas_alloc(fd, &ids[i])) {
				perror("churn: alloc");
				return 1;
			}
		}
		for (i = 0; i < 100; i++) {
			while ((rc = destroy(fd, ids[i])) == EBUSY && argc == 4)
				;
			if (rc) {
				fprintf(stderr, "churn: destroy: %s\n",
					strerror(rc));
				return 1;
			}
		}
	}
	printf("%lu rounds\n", rounds);
	return !rounds;
}
