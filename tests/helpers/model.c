// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model [--seed N] [--steps N] [--seconds N] [--verbose] [--upstream]
 *
 * Random maps, unmaps, copies and lists of allowed ranges in two I/O address
 * spaces, each answer held against a model that is a plain sorted array of
 * areas. The numbers are small and collide often, and some are at the far end
 * of the space. Every so often the whole of both is compared: each area is
 * probed for its ends, and at last all that the model knows is unmapped, to
 * the byte.
 *
 * A seed always gives the same calls but for automatic IOVAs, whose places are
 * the driver's choice; they are checked, and the model goes on with them. A
 * failure prints what to run to see it again.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>

#include "iommu.h"

#define F IOMMU_IOAS_MAP_FIXED_IOVA
#define R IOMMU_IOAS_MAP_READABLE
#define W IOMMU_IOAS_MAP_WRITEABLE
#define P 4096ULL
#define HUGE (2ULL << 20)
#define TOP UINT64_MAX
#define MAX_AREAS 512
#define MAX_ALLOWED 8

/* Nothing is ever read or written there, so nothing needs to be there. */
#define VA 0x40000000ULL

struct range {
	uint64_t start, last;
};

struct space {
	uint32_t id;
	unsigned int nr;
	struct range areas[MAX_AREAS];	/* sorted */
	unsigned int nr_allowed;
	struct range allowed[MAX_ALLOWED];
	bool whole_pages;		/* HUGE_PAGES is off */
};

static int fd;
static struct space spaces[2];
static uint64_t seed, rng;
static unsigned long step;
static bool verbose;
static bool upstream;			/* differs where iommufd(4) says so */
static unsigned long counts[2][8];	/* refused, done; by kind of call */

static void fail(const char *fmt, ...)
{
	va_list args;

	printf("FAILED in step %lu: ", step);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\nagain: model --seed %" PRIu64 " --steps %lu --verbose%s\n",
	       seed, step + 1, upstream ? " --upstream" : "");
	exit(1);
}

static void tell(const char *fmt, ...)
{
	va_list args;

	if (!verbose)
		return;
	printf("%lu: ", step);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static uint64_t next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static uint64_t below(uint64_t limit)
{
	return (next() >> 16) % limit;
}

static const char *name(int rc)
{
	return strerrorname_np(rc) ?: "0";
}

static struct space *any_space(void)
{
	return &spaces[below(2)];
}

/* --- the model --- */

/* Index of the first area that ends at @iova or later. */
static unsigned int find(const struct space *s, uint64_t iova)
{
	unsigned int i;

	for (i = 0; i < s->nr && s->areas[i].last < iova; i++)
		;
	return i;
}

static bool taken(const struct space *s, uint64_t start, uint64_t last)
{
	unsigned int i = find(s, start);

	return i < s->nr && s->areas[i].start <= last;
}

static void insert(struct space *s, uint64_t start, uint64_t last)
{
	unsigned int i = find(s, start);

	memmove(&s->areas[i + 1], &s->areas[i],
		(s->nr - i) * sizeof(s->areas[0]));
	s->areas[i] = (struct range){ start, last };
	s->nr++;
}

static void erase(struct space *s, unsigned int i)
{
	s->nr--;
	memmove(&s->areas[i], &s->areas[i + 1],
		(s->nr - i) * sizeof(s->areas[0]));
}

static bool is_allowed(const struct space *s, uint64_t start, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < s->nr_allowed; i++) {
		if (start < s->allowed[i].start || start > s->allowed[i].last)
			continue;
		if (last <= s->allowed[i].last)
			return true;
		/* Those that touch are one. */
		return is_allowed(s, s->allowed[i].last + 1, last);
	}
	return !s->nr_allowed;
}

/* Whether some run of free, allowed addresses has room for @length. */
static bool has_room_in(const struct space *s, struct range range,
			uint64_t length)
{
	uint64_t start = range.start;
	unsigned int i;

	for (i = find(s, start); i < s->nr; i++) {
		if (s->areas[i].start > range.last)
			break;
		if (s->areas[i].start > start &&
		    s->areas[i].start - start >= length)
			return true;
		if (s->areas[i].last >= range.last)
			return false;
		start = s->areas[i].last + 1;
	}
	return range.last - start >= length - 1;
}

