/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers with units, and ranges of addresses, taken apart from text. */
#ifndef CLI_PARSE_RANGE_H
#define CLI_PARSE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @last belongs to the range: an end may be 2^64-1. The rest: of a mapping. */
struct range {
	uint64_t start;
	uint64_t last;
	bool readable;
	bool writeable;
};

/*
 * struct mistake - where a text goes wrong
 * @at: how many characters before it are right
 * @expected: what should stand there; a constant
 */
struct mistake {
	size_t at;
	const char *expected;
};

bool parse_amount(const char *text, uint64_t *value, struct mistake *mistake);
bool parse_length(const char *text, uint64_t *value, struct mistake *mistake);
bool parse_range(const char *text, struct range *range,
		 struct mistake *mistake);
bool parse_ranges(const char *text, struct range *ranges, size_t *count,
		  struct mistake *mistake);
size_t count_ranges(const char *text);

#endif
