/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual machine that --plan describes. */
#ifndef CLI_PARSE_PLAN_H
#define CLI_PARSE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "parse_range.h"

/* More functions than one machine has had; keeps products within 64 bits. */
#define PLAN_DEVICES_MAX 4096
#define PLAN_MEM_MAX (UINT64_C(1) << 50)

/*
 * What a machine maps besides its memory: firmware, video memory and the like.
 * It is far less, but a limit that is reached in use ends a machine.
 */
#define PLAN_REST (UINT64_C(1) << 30)

/*
 * struct plan - a virtual machine
 * @mem: its memory in bytes; 0: there is no plan
 * @devices: how many devices are passed through to it
 * @viommu: the machine has an IOMMU of its own
 */
struct plan {
	uint64_t mem;
	uint64_t devices;
	bool viommu;
};

bool parse_plan(const char *text, struct plan *plan, struct mistake *mistake);
uint64_t plan_memlock(const struct plan *plan);

#endif
