// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "completion.h"
#include "options.h"

static const char head[] =
"#compdef iommufdctl\n"
SCRIPT_LICENSE
"# zsh completion for iommufdctl, made by 'iommufdctl completion zsh'\n"
"\n"
"# words of the context that -c chose so far: contexts, objects, devices\n"
"_iommufdctl_live() {\n"
"	local -a lines\n"
"	lines=(${(f)\"$(iommufdctl $chosen completion $1 2>/dev/null </dev/null)\"})\n"
"	lines=(${${lines//:/\\\\:}/$'\\t'/:})\n"
"	_describe -t iommufdctl-$1 $1 lines\n"
"}\n"
"\n"
"# another program's command line\n"
"_iommufdctl_program() {\n"
"	if [[ $words[1] == -- ]]; then\n"
"		shift words\n"
"		((CURRENT--))\n"
"	fi\n"
"	_normal\n"
"}\n"
"\n"
"_iommufdctl() {\n"
"	local curcontext=$curcontext state line ret=1 i\n"
"	local -a chosen common own names\n"
"	typeset -A opt_args\n"
"	for ((i = 2; i < CURRENT; i++)); do\n"
"		case $words[i] in\n"
"		-c | --context) ((i + 1 < CURRENT)) && chosen=(-c $words[i+1]) ;;\n"
"		--context=* | -c?*) chosen=($words[i]) ;;\n"
"		esac\n"
"	done\n"
"	common=(\n";

static const char middle[] =
"	)\n"
"	_arguments -C -A '-*' $common \\\n"
"		'1:command:->command' '*::argument:->argument' && ret=0\n"
"	case $state in\n"
"	command)\n"
"		_describe -t commands command names && ret=0\n"
"		;;\n"
"	argument)\n"
"		case $words[1] in\n";

static const char tail[] =
"		esac\n"
"		_arguments -S $common $own && ret=0\n"
"		;;\n"
"	esac\n"
"	return ret\n"
"}\n"
"\n"
"if [[ $funcstack[1] == _iommufdctl ]]; then\n"
"	_iommufdctl \"$@\"\n"
"else\n"
"	compdef _iommufdctl iommufdctl\n"
"fi\n";

/* In single quotes; what _arguments and _describe take apart is escaped. */
static void print_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (strchr("[]:\\", *text))
			fputc('\\', stdout);
		fputc(*text, stdout);
	}
}

static void print_values(const struct argp_option *o)
{
	printf(":%s:", o->arg);
	if (takes(o, "CONTEXT"))
		fputs(" _iommufdctl_live contexts", stdout);
	if (takes(o, "PATH"))
		fputs(" _files", stdout);
	if (takes(o, "ID"))
		fputs(" _iommufdctl_live objects", stdout);
	if (takes(o, "TYPE")) {
		fputc('(', stdout);
		for (const char *const *t = object_types; *t; t++)
			printf("%s%s", t == object_types ? "" : " ", *t);
		fputc(')', stdout);
	}
	if (value_words(o))
		printf("(%s)", value_words(o));
}

/* '(-c --context)'{-c+,--context=}'[text]:CONTEXT:action' */
static void print_option(const struct argp_option *o, void *data)
{
	const char *indent = data;

	fputs(indent, stdout);
	if (o->key < 0x80)
		printf("'(-%c --%s)'{-%c%s,--%s%s}'[", o->key, o->name, o->key,
		       o->arg ? "+" : "", o->name, o->arg ? "=" : "");
	else
		printf("'--%s%s[", o->name, o->arg ? "=" : "");
	print_quoted(o->doc);
	fputc(']', stdout);
	if (o->arg)
		print_values(o);
	puts("'");
}

static void print_names(const char *indent)
{
	for (const struct command *c = commands; c->name; c++) {
		printf("%s'%s:", indent, c->name);
		print_quoted(c->summary);
		puts("'");
	}
}

static void print_own_option(const struct argp_option *o, void *data)
{
	const struct argp_option *c = common_argp.options;

	while (c->name && c->key != o->key)
		c++;
	if (!c->name)
		print_option(o, data);
}

static void print_case(const struct command *c)
{
	printf("\t\t%s)\n\t\t\town=(\n", c->name);
	each_option(c->argp, print_own_option, "\t\t\t\t");
	switch (c->complete) {
	case COMPLETE_OBJECTS:
		puts("\t\t\t\t'*:object: _iommufdctl_live objects'");
		break;
	case COMPLETE_DEVICES:
		puts("\t\t\t\t'*:device: _iommufdctl_live devices'");
		break;
	case COMPLETE_OBJECT:
		puts("\t\t\t\t'1:object: _iommufdctl_live objects'");
		if (c->words)
			printf("\t\t\t\t'*:value:(%s)'\n", c->words);
		break;
	case COMPLETE_WORDS:
		printf("\t\t\t\t'1:%s:(%s)'\n", c->name, c->words);
		break;
	case COMPLETE_COMMANDS:
		puts("\t\t\t\t'1:command:{_describe -t commands command names}'");
		break;
	case COMPLETE_VERB_NAME:
		printf("\t\t\t\t'1:%s:(%s)'\n", c->name, c->words);
		puts("\t\t\t\t'2:name: _iommufdctl_live names'");
		break;
	case COMPLETE_VERB_OBJECTS:
		printf("\t\t\t\t'1:%s:(%s)'\n", c->name, c->words);
		puts("\t\t\t\t'*:object: _iommufdctl_live objects'");
		break;
	case COMPLETE_PATH_PROGRAM:
		puts("\t\t\t\t'1:path:_files'");
		puts("\t\t\t\t'2: :_command_names -e'");
		puts("\t\t\t\t'*::argument:_iommufdctl_program'");
		break;
	case COMPLETE_PROGRAM:
		puts("\t\t\t\t'(-): :_command_names -e'");
		puts("\t\t\t\t'*::argument:_iommufdctl_program'");
		break;
	case COMPLETE_NOTHING:
		break;
	}
	puts("\t\t\t)\n\t\t\t;;");
}

int completion_zsh(void)
{
	fputs(head, stdout);
	each_option(&common_argp, print_option, "\t\t");
	puts("\t)\n\tnames=(");
	print_names("\t\t");
	fputs(middle, stdout);
	for (const struct command *c = commands; c->name; c++)
		print_case(c);
	fputs(tail, stdout);
	return STATUS_DONE;
}
