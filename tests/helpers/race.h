/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the races share: two threads, one on each CPU, with random delays in
 * between, until the time is up or something is wrong.
 */
#ifndef TESTS_RACE_H
#define TESTS_RACE_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "iommu.h"

static int fd;
static atomic_bool stop;		/* for the other thread */
static time_t end;
static atomic_uint wrong;
static __thread uint32_t noise;

static inline void report(const char *what, uint32_t id, int rc)
{
	if (!wrong++)
		printf("wrong: %s %u: %s\n", what, id,
		       rc ? strerrorname_np(rc) : "0");
}

static inline bool go_on(void)
{
	return !wrong && time(NULL) < end;
}

static inline void pin_to(int cpu)
{
	cpu_set_t set;

	noise = time(NULL) * 2654435761U + cpu + 1;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		fprintf(stderr, "race: no CPU %d, threads share one\n", cpu);
}

/* Mostly nothing, often a little, seldom a turn of the scheduler. */
static inline void jitter(void)
{
	uint32_t spin;

	noise ^= noise << 13;
	noise ^= noise >> 17;
	noise ^= noise << 5;
	if (noise % 256 == 0)
		sched_yield();
	else if (noise % 4 == 0)
		for (spin = noise >> 20; spin; spin--)
			__asm__ volatile("" : : : "memory");
}

static inline pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg)) {
		perror("race: pthread_create");
		exit(1);
	}
	return thread;
}

/**
 * struct race - a mode of a race program
 * @name: as it is called by
 * @run: called on CPU 0 with a context in @fd; returns when go_on() says no
 */
struct race {
	const char *name;
	void (*run)(void);
};

static inline int run_race(const struct race *races, unsigned int nr, int argc,
			   char **argv)
{
	unsigned int i;

	if (argc != 3)
		return 64;
	end = time(NULL) + atoi(argv[2]);
	for (i = 0; i < nr; i++) {
		if (strcmp(races[i].name, argv[1]))
			continue;
		fd = open_iommu();
		pin_to(0);
		races[i].run();
		return wrong != 0;
	}
	return 64;
}

#endif
