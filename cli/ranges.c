// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "errors.h"
#include "ranges.h"

/* SKIP: what stands before the part of WORD that was parsed. */
_Noreturn static void wrong(const char *word, size_t skip, const char *what,
			    const struct mistake *mistake)
{
	usage_error("'%s' is no %s: at character %zu, expected %s", word, what,
		    skip + mistake->at + 1, mistake->expected);
}

/* The one that a command works on; NULL where none was given. */
uint32_t id_argument(const char *word)
{
	uint64_t id;

	if (!word)
		usage_error("which object? Say its ID");
	if (!parse_number(word, UINT32_MAX, &id))
		usage_error("'%s' is no object's id", word);
	return id;
}

uint64_t length_argument(const char *option, const char *word)
{
	struct mistake mistake;
	uint64_t length;
	char what[32];

	snprintf(what, sizeof(what), "size for %s", option);
	if (!parse_length(word, &length, &mistake))
		wrong(word, 0, what, &mistake);
	return length;
}

uint64_t amount_argument(const char *option, const char *word)
{
	struct mistake mistake;
	uint64_t amount;
	char what[32];

	snprintf(what, sizeof(what), "address for %s", option);
	if (!parse_amount(word, &amount, &mistake))
		wrong(word, 0, what, &mistake);
	return amount;
}

struct range range_argument(const char *word)
{
	struct mistake mistake;
	struct range range;

	if (!parse_range(word, &range, &mistake))
		wrong(word, 0, "range", &mistake);
	return range;
}

/*
 * The list of ranges that stands in WORD behind SKIP characters. Its ranges
 * are the caller's to free.
 */
void ranges_argument(const char *word, size_t skip, struct range_list *list)
{
	struct range *ranges = calloc(count_ranges(word + skip),
				      sizeof(*ranges));
	struct mistake mistake;

	if (!ranges)
		abort();
	if (!parse_ranges(word + skip, ranges, &list->count, &mistake))
		wrong(word, skip, "list of ranges", &mistake);
	list->ranges = ranges;
	list->known = true;
}