static bool has_room(const struct space *s, uint64_t length)
{
	/* The first and the last page are nobody's by choice. */
	const struct range most = { P, TOP - P };
	unsigned int i;

	for (i = 0; i < s->nr_allowed; i++) {
		struct range range = s->allowed[i];

		if (range.start < most.start)
			range.start = most.start;
		if (range.last > most.last)
			range.last = most.last;
		if (range.start < range.last && has_room_in(s, range, length))
			return true;
	}
	return !s->nr_allowed && has_room_in(s, most, length);
}

/* --- random numbers that mean something --- */

static uint64_t any_length(void)
{
	switch (below(16)) {
	case 0:
		return 1 + below(3 * P);
	case 1:
		return HUGE * (1 + below(2));
	case 2:
		return (1 + below(64)) * P;
	default:
		return (1 + below(4)) * P;
	}
}

static uint64_t any_iova(const struct space *s)
{
	uint64_t iova;

	switch (below(16)) {
	case 0:
		return below(256 * P);
	case 1:
		/* The highest itself often enough: that one is special. */
		return below(2) ? TOP : TOP - below(16 * P);
	case 2:
		return (TOP - below(16) * P) / P * P;
	case 3:
		return below(8) * HUGE;
	case 4:
	case 5:
	case 6:
		if (s->nr) {
			iova = s->areas[below(s->nr)].start;
			return iova + (below(3) - 1) * below(2) * P;
		}
		/* fall through */
	default:
		return below(256) * P;
	}
}

/* Always to be written, so that a copy may be anything. */
static uint32_t any_flags(void)
{
	return below(2) ? W : R | W;
}

/* --- calls --- */

enum { MAP, AUTOMATIC, UNMAP, COPY, ALLOW, ALL, OPTION };

/*
 * What a new area may be answered, in the driver's order: more than one thing may
 * be wrong.
 */
static int refusal(const struct space *s, uint64_t iova, uint64_t length,
		   uint64_t offset)
{
	uint64_t last;

	if (iova == TOP)
		return EOVERFLOW;
	if (s->whole_pages && (iova % P || length % P))
		return EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return EOVERFLOW;
	if (taken(s, iova, last))
		return EEXIST;
	return s->whole_pages && offset % P ? EINVAL : 0;
}

static void map_fixed(void)
{
	struct space *s = any_space();
	uint64_t offset = below(4) ? below(8) * P : below(8 * P);
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = F | any_flags(),
		.ioas_id = s->id,
		.user_va = VA + offset,
		.length = any_length(),
		.iova = any_iova(s),
	};
	int want = refusal(s, cmd.iova, cmd.length, offset), rc;
	uint64_t iova = cmd.iova;

	if (s->nr == MAX_AREAS)
		return;
	rc = call(fd, IOMMU_IOAS_MAP, &cmd);
	tell("map %u at %#" PRIx64 "+%#" PRIx64 ": %s", s->id, iova,
	     (uint64_t)cmd.length, name(rc));
	if (rc != want)
		fail("map in %u of %#" PRIx64 "+%#" PRIx64 ": %s wanted, got %s",
		     s->id, iova, (uint64_t)cmd.length, name(want), name(rc));
	counts[!rc][MAP]++;
	if (rc)
		return;
	if (cmd.iova != iova)
		fail("a fixed IOVA was moved to %#" PRIx64,
		     (uint64_t)cmd.iova);
	insert(s, iova, iova + cmd.length - 1);
}

/* Whether a place that the driver chose is one that it might choose. */
static void chosen(struct space *s, uint64_t iova, uint64_t length,
		   uint64_t offset)
{
	uint64_t last = iova + length - 1;

	if (last < iova || last == TOP)
		fail("automatic: %#" PRIx64 "+%#" PRIx64 " is too high", iova,
		     length);
	if (taken(s, iova, last))
		fail("automatic: %#" PRIx64 "+%#" PRIx64 " is taken", iova,
		     length);
	if (!is_allowed(s, iova, last))
		fail("automatic: %#" PRIx64 "+%#" PRIx64 " is not allowed",
		     iova, length);
	if (!iova)
		fail("automatic: address 0");
	if ((!upstream || offset % P == 0) && length >= P &&
	    iova % P != offset % P)
		fail("automatic: %#" PRIx64 " for memory at offset %#" PRIx64,
		     iova, offset);
	if (!s->whole_pages && length >= HUGE && offset % HUGE == 0 &&
	    iova % HUGE)
		fail("automatic: %#" PRIx64 " for memory of huge pages", iova);
	insert(s, iova, last);
}

