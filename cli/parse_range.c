// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A number is decimal, or hexadecimal behind "0x"; an amount is a number that
 * K, M, G or T (powers of 1024) may follow. A range is START-LAST or
 * START+LENGTH: START and LENGTH are amounts, LAST is a number, as the last
 * byte of "0-1G" would be one that few mean.
 */
#include <string.h>

#include "parse_range.h"

static const char units[] = "KMGT";

/* struct scan - a text, and how far it is read */
struct scan {
	const char *text;
	size_t at;
	struct mistake *mistake;
};

static char peek(const struct scan *s)
{
	return s->text[s->at];
}

/* Always false, so that a parser can fail in one line. */
static bool wrong(struct scan *s, size_t at, const char *expected)
{
	*s->mistake = (struct mistake){ at, expected };
	return false;
}

/* The value of the digit that is next, or -1. */
static int digit(const struct scan *s, unsigned int base)
{
	char c = peek(s);

	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool scan_number(struct scan *s, uint64_t *value)
{
	size_t begin = s->at;
	unsigned int base = 10;
	uint64_t n = 0;
	int d;

	if (!strncmp(s->text + s->at, "0x", 2)) {
		base = 16;
		s->at += 2;
	}
	d = digit(s, base);
	if (d < 0)
		return wrong(s, s->at, base == 16 ? "a hexadecimal digit" :
						    "a number");
	for (; d >= 0; d = digit(s, base)) {
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, (unsigned int)d, &n))
			return wrong(s, begin, "a number below 2^64");
		s->at++;
	}
	*value = n;
	return true;
}

static bool scan_amount(struct scan *s, uint64_t *value)
{
	size_t begin = s->at;
	const char *unit;
	uint64_t n;

	if (!scan_number(s, &n))
		return false;
	unit = peek(s) ? strchr(units, peek(s)) : NULL;
	if (unit) {
		if (__builtin_mul_overflow(n, UINT64_C(1024) <<
					   10 * (unit - units), &n))
			return wrong(s, begin, "a number below 2^64");
		s->at++;
	}
	*value = n;
	return true;
}

static bool scan_length(struct scan *s, uint64_t *value)
{
	size_t begin = s->at;

	if (!scan_amount(s, value))
		return false;
	return *value || wrong(s, begin, "a length of at least 1");
}

static bool had_unit(const struct scan *s)
{
	return strchr(units, s->text[s->at - 1]);
}

static bool scan_range(struct scan *s, struct range *range)
{
	uint64_t length;
	size_t begin;

	if (!scan_amount(s, &range->start))
		return false;
	begin = s->at + 1;
	switch (peek(s)) {
	case '-':
		s->at++;
		if (!scan_number(s, &range->last))
			return false;
		if (peek(s) && strchr(units, peek(s)))
			return wrong(s, s->at, "a last address without a unit "
				     "(START+LENGTH takes one)");
		if (range->last < range->start)
			return wrong(s, begin, "an address that is not below "
				     "the first one");
		return true;
	case '+':
		s->at++;
		if (!scan_length(s, &length))
			return false;
		if (__builtin_add_overflow(range->start, length - 1,
					   &range->last))
			return wrong(s, begin, "a length that ends below 2^64");
		return true;
	}
	return wrong(s, s->at, had_unit(s) ?
		     "'-' and the last address, or '+' and the length" :
		     "a unit (K, M, G, T), or '-' and the last address, or "
		     "'+' and the length");
}

static bool at_end(struct scan *s, const char *expected)
{
	return !peek(s) || wrong(s, s->at, expected);
}

/* An address or a size. */
bool parse_amount(const char *text, uint64_t *value, struct mistake *mistake)
{
	struct scan s = { .text = text, .mistake = mistake };

	return scan_amount(&s, value) &&
	       at_end(&s, had_unit(&s) ? "the end" :
		      "a digit, a unit (K, M, G, T) or the end");
}

/* A size that is not 0. */
bool parse_length(const char *text, uint64_t *value, struct mistake *mistake)
{
	struct scan s = { .text = text, .mistake = mistake };

	return scan_length(&s, value) &&
	       at_end(&s, had_unit(&s) ? "the end" :
		      "a digit, a unit (K, M, G, T) or the end");
}

bool parse_range(const char *text, struct range *range,
		 struct mistake *mistake)
{
	struct scan s = { .text = text, .mistake = mistake };

	return scan_range(&s, range) && at_end(&s, "the end of the range");
}

/* How many ranges a list can hold at most. */
size_t count_ranges(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

/*
 * A list of ranges with commas between them. RANGES has room for
 * count_ranges() of them.
 */
bool parse_ranges(const char *text, struct range *ranges, size_t *count,
		  struct mistake *mistake)
{
	struct scan s = { .text = text, .mistake = mistake };
	size_t n = 0;

	while (scan_range(&s, &ranges[n])) {
		n++;
		if (!peek(&s)) {
			*count = n;
			return true;
		}
		if (peek(&s) != ',')
			return wrong(&s, s.at, "',' and another range, or the "
				     "end");
		s.at++;
	}
	return false;
}
