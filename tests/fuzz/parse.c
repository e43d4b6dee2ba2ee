// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer harness for all that the tool takes apart from text: what is on its
 * command line, and what it reads in /proc and /sys. Besides not crashing, what
 * a parser accepts must be in the range that it promises.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

static void check(bool right)
{
	if (!right)
		abort();
}

static void context(const char *text)
{
	struct context_spec spec;

	if (!parse_context(text, &spec))
		return;
	check(spec.text == text);
	switch (spec.form) {
	case CONTEXT_FD:
		check(spec.fd >= 0 && !strncmp(text, "fd:", 3));
		break;
	case CONTEXT_PID:
		check(spec.pid > 0 && spec.fd >= -1 &&
		      !strncmp(text, "pid:", 4));
		break;
	case CONTEXT_ID:
		check(*text >= '0' && *text <= '9');
		break;
	case CONTEXT_NAME:
		check(strlen(text) <= CONTEXT_NAME_MAX && !strchr(text, '/'));
		break;
	}
}

static void pci_address(const char *text)
{
	char address[PCI_ADDRESS_SIZE], again[PCI_ADDRESS_SIZE];

	if (!parse_pci_address(text, strlen(text), address))
		return;
	check(strlen(address) == PCI_ADDRESS_SIZE - 1);
	check(strspn(address, "0123456789abcdef:.") == strlen(address));
	check(parse_pci_address(address, strlen(address), again));
	check(!strcmp(address, again));
}

static void words(const char *text)
{
	struct hold_record record;
	unsigned int mode;
	uint64_t value;

	if (parse_mode(text, &mode))
		check(mode <= 0777);
	if (parse_name(text))
		check(!strchr(text, '/') && strlen(text) <= CONTEXT_NAME_MAX);
	if (parse_size(text, &value))
		check(*text >= '0' && *text <= '9');
	if (parse_hold_record(text, &record))
		check(record.pid <= INT64_MAX && record.since <= INT64_MAX);
	pci_address(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int major, minor;
	struct fdinfo info;
	uint64_t value;
	/* Exactly as long as it is, so that one byte too far is seen. */
	char *text = malloc(size + 1), *bytes = malloc(size ? size : 1);

	check(text && bytes);
	memcpy(bytes, data, size);
	parse_fdinfo(bytes, size, &info);
	memcpy(text, data, size);
	text[size] = '\0';

	if (parse_number(text, INT_MAX, &value))
		check(value <= INT_MAX);
	context(text);
	words(text);
	parse_device_number(text, &major, &minor);
	parse_misc_minor(text, "iommu", &minor);
	clean_text(text);
	check(strlen(text) <= size);
	for (const char *c = text; *c; c++)
		check((unsigned char)*c >= ' ' && *c != 0x7f);

	free(text);
	free(bytes);
	return 0;
}
