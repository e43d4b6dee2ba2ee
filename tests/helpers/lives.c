// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lives WHAT NODE [ARG]: how a PCI device comes to a user and leaves again, QEMU's
 * `edu` by its character device NODE (see edu.h). WHAT is
 *
 *   again N   opened, used and closed N times
 *   kill N    its user killed N times while DMA runs
 *   move N    N copies while it is moved between address spaces
 *   fork      the file inherited by a child, which outlives its parent's
 *   hold      bound, with "ready"; for each line of standard input says what a
 *             read and an ioctl answer, until it ends. With ARG "ask", closes
 *             when it is asked to, with "deaf" only says so. With "touch", reads
 *             mapped memory as well
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64	/* a region's number is in its offset */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "edu.h"
#include "expect.h"

static const char *node;

static int again(int times)
{
	char *mem = memory(2 * PAGE);
	struct pci d;
	int n;

	for (n = 1; n <= times; n++) {
		edu_open(&d, node);
		done(map_at(d.iommu, d.ioas, mem, 2 * PAGE, 0x100000, MAP_RW),
		     "map");
		edu_fill(mem, 256, n);
		edu_copy(&d, 0x100000, 0x101000, 256);
		expect_u64("it arrives", 0, memcmp(mem, mem + PAGE, 256));
		dev_close(&d);
	}
	return expect_sum();
}

/*
 * A child's DMA goes to memory that it has from us; killed, it leaves the device
 * with a transfer under way, of which nothing may arrive any more.
 */
static void child(char *mem, int ready)
{
	struct pci d;
	unsigned int n;

	edu_open(&d, node);
	done(map_at(d.iommu, d.ioas, mem, 64 * PAGE, 0x100000, MAP_RW), "map");
	for (n = 0;; n++) {
		edu_start(&d, 0x100000 + n % 64 * PAGE, EDU_MOST, true);
		if (!n)
			done(write(ready, "", 1) != 1, "pipe");
		edu_wait(&d);
	}
}

