/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of rules, executed: a line for each rule that does not hold, or for
 * every one, and the sum at the end.
 */
#ifndef TESTS_EXPECT_H
#define TESTS_EXPECT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int checked, failed;
static bool show_all;		/* also what holds, with its answer */
static bool upstream;		/* the driver is not ours */

/* What a rule wants where iommufd(4) tells of a difference. */
#define DIFFERS(ours, theirs) (upstream ? (theirs) : (ours))

/* Takes --all and --upstream off a program's arguments. */
static inline void expect_options(int *argc, char ***argv)
{
	for (; *argc > 1 && !strncmp((*argv)[1], "--", 2); --*argc, ++*argv) {
		show_all |= !strcmp((*argv)[1], "--all");
		upstream |= !strcmp((*argv)[1], "--upstream");
	}
}

/* The two are errnos, or 0. */
static inline void expect(const char *what, int want, int got)
{
	checked++;
	if (show_all)
		printf("%s: %s\n", what, strerrorname_np(got) ?: "0");
	if (want == got)
		return;
	failed++;
	printf("FAILED %s: %s wanted, got %s\n", what,
	       strerrorname_np(want) ?: "0", strerrorname_np(got) ?: "0");
}

static inline void expect_u64(const char *what, uint64_t want, uint64_t got)
{
	checked++;
	if (show_all)
		printf("%s: %#" PRIx64 "\n", what, got);
	if (want == got)
		return;
	failed++;
	printf("FAILED %s: %#" PRIx64 " wanted, got %#" PRIx64 "\n", what,
	       want, got);
}

/* The exit status. No rule at all is a failure too. */
static inline int expect_sum(void)
{
	printf("%d checked, %d failed\n", checked, failed);
	return failed || !checked;
}

#endif
