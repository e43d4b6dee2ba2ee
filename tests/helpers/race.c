// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race SECONDS: two threads, one on each CPU, destroy and use the same ids.
 *
 * What must hold: an object is destroyed by exactly one of those who try; a
 * destroy is never refused because somebody just uses the object; a use finds
 * the object whole, or not at all; at the end nothing is left.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "iommu.h"

static int fd;
static atomic_uint current;	/* the id that both go for */
static atomic_bool stop;
static atomic_ulong destroyed, used, missed;
static atomic_uint wrong;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		fprintf(stderr, "race: no CPU %d, threads share one\n", cpu);
}

static void try_destroy(uint32_t id)
{
	int rc = destroy(fd, id);

	if (!rc)
		destroyed++;
	else if (rc == ENOENT)
		missed++;
	else if (!wrong++)
		printf("destroy %u: %s\n", id, strerrorname_np(rc));
}

static void try_use(uint32_t id)
{
	int rc = ioas_use(fd, id);

	if (!rc)
		used++;
	else if (rc == ENOENT)
		missed++;
	else if (!wrong++)
		printf("use %u: %s\n", id, strerrorname_np(rc));
}

static void *other(void *arg)
{
	unsigned int round = 0;

	(void)arg;
	pin(1);
	while (!stop) {
		uint32_t id = current;

		try_use(id);
		try_use(id);
		if (++round % 3 == 0)
			try_destroy(id);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long made = 0;
	pthread_t thread;
	time_t end;

	if (argc != 2)
		return 64;
	end = time(NULL) + atoi(argv[1]);
	fd = open_iommu();
	pin(0);
	if (pthread_create(&thread, NULL, other, NULL)) {
		perror("race: pthread_create");
		return 1;
	}
	while (time(NULL) < end && !wrong) {
		uint32_t id;
		int i, rc = ioas_alloc(fd, &id);

		if (rc) {
			printf("alloc: %s\n", strerrorname_np(rc));
			wrong++;
			break;
		}
		made++;
		current = id;
		for (i = made % 5; i; i--)
			try_use(id);
		try_destroy(id);
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("%lu made, %lu destroyed, %lu uses, %lu too late\n", made,
	       (unsigned long)destroyed, (unsigned long)used,
	       (unsigned long)missed);
	if (made != destroyed || !used || !missed) {
		printf("made and destroyed differ, or nothing ever met\n");
		wrong++;
	}
	return wrong != 0;
}
