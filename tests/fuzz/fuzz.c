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
#define NR_SLOTS 16
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
	uint32_t mapped_in;		/* which of them "slots" is about */
	bool slots[NR_SLOTS];
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

/*
 * Each command, in words of 32 bits: what is valid but for the id, which is not
 * there. All but the two without an id then answer ENOENT.
 */
static const struct command {
	const char *name;
	unsigned long cmd;
	uint32_t size;
	uint32_t min;
	int id;			/* word of the id, or 0: it makes something */
	int strict;		/* word in which any high bit is EOPNOTSUPP */
	uint32_t words[14];
} commands[] = {
	{ "DESTROY", IOMMU_DESTROY, 8, 8, 1, 0, { 0 } },
	{ "IOAS_ALLOC", IOMMU_IOAS_ALLOC, 12, 12, 0, 1, { 0 } },
	{ "ALLOW_IOVAS", IOMMU_IOAS_ALLOW_IOVAS, 24, 24, 1, 3, { 0 } },
	{ "COPY", IOMMU_IOAS_COPY, 40, 40, 3, 1, { [1] = 6, [4] = 4096 } },
	{ "IOVA_RANGES", IOMMU_IOAS_IOVA_RANGES, 32, 32, 1, 3, { 0 } },
	{ "MAP", IOMMU_IOAS_MAP, 40, 40, 2, 1, { [1] = 6, [6] = 4096 } },
	{ "UNMAP", IOMMU_IOAS_UNMAP, 24, 24, 1, 0, { [4] = 4096 } },
	{ "OPTION", IOMMU_OPTION, 24, 24, 3, 1, { [1] = 1, [2] = 1 } },
	{ "VFIO_IOAS", IOMMU_VFIO_IOAS, 12, 12, 1, 2, { [2] = 1 } },
	{ "HWPT_ALLOC", IOMMU_HWPT_ALLOC, 48, 24, 2, 5, { 0 } },
	{ "GET_HW_INFO", IOMMU_GET_HW_INFO, 40, 32, 2, 1, { 0 } },
	{ "SET_DIRTY_TRACKING", IOMMU_HWPT_SET_DIRTY_TRACKING, 16, 16, 2, 3,
	  { 0 } },
	{ "GET_DIRTY_BITMAP", IOMMU_HWPT_GET_DIRTY_BITMAP, 48, 48, 1, 3,
	  { [6] = 4096, [8] = 4096 } },
	{ "HWPT_INVALIDATE", IOMMU_HWPT_INVALIDATE, 32, 32, 1, 7, { 0 } },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/*
 * One hostile call: a command that is wrong in one way at least, and what the
 * rules of dispatch say to that. Nothing may come into being or go.
 */
static void hostile(struct fuzzer *f)
{
	const struct command *c = &commands[below(f, NR_COMMANDS)];
	unsigned long cmd = c->cmd;
	uint32_t size = c->size;
	unsigned char buf[256];
	void *arg = buf;
	const char *how;
	unsigned int i;
	int want, got;

	memset(buf, 0, sizeof(buf));
	memcpy(buf, c->words, sizeof(c->words));
	if (c->id)
		((uint32_t *)buf)[c->id] = NEVER_GIVEN + below(f, 1000);

	switch (below(f, 9)) {
	case 0:
		how = "unknown number";
		cmd = _IO(';', IOMMUFD_CMD_IOAS_MAP_FILE + 1 +
				       below(f, 0x70));
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
		arg = f->edge - 4 * (1 + below(f, c->min / 4 - 1));
		*(uint32_t *)arg = size;
		want = EFAULT;
		break;
	case 4:
		how = "too small";
		size = below(f, c->min);
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
		want = ENOENT;
		if (!c->id) {
			((uint32_t *)buf)[c->strict] = 1U << below(f, 32);
			want = EOPNOTSUPP;
		}
		break;
	case 7:
		how = "reserved field or flag";
		want = ENOENT;
		if (c->strict) {
			((uint32_t *)buf)[c->strict] |= 1U << (16 + below(f, 16));
			want = EOPNOTSUPP;
		}
		break;
	default:
		how = "reply into memory that cannot be written";
		want = c->id ? ENOENT : EFAULT;
		memset(f->rdonly_w, 0, 64);
		memcpy(f->rdonly_w, buf, 64);
		*(uint32_t *)f->rdonly_w = size;
		arg = f->rdonly;
		break;
	}
	if (arg == buf)
		*(uint32_t *)buf = size;
	got = call(own, cmd, arg);
	if (got != want)
		fail(f, "%s, %s: %s wanted, got %s", c->name, how,
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
	if (f->ids[i] == f->mapped_in)
		f->mapped_in = 0;
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

/*
 * Areas of the IOAS that this thread made last in "own": slots of 16 pages, of
 * which the model knows whether they are mapped.
 */
static uint64_t slot(unsigned int i)
{
	return 0x10000000 + i * 0x10000;
}

static int map_at(int fd, uint32_t id, uint64_t iova, uint64_t length,
		  uint32_t flags)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = id,
		.user_va = 0x40000000,
		.length = length,
		.iova = iova,
	};

	return call(fd, IOMMU_IOAS_MAP, &cmd);
}

static int unmap_at(int fd, uint32_t id, uint64_t iova, uint64_t *length)
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

#define FRW (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |             \
	     IOMMU_IOAS_MAP_WRITEABLE)

