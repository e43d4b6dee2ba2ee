// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * play FILE...: plays lists of maps (tests/fixtures/maps) one after the other
 * in one I/O address space. Numbers are hexadecimal but for N; a line is
 *
 *   avoid START-LAST        devices keep this for themselves: no map may be
 *                           there, and no automatic one will
 *   map START-LAST [ro] [xN]
 *                           N maps of that size, each behind the one before
 *   auto LENGTH [xN]        N maps wherever there is room
 *   unmap START-LAST        whole areas, to the byte
 *   unmap-all
 *   loop N ... end          what is in between, N times
 *
 * Every line must succeed. No memory is behind the maps: nothing is pinned. At
 * the end all that is mapped is unmapped, and the sum must be right.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>

#include "iommu.h"

#define R IOMMU_IOAS_MAP_READABLE
#define W IOMMU_IOAS_MAP_WRITEABLE
#define MAX_AVOID 16
#define MAX_LINES 256

static int fd;
static uint32_t ioas;
static struct iommu_iova_range avoid[MAX_AVOID];
static unsigned int nr_avoid;
static uint64_t mapped;		/* bytes */
static unsigned long maps, unmaps;
static const char *path;
static unsigned int line_nr;

static void fail(const char *fmt, ...)
{
	va_list args;

	printf("%s:%u: ", path, line_nr);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static void may_be_there(uint64_t start, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < nr_avoid; i++)
		if (start <= avoid[i].last && avoid[i].start <= last)
			fail("%#" PRIx64 "-%#" PRIx64 " is to be avoided",
			     start, last);
}

/* What a device would do by being attached: allow all but those. */
static void add_avoid(uint64_t start, uint64_t last)
{
	struct iommu_iova_range allowed[MAX_AVOID + 1];
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.allowed_iovas = (uintptr_t)allowed,
	};
	uint64_t from = 0;
	unsigned int i;
	int rc;

	if (nr_avoid == MAX_AVOID || (nr_avoid &&
				      start <= avoid[nr_avoid - 1].last + 1))
		fail("too many, or not in order");
	avoid[nr_avoid++] = (struct iommu_iova_range){ start, last };
	for (i = 0; i < nr_avoid; i++) {
		allowed[i].start = from;
		allowed[i].last = avoid[i].start - 1;
		from = avoid[i].last + 1;
	}
	allowed[i] = (struct iommu_iova_range){ from, UINT64_MAX };
	cmd.num_iovas = i + 1;
	rc = call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
	if (rc)
		fail("ALLOW_IOVAS: %s", strerrorname_np(rc));
}

static void map(uint64_t iova, uint64_t length, uint32_t flags)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = 0x7f0000000000 + mapped % (1ULL << 40),
		.length = length,
		.iova = iova,
	};
	int rc = call(fd, IOMMU_IOAS_MAP, &cmd);

	if (rc)
		fail("map of %#" PRIx64 "+%#" PRIx64 ": %s", iova, length,
		     strerrorname_np(rc));
	may_be_there(cmd.iova, cmd.iova + length - 1);
	mapped += length;
	maps++;
}

static void unmap(uint64_t iova, uint64_t length, uint64_t want)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};
	int rc = call(fd, IOMMU_IOAS_UNMAP, &cmd);

	if (rc || cmd.length != want)
		fail("unmap of %#" PRIx64 "+%#" PRIx64 ": %s, %#" PRIx64
		     " bytes; %#" PRIx64 " wanted", iova, length,
		     strerrorname_np(rc) ?: "0", (uint64_t)cmd.length, want);
	mapped -= want;
	unmaps++;
}

/* N of a word xN, which is taken off the end of @line; or 1. */
static unsigned long times(char *line)
{
	char *word = strrchr(line, ' ');

	if (!word || word[1] != 'x')
		return 1;
	*word = 0;
	return strtoul(word + 2, NULL, 10);
}

static void play_line(char *line)
{
	unsigned long n = times(line);
	uint64_t start, last, length;
	uint32_t flags = R | W;
	int end = 0;

	if (sscanf(line, "map %" SCNx64 "-%" SCNx64 " ro%n", &start, &last,
		   &end) == 2 && end)
		flags = R;
	else
		sscanf(line, "map %" SCNx64 "-%" SCNx64 "%n", &start, &last,
		       &end);
	if (end && !line[end]) {
		flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
		length = last - start + 1;
		for (; n; n--, start += length)
			map(start, length, flags);
		return;
	}
	if (sscanf(line, "auto %" SCNx64 "%n", &length, &end) == 1 &&
	    !line[end]) {
		for (; n; n--)
			map(0, length, R | W);
	} else if (sscanf(line, "unmap %" SCNx64 "-%" SCNx64 "%n", &start,
			  &last, &end) == 2 && !line[end]) {
		unmap(start, last - start + 1, last - start + 1);
	} else if (sscanf(line, "avoid %" SCNx64 "-%" SCNx64 "%n", &start,
			  &last, &end) == 2 && !line[end]) {
		add_avoid(start, last);
	} else if (!strcmp(line, "unmap-all")) {
		unmap(0, UINT64_MAX, mapped);
	} else {
		fail("cannot read '%s'", line);
	}
}

static void play(void)
{
	static char lines[MAX_LINES][128];
	unsigned int nr = 0, loop = 0;
	unsigned long rounds = 0;
	FILE *file = fopen(path, "r");

	if (!file) {
		perror(path);
		exit(1);
	}
	while (nr < MAX_LINES && fgets(lines[nr], sizeof(lines[nr]), file)) {
		lines[nr][strcspn(lines[nr], "\n")] = 0;
		nr++;
	}
	if (!feof(file))
		fail("too long");
	fclose(file);

	for (line_nr = 1; line_nr <= nr; line_nr++) {
		char line[128];

		strcpy(line, lines[line_nr - 1]);
		if (!line[0] || line[0] == '#')
			continue;
		if (sscanf(line, "loop %lu", &rounds) == 1)
			loop = line_nr;
		else if (strcmp(line, "end"))
			play_line(line);
		else if (--rounds)
			line_nr = loop;
	}
	line_nr = nr;
}

int main(int argc, char **argv)
{
	struct timespec begin, end;
	int i;

	if (argc < 2)
		return 64;
	fd = open_iommu();
	if (ioas_alloc(fd, &ioas)) {
		perror("play: IOAS_ALLOC");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 1; i < argc; i++) {
		path = argv[i];
		play();
	}
	unmap(0, UINT64_MAX, mapped);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lu maps, %lu unmaps, %ld ms\n", maps, unmaps,
	       (end.tv_sec - begin.tv_sec) * 1000 +
	       (end.tv_nsec - begin.tv_nsec) / 1000000);
	return 0;
}