static int kills(int times)
{
	char *mem = memory(64 * PAGE), *want = malloc(64 * PAGE), byte;
	int pipes[2], n;
	pid_t pid;

	done(pipe(pipes) ? errno : 0, "pipe");
	edu_fill(want, 64 * PAGE, 1);
	for (n = 0; n < times; n++) {
		pid = fork();
		if (!pid)
			child(mem, pipes[1]);
		expect_u64("ready", 1, read(pipes[0], &byte, 1));
		usleep(n % 10 * 11000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		memcpy(mem, want, 64 * PAGE);
		usleep(120000);
		expect_u64("nothing more arrives", 0,
			   memcmp(mem, want, 64 * PAGE));
	}
	return expect_sum();
}

/*
 * A device that is moved from one address space to another and back while it
 * copies, and memory that is mapped and unmapped meanwhile beside what it uses.
 * Where moving leaves it with none for a moment a transfer may be lost, so the
 * address is one by which the log knows the tests' own.
 */
static struct pci moved;
static uint32_t homes[2];
static volatile bool stop;

static void *mover(void *arg)
{
	unsigned long *moves = arg;

	for (; !stop; ++*moves)
		done(dev_attach(moved.fd, homes[*moves % 2], NULL), "move");
	return NULL;
}

static void *mapper(void *arg)
{
	char *mem = memory(256 * PAGE);
	unsigned long *maps = arg;

	for (; !stop; ++*maps) {
		uint64_t at = 0x1000000 + (*maps % 7) * 64 * PAGE;
		uint32_t home = homes[*maps % 2];

		done(map_at(moved.iommu, home, mem, 256 * PAGE, at, MAP_RW),
		     "map beside");
		done(unmap_at(moved.iommu, home, at, 256 * PAGE),
		     "unmap beside");
	}
	return NULL;
}

static int move(int times)
{
	char *mem = memory(2 * PAGE);
	unsigned long moves = 0, maps = 0;
	pthread_t threads[2];
	int n, lost = 0;

	edu_open(&moved, node);
	homes[0] = moved.ioas;
	done(ioas_alloc(moved.iommu, &homes[1]), "ioas");
	for (n = 0; n < 2; n++)
		done(map_at(moved.iommu, homes[n], mem, 2 * PAGE, 0xbad0000,
			    MAP_RW), "map");
	pthread_create(&threads[0], NULL, mover, &moves);
	pthread_create(&threads[1], NULL, mapper, &maps);
	for (n = 0; n < times; n++) {
		edu_fill(mem, 1000, n);
		edu_copy(&moved, 0xbad0000, 0xbad1000, 1000);
		lost += !!memcmp(mem, mem + PAGE, 1000);
	}
	stop = true;
	for (n = 0; n < 2; n++)
		pthread_join(threads[n], NULL);
	edu_fill(mem, 1000, 99);
	edu_copy(&moved, 0xbad0000, 0xbad1000, 1000);
	expect_u64("at rest it arrives", 0, memcmp(mem, mem + PAGE, 1000));
	expect_u64("moved", true, moves > 0);
	expect_u64("mapped", true, maps > 0);
	dev_close(&moved);
	printf("%lu moves, %lu maps, %d of %d transfers lost\n", moves, maps,
	       lost, times);
	return expect_sum();
}

/* The child's copy of the file keeps the device on; the last close ends it. */
static int forks(void)
{
	char *mem = memory(2 * PAGE), byte;
	int pipes[2], status, fd;
	struct pci d;
	pid_t pid;

	edu_open(&d, node);
	expect("map", 0,
	       map_at(d.iommu, d.ioas, mem, 2 * PAGE, 0x100000, MAP_RW));
	done(pipe(pipes) ? errno : 0, "pipe");
	pid = fork();
	if (!pid) {
		close(pipes[1]);
		if (read(pipes[0], &byte, 1))
			_exit(1);
		/* What the device reaches is still the memory that was there. */
		edu_fill(mem, 500, 7);
		edu_copy(&d, 0x100000, 0x101000, 500);
		_exit(memcmp(mem, mem + PAGE, 500) ? 2 : 0);
	}
	dev_close(&d);
	fd = open_node(node);
	d.iommu = open_iommu();
	expect("the child has it", EINVAL, dev_bind(fd, d.iommu, NULL));
	close(pipes[1]);
	waitpid(pid, &status, 0);
	expect_u64("the child's DMA arrives", 0, status);
	expect("then it is free", 0, dev_bind(fd, d.iommu, NULL));
	return expect_sum();
}

static sigjmp_buf fault;

static void on_sigbus(int sig)
{
	siglongjmp(fault, sig);
}

static void touch(struct pci *d)
{
	if (!sigsetjmp(fault, 1))
		printf(" memory %#x", edu_get(d, EDU_ID));
	else
		printf(" memory SIGBUS");
}

static int hold(const char *how)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int event = eventfd(0, 0);
	bool deaf = how && !strcmp(how, "deaf");
	bool ask = deaf || (how && !strcmp(how, "ask"));
	bool touches = how && !strcmp(how, "touch");
	struct pollfd p[2] = {
		{ .fd = 0, .events = POLLIN },
		{ .fd = event, .events = ask ? POLLIN : 0 },
	};
	char *mem = memory(PAGE), byte;
	struct pci d;
	int rc;

	signal(SIGBUS, on_sigbus);
	edu_open(&d, node);
	done(map_at(d.iommu, d.ioas, mem, PAGE, 0x100000, MAP_RW), "map");
	if (ask)
		done(dev_irq(d.fd, VFIO_PCI_REQ_IRQ_INDEX, event), "request");
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(p, 2, -1) < 0)
			done(errno, "poll");
		if (p[1].revents & POLLIN) {
			puts("asked");
			fflush(stdout);
			if (!deaf)
				return 0;
			p[1].events = 0;
		}
		if (read(0, &byte, 1) != 1)
			return 0;
		if (byte != '\n')
			continue;
		rc = call(d.fd, VFIO_DEVICE_GET_INFO, &info);
		printf("ioctl %s", rc ? strerrorname_np(rc) : "0");
		rc = pread(d.fd, &byte, 1, 0) < 0 ? errno : 0;
		printf(" read %s", rc ? strerrorname_np(rc) : "0");
		if (touches)
			touch(&d);
		putchar('\n');
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	node = argv[2];
	if (!strcmp(argv[1], "again") && argc > 3)
		return again(atoi(argv[3]));
	if (!strcmp(argv[1], "kill") && argc > 3)
		return kills(atoi(argv[3]));
	if (!strcmp(argv[1], "move") && argc > 3)
		return move(atoi(argv[3]));
	if (!strcmp(argv[1], "fork"))
		return forks();
	if (!strcmp(argv[1], "hold"))
		return hold(argv[3]);
	return 64;
}
