/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a holder keeps besides its context, and knows of objects, a line each:
 *
 * device ID ADDRESS PT IOAS   a VFIO device, bound as ID; attached to the page
 *                             table PT, which is of that IOAS, if it was
 *                             attached by one; 0 is none
 * hwpt ID IOAS                a page table that was made by hand
 * fault ID                    a queue of I/O page faults
 *
 * These lines make up the file NAME.kept, and part of what is said at the
 * socket NAME.dev.
 */
#ifndef CLI_PARSE_KEPT_H
#define CLI_PARSE_KEPT_H

#include "parse.h"

enum kept_kind { KEPT_DEVICE, KEPT_HWPT, KEPT_FAULT };

/*
 * struct kept_record - one line
 * @id: the object's; never 0
 * @address: a device's, as sysfs has it
 * @pt: the page table that a device is attached to, 0: none
 * @ioas: the one that a device is attached to, or that a page table is of;
 *        0: none, or not known
 */
struct kept_record {
	enum kept_kind kind;
	uint32_t id;
	char address[PCI_ADDRESS_SIZE];
	uint32_t pt;
	uint32_t ioas;
};

/* Long enough for any of them, with its end. */
#define KEPT_LINE_SIZE 80

bool parse_kept(const char *line, size_t len, struct kept_record *record);
void print_kept(char line[KEPT_LINE_SIZE], const struct kept_record *record);

#endif
