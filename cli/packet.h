/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet of text, with or without a descriptor. */
#ifndef CLI_PACKET_H
#define CLI_PACKET_H

#include <stddef.h>

int packet_send(int sock, const char *text, int fd);
int packet_receive(int sock, char *text, size_t size, int *fd);

#endif
