/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a service is to tell its manager: sd_notify(3), by its datagram. */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

int notify_manager(const char *state, int fd);

#endif
