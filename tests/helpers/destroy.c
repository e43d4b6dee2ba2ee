// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * destroy FD ID...: IOMMU_DESTROY on the inherited FD. Prints the errno's name of
 * each that fails, and ends with 1 then. Has a handler for SIGUSR1, so that one can
 * see what a signal does to it.
 */
#define _GNU_SOURCE
#include <signal.h>

#include "iommu.h"

static void on_signal(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	int i, rc, failed = 0;

	sigaction(SIGUSR1, &action, NULL);
	if (argc < 3)
		return 64;
	for (i = 2; i < argc; i++) {
		rc = destroy(atoi(argv[1]), strtoul(argv[i], NULL, 0));
		if (rc) {
			puts(strerrorname_np(rc));
			failed = 1;
		}
	}
	return failed;
}
