/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command knows of the tool: its table row and its statuses. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

struct argp;

/* A contract with scripts; iommufdctl(1), EXIT STATUS. */
enum exit_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_UNSUPPORTED = 2,
	STATUS_NOT_FOUND = 3,
	STATUS_IN_USE = 4,
	STATUS_NOT_PERMITTED = 5,
	STATUS_USAGE = 64,
	/* 'run' only, as a shell has it */
	STATUS_CANNOT_EXEC = 126,
	STATUS_NO_COMMAND = 127,
};

/* What the shell may offer in place of a command's arguments. */
enum complete {
	COMPLETE_NOTHING,
	COMPLETE_OBJECTS,	/* ids of the chosen context */
	COMPLETE_OBJECT,	/* one id, then the words, if any */
	COMPLETE_WORDS,		/* the words in struct command */
	COMPLETE_COMMANDS,	/* names of our commands */
	COMPLETE_PROGRAM,	/* a command line of its own */
	COMPLETE_PATH_PROGRAM,	/* a file, and then that */
	COMPLETE_VERB_NAME,	/* one of the words, and then a name */
	COMPLETE_DEVICES,	/* addresses of this host's devices */
	COMPLETE_VERB_OBJECTS,	/* one of the words, and then ids */
};

/*
 * struct command - one row of the table in main.c, which is all that the
 *                  usage text, the completions and the dispatcher know
 * @name: the word on the command line
 * @run: takes its own argv (argv[0] is the name), returns an exit status
 * @summary: one line, lower case, no full stop
 * @argp: its options and arguments
 * @complete: what its arguments are
 * @words: for COMPLETE_WORDS, COMPLETE_OBJECT and the COMPLETE_VERBs, separated
 *         by spaces
 * @in_order: the first argument ends our options (it starts another program's)
 */
struct command {
	const char *name;
	int (*run)(const struct command *self, int argc, char **argv);
	const char *summary;
	const struct argp *argp;
	enum complete complete;
	const char *words;
	bool in_order;
};

extern const struct command commands[];
const struct command *command_find(const char *name);

extern const struct argp top_argp, list_argp, show_argp, create_argp,
			 map_argp, unmap_argp, set_argp, destroy_argp,
			 graph_argp, monitor_argp, context_argp, hold_argp,
			 run_argp, recv_argp, device_argp, devices_argp,
			 doctor_argp, completion_argp, help_argp;

int cmd_list(const struct command *self, int argc, char **argv);
int cmd_show(const struct command *self, int argc, char **argv);
int cmd_create(const struct command *self, int argc, char **argv);
int cmd_map(const struct command *self, int argc, char **argv);
int cmd_unmap(const struct command *self, int argc, char **argv);
int cmd_set(const struct command *self, int argc, char **argv);
int cmd_destroy(const struct command *self, int argc, char **argv);
int cmd_graph(const struct command *self, int argc, char **argv);
int cmd_monitor(const struct command *self, int argc, char **argv);
int cmd_run(const struct command *self, int argc, char **argv);
int cmd_device(const struct command *self, int argc, char **argv);
int cmd_context(const struct command *self, int argc, char **argv);
int cmd_hold(const struct command *self, int argc, char **argv);
int cmd_recv(const struct command *self, int argc, char **argv);
int cmd_devices(const struct command *self, int argc, char **argv);
int cmd_doctor(const struct command *self, int argc, char **argv);
int cmd_completion(const struct command *self, int argc, char **argv);
int cmd_help(const struct command *self, int argc, char **argv);

#endif
