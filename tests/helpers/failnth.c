// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failnth: for each operation, makes its 1st, 2nd, ... allocation (or copy from
 * or to the user, where the kernel can) fail until it succeeds with none left to
 * fail, and looks each time whether the context is as it was before.
 *
 * Needs a kernel with fault injection, set up by the caller (task-filter off,
 * for the count is the task's own: see fail-nth in the kernel's documentation
 * of fault injection). Prints for each operation how many failures it took.
 */
#define _GNU_SOURCE
#include <stdbool.h>

#include "iommu.h"

static int fd;			/* the context that is looked at */
static char fdinfo_path[64];
static char objects_path[128];
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

static char scratch[1 << 16];
static uint32_t id;		/* the object of the operation */
static int other;		/* the context of the operation */

static int run_open(void)
{
	other = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return other < 0 ? errno : 0;
}

static void close_other(int rc)
{
	if (!rc)
		close(other);
}

static int run_alloc(void)
{
	return ioas_alloc(fd, &id);
}

static void destroy_made(int rc)
{
	if (!rc && destroy(fd, id))
		die("destroy");
}

static void make(void)
{
	if (ioas_alloc(fd, &id))
		die("alloc");
}

static int run_destroy(void)
{
	return destroy(fd, id);
}

static void destroy_kept(int rc)
{
	if (rc && destroy(fd, id))
		die("destroy");
}

static int run_ranges(void)
{
	return ioas_use(fd, 1);
}

static int run_fdinfo(void)
{
	return slurp(fdinfo_path, scratch, sizeof(scratch));
}

static int run_contexts(void)
{
	return slurp("/sys/kernel/debug/iommufd/contexts", scratch,
		     sizeof(scratch));
}

static int run_objects(void)
{
	return slurp(objects_path, scratch, sizeof(scratch));
}

static char other_path[64];

static void open_other(void)
{
	other = open_iommu();
	snprintf(other_path, sizeof(other_path), "/proc/self/fdinfo/%d", other);
}

/* The first look at a context gives it a folder in debugfs. */
static int run_folder(void)
{
	return slurp(other_path, scratch, sizeof(scratch));
}

static void close_opened(int rc)
{
	(void)rc;
	close(other);
}

/* Only run() meets failures. What it changed, undo() undoes. */
static const struct {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	void (*undo)(int rc);
} ops[] = {
	{ "open", NULL, run_open, close_other },
	{ "IOAS_ALLOC", NULL, run_alloc, destroy_made },
	{ "DESTROY", make, run_destroy, destroy_kept },
	{ "IOAS_IOVA_RANGES", NULL, run_ranges, NULL },
	{ "fdinfo", NULL, run_fdinfo, NULL },
	{ "debugfs contexts", NULL, run_contexts, NULL },
	{ "debugfs objects", NULL, run_objects, NULL },
	{ "debugfs folder", open_other, run_folder, close_opened },
};

/* What must not change: the counts, and every line of the dump. */
static void state(char *buf, size_t size)
{
	size_t len;

	if (slurp(fdinfo_path, buf, size))
		die(fdinfo_path);
	len = strlen(buf);
	if (slurp(objects_path, buf + len, size - len))
		die(objects_path);
}

/* The number of failures that it took until operation @i met no more. */
static int try(unsigned int i)
{
	static char before[1 << 16], after[1 << 16];
	int nth;

	for (nth = 1; nth < 1000; nth++) {
		bool injected;
		int rc;

		if (ops[i].prepare)
			ops[i].prepare();
		state(before, sizeof(before));
		set_nth(nth);
		rc = ops[i].run();
		/* What is left of the count was not reached. */
		injected = nth_has_struck();
		set_nth(0);
		state(after, sizeof(after));
		if (ops[i].undo)
			ops[i].undo(rc);

		if (rc && strcmp(before, after)) {
			printf("%s, failure %d: the context changed:\n%s\n%s\n",
			       ops[i].name, nth, before, after);
			return -1;
		}
		if (rc && rc != ENOMEM && rc != ENFILE && rc != EFAULT) {
			printf("%s, failure %d: %s\n", ops[i].name, nth,
			       strerrorname_np(rc));
			return -1;
		}
		if (!injected) {
			if (!rc)
				return nth - 1;
			printf("%s: %s without a failure\n", ops[i].name,
			       strerrorname_np(rc));
			return -1;
		}
	}
	printf("%s: no end of failures\n", ops[i].name);
	return -1;
}

int main(void)
{
	unsigned long ctx = 0;
	unsigned int i;
	char *line;

	fd = open_iommu();
	if (ioas_alloc(fd, &id) || ioas_alloc(fd, &id))
		die("alloc");
	snprintf(fdinfo_path, sizeof(fdinfo_path), "/proc/self/fdinfo/%d", fd);
	if (slurp(fdinfo_path, scratch, sizeof(scratch)))
		die(fdinfo_path);
	line = strstr(scratch, "iommufd-ctx:\t");
	if (line)
		ctx = strtoul(line + strlen("iommufd-ctx:\t"), NULL, 10);
	snprintf(objects_path, sizeof(objects_path),
		 "/sys/kernel/debug/iommufd/%lu/objects", ctx);
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		die("/proc/thread-self/fail-nth");

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		int failures = try(i);

		if (failures < 0)
			return 1;
		printf("%s: %d\n", ops[i].name, failures);
	}
	return 0;
}
