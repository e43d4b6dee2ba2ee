// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz [--seed N] [--seconds N] [--rounds N]
 *
 * Throws valid, nearly valid and hostile ioctls at /dev/iommu from two threads,
 * and holds every answer against a model.
 *
 * In the context "own" each thread destroys only what it made itself, so the
 * model knows each answer exactly, whatever the other thread does meanwhile. In
 * the context "contested" both destroy whatever they can name; there the sums
 * must be right. After each round the threads stand still, and the kernel's
 * state is compared with the model's: ids that live, ids that do not, counts.
 *
 * The calls of round N depend on the seed, N and the ids that the kernel gave.
 * A failure prints what to run to see it again.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>

#include "iommu.h"

#define CALLS_A_ROUND 400
#define MAX_OWN 256
#define MAX_CONTESTED 64
#define NEVER_GIVEN 0x01000000	/* ids from here on are never reached */

static int own, contested;
static uint64_t seed;
static unsigned long round_nr;
static atomic_bool failed;

struct fuzzer {
	int nr;
	uint64_t rng;
	uint32_t ids[MAX_OWN];		/* that this thread owns in "own" */
	unsigned int nr_ids;
	unsigned long calls;
	unsigned char *edge;		/* end of a page with nothing after it */
	unsigned char *rdonly;		/* a page that can only be read ... */
	unsigned char *rdonly_w;	/* ... and where it can be written */
};

static struct fuzzer fuzzers[2];
static atomic_uint candidates[MAX_CONTESTED];
static atomic_ulong contested_made, contested_destroyed;
static pthread_barrier_t barrier;
static atomic_bool stop;

static void fail(const struct fuzzer *f, const char *fmt, ...)
{
	va_list args;

	if (atomic_exchange(&failed, true))
		return;
	printf("FAILED in round %lu, thread %d: ", round_nr, f ? f->nr : -1);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\nagain: fuzz --seed %llu --rounds %lu\n",
	       (unsigned long long)seed, round_nr + 1);
}

static uint64_t next(struct fuzzer *f)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return f->rng;
}

static uint32_t below(struct fuzzer *f, uint32_t limit)
{
	return (next(f) >> 16) % limit;
}

