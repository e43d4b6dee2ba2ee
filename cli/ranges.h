/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ids, sizes, addresses and ranges as arguments: a mistake ends the program. */
#ifndef CLI_RANGES_H
#define CLI_RANGES_H

#include "source.h"

uint32_t id_argument(const char *word);
uint64_t length_argument(const char *option, const char *word);
uint64_t amount_argument(const char *option, const char *word);
struct range range_argument(const char *word);
void ranges_argument(const char *word, size_t skip, struct range_list *list);

#endif
