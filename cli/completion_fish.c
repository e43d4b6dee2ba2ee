// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "columns.h"
#include "completion.h"
#include "options.h"

static const char head[] =
SCRIPT_LICENSE
"# fish completion for iommufdctl, made by 'iommufdctl completion fish'\n"
"\n"
"# prints the command on the line and its arguments, a line each; fails where\n"
"# none is there yet\n"
"function __iommufdctl_command\n"
"    set -l words (commandline -opc)\n"
"    set -l met\n"
"    set -l skip\n"
"    for word in $words[2..-1]\n"
"        if set -q skip[1]\n"
"            set skip\n"
"            continue\n"
"        end\n"
"        switch $word\n"
"            case";

static const char rest[] =
"\n"
"                set skip yes\n"
"            case '-*'\n"
"            case '*'\n"
"                set -a met $word\n"
"        end\n"
"    end\n"
"    set -q met[1] && printf '%s\\n' $met\n"
"end\n"
"\n"
"# is it this command, and (0 or 1) does it have an argument?\n"
"function __iommufdctl_is\n"
"    set -l met (__iommufdctl_command)\n"
"    test \"$met[1]\" = $argv[1] || return 1\n"
"    set -q argv[2] || return 0\n"
"    set -q met[2]\n"
"    test $status -ne $argv[2]\n"
"end\n"
"\n"
"# words of the context that -c chose so far: contexts or objects\n"
"function __iommufdctl_live\n"
"    set -l words (commandline -opc)\n"
"    set -l chosen\n"
"    set -l last\n"
"    for word in $words[2..-1]\n"
"        if contains -- \"$last\" -c --context\n"
"            set chosen -c $word\n"
"        else if string match -qr -- '^(--context=|-c.)' $word\n"
"            set chosen $word\n"
"        end\n"
"        set last $word\n"
"    end\n"
"    iommufdctl $chosen completion $argv[1] 2>/dev/null </dev/null\n"
"end\n"
"\n"
"complete -c iommufdctl -f\n";

static void print_quoted(const char *text)
{
	fputc('\'', stdout);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', stdout);
		fputc(*text, stdout);
	}
	fputc('\'', stdout);
}

static void print_value_option(const struct argp_option *o, void *data)
{
	(void)data;
	if (!o->arg)
		return;
	if (o->key < 0x80)
		printf(" -%c", o->key);
	printf(" --%s", o->name);
}

static void print_option(const struct argp_option *o, const char *command)
{
	fputs("complete -c iommufdctl", stdout);
	if (command)
		printf(" -n '__iommufdctl_is %s'", command);
	if (o->key < 0x80)
		printf(" -s %c", o->key);
	printf(" -l %s", o->name);
	if (o->arg)
		fputs(takes(o, "PATH") ? " -r -F" : " -x", stdout);
	if (takes(o, "CONTEXT"))
		fputs(" -a '(__iommufdctl_live contexts)'", stdout);
	if (takes(o, "ID"))
		fputs(" -a '(__iommufdctl_live objects)'", stdout);
	if (takes(o, "TYPE")) {
		fputs(" -a '", stdout);
		for (const char *const *t = object_types; *t; t++)
			printf("%s%s", t == object_types ? "" : " ", *t);
		fputc('\'', stdout);
	}
	if (value_words(o))
		printf(" -a '%s'", value_words(o));
	fputs(" -d ", stdout);
	print_quoted(o->doc);
	fputc('\n', stdout);
}

static void print_common_option(const struct argp_option *o, void *data)
{
	(void)data;
	print_option(o, NULL);
}

static void print_own_option(const struct argp_option *o, void *data)
{
	const struct command *command = data;
	const struct argp_option *c = common_argp.options;

	while (c->name && c->key != o->key)
		c++;
	if (!c->name)
		print_option(o, command->name);
}

/* The commands, where CONDITION holds. */
static void print_names(const char *condition)
{
	for (const struct command *c = commands; c->name; c++) {
		printf("complete -c iommufdctl -n '%s' -a %s -d ", condition,
		       c->name);
		print_quoted(c->summary);
		fputc('\n', stdout);
	}
}

static void print_arguments(const struct command *c)
{
	char condition[64];

	snprintf(condition, sizeof(condition), "__iommufdctl_is %s", c->name);
	switch (c->complete) {
	case COMPLETE_OBJECTS:
		printf("complete -c iommufdctl -n '%s' "
		       "-a '(__iommufdctl_live objects)'\n", condition);
		break;
	case COMPLETE_DEVICES:
		printf("complete -c iommufdctl -n '%s' "
		       "-a '(__iommufdctl_live devices)'\n", condition);
		break;
	case COMPLETE_OBJECT:
		printf("complete -c iommufdctl -n '%s 0' "
		       "-a '(__iommufdctl_live objects)'\n", condition);
		if (c->words)
			printf("complete -c iommufdctl -n '%s 1' -a '%s'\n",
			       condition, c->words);
		break;
	case COMPLETE_WORDS:
		printf("complete -c iommufdctl -n '%s' -a '%s'\n", condition,
		       c->words);
		break;
	case COMPLETE_COMMANDS:
		print_names(condition);
		break;
	case COMPLETE_VERB_NAME:
	case COMPLETE_VERB_OBJECTS:
		printf("complete -c iommufdctl -n '%s; and not "
		       "__fish_seen_subcommand_from %s' -a '%s'\n", condition,
		       c->words, c->words);
		printf("complete -c iommufdctl -n '%s; and "
		       "__fish_seen_subcommand_from %s' "
		       "-a '(__iommufdctl_live %s)'\n", condition,
		       c->words, c->complete == COMPLETE_VERB_NAME ? "names" :
								     "objects");
		break;
	case COMPLETE_PATH_PROGRAM:
		printf("complete -c iommufdctl -n '%s' -F\n", condition);
		/* fall through */
	case COMPLETE_PROGRAM:
		printf("complete -c iommufdctl -n '%s' -a "
		       "'(__fish_complete_subcommand --fcs-skip=%d",
		       condition, c->complete == COMPLETE_PROGRAM ? 2 : 3);
		every_option(print_value_option, NULL);
		puts(")'");
		break;
	case COMPLETE_NOTHING:
		break;
	}
}

int completion_fish(void)
{
	fputs(head, stdout);
	every_option(print_value_option, NULL);
	fputs(rest, stdout);
	each_option(&common_argp, print_common_option, NULL);
	print_names("not __iommufdctl_command >/dev/null");
	for (const struct command *c = commands; c->name; c++) {
		each_option(c->argp, print_own_option, (void *)c);
		print_arguments(c);
	}
	return STATUS_DONE;
}
