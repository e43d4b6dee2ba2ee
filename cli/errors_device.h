/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a device was not bound, attached or detached. */
#ifndef CLI_ERRORS_DEVICE_H
#define CLI_ERRORS_DEVICE_H

#include "contexts.h"
#include "errors.h"

/* What was tried: the table in errors_device.c has rows of it. */
enum device_trying {
	TRYING_BIND,
	TRYING_ATTACH,
	TRYING_DETACH,
	TRYING_HWPT,		/* to make a page table for it */
};

/*
 * struct device_attempt - what was refused
 * @what: was tried
 * @context: where
 * @address: the device, as sysfs has it; empty where that is not known
 * @device: a descriptor of it, -1: none
 * @id: of the device in the context, 0 of TRYING_BIND
 * @pt: what it was to be attached to, or what a page table was to be of
 */
struct device_attempt {
	enum device_trying what;
	const struct context *context;
	const char *address;
	int device;
	uint32_t id;
	uint32_t pt;
};

int problem_device(struct problem *p, const struct device_attempt *attempt,
		   int err);

#endif
