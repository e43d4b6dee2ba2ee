// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "errors.h"
#include "options.h"

const struct command commands[] = {
	{ "list", cmd_list, "show contexts, their objects and who holds them",
	  &list_argp, COMPLETE_NOTHING, NULL, false },
	{ "show", cmd_show, "show one object in full",
	  &show_argp, COMPLETE_OBJECTS, NULL, false },
	{ "create", cmd_create, "make an object and print its id",
	  &create_argp, COMPLETE_WORDS, "ioas hwpt fault", false },
	{ "map", cmd_map, "map memory into an ioas and print where",
	  &map_argp, COMPLETE_OBJECT, NULL, false },
	{ "unmap", cmd_unmap, "end mappings of an ioas",
	  &unmap_argp, COMPLETE_OBJECT, NULL, false },
	{ "set", cmd_set, "change an ioas",
	  &set_argp, COMPLETE_OBJECT,
	  "huge-pages=on huge-pages=off allow=none", false },
	{ "destroy", cmd_destroy, "end the life of objects",
	  &destroy_argp, COMPLETE_OBJECTS, NULL, false },
	{ "device", cmd_device, "bring devices into a context",
	  &device_argp, COMPLETE_VERB_OBJECTS,
	  "bind attach detach unbind list", false },
	{ "context", cmd_context, "start, show and end holders of named contexts",
	  &context_argp, COMPLETE_VERB_NAME, "create list destroy", false },
	{ "hold", cmd_hold, "keep a context open and hand it over",
	  &hold_argp, COMPLETE_NOTHING, NULL, false },
	{ "graph", cmd_graph, "print the objects as a graph for Graphviz",
	  &graph_argp, COMPLETE_NOTHING, NULL, false },
	{ "monitor", cmd_monitor, "tell of objects as they come and go",
	  &monitor_argp, COMPLETE_NOTHING, NULL, false },
	{ "run", cmd_run, "run a program with a context",
	  &run_argp, COMPLETE_PROGRAM, NULL, true },
	{ "recv", cmd_recv, "run a program with a context from a socket",
	  &recv_argp, COMPLETE_PATH_PROGRAM, NULL, true },
	{ "devices", cmd_devices, "show devices that a VM can be given, or why not",
	  &devices_argp, COMPLETE_DEVICES, NULL, false },
	{ "doctor", cmd_doctor, "tell what this host lacks, and how to mend it",
	  &doctor_argp, COMPLETE_NOTHING, NULL, false },
	{ "completion", cmd_completion, "print a shell's completion script",
	  &completion_argp, COMPLETE_WORDS, "bash zsh fish", false },
	{ "help", cmd_help, "tell what there is, or more of one command",
	  &help_argp, COMPLETE_COMMANDS, NULL, false },
	{}
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* Takes the command's name and leaves all that follows to the command. */
static error_t parse(int key, char *arg, struct argp_state *state)
{
	int *first = state->input;

	(void)arg;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	*first = state->next - 1;
	state->next = state->argc;
	return 0;
}

static char *list_commands(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return NULL;
	fputs("Commands:\n", out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-11s %s\n", c->name, c->summary);
	fputs("\n'iommufdctl COMMAND --help' tells more of one, "
	      "iommufdctl(1) of all.", out);
	return fclose(out) ? NULL : list;
}

const struct argp top_argp = {
	.parser = parse,
	.args_doc = "COMMAND [ARGS]",
	.doc = "Create, list and destroy the objects of /dev/iommu.\v ",
	.children = common_children,
	.help_filter = list_commands,
};

/*
 * A descriptor that we open must not become 0, 1 or 2 because the caller closed
 * that: what is printed would end up in it. O_PATH fails every read and write,
 * as a closed one does, and a program that 'run' starts finds them closed.
 */
static void occupy_stdio(void)
{
	int fd;

	do {
		fd = open("/", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= 2);
	if (fd < 0)
		exit(STATUS_FAILED);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct command *command;
	int first = 0;

	occupy_stdio();
	parse_options(NULL, &top_argp, argc, argv, &first);
	if (!first)
		usage_error("which command?");
	command = command_find(argv[first]);
	if (!command) {
		look_ahead(argc - first, argv + first);
		usage_error("there is no command '%s'", argv[first]);
	}
	return close_output(command->run(command, argc - first,
					 argv + first));
}
