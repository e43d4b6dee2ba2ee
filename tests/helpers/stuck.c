// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stuck: a reader of debugfs is stuck on a page that does not come. Meanwhile
 * the context that it reads is closed, and another is opened and looked at. If
 * any of that waits for the reader, the caller's time limit strikes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "iommu.h"

static int objects_fd;
static char *page;

static void *reader(void *arg)
{
	(void)arg;
	if (read(objects_fd, page, 4096) < 0)
		perror("stuck: read");
	return NULL;
}

static unsigned long ctx_id(int fd)
{
	char path[64], line[128];
	unsigned long id = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "iommufd-ctx: %lu", &id);
	if (f)
		fclose(f);
	return id;
}

static int open_objects(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/iommufd/%lu/objects",
		 ctx_id(fd));
	return open(path, O_RDONLY | O_CLOEXEC);
}

int main(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage zero;
	int fd = open_iommu(), other, uffd;
	pthread_t thread;

	objects_fd = open_objects(fd);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)page;
	range.range.len = 4096;
	if (objects_fd < 0 || uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &range) ||
	    pthread_create(&thread, NULL, reader, NULL)) {
		perror("stuck");
		return 1;
	}
	sleep(1);
	close(fd);
	sleep(1);
	other = open_iommu();
	if (!ctx_id(other) || open_objects(other) < 0) {
		perror("stuck: the other context");
		return 1;
	}
	close(other);

	zero.range = range.range;
	zero.mode = 0;
	ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
	pthread_join(thread, NULL);
	puts("nobody waited");
	return 0;
}
