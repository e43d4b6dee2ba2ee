// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>
#include <string.h>

#include "parse.h"
#include "parse_guest_map.h"
#include "parse_sysfs.h"

/* A line of the longest word, and numbers as long as they can be, is shorter. */
#define LINE_SIZE 128

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the next word off *TEXT; NULL where there is none. */
static char *next_word(char **text)
{
	char *word;

	while (is_blank(**text))
		(*text)++;
	if (!**text)
		return NULL;
	word = *text;
	while (**text && !is_blank(**text))
		(*text)++;
	if (**text)
		*(*text)++ = '\0';
	return word;
}

static bool scan_range(char *word, struct map_line *line)
{
	char *dash = word ? strchr(word, '-') : NULL;

	if (!dash)
		return false;
	*dash = '\0';
	return parse_hex(word, &line->start) &&
	       parse_hex(dash + 1, &line->last) && line->start <= line->last;
}

/* "xN", which is optional and the last word. */
static const char *scan_times(char **text, char *word, uint64_t *times)
{
	*times = 1;
	if (!word)
		return NULL;
	if (*word != 'x' || !parse_number(word + 1, UINT32_MAX, times) ||
	    !*times)
		return "xN, or the end of the line";
	return next_word(text) ? "the end of the line" : NULL;
}

static const char *scan_map(char **text, struct map_line *line)
{
	uint64_t times, length;
	const char *wrong;
	char *word;

	if (!scan_range(next_word(text), line))
		return "START-LAST, in hexadecimal";
	word = next_word(text);
	if (word && !strcmp(word, "ro"))
		word = next_word(text);
	wrong = scan_times(text, word, &times);
	if (wrong || times == 1)
		return wrong;
	length = line->last - line->start + 1;
	if (!length || __builtin_mul_overflow(length, times, &length) ||
	    __builtin_add_overflow(line->start, length - 1, &line->last))
		return "maps that end below 2^64";
	return NULL;
}

static const char *scan_auto(char **text)
{
	char *word = next_word(text);
	uint64_t length, times;

	if (!word || !parse_hex(word, &length) || !length)
		return "LENGTH, in hexadecimal";
	return scan_times(text, next_word(text), &times);
}

static const char *scan_loop(char **text)
{
	char *word = next_word(text);
	uint64_t times;

	if (!word || !parse_number(word, UINT32_MAX, &times) || !times)
		return "N, how often";
	return next_word(text) ? "the end of the line" : NULL;
}

const char *parse_map_line(const char *text, struct map_line *line)
{
	size_t len = strcspn(text, "\n");
	char copy[LINE_SIZE], *rest = copy, *word;
	struct map_line range;

	*line = (struct map_line){ .word = MAP_NOTHING };
	while (len && is_blank(*text)) {
		text++;
		len--;
	}
	if (!len || *text == '#')
		return NULL;
	if (len >= sizeof(copy))
		return "a shorter line";
	memcpy(copy, text, len);
	copy[len] = '\0';
	word = next_word(&rest);
	if (!strcmp(word, "map")) {
		line->word = MAP_MAP;
		return scan_map(&rest, line);
	}
	line->word = MAP_OTHER;
	if (!strcmp(word, "auto"))
		return scan_auto(&rest);
	if (!strcmp(word, "avoid") || !strcmp(word, "unmap"))
		return !scan_range(next_word(&rest), &range) ?
		       "START-LAST, in hexadecimal" :
		       next_word(&rest) ? "the end of the line" : NULL;
	if (!strcmp(word, "loop")) {
		line->word = MAP_LOOP;
		return scan_loop(&rest);
	}
	if (!strcmp(word, "end"))
		line->word = MAP_END;
	else if (strcmp(word, "unmap-all"))
		return "map, auto, unmap, unmap-all, avoid, loop or end";
	return next_word(&rest) ? "the end of the line" : NULL;
}
