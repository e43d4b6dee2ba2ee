// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "parse_kept.h"

/* The longest line has this many words. */
#define WORDS_MAX 5

struct words {
	char text[KEPT_LINE_SIZE];
	const char *at[WORDS_MAX];
	size_t count;
};

/* Words have one blank between them, and there is nothing else. */
static bool split(const char *line, size_t len, struct words *words)
{
	char *next = words->text;

	if (len >= sizeof(words->text) || memchr(line, '\0', len))
		return false;
	memcpy(words->text, line, len);
	words->text[len] = '\0';
	for (words->count = 0; next; words->count++) {
		if (words->count == WORDS_MAX)
			return false;
		words->at[words->count] = next;
		next = strchr(next, ' ');
		if (next)
			*next++ = '\0';
	}
	return true;
}

static bool number(const struct words *words, size_t i, uint32_t *value)
{
	uint64_t n;

	if (!parse_number(words->at[i], INT32_MAX, &n))
		return false;
	*value = n;
	return true;
}

/* All of LINE, which has no newline, or false. */
bool parse_kept(const char *line, size_t len, struct kept_record *record)
{
	struct words words;

	*record = (struct kept_record){};
	if (!split(line, len, &words) || words.count < 2 ||
	    !number(&words, 1, &record->id) || !record->id)
		return false;
	if (!strcmp(words.at[0], "device")) {
		record->kind = KEPT_DEVICE;
		return words.count == 5 &&
		       parse_pci_address(words.at[2], strlen(words.at[2]),
					 record->address) &&
		       number(&words, 3, &record->pt) &&
		       number(&words, 4, &record->ioas);
	}
	if (!strcmp(words.at[0], "hwpt")) {
		record->kind = KEPT_HWPT;
		return words.count == 3 && number(&words, 2, &record->ioas);
	}
	record->kind = KEPT_FAULT;
	return words.count == 2 && !strcmp(words.at[0], "fault");
}

/* Without a newline. */
void print_kept(char line[KEPT_LINE_SIZE], const struct kept_record *record)
{
	switch (record->kind) {
	case KEPT_DEVICE:
		snprintf(line, KEPT_LINE_SIZE, "device %" PRIu32 " %s %" PRIu32
			 " %" PRIu32, record->id, record->address, record->pt,
			 record->ioas);
		return;
	case KEPT_HWPT:
		snprintf(line, KEPT_LINE_SIZE, "hwpt %" PRIu32 " %" PRIu32,
			 record->id, record->ioas);
		return;
	case KEPT_FAULT:
		snprintf(line, KEPT_LINE_SIZE, "fault %" PRIu32, record->id);
		return;
	}
}
