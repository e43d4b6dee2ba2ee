// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "parse.h"
#include "parse_plan.h"

static bool wrong(struct mistake *mistake, size_t at, const char *expected)
{
	*mistake = (struct mistake){ at, expected };
	return false;
}

/* One word of the plan, LEN characters at AT. */
static bool parse_word(const char *text, size_t at, size_t len,
		       struct plan *plan, struct mistake *mistake)
{
	char word[32] = "";
	uint64_t value;

	if (len < sizeof(word))
		memcpy(word, text + at, len);
	if (!strncmp(word, "mem=", 4)) {
		if (plan->mem)
			return wrong(mistake, at, "no second mem=");
		if (!parse_length(word + 4, &value, mistake)) {
			mistake->at += at + 4;
			return false;
		}
		if (value > PLAN_MEM_MAX)
			return wrong(mistake, at + 4, "at most 1024T");
		plan->mem = value;
		return true;
	}
	if (!strncmp(word, "devices=", 8)) {
		if (plan->devices)
			return wrong(mistake, at, "no second devices=");
		if (!parse_number(word + 8, PLAN_DEVICES_MAX, &value) || !value)
			return wrong(mistake, at + 8, "a number from 1 to 4096");
		plan->devices = value;
		return true;
	}
	if (!strcmp(word, "viommu")) {
		if (plan->viommu)
			return wrong(mistake, at, "no second viommu");
		plan->viommu = true;
		return true;
	}
	return wrong(mistake, at, "mem=SIZE, devices=N or viommu");
}

/* Words in any order, with commas between them. */
bool parse_plan(const char *text, struct plan *plan, struct mistake *mistake)
{
	size_t at = 0;

	*plan = (struct plan){};
	for (;;) {
		size_t len = strcspn(text + at, ",");

		if (!parse_word(text, at, len, plan, mistake))
			return false;
		at += len;
		if (!text[at])
			break;
		at++;
	}
	if (!plan->mem)
		return wrong(mistake, at, "mem=SIZE as well");
	if (!plan->devices)
		return wrong(mistake, at, "devices=N as well");
	return true;
}

/*
 * All devices of a machine look at one address space, in which its memory is
 * pinned once however many they are. With an IOMMU of the machine's own each
 * device has an address space, and each may have all of the memory in it.
 */
uint64_t plan_memlock(const struct plan *plan)
{
	return plan->mem * (plan->viommu ? plan->devices : 1) + PLAN_REST;
}
