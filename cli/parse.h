/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that is taken apart from text: pure functions, no system calls. */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In place of any count, id or size that the source cannot know. */
#define UNKNOWN UINT64_MAX

/* Long enough for any name, short enough for a socket's path. */
#define CONTEXT_NAME_MAX 64

enum context_form {
	CONTEXT_FD,	/* fd:N */
	CONTEXT_PID,	/* pid:PID, or pid:PID:FD */
	CONTEXT_ID,	/* a number */
	CONTEXT_NAME,	/* a word */
};

/*
 * struct context_spec - what -c says, taken apart
 * @form: which of the four
 * @text: as it was written; not copied
 * @fd: CONTEXT_FD, CONTEXT_PID: the descriptor, -1 where none is named
 * @pid: CONTEXT_PID
 * @id: CONTEXT_ID
 */
struct context_spec {
	enum context_form form;
	const char *text;
	int fd;
	int pid;
	uint64_t id;
};

/*
 * struct fdinfo - what /proc/PID/fdinfo/FD says of an iommufd; UNKNOWN where a
 *                 line is missing, as all are for a driver that writes none
 * @context: the context's id
 * @objects: how many objects it has, of all types
 * @ioas: how many of them are IOASes
 */
struct fdinfo {
	uint64_t context;
	uint64_t objects;
	uint64_t ioas;
};

/* "ffffffff:01:00.0", with its end; most have a domain of four digits */
#define PCI_ADDRESS_SIZE 17

/*
 * struct hold_record - what a holder writes down of itself, for who looks on
 * @pid: its own
 * @clients: how many it has served
 * @since: when it began, in seconds since 1970
 */
struct hold_record {
	uint64_t pid;
	uint64_t clients;
	uint64_t since;
};

bool parse_number(const char *text, uint64_t max, uint64_t *value);
bool parse_mode(const char *text, unsigned int *mode);
bool parse_name(const char *text);
bool parse_pci_address(const char *text, size_t len,
		       char address[PCI_ADDRESS_SIZE]);
bool parse_hold_record(const char *text, struct hold_record *record);
bool parse_context(const char *text, struct context_spec *spec);
void parse_fdinfo(const char *text, size_t len, struct fdinfo *info);
bool parse_device_number(const char *text, unsigned int *major,
			 unsigned int *minor);
bool parse_misc_minor(const char *text, const char *name,
		      unsigned int *minor);
void clean_text(char *text);

#endif