/* It may be that there is room, but none that is aligned. */
static void no_room(struct space *s, uint64_t length)
{
	uint64_t align = length >= HUGE ? HUGE : 1;

	/* Upstream does not end at a large page. */
	while (align < length && (upstream || align < HUGE))
		align *= 2;
	if (align < P)
		align = P;
	if (has_room(s, length + align))
		fail("automatic, %#" PRIx64 ": ENOSPC, but there is room",
		     length);
}

static void map_automatic(void)
{
	struct space *s = any_space();
	uint64_t offset = below(4) ? below(4) * HUGE / 4 : below(8 * P);
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = any_flags(),
		.ioas_id = s->id,
		.user_va = VA + offset,
		.length = any_length(),
		.iova = next() >> 1,
	};
	bool odd = s->whole_pages && (cmd.length % P || offset % P);
	int rc;

	if (s->nr == MAX_AREAS)
		return;
	rc = call(fd, IOMMU_IOAS_MAP, &cmd);
	tell("map %u +%#" PRIx64 ": %s, %#" PRIx64, s->id,
	     (uint64_t)cmd.length, name(rc), (uint64_t)cmd.iova);
	counts[!rc][AUTOMATIC]++;
	if (odd ? rc != EINVAL && rc != ENOSPC : rc && rc != ENOSPC)
		fail("automatic, %#" PRIx64 ": %s", (uint64_t)cmd.length,
		     name(rc));
	if (!rc)
		chosen(s, cmd.iova, cmd.length, offset);
	else if (rc == ENOSPC)
		no_room(s, cmd.length);
}

static void unmap(void)
{
	struct space *s = any_space();
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = s->id,
		.iova = any_iova(s),
		.length = below(4) ? any_length() : (1 + below(300)) * P,
	};
	uint64_t iova = cmd.iova, length = cmd.length, last, bytes = 0;
	unsigned int i, first;
	int want = 0, rc;

	/* Mostly just one area. */
	if (s->nr && below(3)) {
		i = below(s->nr);
		iova = s->areas[i].start;
		length = s->areas[i].last - iova + 1;
		cmd.iova = iova;
		cmd.length = length;
	}
	if (iova == TOP || __builtin_add_overflow(iova, length - 1, &last))
		want = EOVERFLOW;
	rc = call(fd, IOMMU_IOAS_UNMAP, &cmd);
	tell("unmap %u at %#" PRIx64 "+%#" PRIx64 ": %s, %#" PRIx64, s->id,
	     iova, length, name(rc), (uint64_t)cmd.length);

	first = find(s, iova);
	for (i = first; !want && i < s->nr && s->areas[i].start <= last; i++) {
		if (s->areas[i].start < iova || s->areas[i].last > last)
			want = ENOENT;
		else
			bytes += s->areas[i].last - s->areas[i].start + 1;
	}
	/* Where the range cuts an area, all stay; or, there, those behind. */
	if (want == ENOENT)
		i = upstream ? i - 1 : first;
	if (want == EOVERFLOW)
		i = first;
	while (i > first)
		erase(s, --i);
	if (!want && !bytes)
		want = ENOENT;
	if (want)
		bytes = upstream ? length : 0;
	if (rc != want)
		fail("unmap in %u of %#" PRIx64 "+%#" PRIx64
		     ": %s wanted, got %s", s->id, iova, length, name(want),
		     name(rc));
	if (cmd.length != bytes)
		fail("unmap in %u of %#" PRIx64 "+%#" PRIx64 ": %#" PRIx64
		     " bytes wanted, got %#" PRIx64, s->id, iova, length,
		     bytes, (uint64_t)cmd.length);
	counts[!rc][UNMAP]++;
}

/* The number of areas that @start to @last is made of, without holes, or 0. */
static unsigned int pieces(const struct space *s, uint64_t start,
			   uint64_t last)
{
	unsigned int i, nr = 0;

	for (i = find(s, start); i < s->nr; i++) {
		if (s->areas[i].start > start)
			return 0;
		nr++;
		if (s->areas[i].last >= last)
			return nr;
		start = s->areas[i].last + 1;
	}
	return 0;
}

/* Each area of the source is one of the destination. */
static void insert_copy(struct space *dst, uint64_t to,
			const struct space *src, uint64_t from, uint64_t last)
{
	struct range made[MAX_AREAS];
	unsigned int i, nr = 0;

	for (i = find(src, from); i < src->nr; i++) {
		uint64_t end = src->areas[i].last < last ? src->areas[i].last :
			       last;

		made[nr++] = (struct range){ to, to + (end - from) };
		to += end - from + 1;
		from = end + 1;
		if (end == last)
			break;
	}
	/* Only now: both may be the same. */
	for (i = 0; i < nr; i++)
		insert(dst, made[i].start, made[i].last);
}

