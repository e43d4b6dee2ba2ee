/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's `edu` device (docs/specs/edu.rst): a buffer of 4 KiB, and an engine
 * that copies between it and addresses below 2^28, each time a tenth of a second
 * after it was told to.
 */
#ifndef TESTS_EDU_H
#define TESTS_EDU_H

#include "pci.h"

#define EDU_ID 0x00
#define EDU_LIVE 0x04
#define EDU_IRQ_STATUS 0x24
#define EDU_IRQ_RAISE 0x60
#define EDU_IRQ_ACK 0x64
#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_CMD 0x98

#define EDU_DMA_START 1
#define EDU_DMA_OUT 2		/* from the device to memory */

/* The device's buffer; QEMU ends where its last byte is touched. */
#define EDU_BUFFER 0x40000
#define EDU_MOST 2048

static inline uint32_t edu_get(struct pci *d, unsigned int reg)
{
	return *(volatile uint32_t *)((char *)d->bar + reg);
}

static inline void edu_set(struct pci *d, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)((char *)d->bar + reg) = value;
}

static inline void edu_set64(struct pci *d, unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)((char *)d->bar + reg) = value;
}

static inline void edu_wait(struct pci *d)
{
	int n;

	for (n = 0; n < 20000; n++) {
		if (!(edu_get(d, EDU_DMA_CMD) & EDU_DMA_START))
			return;
		usleep(1000);
	}
	done(ETIMEDOUT, "DMA");
}

/* What an earlier user left running is not to reach this one's memory. */
static inline void edu_open(struct pci *d, const char *node)
{
	dev_open(d, node);
	edu_wait(d);
	done(dev_master(d->fd, true), "bus mastering");
	if ((edu_get(d, EDU_ID) & 0xffff) != 0x00ed)
		done(ENODEV, "edu");
}

static inline void edu_start(struct pci *d, uint64_t iova, size_t n, bool out)
{
	edu_set64(d, EDU_DMA_FROM, out ? EDU_BUFFER : iova);
	edu_set64(d, EDU_DMA_TO, out ? iova : EDU_BUFFER);
	edu_set64(d, EDU_DMA_COUNT, n);
	edu_set64(d, EDU_DMA_CMD, EDU_DMA_START | (out ? EDU_DMA_OUT : 0));
}

static inline void edu_in(struct pci *d, uint64_t iova, size_t n)
{
	edu_start(d, iova, n, false);
	edu_wait(d);
}

static inline void edu_out(struct pci *d, uint64_t iova, size_t n)
{
	edu_start(d, iova, n, true);
	edu_wait(d);
}

/* What a transfer can be told by. */
static inline void edu_fill(char *mem, size_t n, unsigned int seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		mem[i] = (i * 7 + seed) % 251;
}

/* From @from to @to by the device's buffer. */
static inline void edu_copy(struct pci *d, uint64_t from, uint64_t to, size_t n)
{
	edu_in(d, from, n);
	edu_out(d, to, n);
}

#endif
