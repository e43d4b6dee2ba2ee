/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of what a VMM maps into an I/O address space, a line each; numbers are
 * hexadecimal but for N, and a '#' begins a line of comment:
 *
 *   map START-LAST [ro] [xN]    N maps of that size, each behind the one before
 *   auto LENGTH [xN]            wherever there is room
 *   unmap START-LAST, unmap-all
 *   avoid START-LAST            where no map will be
 *   loop N ... end              what is in between, N times
 *
 * iommufdctl-devices(1), GUEST MAPS, tells users.
 */
#ifndef CLI_PARSE_GUEST_MAP_H
#define CLI_PARSE_GUEST_MAP_H

#include <stdbool.h>
#include <stdint.h>

enum map_word {
	MAP_NOTHING,		/* a comment, or an empty line */
	MAP_MAP,
	MAP_OTHER,		/* what maps nothing at a known place */
	MAP_LOOP,
	MAP_END,
};

/*
 * struct map_line - a line, taken apart
 * @start, @last: MAP_MAP: all of it, xN too
 */
struct map_line {
	enum map_word word;
	uint64_t start;
	uint64_t last;
};

/* Returns NULL, or what the line lacks: a constant. */
const char *parse_map_line(const char *text, struct map_line *line);

#endif
