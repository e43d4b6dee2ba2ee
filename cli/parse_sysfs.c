// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "parse_sysfs.h"

/*
 * Hexadecimal digits, with or without 0x, up to LEN: no sign, no blank, no
 * overflow.
 */
static bool hex(const char *text, size_t len, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t n = 0;

	if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		text += 2;
		len -= 2;
	}
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20 :
							    text[i];
		const char *d = c ? strchr(digits, c) : NULL;

		if (!d || n >> 60)
			return false;
		n = n << 4 | (uint64_t)(d - digits);
	}
	*value = n;
	return true;
}

/* All of TEXT, but for a newline at its end. */
bool parse_hex(const char *text, uint64_t *value)
{
	return hex(text, strcspn(text, "\n"), value);
}

/* "0x00000000fee00000 0x00000000feefffff msi", and perhaps a newline */
bool parse_reserved_region(const char *line, struct reserved_region *region)
{
	size_t first = strcspn(line, "\n "), second, type;
	const char *at = line;

	if (at[first] != ' ' || !hex(at, first, &region->start))
		return false;
	at += first + 1;
	second = strcspn(at, "\n ");
	if (at[second] != ' ' || !hex(at, second, &region->last) ||
	    region->last < region->start)
		return false;
	at += second + 1;
	type = strcspn(at, "\n ");
	if (!type || type >= sizeof(region->type) || at[type] == ' ')
		return false;
	for (size_t i = 0; i < type; i++)
		if (!(at[i] == '-' || (at[i] >= 'a' && at[i] <= 'z') ||
		      (at[i] >= '0' && at[i] <= '9')))
			return false;
	memcpy(region->type, at, type);
	region->type[type] = '\0';
	return true;
}

/*
 * VT-d's capability register: what its pages can translate (SAGAW, bits 12:8,
 * a bit for 3, 4 and 5 levels), but no more than its guest address width
 * (MGAW, bits 21:16, which hold one less).
 */
bool parse_intel_cap(const char *text, uint64_t *width)
{
	static const unsigned int levels[] = { 30, 39, 48, 57, 64 };
	uint64_t cap, mgaw;
	unsigned int widest = 0;

	if (!parse_hex(text, &cap))
		return false;
	for (unsigned int i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (cap >> (8 + i) & 1)
			widest = levels[i];
	if (!widest)
		return false;
	mgaw = (cap >> 16 & 0x3f) + 1;
	*width = mgaw < widest ? mgaw : widest;
	return true;
}

/*
 * AMD's extended features, the second register before a ':' where there is one:
 * host address translation size (HATS, bits 11:10), 4, 5 or 6 levels.
 */
bool parse_amd_features(const char *text, uint64_t *width)
{
	static const unsigned int hats[] = { 48, 57, 64 };
	const char *colon = strchr(text, ':');
	uint64_t features;
	unsigned int n;

	if (!parse_hex(colon ? colon + 1 : text, &features))
		return false;
	n = features >> 10 & 3;
	if (n >= sizeof(hats) / sizeof(hats[0]))
		return false;
	*width = hats[n];
	return true;
}
