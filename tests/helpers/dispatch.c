// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dispatch [--all] [--upstream]
 *
 * Every rule on how an ioctl is checked before it does anything, by raw calls.
 * Prints a line for each rule that does not hold; fails if there is any.
 * Built for 64 and for 32 bits: both must get the same answers.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "expect.h"
#include "iommu.h"

static int fd;

/* Two pages, of which the second cannot be touched. Returns the end of the first. */
static char *edge(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + page, page, PROT_NONE)) {
		perror("mmap");
		exit(1);
	}
	return map + page;
}

static unsigned int nr_objects(void)
{
	char path[64], line[128];
	unsigned int nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "iommufd-objects: %u", &nr);
	if (f)
		fclose(f);
	return nr;
}

static const struct {
	const char *name;
	unsigned long cmd;
	uint32_t size;		/* as published */
	uint32_t min;		/* smallest that is accepted */
	int empty;		/* answer to a struct that is zero but for size */
} commands[] = {
	{ "DESTROY", IOMMU_DESTROY, 8, 8, ENOENT },
	{ "IOAS_ALLOC", IOMMU_IOAS_ALLOC, 12, 12, 0 },
	{ "IOAS_ALLOW_IOVAS", IOMMU_IOAS_ALLOW_IOVAS, 24, 24, ENOENT },
	{ "IOAS_COPY", IOMMU_IOAS_COPY, 40, 40, EINVAL },
	{ "IOAS_IOVA_RANGES", IOMMU_IOAS_IOVA_RANGES, 32, 32, ENOENT },
	{ "IOAS_MAP", IOMMU_IOAS_MAP, 40, 40, EINVAL },
	{ "IOAS_UNMAP", IOMMU_IOAS_UNMAP, 24, 24, ENOENT },
	{ "OPTION", IOMMU_OPTION, 24, 24, EBUSY },
	{ "VFIO_IOAS", IOMMU_VFIO_IOAS, 12, 12, ENODEV },
	{ "HWPT_ALLOC", IOMMU_HWPT_ALLOC, 48, 24, ENOENT },
	{ "GET_HW_INFO", IOMMU_GET_HW_INFO, 40, 32, ENOENT },
	{ "HWPT_SET_DIRTY_TRACKING", IOMMU_HWPT_SET_DIRTY_TRACKING, 16, 16,
	  ENOENT },
	{ "HWPT_GET_DIRTY_BITMAP", IOMMU_HWPT_GET_DIRTY_BITMAP, 48, 48,
	  ENOENT },
	{ "HWPT_INVALIDATE", IOMMU_HWPT_INVALIDATE, 32, 32, ENOENT },
	{ "FAULT_QUEUE_ALLOC", IOMMU_FAULT_QUEUE_ALLOC, 16, 16, EOPNOTSUPP },
	{ "IOAS_MAP_FILE", IOMMU_IOAS_MAP_FILE, 40, 40, EINVAL },
};

/* The last one is newer than upstream's driver in 6.12. */
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]) - upstream)

static void numbers(void)
{
	char buf[64] = { 64 };
	unsigned int nr;

	for (nr = 0; nr <= 0xff; nr++) {
		bool known = false;
		unsigned int i;
		char what[64];

		for (i = 0; i < NR_COMMANDS; i++)
			known |= _IOC_NR(commands[i].cmd) == nr;
		/* Type-1 VFIO numbers are not of this interface's range. */
		if (known || nr < IOMMUFD_CMD_BASE)
			continue;
		snprintf(what, sizeof(what), "unknown number %#x", nr);
		expect(what, ENOTTY, call(fd, _IO(';', nr), buf));
		snprintf(what, sizeof(what), "unknown number %#x, null", nr);
		expect(what, ENOTTY, call(fd, _IO(';', nr), NULL));
	}
	expect("number below the range", ENOTTY, call(fd, _IO(';', 0x7f), NULL));
	expect("number 0", ENOTTY, call(fd, _IO(';', 0), NULL));
}

