// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "contexts.h"
#include "ioctls.h"
#include "scan.h"

/*
 * How many unknown ids in a row mean that there are no more: with no count to
 * go by, and while fdinfo's count says that some are yet to come.
 * iommufdctl(1), SOURCES, tells users.
 */
#define GAP 1024
#define GAP_COUNTED 65536

/*
 * The same when what was seen is looked at again: the lowest ids are given away
 * first, so what was made meanwhile is not far.
 */
#define GAP_AGAIN 64

#define ID_MAX 0x7fffffff

/* A context that is not the same twice in so many looks will not be. */
#define LOOKS_MAX 5

/* In the order in which they are asked; the first one is an IOAS's. */
static const struct {
	const char *type;
	int (*ask)(int fd, uint32_t id);
} questions[SCAN_QUESTIONS] = {
	{ "ioas", ioas_exists },
	{ "hwpt-paging", hwpt_paging_exists },
	{ "device", device_exists },
	{ "hwpt-nested", hwpt_nested_exists },
};

/* Returns 1 for yes, 0 for no, or -1 with errno: the driver cannot say. */
static int ask(int fd, size_t question, uint32_t id)
{
	if (!questions[question].ask(fd, id))
		return 1;
	return errno == ENOENT ? 0 : -1;
}

/*
 * No object has id 0, so what is not answered with a no there is not known to
 * the driver, and is not asked again.
 */
void scanner_begin(struct scanner *scanner, int fd)
{
	*scanner = (struct scanner){ .fd = fd };
	for (size_t q = 0; q < SCAN_QUESTIONS; q++)
		if (!ask(fd, q, 0))
			scanner->types[q] = questions[q].type;
	/* where there are vIOMMUs, these answer as nested page tables do */
	if (scanner->types[SCAN_QUESTIONS - 1] && has_viommu(fd))
		scanner->types[SCAN_QUESTIONS - 1] = "unknown";
	scanner->types[SCAN_QUESTIONS] = "fault";
}

/* The question that ID answers with yes, or -1 with errno. */
static int question_of(const struct scanner *scanner, uint32_t id)
{
	for (size_t q = 0; q < SCAN_QUESTIONS; q++) {
		int answer = scanner->types[q] ? ask(scanner->fd, q, id) : 0;

		if (answer)
			return answer < 0 ? -1 : (int)q;
	}
	errno = ENOENT;
	return -1;
}

/* How many IOASes there are, as fdinfo has it. */
uint64_t count_ioas(const struct fdinfo *info)
{
	if (info->objects == UNKNOWN)
		return UNKNOWN;
	/* of a type that there is none of, a driver that counts says nothing */
	return info->ioas == UNKNOWN ? 0 : info->ioas;
}

static void add(struct scan *scan, uint32_t id, uint32_t question)
{
	if (scan->count == scan->room) {
		scan->room = scan->room ? scan->room * 2 : 64;
		scan->objects = reallocarray(scan->objects, scan->room,
					     sizeof(*scan->objects));
		if (!scan->objects)
			abort();
	}
	scan->objects[scan->count++] = (struct scanned){ id, question };
	if (!question)
		scan->ioas++;
}

/*
 * Asks for every id from 1 on until as many objects have answered as fdinfo
 * counts, or none has for a long way; but at least up to AT_LEAST, the last id
 * that was seen before (0: none was looked for). Returns 0, or -1 with errno.
 */
static int look(struct scan *scan, uint32_t at_least)
{
	uint32_t gap = at_least ? GAP_AGAIN : GAP;
	struct fdinfo info;
	uint32_t missed = 0;
	uint64_t ioas;

	own_fdinfo(scan->scanner.fd, &info);
	ioas = count_ioas(&info);
	scan->count = 0;
	scan->ioas = 0;
	for (uint32_t id = 1; id <= ID_MAX && scan->count < info.objects;
	     id++) {
		int question = question_of(&scan->scanner, id);

		if (question >= 0) {
			add(scan, id, question);
			missed = 0;
		} else if (errno != ENOENT) {
			return -1;
		} else if (++missed >= (ioas != UNKNOWN && scan->ioas < ioas ?
					GAP_COUNTED : gap) && id >= at_least) {
			break;
		}
	}
	return 0;
}

/* Never 0, which is no id. */
static uint32_t last_id(const struct scan *scan)
{
	return scan->count ? scan->objects[scan->count - 1].id : 1;
}

static bool same(const struct scan *a, const struct scan *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->objects, b->objects,
				     a->count * sizeof(*a->objects)));
}

/*
 * Looks until two looks in a row see the same, which then is what there was
 * between them. Returns 0, or -1 with errno; scan_free() is to be called either
 * way.
 */
int scan_context(struct scan *scan, int fd)
{
	struct scan again = {};
	int ret;

	*scan = (struct scan){ .unsteady = true };
	scanner_begin(&scan->scanner, fd);
	again.scanner = scan->scanner;
	ret = look(scan, 0);
	for (int looks = 1; !ret && looks < LOOKS_MAX && scan->unsteady;
	     looks++) {
		struct scan last = *scan;

		*scan = again;
		again = last;
		ret = look(scan, last_id(&last));
		scan->unsteady = !ret && !same(scan, &again);
	}
	free(again.objects);
	return ret;
}

static int by_id(const void *key, const void *object)
{
	uint32_t a = *(const uint32_t *)key;
	uint32_t b = ((const struct scanned *)object)->id;

	return a < b ? -1 : a > b;
}

/* NULL where there is no such object. */
const char *scan_type(const struct scan *scan, uint32_t id)
{
	const struct scanned *hit = NULL;

	if (scan->count)
		hit = bsearch(&id, scan->objects, scan->count, sizeof(*hit),
			      by_id);
	return hit ? scan->scanner.types[hit->question] : NULL;
}

static int compare(const void *a, const void *b)
{
	return by_id(&((const struct scanned *)a)->id, b);
}

static void insert(struct scan *scan, uint32_t id, uint32_t question)
{
	add(scan, id, question);
	qsort(scan->objects, scan->count, sizeof(*scan->objects), compare);
}

/*
 * Asks about one id alone, after scanner_begin(). Returns 0, or -1 with errno:
 * ENOENT if there is no such object, or none that answers.
 */
int scan_one(struct scan *scan, uint32_t id)
{
	int question = question_of(&scan->scanner, id);

	if (question >= 0)
		insert(scan, id, question);
	return question < 0 ? -1 : 0;
}

/* A fault queue that is known of from elsewhere. */
void scan_add_fault(struct scan *scan, uint32_t id)
{
	if (!scan_type(scan, id))
		insert(scan, id, SCAN_QUESTIONS);
}

void scan_free(struct scan *scan)
{
	free(scan->objects);
	*scan = (struct scan){};
}
