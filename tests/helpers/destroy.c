// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * destroy FD ID: IOMMU_DESTROY on the inherited FD. Prints the errno's name.
 * Has a handler for SIGUSR1, so that one can see what a signal does to it.
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
	int rc;

	sigaction(SIGUSR1, &action, NULL);
	if (argc != 3)
		return 64;
	rc = destroy(atoi(argv[1]), strtoul(argv[2], NULL, 0));
	if (rc)
		puts(strerrorname_np(rc));
	return rc != 0;
}