static void words(void)
{
	unsigned int i;

	for (i = 0; i < NR_COMMANDS; i++) {
		unsigned int nr = _IOC_NR(commands[i].cmd);
		uint32_t buf[16] = { commands[i].size };

		expect("same number, other type", ENOTTY,
		       call(fd, _IO('<', nr), buf));
		expect("same number, direction read", ENOTTY,
		       call(fd, _IOC(_IOC_READ, ';', nr, 0), buf));
		expect("same number, a size in the word", ENOTTY,
		       call(fd, _IOC(0, ';', nr, commands[i].size), buf));
		expect("same number, other word, null",
		       DIFFERS(ENOTTY, EFAULT),
		       call(fd, _IOWR(';', nr, int), NULL));
	}
}

static void sizes(void)
{
	unsigned int i;

	for (i = 0; i < NR_COMMANDS; i++) {
		unsigned long cmd = commands[i].cmd;
		/* Without devices there are no faults; upstream's makes it. */
		int empty = cmd == IOMMU_FAULT_QUEUE_ALLOC ?
			    DIFFERS(EOPNOTSUPP, 0) : commands[i].empty;
		char what[64], *end = edge();
		uint32_t buf[1024] = { 0 }, size;

		printf("# %s\n", commands[i].name);
		expect("null", EFAULT, call(fd, cmd, NULL));
		expect("no memory there", EFAULT, call(fd, cmd, end));
		expect("three bytes of memory", EFAULT, call(fd, cmd, end - 3));

		for (size = 0; size < commands[i].min; size++) {
			buf[0] = size;
			snprintf(what, sizeof(what), "size %u", size);
			expect(what, EINVAL, call(fd, cmd, buf));
		}
		/* The size is looked at before the rest is. */
		*(uint32_t *)(end - 4) = 4;
		expect("size too small at the edge", EINVAL,
		       call(fd, cmd, end - 4));
		*(uint32_t *)(end - 4) = commands[i].size;
		expect("struct over the edge", EFAULT, call(fd, cmd, end - 4));

		buf[0] = sizeof(buf);
		expect("zero tail", empty, call(fd, cmd, buf));
		memset(buf, 0, sizeof(buf));
		buf[0] = sizeof(buf);
		buf[1023] = 0x01000000;
		expect("last byte of the tail set", E2BIG, call(fd, cmd, buf));
		memset(buf, 0, sizeof(buf));
		buf[0] = commands[i].size + 1;
		((char *)buf)[commands[i].size] = 1;
		expect("one byte more, set", E2BIG, call(fd, cmd, buf));
		((char *)buf)[commands[i].size] = 0;
		expect("one byte more, zero", empty, call(fd, cmd, buf));
		memset(buf, 0, sizeof(buf));
		buf[0] = commands[i].size;
		((char *)buf)[commands[i].size] = 1;
		expect("byte set after the struct", empty,
		       call(fd, cmd, buf));

		memset(end - 64, 0, 64);
		*(uint32_t *)(end - 64) = 65;
		expect("tail over the edge", EFAULT, call(fd, cmd, end - 64));
	}
}

