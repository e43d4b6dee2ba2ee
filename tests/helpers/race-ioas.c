// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race-ioas MODE SECONDS: as race.c, about what is in an I/O address space. All
 * but "copy", "edge" and "map" need kernel/testdrv.c. Prints what happened how
 * often; fails if an answer was one that cannot be, if the two never met, or if a
 * page stays pinned.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "drv.h"
#include "race.h"

#define P 4096ULL
#define PAGES 16
#define IOVA 0x10000000ULL
#define R IOMMU_IOAS_MAP_READABLE
#define W IOMMU_IOAS_MAP_WRITEABLE
#define FRW (IOMMU_IOAS_MAP_FIXED_IOVA | R | W)

static uint32_t ioas;
static char *mem;
static atomic_ulong done, refused;

static void new_ioas(uint32_t *id)
{
	if (ioas_alloc(fd, id)) {
		perror("race-ioas: IOAS_ALLOC");
		exit(1);
	}
}

static int map(uint32_t id, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = FRW,
		.ioas_id = id,
		.user_va = (uintptr_t)mem,
		.length = length,
		.iova = iova,
	};

	return call(fd, IOMMU_IOAS_MAP, &cmd);
}

static int unmap(uint32_t id, uint64_t iova, uint64_t *length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.iova = iova,
		.length = *length,
	};
	int rc = call(fd, IOMMU_IOAS_UNMAP, &cmd);

	*length = cmd.length;
	return rc;
}

/* What the other thread got. */
static void count(const char *what, int rc, int allowed)
{
	if (!rc)
		done++;
	else if (rc == allowed)
		refused++;
	else
		report(what, 0, rc);
}

static void sum(const char *what, struct pins before)
{
	struct pins now = pins_now();
	unsigned long taken = now.taken - before.taken;

	printf("%s: %lu done, %lu too late, %lu pages pinned\n", what, done,
	       refused, taken);
	if (!done || !refused)
		report("the two never met", 0, 0);
	if (taken != now.given - before.given)
		report("pages that stay pinned", taken, 0);
}

/*
 * map: both map and unmap the same page. At any time it is mapped once at most,
 * and who mapped it or found it mapped can tell by the sums.
 */
static atomic_ulong mapped, unmapped;

static void map_or_unmap(void)
{
	uint64_t length = P;
	int rc;

	jitter();
	rc = map(ioas, IOVA, P);
	if (!rc)
		mapped++;
	else if (rc != EEXIST)
		report("map", 0, rc);
	jitter();
	rc = unmap(ioas, IOVA, &length);
	if (!rc && length == P)
		unmapped++;
	else if (rc != ENOENT)
		report("unmap", 0, rc);
	count("map or unmap", rc, ENOENT);
}

static void *map_and_unmap(void *arg)
{
	(void)arg;
	pin_to(1);
	while (!stop)
		map_or_unmap();
	return NULL;
}

static void mode_map(void)
{
	struct pins before = pins_now();
	pthread_t thread;

	new_ioas(&ioas);
	thread = start(map_and_unmap, NULL);

	while (go_on())
		map_or_unmap();
	stop = true;
	pthread_join(thread, NULL);
	printf("%lu mapped, %lu unmapped\n", mapped, unmapped);
	if (mapped != unmapped)
		report("mapped and unmapped differ", 0, 0);
	sum("map", before);
}

/*
 * edge: one unmaps a range of more areas than go at once, the other maps what
 * begins below that range and ends in the middle of it. That is never taken for a
 * part of the range.
 */
#define EDGE_AREAS 100ULL
#define EDGE_AT 64ULL		/* so many the driver takes out at once */

static atomic_ulong between;

static void *map_across(void *arg)
{
	uint64_t start = IOVA - 4 * P, all = (4 + 2 * EDGE_AT) * P, length;
	int rc;

	(void)arg;
	pin_to(1);
	while (!stop) {
		rc = map(ioas, start, all);
		count("map across", rc, EEXIST);
		if (rc)
			continue;
		length = all;
		rc = unmap(ioas, start, &length);
		if (rc || length != all)
			report("unmap of what was mapped across", 0, rc);
	}
	return NULL;
}

