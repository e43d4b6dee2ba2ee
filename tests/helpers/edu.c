// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * edu WHAT NODE: what DMA of a PCI device does, QEMU's `edu`, by its character
 * device NODE (see edu.h). WHAT is
 *
 *   dma       DMA both ways arrives, also after the address space has changed
 *   faults    DMA to where nothing is, or may not be written, does not arrive.
 *             All such addresses have 0xbad in them, by which the kernel's log
 *             is checked
 *   msi       an interrupt arrives in an eventfd
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64	/* a region's number is in its offset */
#include <inttypes.h>
#include <poll.h>

#include "edu.h"
#include "expect.h"

static const char *node;

static int dma(void)
{
	const size_t n = EDU_MOST;
	char *mem = memory(4 * PAGE), want[EDU_MOST];
	struct pci d;
	uint32_t other;

	edu_open(&d, node);
	expect("map", 0,
	       map_at(d.iommu, d.ioas, mem, 2 * PAGE, 0x100000, MAP_RW));
	edu_fill(mem, n, 1);
	edu_fill(want, n, 1);
	edu_copy(&d, 0x100000, 0x101000, n);
	expect_u64("it arrives", 0, memcmp(mem + PAGE, want, n));

	/* Not where the next page of memory is, but where the IOAS says. */
	expect("map more", 0, map_at(d.iommu, d.ioas, mem + 3 * PAGE, PAGE,
				     0xfff000, MAP_RW));
	edu_copy(&d, 0x100000, 0xfff000 + PAGE - n, n);
	expect_u64("it arrives there", 0,
		   memcmp(mem + 4 * PAGE - n, want, n));

	/* Over the boundary of two pages. */
	memset(mem, 0, 4 * PAGE);
	edu_fill(mem + PAGE - 100, 200, 5);
	edu_fill(want, 200, 5);
	edu_copy(&d, 0x100000 + PAGE - 100, 0x100000, 200);
	expect_u64("over two pages", 0, memcmp(mem, want, 200));

	expect("unmap", 0, unmap_at(d.iommu, d.ioas, 0x100000, 2 * PAGE));
	expect("map elsewhere", 0, map_at(d.iommu, d.ioas, mem + 2 * PAGE, PAGE,
					  0x100000, MAP_RW));
	edu_fill(want, n, 9);
	memcpy(mem + 2 * PAGE, want, n);
	edu_copy(&d, 0x100000, 0xfff000, n);
	expect_u64("what came instead is read", 0,
		   memcmp(mem + 3 * PAGE, want, n));

	expect("another", 0, ioas_alloc(d.iommu, &other));
	expect("map there", 0,
	       map_at(d.iommu, other, mem, 2 * PAGE, 0x200000, MAP_RW));
	expect("moved", 0, dev_attach(d.fd, other, NULL));
	expect("the first is not in use any more", 0, destroy(d.iommu, d.ioas));
	edu_fill(mem, n, 13);
	edu_fill(want, n, 13);
	edu_copy(&d, 0x200000, 0x201000, n);
	expect_u64("it arrives in the other", 0, memcmp(mem + PAGE, want, n));

	expect("in use", EBUSY, destroy(d.iommu, other));
	expect("detach", 0, dev_detach(d.fd));
	expect("not in use", 0, destroy(d.iommu, other));
	dev_close(&d);
	return expect_sum();
}

static int faults(void)
{
	const size_t n = EDU_MOST;
	char *mem = memory(3 * PAGE), *zero = calloc(1, PAGE);
	struct pci d;
	uint32_t other;

	edu_open(&d, node);
	expect("map", 0,
	       map_at(d.iommu, d.ioas, mem, PAGE, 0x100000, MAP_RW));
	expect("map for reading", 0, map_at(d.iommu, d.ioas, mem + PAGE, PAGE,
					    0xbad1000, MAP_R));
	edu_fill(mem, n, 3);

	edu_in(&d, 0x100000, n);
	edu_out(&d, 0xbad1000, n);
	expect_u64("not to be written", 0, memcmp(mem + PAGE, zero, PAGE));
	edu_out(&d, 0xbad2000, n);

	expect("map where that went", 0, map_at(d.iommu, d.ioas, mem + 2 * PAGE,
						PAGE, 0xbad2000, MAP_RW));
	expect_u64("nothing was there", 0, memcmp(mem + 2 * PAGE, zero, PAGE));
	edu_out(&d, 0xbad2000, n);
	expect_u64("now it arrives", 0, memcmp(mem, mem + 2 * PAGE, n));
	expect("unmap", 0, unmap_at(d.iommu, d.ioas, 0xbad2000, PAGE));
	memset(mem + 2 * PAGE, 0, PAGE);
	edu_out(&d, 0xbad2000, n);
	expect_u64("no longer there", 0, memcmp(mem + 2 * PAGE, zero, PAGE));

	/* Half in, half out: of the half that is in, any part may arrive. */
	expect("unmap", 0, unmap_at(d.iommu, d.ioas, 0xbad1000, PAGE));
	expect("map", 0,
	       map_at(d.iommu, d.ioas, mem + PAGE, PAGE, 0xbad0000, MAP_RW));
	edu_out(&d, 0xbad1000 - 1024, n);
	expect_u64("before it nothing", 0,
		   memcmp(mem + PAGE, zero, PAGE - 1024));

	/* Neither by an IOAS that it is not attached to, nor by none. */
	expect("another", 0, ioas_alloc(d.iommu, &other));
	expect("map there", 0, map_at(d.iommu, other, mem + 2 * PAGE, PAGE,
				      0xbad3000, MAP_RW));
	edu_out(&d, 0xbad3000, n);
	expect_u64("not by another", 0, memcmp(mem + 2 * PAGE, zero, PAGE));
	memset(mem + PAGE, 0, PAGE);
	expect("detach", 0, dev_detach(d.fd));
	edu_out(&d, 0xbad0000, n);
	expect_u64("not when detached", 0, memcmp(mem + PAGE, zero, PAGE));

	expect("attach again", 0, dev_attach(d.fd, d.ioas, NULL));
	edu_in(&d, 0x100000, n);
	edu_out(&d, 0xbad0000, n);
	expect_u64("and it works", 0, memcmp(mem + PAGE, mem, n));
	dev_close(&d);
	return expect_sum();
}

static int msi(void)
{
	int event = eventfd(0, 0);
	struct pollfd p = { .fd = event, .events = POLLIN };
	struct pci d;
	uint64_t n;
	int i;

	edu_open(&d, node);
	expect("eventfd", 0, dev_irq(d.fd, VFIO_PCI_MSI_IRQ_INDEX, event));
	for (i = 1; i <= 3; i++) {
		edu_set(&d, EDU_IRQ_RAISE, i);
		expect_u64("it arrives", 1, poll(&p, 1, 20000));
		expect_u64("once", 8, read(event, &n, 8));
		expect_u64("and no more", 1, n);
		expect_u64("with what was raised", i,
			   edu_get(&d, EDU_IRQ_STATUS));
		edu_set(&d, EDU_IRQ_ACK, i);
	}
	expect("off", 0, dev_irq_off(d.fd, VFIO_PCI_MSI_IRQ_INDEX));
	dev_close(&d);
	return expect_sum();
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	node = argv[2];
	if (!strcmp(argv[1], "dma"))
		return dma();
	if (!strcmp(argv[1], "faults"))
		return faults();
	if (!strcmp(argv[1], "msi"))
		return msi();
	return 64;
}
