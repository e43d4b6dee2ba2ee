// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer harness for all that the tool takes apart from text: what is on its
 * command line, and what it reads in /proc and /sys. Besides not crashing, what
 * a parser accepts must be in the range that it promises.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "parse_plan.h"
#include "parse_kept.h"
#include "parse_range.h"
#include "parse_sysfs.h"

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
	check(strlen(address) >= strlen("0000:00:00.0") &&
	      strlen(address) < PCI_ADDRESS_SIZE);
	check(strspn(address, "0123456789abcdef:.") == strlen(address));
	check(parse_pci_address(address, strlen(address), again));
	check(!strcmp(address, again));
}

static void sysfs(const char *text)
{
	struct reserved_region region;
	uint64_t width;

	if (parse_reserved_region(text, &region))
		check(region.start <= region.last && *region.type &&
		      !strpbrk(region.type, " \n\"\\"));
	if (parse_intel_cap(text, &width))
		check(width && width <= 64);
	if (parse_amd_features(text, &width))
		check(width >= 48 && width <= 64);
}

/* As it would be written down, a record reads as the same one. */
static void kept(const char *text)
{
	struct kept_record record, again;
	char line[KEPT_LINE_SIZE];

	if (!parse_kept(text, strlen(text), &record))
		return;
	check(record.id && record.id <= INT32_MAX);
	check(record.kind == KEPT_DEVICE || (!record.pt && !*record.address));
	print_kept(line, &record);
	check(parse_kept(line, strlen(line), &again));
	check(!memcmp(&record, &again, sizeof(record)));
}

static void words(const char *text)
{
	struct hold_record record;
	unsigned int mode;

	if (parse_mode(text, &mode))
		check(mode <= 0777);
	if (parse_name(text))
		check(!strchr(text, '/') && strlen(text) <= CONTEXT_NAME_MAX);
	if (parse_hold_record(text, &record))
		check(record.pid <= INT64_MAX && record.since <= INT64_MAX);
	pci_address(text);
	sysfs(text);
	kept(text);
}

/* A mistake lies within the text or right behind it, and has a remedy. */
static void check_mistake(const char *text, const struct mistake *mistake)
{
	check(mistake->at <= strlen(text));
	check(mistake->expected && *mistake->expected);
}

/* As it would be printed, a range reads as the same one. */
static void check_range(const struct range *range)
{
	struct mistake mistake;
	struct range again;
	char text[64];

	check(range->start <= range->last);
	snprintf(text, sizeof(text), "0x%" PRIx64 "-%" PRIu64, range->start,
		 range->last);
	check(parse_range(text, &again, &mistake));
	check(again.start == range->start && again.last == range->last);
	if (!range->start && range->last == UINT64_MAX)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 "+0x%" PRIx64, range->start,
		 range->last - range->start + 1);
	check(parse_range(text, &again, &mistake));
	check(again.start == range->start && again.last == range->last);
}

static void ranges(const char *text)
{
	size_t room = count_ranges(text), count = 0;
	struct range one = {}, *list = calloc(room, sizeof(*list));
	struct mistake mistake = {};
	uint64_t value = 0;

	check(list);
	if (parse_amount(text, &value, &mistake))
		check(*text >= '0' && *text <= '9');
	else
		check_mistake(text, &mistake);
	if (parse_length(text, &value, &mistake))
		check(value);
	else
		check_mistake(text, &mistake);
	if (parse_range(text, &one, &mistake))
		check_range(&one);
	else
		check_mistake(text, &mistake);
	if (parse_ranges(text, list, &count, &mistake)) {
		check(count == room);
		for (size_t i = 0; i < count; i++)
			check_range(&list[i]);
	} else {
		check_mistake(text, &mistake);
	}
	free(list);
}

static void plan(const char *text)
{
	struct mistake mistake = {};
	struct plan plan;

	if (!parse_plan(text, &plan, &mistake)) {
		check_mistake(text, &mistake);
		return;
	}
	check(plan.mem && plan.devices);
	/* no product of them wraps */
	check(plan_memlock(&plan) > plan.mem);
	check((plan_memlock(&plan) - PLAN_REST) / plan.mem ==
	      (plan.viommu ? plan.devices : 1));
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
	ranges(text);
	plan(text);
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