static void own_unmap_all(struct fuzzer *f)
{
	uint64_t length = UINT64_MAX;
	int rc = unmap_at(own, f->mapped_in, 0, &length);

	memset(f->slots, 0, sizeof(f->slots));
	if (rc)
		fail(f, "unmap of all in %u: %s", f->mapped_in,
		     strerrorname_np(rc));
}

static void own_map(struct fuzzer *f)
{
	unsigned int i = below(f, NR_SLOTS);
	int rc, want;

	if (!f->nr_ids || f->ids[f->nr_ids - 1] != f->mapped_in) {
		/* Another one than last time; from here on it is empty. */
		if (!f->nr_ids)
			return;
		f->mapped_in = f->ids[f->nr_ids - 1];
		own_unmap_all(f);
	}
	want = f->slots[i] ? EEXIST : 0;
	rc = map_at(own, f->mapped_in, slot(i), 0x8000, FRW);
	if (rc != want)
		fail(f, "map of slot %u in %u: %s wanted, got %s", i,
		     f->mapped_in, strerrorname_np(want) ?: "0",
		     strerrorname_np(rc) ?: "0");
	f->slots[i] = true;
}

static void own_unmap(struct fuzzer *f)
{
	unsigned int i = below(f, NR_SLOTS), nr = 1 + below(f, NR_SLOTS - i);
	uint64_t length = nr * 0x10000, want = 0;
	unsigned int k;
	int rc;

	if (!f->nr_ids || f->ids[f->nr_ids - 1] != f->mapped_in)
		return;
	for (k = i; k < i + nr; k++) {
		want += f->slots[k] ? 0x8000 : 0;
		f->slots[k] = false;
	}
	rc = unmap_at(own, f->mapped_in, slot(i), &length);
	if (rc != (want ? 0 : ENOENT) || (want && length != want))
		fail(f, "unmap of %u slots from %u in %u: %s, %llu bytes", nr,
		     i, f->mapped_in, strerrorname_np(rc) ?: "0",
		     (unsigned long long)length);
}

/* Anything at all, in what the other thread works on, too. */
static void contested_map(struct fuzzer *f)
{
	uint32_t id = candidates[below(f, MAX_CONTESTED)];
	uint64_t length = next(f) >> below(f, 60);
	int rc = map_at(contested, id, next(f) >> below(f, 60), length,
			below(f, 8));

	if (rc && rc != ENOENT && rc != EINVAL && rc != EEXIST &&
	    rc != EOVERFLOW && rc != ENOSPC)
		fail(f, "contested map: %s", strerrorname_np(rc));
}

static void contested_unmap(struct fuzzer *f)
{
	uint32_t id = candidates[below(f, MAX_CONTESTED)];
	uint64_t iova = 0, length = UINT64_MAX;
	int rc;

	if (below(f, 4)) {
		iova = next(f) >> below(f, 60);
		length = next(f) >> below(f, 60);
	}
	rc = unmap_at(contested, id, iova, &length);
	if (rc && rc != ENOENT && rc != EINVAL && rc != EOVERFLOW)
		fail(f, "contested unmap: %s", strerrorname_np(rc));
}

static void contested_copy(struct fuzzer *f)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = below(f, 8),
		.dst_ioas_id = candidates[below(f, MAX_CONTESTED)],
		.src_ioas_id = candidates[below(f, MAX_CONTESTED)],
		.length = next(f) >> below(f, 60),
		.dst_iova = next(f) >> below(f, 60),
		.src_iova = next(f) >> below(f, 60),
	};
	int rc = call(contested, IOMMU_IOAS_COPY, &cmd);

	if (rc && rc != ENOENT && rc != EINVAL && rc != EEXIST &&
	    rc != EOVERFLOW && rc != ENOSPC && rc != EPERM)
		fail(f, "contested copy: %s", strerrorname_np(rc));
}

static void contested_allow(struct fuzzer *f)
{
	struct iommu_iova_range list[4];
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = candidates[below(f, MAX_CONTESTED)],
		.num_iovas = below(f, 5),
		.allowed_iovas = (uintptr_t)list,
	};
	unsigned int i;
	int rc;

	for (i = 0; i < 4; i++) {
		list[i].start = next(f) >> below(f, 60);
		list[i].last = list[i].start + (next(f) >> below(f, 60));
	}
	rc = call(contested, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
	if (rc && rc != ENOENT && rc != EINVAL)
		fail(f, "contested allow: %s", strerrorname_np(rc));
}

static const struct {
	unsigned int weight;
	void (*fn)(struct fuzzer *f);
} calls[] = {
	{ 25, hostile },
	{ 8, own_alloc },
	{ 7, own_destroy },
	{ 6, own_use },
	{ 10, own_map },
	{ 6, own_unmap },
	{ 3, foreign_use },
	{ 7, contested_alloc },
	{ 8, contested_destroy },
	{ 3, contested_use },
	{ 8, contested_map },
	{ 3, contested_unmap },
	{ 4, contested_copy },
	{ 2, contested_allow },
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
