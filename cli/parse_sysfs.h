/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What IOMMUs say of themselves in sysfs: pure functions, no system calls. */
#ifndef CLI_PARSE_SYSFS_H
#define CLI_PARSE_SYSFS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * struct reserved_region - IOVAs that a group's devices cannot be given
 * @type: the kernel's word: "direct", "direct-relaxable", "reserved", "msi"
 */
struct reserved_region {
	uint64_t start;
	uint64_t last;
	char type[32];
};

bool parse_reserved_region(const char *line, struct reserved_region *region);
bool parse_hex(const char *text, uint64_t *value);
bool parse_intel_cap(const char *text, uint64_t *width);
bool parse_amd_features(const char *text, uint64_t *width);

#endif