static void copy(void)
{
	struct space *src = any_space(), *dst = any_space();
	bool automatic = !below(3), wraps, room;
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = (below(2) ? R : any_flags()) | (automatic ? 0 : F),
		.dst_ioas_id = dst->id,
		.src_ioas_id = src->id,
		.length = any_length(),
		.dst_iova = any_iova(dst),
		.src_iova = any_iova(src),
	};
	uint64_t from, to, last;
	unsigned int nr;
	int rc;

	if (src->nr && below(3)) {
		struct range *area = &src->areas[below(src->nr)];

		cmd.src_iova = area->start;
		cmd.length = area->last - area->start + 1;
	}
	from = cmd.src_iova;
	to = cmd.dst_iova;
	if (from == TOP ||
	    __builtin_add_overflow(from, cmd.length - 1, &last))
		return;		/* errnos.c has these */
	wraps = !automatic && to + (cmd.length - 1) < to;
	nr = pieces(src, from, last);
	room = dst->nr + nr <= MAX_AREAS;
	if (!room)
		return;
	rc = call(fd, IOMMU_IOAS_COPY, &cmd);
	tell("copy %u %#" PRIx64 " to %u %#" PRIx64 " +%#" PRIx64
	     ": %s, %#" PRIx64, src->id, from, dst->id, to,
	     (uint64_t)cmd.length, name(rc), (uint64_t)cmd.dst_iova);
	counts[!rc][COPY]++;
	/* Looked at even where it is not used. */
	if (to == TOP) {
		if (rc != EOVERFLOW)
			fail("copy to 2^64-1: %s", name(rc));
		return;
	}
	if (!nr) {
		if (rc != ENOENT)
			fail("copy of a hole: %s", name(rc));
		return;
	}
	if (rc == EINVAL && dst->whole_pages)
		return;
	if (automatic) {
		if (rc == ENOSPC)
			return no_room(dst, cmd.length);
		if (rc)
			fail("automatic copy: %s", name(rc));
		to = cmd.dst_iova;
		if (to + cmd.length - 1 < to ||
		    taken(dst, to, to + cmd.length - 1) ||
		    !is_allowed(dst, to, to + cmd.length - 1))
			fail("automatic copy to %#" PRIx64 "+%#" PRIx64, to,
			     (uint64_t)cmd.length);
	} else {
		int want = wraps ? EOVERFLOW :
			   taken(dst, to, to + cmd.length - 1) ? EEXIST : 0;

		if (rc != want)
			fail("copy to %#" PRIx64 "+%#" PRIx64
			     ": %s wanted, got %s", to, (uint64_t)cmd.length,
			     name(want), name(rc));
	}
	if (!rc)
		insert_copy(dst, to, src, from, last);
}

static void allow(void)
{
	struct space *s = any_space();
	struct iommu_iova_range list[MAX_ALLOWED];
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = s->id,
		.num_iovas = below(MAX_ALLOWED + 1),
		.allowed_iovas = (uintptr_t)list,
	};
	unsigned int i, j;
	int want = 0, rc;

	for (i = 0; i < cmd.num_iovas; i++) {
		list[i].start = below(64) * 8 * P;
		list[i].last = list[i].start + (1 + below(12)) * P - 1;
		if (!below(16))
			list[i].last = list[i].start + 64 * HUGE;
		if (!below(64))
			list[i].last = list[i].start - 1;
		if (list[i].last <= list[i].start)
			want = EINVAL;
		for (j = 0; j < i; j++)
			if (list[j].start <= list[i].last &&
			    list[i].start <= list[j].last)
				want = EINVAL;
	}
	rc = call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
	tell("allow %u, %u ranges: %s", s->id, cmd.num_iovas, name(rc));
	if (rc != want)
		fail("allow: %s wanted, got %s", name(want), name(rc));
	counts[!rc][ALLOW]++;
	if (rc)
		return;
	s->nr_allowed = cmd.num_iovas;
	for (i = 0; i < cmd.num_iovas; i++)
		s->allowed[i] = (struct range){ list[i].start, list[i].last };
}