static const struct {
	const char *name;
	unsigned long cmd;
	uint32_t size;
	uint32_t min;
	bool reply;
} commands[] = {
	{ "DESTROY", IOMMU_DESTROY, sizeof(struct iommu_destroy),
	  sizeof(struct iommu_destroy), false },
	{ "IOAS_ALLOC", IOMMU_IOAS_ALLOC, sizeof(struct iommu_ioas_alloc),
	  sizeof(struct iommu_ioas_alloc), true },
	{ "IOAS_IOVA_RANGES", IOMMU_IOAS_IOVA_RANGES,
	  sizeof(struct iommu_ioas_iova_ranges),
	  sizeof(struct iommu_ioas_iova_ranges), true },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/*
 * One hostile call: a command that is wrong in one way at least, and what the
 * rules of dispatch say to that. Nothing may come into being or go.
 */
static void hostile(struct fuzzer *f)
{
	unsigned int which = below(f, NR_COMMANDS), i;
	unsigned long cmd = commands[which].cmd;
	uint32_t size = commands[which].size;
	unsigned char buf[256];
	void *arg = buf;
	const char *how;
	int want, got;

	memset(buf, 0, sizeof(buf));
	/* What would be valid but for what follows: an id that is not there. */
	if (cmd != IOMMU_IOAS_ALLOC)
		((uint32_t *)buf)[1] = NEVER_GIVEN + below(f, 1000);

	switch (below(f, 9)) {
	case 0:
		how = "unknown number";
		cmd = _IO(';', IOMMUFD_CMD_FAULT_QUEUE_ALLOC + 1 +
				       below(f, 0x71));
		arg = below(f, 2) ? buf : NULL;
		want = ENOTTY;
		break;
	case 1:
		how = "known number, wrong word";
		cmd = _IOC(1 + below(f, 3), ';', _IOC_NR(cmd), below(f, 64));
		want = ENOTTY;
		break;
	case 2:
		how = "no memory";
		arg = below(f, 2) ? NULL : f->edge;
		want = EFAULT;
		break;
	case 3:
		how = "half of it without memory";
		arg = f->edge - 4 * (1 + below(f, commands[which].min / 4 - 1));
		*(uint32_t *)arg = size;
		want = EFAULT;
		break;
	case 4:
		how = "too small";
		size = below(f, commands[which].min);
		want = EINVAL;
		break;
	case 5:
		how = "unknown byte set";
		i = size + below(f, sizeof(buf) - size);
		size = i + 1 + below(f, sizeof(buf) - i);
		buf[i] = 1 + below(f, 255);
		want = E2BIG;
		break;
	case 6:
		how = "unknown but zero bytes, id not there or flag";
		size += below(f, sizeof(buf) - size + 1);
		if (cmd == IOMMU_IOAS_ALLOC) {
			((uint32_t *)buf)[1] = 1U << below(f, 32);
			want = EOPNOTSUPP;
		} else {
			want = ENOENT;
		}
		break;
	case 7:
		how = "reserved field or flag";
		if (cmd == IOMMU_DESTROY) {
			want = ENOENT;
			break;
		}
		i = cmd == IOMMU_IOAS_ALLOC ? 1 : 3;
		((uint32_t *)buf)[i] = 1 + (next(f) >> 33);
		want = EOPNOTSUPP;
		break;
	default:
		how = "reply into memory that cannot be written";
		if (cmd != IOMMU_IOAS_ALLOC) {
			want = ENOENT;
			break;
		}
		memset(f->rdonly_w, 0, 64);
		*(uint32_t *)f->rdonly_w = size;
		arg = f->rdonly;
		want = EFAULT;
		break;
	}
	if (arg == buf)
		*(uint32_t *)buf = size;
	got = call(own, cmd, arg);
	if (got != want)
		fail(f, "%s, %s: %s wanted, got %s", commands[which].name, how,
		     strerrorname_np(want) ?: "0", strerrorname_np(got) ?: "0");
}

static void own_alloc(struct fuzzer *f)
{
	int rc;

	if (f->nr_ids == MAX_OWN)
		return;
	rc = ioas_alloc(own, &f->ids[f->nr_ids]);
	if (rc)
		fail(f, "alloc: %s", strerrorname_np(rc));
	else if (!f->ids[f->nr_ids] || f->ids[f->nr_ids] >= NEVER_GIVEN)
		fail(f, "alloc gave id %u", f->ids[f->nr_ids]);
	else
		f->nr_ids++;
}

static void own_destroy(struct fuzzer *f)
{
	unsigned int i;
	int rc;

	if (!f->nr_ids)
		return;
	i = below(f, f->nr_ids);
	rc = destroy(own, f->ids[i]);
	if (rc)
		fail(f, "destroy of own %u: %s", f->ids[i],
		     strerrorname_np(rc));
	f->ids[i] = f->ids[--f->nr_ids];
}

static void own_use(struct fuzzer *f)
{
	unsigned int i;
	int rc;

	if (!f->nr_ids)
		return;
	i = below(f, f->nr_ids);
	rc = ioas_use(own, f->ids[i]);
	if (rc)
		fail(f, "use of own %u: %s", f->ids[i], strerrorname_np(rc));
}

/* Not ours, so it may be gone. But it must never be anything else. */
static void foreign_use(struct fuzzer *f)
{
	int rc = ioas_use(own, 1 + below(f, 2 * MAX_OWN));

	if (rc && rc != ENOENT)
		fail(f, "use of any id: %s", strerrorname_np(rc));
}

static void contested_alloc(struct fuzzer *f)
{
	uint32_t id;
	int rc = ioas_alloc(contested, &id);

	if (rc) {
		fail(f, "contested alloc: %s", strerrorname_np(rc));
		return;
	}
	contested_made++;
	candidates[below(f, MAX_CONTESTED)] = id;
}

static void contested_destroy(struct fuzzer *f)
{
	int rc = destroy(contested, candidates[below(f, MAX_CONTESTED)]);

	if (!rc)
		contested_destroyed++;
	else if (rc != ENOENT)
		fail(f, "contested destroy: %s", strerrorname_np(rc));
}

static void contested_use(struct fuzzer *f)
{
	int rc = ioas_use(contested, candidates[below(f, MAX_CONTESTED)]);

	if (rc && rc != ENOENT)
		fail(f, "contested use: %s", strerrorname_np(rc));
}

static const struct {
	unsigned int weight;
	void (*fn)(struct fuzzer *f);
} calls[] = {
	{ 30, hostile },
	{ 15, own_alloc },
	{ 13, own_destroy },
	{ 10, own_use },
	{ 5, foreign_use },
	{ 10, contested_alloc },
	{ 12, contested_destroy },
	{ 5, contested_use },
};

static void one_round(struct fuzzer *f)
{
	int i;

	f->rng = seed * 0x9e3779b97f4a7c15ULL + round_nr * 2 + f->nr + 1;
	next(f);
	for (i = 0; i < CALLS_A_ROUND && !failed; i++) {
		uint32_t dice = below(f, 100);
		unsigned int c = 0;

		while (dice >= calls[c].weight)
			dice -= calls[c++].weight;
		calls[c].fn(f);
		f->calls++;
	}
}

static unsigned long count_of(int fd)
{
	char path[64], line[128];
	unsigned long nr = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "iommufd-objects: %lu", &nr);
	if (file)
		fclose(file);
	return nr;
}

