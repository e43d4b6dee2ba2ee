// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nvme [-c FD -i IOAS] [-k] NODE identify|read LBA [COUNT]|time COUNT: reads an
 * NVMe disk from user space, by the character device NODE that VFIO gives it. All
 * that the controller reads and writes in memory goes through the IOMMU.
 *
 *   identify    serial number, model, blocks and their size, a line each
 *   read        prints COUNT blocks from LBA on (default 1), each by a command
 *               of its own
 *   time        prints how many nanoseconds each of COUNT such commands took
 *   -c -i       joins the context at descriptor FD, in its address space IOAS;
 *               otherwise both are its own
 *   -k          then keeps the device until it is killed
 *
 * As the NVM Express base specification has it: the controller is switched off,
 * given a pair of queues for commands on itself, switched on, and told of a
 * second pair for reading. Nothing is done about interrupts: it is asked.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <inttypes.h>

#include "clock.h"
#include "pci.h"

#define NVME_CAP 0x00
#define NVME_CC 0x14
#define NVME_CSTS 0x1c
#define NVME_AQA 0x24
#define NVME_ASQ 0x28
#define NVME_ACQ 0x30
#define NVME_DOORBELLS 0x1000

#define NVME_CREATE_SQ 0x01
#define NVME_CREATE_CQ 0x05
#define NVME_IDENTIFY 0x06
#define NVME_READ 0x02

#define DEPTH 16

