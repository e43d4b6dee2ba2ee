/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For C helpers: operations, each of which meets its 1st, 2nd, ... allocation
 * (or copy from or to the user, where the kernel can) failing until it succeeds
 * with none left to fail, while the context must stay as it was before.
 *
 * Needs a kernel with fault injection, set up by the caller (task-filter off,
 * for the count is the task's own: see fail-nth in the kernel's documentation
 * of fault injection).
 */
#ifndef TESTS_FAILNTH_H
#define TESTS_FAILNTH_H

#include <stdbool.h>

#include "drv.h"

static int fd;			/* the context that is looked at */
static char fdinfo_path[64];
static char objects_path[128];
static uint64_t context;	/* its id */
static int failnth_also;	/* what else a failure may be called */
static int nth_fd;		/* /proc/thread-self/fail-nth */

static void die(const char *what)
{
	fprintf(stderr, "failnth: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Whole files are read by hand: stdio would allocate, and hide the errno. */
static int slurp(const char *path, char *buf, size_t size)
{
	int rc = 0, f = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (f < 0)
		return errno;
	while (len < size - 1) {
		n = read(f, buf + len, size - 1 - len);
		if (n < 0)
			rc = errno;
		if (n <= 0)
			break;
		len += n;
	}
	buf[len] = 0;
	close(f);
	return rc;
}

/*
 * Writing and reading the count is a system call like any other: what is left of
 * it may strike there. Then it is used up, and the call can be made again.
 */
static void set_nth(int nth)
{
	char buf[16];
	int n = snprintf(buf, sizeof(buf), "%d", nth), tries;

	for (tries = 0; pwrite(nth_fd, buf, n, 0) != n; tries++)
		if (errno != EFAULT || tries)
			die("fail-nth");
}

/* Whether the count has struck since it was set. */
static bool nth_has_struck(void)
{
	char buf[16] = "";

	if (pread(nth_fd, buf, sizeof(buf) - 1, 0) >= 0)
		return atoi(buf) == 0;
	if (errno != EFAULT)
		die("fail-nth");
	return false;
}

/*
 * Only run() meets failures. What it changed, undo() undoes. Where what is lost
 * may be only the answer to what has been done, answer_only is set.
 */
struct op {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	void (*undo)(int rc);
	bool answer_only;
};

/* What must not change: the counts, every line of the dump, and what is pinned. */
static void state(char *buf, size_t size)
{
	struct pins pins = pins_now();
	size_t len;

	if (slurp(fdinfo_path, buf, size))
		die(fdinfo_path);
	len = strlen(buf);
	if (slurp(objects_path, buf + len, size - len))
		die(objects_path);
	len = strlen(buf);
	snprintf(buf + len, size - len, "pinned: %" PRIu64 "\n",
		 pins.taken - pins.given);
}

/* The number of failures that it took until @op met no more. */
static int try(const struct op *op)
{
	static char before[1 << 16], after[1 << 16];
	int nth;

	for (nth = 1; nth < 1000; nth++) {
		bool injected, lost;
		int rc, again;

		if (op->prepare)
			op->prepare();
		state(before, sizeof(before));
		set_nth(nth);
		rc = op->run();
		/* What is left of the count was not reached. */
		injected = nth_has_struck();
		set_nth(0);
		state(after, sizeof(after));
		lost = rc == EFAULT && op->answer_only;
		if (rc && !lost) {
			/* Nothing is in the way of doing it now. */
			again = op->run();
			if (again) {
				printf("%s, after failure %d: %s\n",
				       op->name, nth,
				       strerrorname_np(again));
				return -1;
			}
		}
		if (op->undo)
			op->undo(rc && !lost ? 0 : rc);

		if (rc && !lost && strcmp(before, after)) {
			printf("%s, failure %d: the context changed:\n%s\n%s\n",
			       op->name, nth, before, after);
			return -1;
		}
		if (rc && rc != ENOMEM && rc != ENFILE && rc != EFAULT &&
		    rc != failnth_also) {
			printf("%s, failure %d: %s\n", op->name, nth,
			       strerrorname_np(rc));
			return -1;
		}
		if (!injected) {
			if (!rc)
				return nth - 1;
			printf("%s: %s without a failure\n", op->name,
			       strerrorname_np(rc));
			return -1;
		}
	}
	printf("%s: no end of failures\n", op->name);
	return -1;
}

/* A context with IOAS 1 and 2, and @fd and the paths set for it. */
static void failnth_begin(void)
{
	static char text[1 << 12];
	uint32_t id;
	char *line;

	fd = open_iommu();
	if (ioas_alloc(fd, &id) || ioas_alloc(fd, &id))
		die("alloc");
	snprintf(fdinfo_path, sizeof(fdinfo_path), "/proc/self/fdinfo/%d", fd);
	if (slurp(fdinfo_path, text, sizeof(text)))
		die(fdinfo_path);
	line = strstr(text, "iommufd-ctx:\t");
	if (line)
		context = strtoull(line + strlen("iommufd-ctx:\t"), NULL, 10);
	snprintf(objects_path, sizeof(objects_path),
		 "/sys/kernel/debug/iommufd/%" PRIu64 "/objects",
		 context);
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		die("/proc/thread-self/fail-nth");
}

/* Tries each, and prints how many failures it met. What main() returns. */
static int failnth_run(const struct op *ops, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		int failures = try(&ops[i]);

		if (failures < 0)
			return 1;
		printf("%s: %d\n", ops[i].name, failures);
	}
	return 0;
}

#endif