/* Both threads stand still: the kernel's state and the model's are the same. */
static void compare(struct fuzzer *f)
{
	unsigned long nr = 0, left;
	static bool live[NEVER_GIVEN];
	uint32_t id, highest = 0;
	unsigned int t, i;

	for (t = 0; t < 2; t++) {
		for (i = 0; i < fuzzers[t].nr_ids; i++) {
			id = fuzzers[t].ids[i];
			if (live[id])
				fail(f, "id %u was given twice", id);
			live[id] = true;
			nr++;
			if (id > highest)
				highest = id;
		}
	}
	for (id = 1; id <= highest + 16; id++) {
		int rc = ioas_use(own, id);

		if (rc != (live[id] ? 0 : ENOENT))
			fail(f, "after the round, id %u, which is %s: %s", id,
			     live[id] ? "alive" : "gone",
			     strerrorname_np(rc) ?: "0");
		live[id] = false;
	}
	/* Upstream's driver has no such lines. */
	if (count_of(own) != -1UL && count_of(own) != nr)
		fail(f, "%lu objects, %lu expected", count_of(own), nr);
	left = contested_made - contested_destroyed;
	if (count_of(contested) != -1UL && count_of(contested) != left)
		fail(f, "contested: %lu objects, %lu expected",
		     count_of(contested), left);
}

static void *run(void *arg)
{
	struct fuzzer *f = arg;

	for (;;) {
		pthread_barrier_wait(&barrier);
		if (stop)
			return NULL;
		one_round(f);
		pthread_barrier_wait(&barrier);
	}
}

static void *map_page(int prot)
{
	void *page = mmap(NULL, 8192, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		perror("fuzz: mmap");
		exit(1);
	}
	return page;
}

static void prepare(struct fuzzer *f, int nr)
{
	int memfd = memfd_create("fuzz", MFD_CLOEXEC);

	f->nr = nr;
	f->edge = map_page(PROT_READ | PROT_WRITE);
	mprotect(f->edge + 4096, 4096, PROT_NONE);
	f->edge += 4096;
	if (memfd < 0 || ftruncate(memfd, 4096)) {
		perror("fuzz: memfd");
		exit(1);
	}
	f->rdonly = mmap(NULL, 4096, PROT_READ, MAP_SHARED, memfd, 0);
	f->rdonly_w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			   memfd, 0);
	close(memfd);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ "rounds", required_argument, NULL, 'r' },
		{ 0 },
	};
	unsigned long rounds = -1UL;
	time_t end = time(NULL) + 60;
	pthread_t thread;
	int opt;

	seed = time(NULL) ^ ((uint64_t)getpid() << 32);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			end = time(NULL) + atol(optarg);
			break;
		case 'r':
			rounds = strtoul(optarg, NULL, 0);
			end = time(NULL) + 100000000;
			break;
		default:
			return 64;
		}
	}
	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);

	own = open_iommu();
	contested = open_iommu();
	prepare(&fuzzers[0], 0);
	prepare(&fuzzers[1], 1);
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, run, &fuzzers[1])) {
		perror("fuzz: pthread_create");
		return 1;
	}

	while (!failed && round_nr < rounds && time(NULL) < end) {
		pthread_barrier_wait(&barrier);
		one_round(&fuzzers[0]);
		pthread_barrier_wait(&barrier);
		compare(&fuzzers[0]);
		if (!failed)
			round_nr++;
	}
	stop = true;
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	printf("%lu rounds, %lu calls, %s\n", round_nr,
	       fuzzers[0].calls + fuzzers[1].calls, failed ? "failed" : "ok");
	return failed;
}