static void unmap_all(struct space *s)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = s->id, .length = TOP,
	};
	uint64_t bytes = 0;
	int rc;

	while (s->nr) {
		s->nr--;
		bytes += s->areas[s->nr].last - s->areas[s->nr].start + 1;
	}
	rc = call(fd, IOMMU_IOAS_UNMAP, &cmd);
	tell("unmap %u, all: %s, %#" PRIx64, s->id, name(rc),
	     (uint64_t)cmd.length);
	if (rc || cmd.length != bytes)
		fail("unmap of all in %u: %s, %#" PRIx64 " bytes, %#" PRIx64
		     " wanted", s->id, name(rc), (uint64_t)cmd.length, bytes);
	counts[1][ALL]++;
}

static void sometimes_unmap_all(void)
{
	if (!below(8))
		unmap_all(any_space());
}

static void huge_pages(void)
{
	struct space *s = any_space();
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = s->id,
		.val64 = !below(3),
	};
	unsigned int i;
	int rc;

	rc = call(fd, IOMMU_OPTION, &cmd);
	tell("huge pages %u %u: %s", s->id, (unsigned int)cmd.val64,
	     name(rc));
	counts[!rc][OPTION]++;
	if (rc && (cmd.val64 || rc != EADDRINUSE))
		fail("HUGE_PAGES: %s", name(rc));
	if (!rc)
		s->whole_pages = !cmd.val64;
	/* Upstream lets copies of several areas through, if only the sum is even. */
	for (i = 0; i < s->nr && s->whole_pages && !upstream; i++)
		if (s->areas[i].start % P || (s->areas[i].last + 1) % P)
			fail("HUGE_PAGES 0 with an odd area");
}

/* Each area is refused to be cut, and refuses another one, at both ends. */
static void compare(const struct space *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		const struct range *area = &s->areas[i];
		struct iommu_ioas_unmap cut = {
			.size = sizeof(cut),
			.ioas_id = s->id,
			.iova = area->start,
			.length = area->last - area->start,
		};
		struct iommu_ioas_map over = {
			.size = sizeof(over),
			.flags = F | R,
			.ioas_id = s->id,
			.user_va = VA,
			.length = P,
			.iova = area->last / P * P,
		};

		if (cut.length && call(fd, IOMMU_IOAS_UNMAP, &cut) != ENOENT)
			fail("area %#" PRIx64 "-%#" PRIx64 " of %u can be cut",
			     area->start, area->last, s->id);
		if (over.iova < TOP - P &&
		    call(fd, IOMMU_IOAS_MAP, &over) != EEXIST)
			fail("area %#" PRIx64 "-%#" PRIx64
			     " of %u can be mapped over", area->start,
			     area->last, s->id);
	}
}

static const struct {
	unsigned int weight;
	void (*fn)(void);
} calls[] = {
	{ 30, map_fixed },
	{ 18, map_automatic },
	{ 30, unmap },
	{ 16, copy },
	{ 3, allow },
	{ 2, sometimes_unmap_all },
	{ 1, huge_pages },
};

static void one_step(void)
{
	uint64_t dice = below(100);
	unsigned int i = 0;

	while (dice >= calls[i].weight)
		dice -= calls[i++].weight;
	calls[i].fn();
	if (step % 1000 == 999) {
		compare(&spaces[0]);
		compare(&spaces[1]);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "steps", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "upstream", no_argument, NULL, 'u' },
		{ 0 },
	};
	static const char * const names[] = {
		"map", "automatic", "unmap", "copy", "allow", "all", "option",
	};
	unsigned long steps = -1UL;
	time_t end = 0;
	unsigned int i;
	int opt;

	seed = time(NULL) ^ ((uint64_t)getpid() << 32);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			steps = strtoul(optarg, NULL, 0);
			break;
		case 't':
			end = time(NULL) + atol(optarg);
			break;
		case 'v':
			verbose = true;
			break;
		case 'u':
			upstream = true;
			break;
		default:
			return 64;
		}
	}
	if (!end && steps == -1UL)
		steps = 10000;
	printf("seed %" PRIu64 "\n", seed);
	fflush(stdout);
	rng = seed * 0x9e3779b97f4a7c15ULL + 1;

	fd = open_iommu();
	for (i = 0; i < 2; i++) {
		if (ioas_alloc(fd, &spaces[i].id)) {
			perror("model: IOAS_ALLOC");
			return 1;
		}
	}
	while (step < steps && (!end || time(NULL) < end)) {
		one_step();
		step++;
	}
	compare(&spaces[0]);
	compare(&spaces[1]);
	unmap_all(&spaces[0]);
	unmap_all(&spaces[1]);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		printf("%s: %lu done, %lu refused\n", names[i], counts[1][i],
		       counts[0][i]);
	printf("%lu steps, ok\n", step);
	return 0;
}
