/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that every command takes, and how a command line is parsed. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "parse.h"

struct command;

/*
 * Keys of the options that have no letter. They are in one list, so that an
 * option means the same wherever it is taken.
 */
enum option_key {
	OPTION_JSON = 0x100,
	OPTION_TYPE,
	OPTION_NEW,
	OPTION_FD,
	OPTION_RLIMIT_MODE,
	OPTION_VFIO,
	OPTION_MEMLOCK,
	OPTION_USER,
	OPTION_SOCKET,
	OPTION_ONCE,
	OPTION_TIMEOUT,
	OPTION_MODE,
	OPTION_RECURSIVE,
	OPTION_TREE,
	OPTION_ALL,
	OPTION_ALLOW,
	OPTION_ANON,
	OPTION_FILE,
	OPTION_IOVA,
	OPTION_NO_HUGE_PAGES,
	OPTION_READ_ONLY,
	OPTION_CHECK_MAP,
	OPTION_PLAN,
	OPTION_DEVICE,
	OPTION_IOAS,
};

extern const struct argp common_argp;

/* A child array for each command's argp: adds -c, --json, --help, --version. */
extern const struct argp_child common_children[];

void parse_options(const struct command *command, const struct argp *argp,
		   int argc, char **argv, void *input);

void look_ahead(int argc, char **argv);

const char *option_command(void);
bool option_json(void);
bool option_context_given(void);
const char *option_context(void);
bool context_option(struct context_spec *spec);

_Noreturn void print_help(const struct command *command);

/* Calls back for each option of ARGP and of its children that a user sees. */
void each_option(const struct argp *argp,
		 void (*call)(const struct argp_option *option, void *data),
		 void *data);

#endif
