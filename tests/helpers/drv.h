/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For C helpers: a session of kernel/testdrv.c, and how many pages the kernel
 * has pinned.
 */
#ifndef TESTS_DRV_H
#define TESTS_DRV_H

#include <inttypes.h>
#include <stdarg.h>

#include "iommu.h"

#define DRV_SESSION "/sys/kernel/debug/iommufd_testdrv/session"

static inline int drv_open(int ctx)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "ctx %d", ctx);
	int session = open(DRV_SESSION, O_RDWR | O_CLOEXEC);

	if (session < 0 || write(session, line, len) != len) {
		perror(DRV_SESSION);
		exit(1);
	}
	return session;
}

/* Runs a command. 0, or the errno. */
static inline int drv(int session, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline int drv(int session, const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	return write(session, line, len) == len ? 0 : errno;
}

/* What the last command resulted in. */
static inline uint32_t drv_result(int session)
{
	char line[16] = "";

	if (read(session, line, sizeof(line) - 1) < 0) {
		perror("read of " DRV_SESSION);
		exit(1);
	}
	return strtoul(line, NULL, 10);
}

/* The byte of the test driver's pattern at @iova. */
static inline unsigned char drv_pattern(uint64_t iova, uint32_t seed)
{
	return iova * 31 + iova / 4096 * 13 + seed;
}

static inline void drv_fill(void *mem, uint64_t iova, size_t len, uint32_t seed)
{
	unsigned char *byte = mem;
	size_t i;

	for (i = 0; i < len; i++)
		byte[i] = drv_pattern(iova + i, seed);
}

/* Bytes at @mem that are the pattern's. */
static inline size_t drv_match(const void *mem, uint64_t iova, size_t len,
			       uint32_t seed)
{
	const unsigned char *byte = mem;
	size_t i;

	for (i = 0; i < len && byte[i] == drv_pattern(iova + i, seed); i++)
		;
	return i;
}

/* Pages that were pinned, and that were unpinned, since boot. */
struct pins {
	uint64_t taken, given;
};

static inline struct pins pins_now(void)
{
	struct pins pins = { 0, 0 };
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	char line[128];
	FILE *f;

	/* Each CPU counts for itself, and is asked for its share here. */
	if (fd < 0 || write(fd, "1", 1) != 1) {
		perror("/proc/sys/vm/stat_refresh");
		exit(1);
	}
	close(fd);
	f = fopen("/proc/vmstat", "re");
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "nr_foll_pin_acquired %" SCNu64, &pins.taken);
		sscanf(line, "nr_foll_pin_released %" SCNu64, &pins.given);
	}
	if (f)
		fclose(f);
	return pins;
}

#endif
