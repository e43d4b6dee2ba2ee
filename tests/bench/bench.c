// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times calls on /dev/iommu, whichever driver is behind it. Prints one line a
 * row, "NAME NANOSECONDS": for one call, or for one object where the name ends
 * in the number of them.
 *
 * A figure alone says little about an emulated machine: tests/bench/compare
 * runs this on two drivers in turn, in one boot, and gives the ratio.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdbool.h>
#include <time.h>

#include "iommu.h"

/* Long enough to drown a timer interrupt, short enough for many rounds. */
#define WANTED_NS 200000000ULL

static int fd;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void destroy_unknown(void)
{
	must(destroy(fd, 0x7ffffff0) == ENOENT, "destroy of an unknown id");
}

static void unknown_ioctl(void)
{
	must(call(fd, _IO(';', 0xff), NULL) == ENOTTY, "unknown ioctl");
}

static void alloc_destroy(void)
{
	uint32_t id;

	must(!ioas_alloc(fd, &id), "IOAS alloc");
	must(!destroy(fd, id), "IOAS destroy");
}

static void iova_ranges(void)
{
	must(!ioas_use(fd, 1), "IOVA ranges");
}

static void open_close(void)
{
	int other = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	must(other >= 0, "open");
	close(other);
}

/* Doubles the number of calls until they take long enough. */
static void row(const char *name, void (*fn)(void))
{
	uint64_t calls, i, took;

	for (calls = 1; ; calls *= 2) {
		uint64_t start = now();

		for (i = 0; i < calls; i++)
			fn();
		took = now() - start;
		if (took >= WANTED_NS)
			break;
	}
	printf("%s %.1f\n", name, (double)took / calls);
	fflush(stdout);
}

/* The close of a context that holds @nr objects, per object. */
static void teardown(unsigned int nr)
{
	uint64_t start;
	unsigned int i;
	uint32_t id;
	int other = open_iommu();

	for (i = 0; i < nr; i++)
		must(!ioas_alloc(other, &id), "IOAS alloc");
	start = now();
	close(other);
	printf("teardown-%u %.1f\n", nr, (double)(now() - start) / nr);
	fflush(stdout);
}

/*
 * Reading all of a big context in debugfs, per object. Only our driver has it;
 * another gets no row.
 */
static void dump(unsigned int nr)
{
	char path[96], line[128], buf[16384];
	unsigned long ctx = 0;
	uint64_t start;
	unsigned int i;
	ssize_t n;
	uint32_t id;
	FILE *f;
	int other = open_iommu(), in;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", other);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "iommufd-ctx: %lu", &ctx);
	if (f)
		fclose(f);
	if (!ctx) {
		close(other);
		return;
	}
	for (i = 0; i < nr; i++)
		must(!ioas_alloc(other, &id), "IOAS alloc");
	snprintf(path, sizeof(path), "/sys/kernel/debug/iommufd/%lu/objects",
		 ctx);
	start = now();
	in = open(path, O_RDONLY | O_CLOEXEC);
	must(in >= 0, path);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		;
	must(!n, path);
	printf("dump-%u %.1f\n", nr, (double)(now() - start) / nr);
	close(in);
	close(other);
}

int main(void)
{
	cpu_set_t set;
	uint32_t id;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);

	fd = open_iommu();
	must(!ioas_alloc(fd, &id) && id == 1, "first IOAS");
	row("destroy-unknown-id", destroy_unknown);
	row("unknown-ioctl", unknown_ioctl);
	row("ioas-alloc-destroy", alloc_destroy);
	row("ioas-iova-ranges", iova_ranges);
	row("open-close", open_close);
	teardown(10000);
	teardown(40000);
	teardown(160000);
	dump(100000);
	return 0;
}
