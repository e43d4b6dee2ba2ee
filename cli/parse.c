// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"

/* Decimal digits and nothing else: no sign, no blank, no 0x, no overflow. */
static bool digits(const char *text, size_t len, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, text[i] - '0', &n))
			return false;
	}
	if (n > max)
		return false;
	*value = n;
	return true;
}

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	return digits(text, strlen(text), max, value);
}

/* A file's permissions in octal: "0660", "660". */
bool parse_mode(const char *text, unsigned int *mode)
{
	size_t len = strlen(text);
	unsigned int n = 0;

	if (len < 3 || len > 4 || strspn(text, "01234567") != len)
		return false;
	for (size_t i = 0; i < len; i++)
		n = n * 8 + (text[i] - '0');
	if (n > 0777)
		return false;
	*mode = n;
	return true;
}

/*
 * The first LEN bytes of TEXT as sysfs has it, in lower case and with its
 * domain, which is 0000 where it is left out: "01:00.0", "0000:01:00.0". What
 * is behind a VMD has a domain past ffff: "10000:e1:00.0".
 */
bool parse_pci_address(const char *text, size_t len,
		       char address[PCI_ADDRESS_SIZE])
{
	static const char form[] = ":xx:xx.7";
	const size_t tail = sizeof(form) - 1;
	size_t domain = len > tail - 1 ? len - tail : 0;

	/* without a domain there is no ':' before the bus either */
	if (len == tail - 1) {
		domain = 4;
		memcpy(address, "0000:", 5);
	} else if (len < tail + 4 || len > tail + 8 ||
		   (domain > 4 && *text == '0')) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		size_t at = domain + tail - len + i;
		char c = tolower((unsigned char)text[i]);
		char f = at < domain ? 'x' : form[at - domain];

		if (f == 'x' ? !isxdigit((unsigned char)c) :
		    f == '7' ? c < '0' || c > '7' : c != f)
			return false;
		address[at] = c;
	}
	address[domain + tail] = '\0';
	return true;
}

/* Three lines, as holder.c writes them: all of it, or none. */
bool parse_hold_record(const char *text, struct hold_record *record)
{
	const struct {
		const char *key;
		uint64_t *value;
	} lines[] = {
		{ "pid ", &record->pid },
		{ "clients ", &record->clients },
		{ "since ", &record->since },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t key = strlen(lines[i].key), eol = strcspn(text, "\n");

		if (eol < key || !text[eol] || strncmp(text, lines[i].key, key) ||
		    !digits(text + key, eol - key, INT64_MAX, lines[i].value))
			return false;
		text += eol + 1;
	}
	return true;
}

static bool parse_pid(const char *text, struct context_spec *spec)
{
	const char *colon = strchr(text, ':');
	uint64_t n;

	if (colon) {
		if (!parse_number(colon + 1, INT_MAX, &n))
			return false;
		spec->fd = n;
	}
	if (!digits(text, colon ? (size_t)(colon - text) : strlen(text),
		    INT_MAX, &n) || !n)
		return false;
	spec->pid = n;
	return true;
}

/* Could TEXT be a context's name? */
bool parse_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._-");

	return isalpha((unsigned char)text[0]) && !text[len] &&
	       len <= CONTEXT_NAME_MAX;
}

/* Returns false where TEXT has none of the four forms. */
bool parse_context(const char *text, struct context_spec *spec)
{
	uint64_t n;

	*spec = (struct context_spec){ .text = text, .fd = -1 };
	if (!strncmp(text, "fd:", 3)) {
		spec->form = CONTEXT_FD;
		if (!parse_number(text + 3, INT_MAX, &n))
			return false;
		spec->fd = n;
		return true;
	}
	if (!strncmp(text, "pid:", 4)) {
		spec->form = CONTEXT_PID;
		return parse_pid(text + 4, spec);
	}
	if (parse_number(text, UNKNOWN - 1, &spec->id)) {
		spec->form = CONTEXT_ID;
		return spec->id != 0;
	}
	spec->form = CONTEXT_NAME;
	return parse_name(text);
}

/* Lines "key:<blanks>number"; others belong to someone else and are passed. */
void parse_fdinfo(const char *text, size_t len, struct fdinfo *info)
{
	const struct {
		const char *key;
		uint64_t *value;
	} keys[] = {
		{ "iommufd-ctx:", &info->context },
		{ "iommufd-objects:", &info->objects },
		{ "iommufd-ioas:", &info->ioas },
	};
	const char *end = text + len;

	*info = (struct fdinfo){ UNKNOWN, UNKNOWN, UNKNOWN };
	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);
		size_t line;

		if (!eol)
			eol = end;
		line = eol - text;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			size_t key = strlen(keys[i].key);

			if (line < key || memcmp(text, keys[i].key, key))
				continue;
			while (key < line &&
			       (text[key] == ' ' || text[key] == '\t'))
				key++;
			digits(text + key, line - key, UNKNOWN - 1,
			       keys[i].value);
		}
		text = eol + 1;
	}
}

/* sysfs: "10:126\n" */
bool parse_device_number(const char *text, unsigned int *major,
			 unsigned int *minor)
{
	const char *colon = strchr(text, ':');
	uint64_t hi, lo;

	if (!colon || !digits(text, colon - text, UINT_MAX, &hi) ||
	    !digits(colon + 1, strcspn(colon + 1, "\n"), UINT_MAX, &lo))
		return false;
	*major = hi;
	*minor = lo;
	return true;
}

/* /proc/misc: lines of "126 iommu" */
bool parse_misc_minor(const char *text, const char *name, unsigned int *minor)
{
	while (*text) {
		size_t line = strcspn(text, "\n");
		size_t blanks = strspn(text, " ");
		const char *word = text + blanks;
		size_t number = strspn(word, "0123456789");
		const char *rest = word + number;
		uint64_t n;

		if (*rest == ' ' && text + line - rest - 1 ==
		    (ptrdiff_t)strlen(name) &&
		    !memcmp(rest + 1, name, strlen(name)) &&
		    digits(word, number, UINT_MAX, &n)) {
			*minor = n;
			return true;
		}
		text += line;
		if (*text)
			text++;
	}
	return false;
}

/* The length of the UTF-8 sequence at S, 0 where there is none. */
static size_t utf8(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 :
		     s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	/* C1 controls steer a terminal as C0 ones do */
	if (s[0] == 0xc2 && s[1] < 0xa0)
		return 0;
	return len;
}

/*
 * A process names itself as it likes. What cannot be JSON text, or would steer
 * the reader's terminal, becomes '?'.
 */
void clean_text(char *text)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		size_t len = utf8(s);

		if (!len || *s < 0x20 || *s == 0x7f) {
			*s = '?';
			len = 1;
		}
		s += len;
	}
}