struct command {
	uint8_t opcode, flags;
	uint16_t id;
	uint32_t nsid, unused[4];
	uint64_t prp1, prp2;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

struct completion {
	uint32_t result, unused;
	uint16_t sq_head, sq_id, id, status;
};

struct queue {
	unsigned int number, tail, head, phase;
	volatile struct command *sq;
	volatile struct completion *cq;
};

/* What the controller sees, by page: four queues, and where data comes. */
#define IOVA 0x40000000ULL
enum { ADMIN_SQ, ADMIN_CQ, IO_SQ, IO_CQ, DATA, NR_PAGES };

static struct pci d;
static char *mem;
static unsigned int stride;
static uint64_t blocks;
static unsigned int block_size;

static uint64_t iova(int page)
{
	return IOVA + page * PAGE;
}

static volatile uint32_t *reg(unsigned int at)
{
	return (volatile uint32_t *)((char *)d.bar + at);
}

static uint64_t get64(unsigned int at)
{
	return *reg(at) | (uint64_t)*reg(at + 4) << 32;
}

static void set64(unsigned int at, uint64_t value)
{
	*reg(at) = value;
	*reg(at + 4) = value >> 32;
}

static void fail(const char *what, unsigned int n)
{
	fprintf(stderr, "nvme: %s: %#x\n", what, n);
	exit(1);
}

/* Until CSTS.RDY is @ready. */
static void wait_ready(unsigned int ready)
{
	int n;

	for (n = 0; n < 20000; n++) {
		if ((*reg(NVME_CSTS) & 1) == ready)
			return;
		usleep(1000);
	}
	fail("the controller does not change its state", *reg(NVME_CSTS));
}

static void submit(struct queue *q, struct command c)
{
	volatile struct completion *done;
	int n;

	c.id = q->tail;
	q->sq[q->tail] = c;
	q->tail = (q->tail + 1) % DEPTH;
	__sync_synchronize();
	*reg(NVME_DOORBELLS + 2 * q->number * stride) = q->tail;

	done = &q->cq[q->head];
	for (n = 0; (done->status & 1) != q->phase; n++) {
		if (n == 200000)
			fail("no answer to command", c.opcode);
		/* It seldom takes long, and sleeping is not what is timed. */
		if (n > 2000)
			usleep(100);
	}
	__sync_synchronize();
	if (done->status >> 1)
		fail("a command failed with status", done->status >> 1);
	if (++q->head == DEPTH) {
		q->head = 0;
		q->phase ^= 1;
	}
	*reg(NVME_DOORBELLS + (2 * q->number + 1) * stride) = q->head;
}

static struct queue queue(unsigned int number, int sq, int cq)
{
	return (struct queue){
		.number = number,
		.phase = 1,
		.sq = (void *)(mem + sq * PAGE),
		.cq = (void *)(mem + cq * PAGE),
	};
}

static struct queue start(void)
{
	*reg(NVME_CC) = 0;
	wait_ready(0);
	stride = 4 << (get64(NVME_CAP) >> 32 & 15);
	*reg(NVME_AQA) = (DEPTH - 1) << 16 | (DEPTH - 1);
	set64(NVME_ASQ, iova(ADMIN_SQ));
	set64(NVME_ACQ, iova(ADMIN_CQ));
	/* Entries of 64 and 16 bytes, pages of 4 KiB, and on. */
	*reg(NVME_CC) = 4 << 20 | 6 << 16 | 1;
	wait_ready(1);
	return queue(0, ADMIN_SQ, ADMIN_CQ);
}

/* A field of identify, which is padded with blanks. */
static void print_field(const char *what, const char *field, int n)
{
	while (n && field[n - 1] == ' ')
		n--;
	printf("%s %.*s\n", what, n, field);
}

/* The controller, if @print says so, and namespace 1. */
static void identify(struct queue *admin, bool print)
{
	struct command c = {
		.opcode = NVME_IDENTIFY, .prp1 = iova(DATA), .cdw10 = 1,
	};
	char *data = mem + DATA * PAGE;
	uint32_t format;

	submit(admin, c);
	if (print) {
		print_field("serial", data + 4, 20);
		print_field("model", data + 24, 40);
	}
	c.cdw10 = 0;
	c.nsid = 1;
	submit(admin, c);
	memcpy(&blocks, data, 8);
	memcpy(&format, data + 128 + 4 * (data[26] & 15), 4);
	block_size = 1 << (format >> 16 & 255);
	if (print)
		printf("blocks %" PRIu64 " of %u bytes\n", blocks, block_size);
}

static struct queue io_queue(struct queue *admin)
{
	submit(admin, (struct command){
		.opcode = NVME_CREATE_CQ, .prp1 = iova(IO_CQ),
		.cdw10 = (DEPTH - 1) << 16 | 1, .cdw11 = 1,
	});
	submit(admin, (struct command){
		.opcode = NVME_CREATE_SQ, .prp1 = iova(IO_SQ),
		.cdw10 = (DEPTH - 1) << 16 | 1, .cdw11 = 1 << 16 | 1,
	});
	return queue(1, IO_SQ, IO_CQ);
}

static void read_block(struct queue *io, uint64_t lba)
{
	submit(io, (struct command){
		.opcode = NVME_READ, .nsid = 1, .prp1 = iova(DATA),
		.cdw10 = lba, .cdw11 = lba >> 32,
	});
}

static void print_block(struct queue *io, uint64_t lba)
{
	memset(mem + DATA * PAGE, 0, PAGE);
	read_block(io, lba);
	fwrite(mem + DATA * PAGE, 1, block_size, stdout);
}

static void time_reads(struct queue *io, uint64_t count)
{
	uint64_t start = now_ns(), n;

	for (n = 0; n < count; n++)
		read_block(io, 0);
	printf("nvme-read %.1f\n", (double)(now_ns() - start) / count);
}

static void open_device(const char *node, int context, uint32_t ioas)
{
	if (context < 0) {
		dev_open(&d, node);
	} else {
		d.iommu = context;
		d.ioas = ioas;
		d.fd = open_node(node);
		done(dev_bind(d.fd, d.iommu, &d.id), "bind");
		done(dev_attach(d.fd, d.ioas, NULL), "attach");
		map_bar(&d);
	}
	mem = memory(NR_PAGES * PAGE);
	done(map_at(d.iommu, d.ioas, mem, NR_PAGES * PAGE, IOVA, MAP_RW),
	     "map");
	done(dev_master(d.fd, true), "bus mastering");
}

int main(int argc, char **argv)
{
	struct queue admin, io;
	uint64_t lba, count;
	uint32_t ioas = 0;
	int context = -1, opt;
	bool keep = false, print, timed;

	while ((opt = getopt(argc, argv, "+c:i:k")) != -1) {
		switch (opt) {
		case 'c':
			context = atoi(optarg);
			break;
		case 'i':
			ioas = strtoul(optarg, NULL, 0);
			break;
		case 'k':
			keep = true;
			break;
		default:
			return 64;
		}
	}
	argv += optind;
	argc -= optind;
	if (argc < 2)
		return 64;
	print = !strcmp(argv[1], "identify");
	timed = !strcmp(argv[1], "time");
	if (!print && ((!timed && strcmp(argv[1], "read")) || argc < 3))
		return 64;

	open_device(argv[0], context, ioas);
	admin = start();
	identify(&admin, print);
	if (timed) {
		io = io_queue(&admin);
		time_reads(&io, strtoull(argv[2], NULL, 0));
	} else if (!print) {
		lba = strtoull(argv[2], NULL, 0);
		count = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
		io = io_queue(&admin);
		while (count--)
			print_block(&io, lba++);
	}
	fflush(stdout);
	if (keep)
		pause();
	dev_master(d.fd, false);
	if (context >= 0)
		done(unmap_at(d.iommu, d.ioas, IOVA, NR_PAGES * PAGE), "unmap");
	return 0;
}
