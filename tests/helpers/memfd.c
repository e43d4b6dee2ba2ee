// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memfd KIB: makes a memfd of that size, prints its descriptor's number and
 * sleeps with it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = memfd_create("memfd", MFD_CLOEXEC);

	if (argc != 2)
		return 64;
	if (fd < 0 || ftruncate(fd, atol(argv[1]) * 1024)) {
		perror("memfd");
		return 1;
	}
	printf("%d\n", fd);
	fflush(stdout);
	for (;;)
		pause();
}
