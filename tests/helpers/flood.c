// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood SECONDS: two threads open and close contexts as fast as they can, each
 * with a window of WINDOW open ones. Prints how many folders debugfs had at
 * most, and fails if that was out of proportion to the contexts open.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "iommu.h"

#define WINDOW 400

static atomic_bool stop;
static atomic_ulong opens;

static void *flood(void *arg)
{
	int fds[WINDOW], i;

	(void)arg;
	for (i = 0; i < WINDOW; i++)
		fds[i] = open_iommu();
	for (i = 0; !stop; i = (i + 1) % WINDOW) {
		close(fds[i]);
		fds[i] = open_iommu();
		opens++;
	}
	for (i = 0; i < WINDOW; i++)
		close(fds[i]);
	return NULL;
}

static long folders(void)
{
	struct stat st;

	if (stat("/sys/kernel/debug/iommufd", &st)) {
		perror("flood: debugfs");
		exit(1);
	}
	return st.st_nlink - 2;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	long most = 0, now;
	time_t end;
	int i;

	if (argc != 2)
		return 64;
	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, flood, NULL))
			return 1;
	for (end = time(NULL) + atoi(argv[1]); time(NULL) < end; ) {
		usleep(20000);
		now = folders();
		if (now > most)
			most = now;
	}
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("%lu opens, %d open at a time, %ld folders at most\n",
	       (unsigned long)opens, 2 * WINDOW, most);
	return most > 4 * WINDOW;
}