static void mode_edge(void)
{
	struct pins before = pins_now();
	pthread_t thread;
	uint64_t i, nr, length;
	int rc;

	new_ioas(&ioas);
	thread = start(map_across, NULL);

	while (go_on()) {
		for (i = nr = 0; i < EDGE_AREAS; i++) {
			rc = map(ioas, IOVA + 2 * i * P, P);
			if (!rc)
				nr++;
			else if (rc != EEXIST)
				report("map", 0, rc);
		}
		while (nr && go_on()) {
			length = 2 * EDGE_AREAS * P;
			rc = unmap(ioas, IOVA, &length);
			if (rc == ENOENT)
				between++;
			else if (rc)
				report("unmap", 0, rc);
			if (length > nr * P)
				report("more than was mapped in the range", 0, 0);
			nr -= length / P;
		}
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("%lu times in between\n", between);
	if (!between)
		report("it never came in between", 0, 0);
	sum("edge", before);
}

/*
 * copy: one maps and unmaps, the other copies that to another IOAS. Either the
 * copy is whole, or there is none.
 */
static uint32_t other;

static void *copy_and_unmap(void *arg)
{
	(void)arg;
	pin_to(1);
	while (!stop) {
		struct iommu_ioas_copy cmd = {
			.size = sizeof(cmd),
			.flags = FRW,
			.dst_ioas_id = other,
			.src_ioas_id = ioas,
			.length = PAGES * P,
			.dst_iova = 2 * IOVA,
			.src_iova = IOVA,
		};
		uint64_t length = PAGES * P;
		int rc, gone;

		jitter();
		rc = call(fd, IOMMU_IOAS_COPY, &cmd);
		count("copy", rc, ENOENT);
		jitter();
		gone = unmap(other, 2 * IOVA, &length);
		if (rc ? gone != ENOENT || length :
			 gone || length != PAGES * P)
			report("unmap of the copy", length, gone);
	}
	return NULL;
}

static void mode_copy(void)
{
	struct pins before = pins_now();
	pthread_t thread;

	new_ioas(&ioas);
	new_ioas(&other);
	thread = start(copy_and_unmap, NULL);
	while (go_on()) {
		uint64_t length = PAGES * P;
		int rc;

		/* Two areas: a copy of one without the other is none. */
		rc = map(ioas, IOVA, PAGES / 2 * P) ?:
		     map(ioas, IOVA + PAGES / 2 * P, PAGES / 2 * P);
		if (rc)
			report("map", 0, rc);
		jitter();
		rc = unmap(ioas, IOVA, &length);
		if (rc || length != PAGES * P)
			report("unmap", length, rc);
		jitter();
	}
	stop = true;
	pthread_join(thread, NULL);
	sum("copy", before);
}

/*
 * pin: one maps and unmaps, the other pins and unpins. No unmap is refused
 * since somebody has pinned; no pin sees half of it.
 */
static int session;
static uint32_t access_id;

static void *pin_and_unpin(void *arg)
{
	(void)arg;
	pin_to(1);
	while (!stop) {
		jitter();
		count("pin", drv(session, "pin %u %#llx %llu 1", access_id,
				 IOVA + P, 3 * P), ENOENT);
		jitter();
		/* If it is not there any more, the unmap saw to it. */
		drv(session, "unpin %u %#llx %llu", access_id, IOVA + P, 3 * P);
	}
	return NULL;
}

static void *read_and_write(void *arg)
{
	uint32_t round = 0;

	(void)arg;
	pin_to(1);
	while (!stop) {
		round++;
		jitter();
		count("write", drv(session, "write %u %#llx %llu %u %u",
				   access_id, IOVA + 5, 3 * P, round,
				   round % 4 * 2), ENOENT);
	}
	return NULL;
}

static void new_access(void)
{
	if (drv(session, "access obey")) {
		perror("race-ioas: access");
		exit(1);
	}
	access_id = drv_result(session);
}

static void map_against(void *(*fn)(void *), const char *what)
{
	struct pins before = pins_now();
	pthread_t thread;

	new_ioas(&ioas);
	session = drv_open(fd);
	new_access();
	if (drv(session, "attach %u %u", access_id, ioas))
		report("attach", access_id, errno);
	thread = start(fn, NULL);
	while (go_on()) {
		uint64_t length = PAGES * P;
		int rc;

		rc = map(ioas, IOVA, length);
		if (rc)
			report("map", 0, rc);
		jitter();
		jitter();
		rc = unmap(ioas, IOVA, &length);
		if (rc || length != PAGES * P)
			report("unmap", length, rc);
		jitter();
	}
	stop = true;
	pthread_join(thread, NULL);
	close(session);
	sum(what, before);
}

static void mode_pin(void)
{
	map_against(pin_and_unpin, "pin");
}

static void mode_rw(void)
{
	map_against(read_and_write, "write");
}

/*
 * access: one maps and unmaps, the other makes an access, pins by it, and ends
 * it with what it has pinned.
 */
static void *make_and_end(void *arg)
{
	unsigned int round = 0;

	(void)arg;
	pin_to(1);
	while (!stop) {
		int rc;

		new_access();
		rc = drv(session, "attach %u %u", access_id, ioas);
		if (rc)
			report("attach", access_id, rc);
		count("pin", drv(session, "pin %u %#llx %llu 1", access_id,
				 IOVA, PAGES * P), ENOENT);
		jitter();
		if (++round % 2)
			drv(session, "detach %u", access_id);
		jitter();
		rc = drv(session, "end %u", access_id);
		if (rc)
			report("end", access_id, rc);
	}
	return NULL;
}

static void mode_access(void)
{
	struct pins before = pins_now();
	pthread_t thread;

	new_ioas(&ioas);
	session = drv_open(fd);
	thread = start(make_and_end, NULL);
	while (go_on()) {
		uint64_t length = PAGES * P;
		int rc;

		rc = map(ioas, IOVA, length);
		if (rc)
			report("map", 0, rc);
		jitter();
		rc = unmap(ioas, IOVA, &length);
		if (rc || length != PAGES * P)
			report("unmap", length, rc);
		jitter();
	}
	stop = true;
	pthread_join(thread, NULL);
	close(session);
	sum("access", before);
}

/*
 * replace: one moves an access between two address spaces, the other destroys
 * the one that it has left and makes it anew.
 */
static atomic_uint homes[2];

static void *move(void *arg)
{
	unsigned int round = 0;

	(void)arg;
	pin_to(1);
	while (!stop) {
		jitter();
		count("replace", drv(session, "replace %u %u", access_id,
				     homes[++round % 2]), ENOENT);
		drv(session, "pin %u %#llx %llu 1", access_id, IOVA, P);
	}
	return NULL;
}

static void mode_replace(void)
{
	struct pins before = pins_now();
	unsigned long busy = 0, gone = 0;
	unsigned int i;
	pthread_t thread;
	uint32_t id;

	session = drv_open(fd);
	new_access();
	for (i = 0; i < 2; i++) {
		new_ioas(&id);
		homes[i] = id;
	}
	if (drv(session, "attach %u %u", access_id, homes[0]))
		report("attach", access_id, errno);
	thread = start(move, NULL);
	for (i = 0; go_on(); i ^= 1) {
		int rc = map(homes[i], IOVA, P);

		if (rc && rc != EEXIST)
			report("map", homes[i], rc);
		jitter();
		rc = destroy(fd, homes[i]);
		if (rc == EBUSY) {
			busy++;
			continue;
		}
		if (rc)
			report("destroy", homes[i], rc);
		gone++;
		jitter();
		new_ioas(&id);
		homes[i] = id;
	}
	stop = true;
	pthread_join(thread, NULL);
	close(session);
	printf("%lu destroyed, %lu busy\n", gone, busy);
	if (!busy || !gone)
		report("the two never met", 0, 0);
	sum("replace", before);
}

static const struct race modes[] = {
	{ "map", mode_map },
	{ "edge", mode_edge },
	{ "copy", mode_copy },
	{ "pin", mode_pin },
	{ "rw", mode_rw },
	{ "access", mode_access },
	{ "replace", mode_replace },
};

int main(int argc, char **argv)
{
	mem = mmap(NULL, PAGES * P, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED) {
		perror("race-ioas: mmap");
		return 1;
	}
	return run_race(modes, sizeof(modes) / sizeof(modes[0]), argc, argv);
}
