/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For C helpers that have a context, an IOAS in it, and a session of the test
 * driver, and look at what is pinned: access.c, device.c.
 */
#ifndef TESTS_MAPPED_H
#define TESTS_MAPPED_H

#include <sys/mman.h>
#include <sys/wait.h>

#include "drv.h"
#include "expect.h"

#define P 4096ULL
#define R IOMMU_IOAS_MAP_READABLE
#define W IOMMU_IOAS_MAP_WRITEABLE

static int fd, ses;
static uint32_t ioas;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

static void *room(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

static int map_in(uint32_t id, uint64_t iova, void *mem, size_t len,
		  uint32_t flags)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | flags,
		.ioas_id = id,
		.user_va = (uintptr_t)mem,
		.length = len,
		.iova = iova,
	};

	return call(fd, IOMMU_IOAS_MAP, &cmd);
}

static int map(uint64_t iova, void *mem, size_t len)
{
	return map_in(ioas, iova, mem, len, R | W);
}

static int unmap_in(uint32_t id, uint64_t iova, uint64_t len)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = id,
		.iova = iova,
		.length = len,
	};

	return call(fd, IOMMU_IOAS_UNMAP, &cmd);
}

static int unmap(uint64_t iova, uint64_t len)
{
	return unmap_in(ioas, iova, len);
}

static int set_option(uint32_t option, uint32_t object, uint64_t val)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = option,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = object,
		.val64 = val,
	};

	return call(fd, IOMMU_OPTION, &cmd);
}

static uint32_t new_ioas(void)
{
	uint32_t id;

	if (ioas_alloc(fd, &id))
		die("IOAS_ALLOC");
	return id;
}

/* Pins since @before that have not been undone. */
static uint64_t held_since(struct pins before)
{
	struct pins now = pins_now();

	return now.taken - before.taken - (now.given - before.given);
}

/* Runs @fn in a process of its own, whose rules count here. */
static void in_child(void (*fn)(void))
{
	int pipes[2], sums[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (!pid) {
		checked = failed = 0;
		fn();
		fflush(stdout);
		sums[0] = checked;
		sums[1] = failed;
		_exit(write(pipes[1], sums, sizeof(sums)) != sizeof(sums));
	}
	close(pipes[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status ||
	    read(pipes[0], sums, sizeof(sums)) != sizeof(sums))
		die("child");
	checked += sums[0];
	failed += sums[1];
	close(pipes[0]);
}

#endif