static void fields(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_iova_range ranges[3];
	struct iommu_ioas_iova_ranges get = {
		.size = sizeof(get),
		.num_iovas = 3,
		.allowed_iovas = (uintptr_t)ranges,
	};
	unsigned int before = nr_objects(), bit;
	uint32_t id;

	for (bit = 0; bit < 32; bit++) {
		alloc.flags = 1U << bit;
		expect("IOAS_ALLOC with a flag", EOPNOTSUPP,
		       call(fd, IOMMU_IOAS_ALLOC, &alloc));
	}
	expect_u64("objects after refused flags", before, nr_objects());

	expect("IOAS_ALLOC", 0, ioas_alloc(fd, &id));
	get.ioas_id = id;
	memset(ranges, 0x55, sizeof(ranges));
	expect("IOVA_RANGES with room", 0,
	       call(fd, IOMMU_IOAS_IOVA_RANGES, &get));
	expect_u64("num_iovas", 1, get.num_iovas);
	expect_u64("alignment", 1, get.out_iova_alignment);
	expect_u64("start", 0, ranges[0].start);
	expect_u64("last", UINT64_MAX, ranges[0].last);
	expect_u64("next entry untouched", 0x5555555555555555,
		   ranges[1].start);

	get.num_iovas = 0;
	get.allowed_iovas = 0;
	get.out_iova_alignment = 0;
	expect("IOVA_RANGES without room", EMSGSIZE,
	       call(fd, IOMMU_IOAS_IOVA_RANGES, &get));
	expect_u64("num_iovas needed", 1, get.num_iovas);
	expect_u64("alignment with EMSGSIZE", 1, get.out_iova_alignment);

	get.num_iovas = 1;
	expect("IOVA_RANGES, array at null", EFAULT,
	       call(fd, IOMMU_IOAS_IOVA_RANGES, &get));
	get.allowed_iovas = (uintptr_t)edge() - 8;
	expect("IOVA_RANGES, array over the edge", EFAULT,
	       call(fd, IOMMU_IOAS_IOVA_RANGES, &get));
	get.allowed_iovas = (uintptr_t)ranges;
	get.__reserved = 1;
	expect("IOVA_RANGES, reserved field", EOPNOTSUPP,
	       call(fd, IOMMU_IOAS_IOVA_RANGES, &get));
	get.__reserved = 0;
	get.ioas_id = 0;
	expect("IOVA_RANGES of id 0", ENOENT,
	       call(fd, IOMMU_IOAS_IOVA_RANGES, &get));
	get.ioas_id = UINT32_MAX;
	expect("IOVA_RANGES of the highest id", ENOENT,
	       call(fd, IOMMU_IOAS_IOVA_RANGES, &get));

	expect("DESTROY of id 0", ENOENT, destroy(fd, 0));
	expect("DESTROY of an id above all", ENOENT, destroy(fd, 0x80000000));
	expect("DESTROY of the highest id", ENOENT, destroy(fd, UINT32_MAX));
	expect("DESTROY", 0, destroy(fd, id));
	expect("DESTROY again", ENOENT, destroy(fd, id));
	expect("use after DESTROY", ENOENT, ioas_use(fd, id));
}

/* An object whose id could not be told must not exist. */
static void copy_out(void)
{
	unsigned int before = nr_objects();
	struct iommu_ioas_alloc *alloc;
	uint32_t first, next;

	expect("IOAS_ALLOC", 0, ioas_alloc(fd, &first));
	expect("DESTROY", 0, destroy(fd, first));

	alloc = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	alloc->size = sizeof(*alloc);
	mprotect(alloc, 4096, PROT_READ);
	expect("IOAS_ALLOC into read-only memory", EFAULT,
	       call(fd, IOMMU_IOAS_ALLOC, alloc));
	expect_u64("objects after that", before, nr_objects());
	expect("the id that it would have had", ENOENT, destroy(fd, first));
	expect("IOAS_ALLOC", 0, ioas_alloc(fd, &next));
	expect_u64("its id is free again", first, next);
	expect("DESTROY", 0, destroy(fd, next));
}

static uint32_t shared[16];
static volatile bool stop;

static void *flip_size(void *arg)
{
	volatile uint32_t *size = arg;

	while (!stop) {
		*size = 8;
		*size = sizeof(shared);
		*size = 0;
		*size = UINT32_MAX;
	}
	return NULL;
}

/* The size changes under the kernel's eyes: any of its values may be met. */
static void moving_size(void)
{
	pthread_t thread;
	int i, rc;

	shared[10] = 1;
	if (pthread_create(&thread, NULL, flip_size, shared)) {
		perror("pthread_create");
		exit(1);
	}
	for (i = 0; i < 100000; i++) {
		rc = call(fd, IOMMU_DESTROY, shared);
		if (rc != ENOENT && rc != E2BIG && rc != EINVAL &&
		    rc != EFAULT) {
			expect("DESTROY with a moving size", ENOENT, rc);
			break;
		}
	}
	stop = true;
	pthread_join(thread, NULL);
}

static void file_calls(void)
{
	char buf[8] = { 0 };

	expect("read", EINVAL, read(fd, buf, 8) < 0 ? errno : 0);
	expect("write", EINVAL, write(fd, buf, 8) < 0 ? errno : 0);
	expect("lseek", ESPIPE, lseek(fd, 0, SEEK_SET) < 0 ? errno : 0);
	expect("mmap", ENODEV,
	       mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ?
		       errno : 0);
}

int main(int argc, char **argv)
{
	expect_options(&argc, &argv);
	fd = open_iommu();
	numbers();
	words();
	sizes();
	fields();
	copy_out();
	moving_size();
	file_calls();
	return expect_sum();
}
