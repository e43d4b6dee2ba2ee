// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "columns.h"
#include "completion.h"
#include "options.h"

/*
 * bash splits at ':' and '=' too, and wants only what follows the last of
 * them; so the line is split by us, and what bash has already is cut off.
 */
static const char head[] =
SCRIPT_LICENSE
"# bash completion for iommufdctl, made by 'iommufdctl completion bash'\n"
"\n"
"_iommufdctl() {\n"
"	local line=${COMP_LINE:0:COMP_POINT} words=() cur cmd='' value=''\n"
"	local context=() program=0 args=0 i=0 last word list='' options=''\n"
"	read -ra words <<<\"$line\"\n"
"	[[ $line != *[[:space:]] ]] || words+=('')\n"
"	last=$((${#words[@]} - 1))\n"
"	cur=${words[last]}\n";

static const char loop[] =
"	while ((++i < last)); do\n"
"		word=${words[i]}\n"
"		case $word in\n"
"		";

static const char walk[] =
"			if ((i + 1 == last)); then\n"
"				value=$word\n"
"			elif [[ $word == -c || $word == --context ]]; then\n"
"				context=(-c \"${words[++i]}\")\n"
"			else\n"
"				((++i))\n"
"			fi\n"
"			;;\n"
"		--context=* | -c?*) context=(\"$word\") ;;\n"
"		--)\n"
"			[[ $cmd && $programs == *\" $cmd \"* ]] && program=$((i + 1))\n"
"			[[ ! $cmd ]] || break\n"
"			;;\n"
"		-*) ;;\n"
"		*)\n"
"			if [[ ! $cmd ]]; then\n"
"				cmd=$word\n"
"			elif [[ $programs == *\" $cmd \"* && ($args != 0 || $paths != *\" $cmd \"*) ]]; then\n"
"				program=$i\n"
"				break\n"
"			else\n"
"				((++args))\n"
"			fi\n"
"			;;\n"
"		esac\n"
"	done\n"
"	COMPREPLY=()\n"
"	if [[ $cmd && ! $value && $cur != -* && $programs == *\" $cmd \"* ]]; then\n"
"		if [[ $paths == *\" $cmd \"* && $args == 0 ]]; then\n"
"			compopt -o default 2>/dev/null\n"
"			return\n"
"		fi\n"
"		((program)) || program=$last\n"
"	fi\n"
"	if ((program)); then\n"
"		if ((program == last)); then\n"
"			mapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
"		else\n"
"			compopt -o default 2>/dev/null\n"
"		fi\n"
"		return\n"
"	fi\n"
"	if [[ ! $value && $cur == --*=* ]]; then\n"
"		value=${cur%%=*}\n"
"		cur=${cur#*=}\n"
"	fi\n"
"	case $value in\n"
"	'')\n"
"		case $cmd in\n";

static const char tail[] =
"	esac\n"
"	if [[ $list == @files ]]; then\n"
"		compopt -o filenames 2>/dev/null\n"
"		mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
"	else\n"
"		[[ $list != @* ]] ||\n"
"			list=$(iommufdctl \"${context[@]}\" completion \"${list#@}\" \\\n"
"				2>/dev/null </dev/null | cut -f 1)\n"
"		mapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$cur\")\n"
"	fi\n"
"	if [[ $cur == *[:=]* && $COMP_WORDBREAKS == *[:=]* ]]; then\n"
"		word=${cur%\"${cur##*[:=]}\"}\n"
"		COMPREPLY=(\"${COMPREPLY[@]#\"$word\"}\")\n"
"	fi\n"
"}\n"
"complete -F _iommufdctl iommufdctl\n";

/* " -c | --context" */
static void print_value_option(const struct argp_option *o, void *data)
{
	int *count = data;

	if (!o->arg)
		return;
	if (o->key < 0x80)
		printf("%s-%c", (*count)++ ? " | " : "", o->key);
	printf("%s--%s", (*count)++ ? " | " : "", o->name);
}

static void print_value_case(const struct argp_option *o, void *data)
{
	(void)data;
	if (!o->arg)
		return;
	fputc('\t', stdout);
	if (o->key < 0x80)
		printf("-%c | ", o->key);
	printf("--%s) ", o->name);
	if (takes(o, "CONTEXT"))
		fputs("list=@contexts", stdout);
	if (takes(o, "PATH"))
		fputs("list=@files", stdout);
	if (takes(o, "ID"))
		fputs("list=@objects", stdout);
	if (takes(o, "TYPE")) {
		fputs("list='", stdout);
		for (const char *const *t = object_types; *t; t++)
			printf("%s%s", t == object_types ? "" : " ", *t);
		fputc('\'', stdout);
	}
	if (value_words(o))
		printf("list='%s'", value_words(o));
	fputs(" ;;\n", stdout);
}

static void print_option(const struct argp_option *o, void *data)
{
	(void)data;
	printf(" --%s", o->name);
}

static void print_names(void)
{
	for (const struct command *c = commands; c->name; c++)
		printf("%s%s", c == commands ? "" : " ", c->name);
}

static void print_case(const struct command *c)
{
	printf("\t\t%s)\n\t\t\toptions='", c->name);
	each_option(c->argp, print_option, NULL);
	fputs("'\n", stdout);
	switch (c->complete) {
	case COMPLETE_OBJECTS:
		puts("\t\t\tlist=@objects");
		break;
	case COMPLETE_DEVICES:
		puts("\t\t\tlist=@devices");
		break;
	case COMPLETE_OBJECT:
		printf("\t\t\tlist='%s'\n", c->words ? c->words : "");
		puts("\t\t\t((args)) || list=@objects");
		break;
	case COMPLETE_WORDS:
		printf("\t\t\tlist='%s'\n", c->words);
		break;
	case COMPLETE_COMMANDS:
		fputs("\t\t\tlist='", stdout);
		print_names();
		puts("'");
		break;
	case COMPLETE_VERB_NAME:
	case COMPLETE_VERB_OBJECTS:
		printf("\t\t\tlist='%s'\n\t\t\t((!args)) || list=@%s\n",
		       c->words, c->complete == COMPLETE_VERB_NAME ? "names" :
								     "objects");
		break;
	case COMPLETE_PATH_PROGRAM:
	case COMPLETE_PROGRAM:
	case COMPLETE_NOTHING:
		break;
	}
	puts("\t\t\t;;");
}

int completion_bash(void)
{
	int count = 0;

	fputs(head, stdout);
	fputs("\tlocal programs=' ", stdout);
	for (const struct command *c = commands; c->name; c++)
		if (c->complete == COMPLETE_PROGRAM ||
		    c->complete == COMPLETE_PATH_PROGRAM)
			printf("%s ", c->name);
	fputs("' paths=' ", stdout);
	for (const struct command *c = commands; c->name; c++)
		if (c->complete == COMPLETE_PATH_PROGRAM)
			printf("%s ", c->name);
	puts("'");
	fputs(loop, stdout);
	every_option(print_value_option, &count);
	puts(")");
	fputs(walk, stdout);
	fputs("\t\t'')\n\t\t\tlist='", stdout);
	print_names();
	fputs("'\n\t\t\toptions='", stdout);
	each_option(&top_argp, print_option, NULL);
	puts("'\n\t\t\t;;");
	for (const struct command *c = commands; c->name; c++)
		print_case(c);
	/* the options' values, then the end */
	puts("\t\tesac\n\t\t[[ $cur != -* ]] || list=$options\n\t\t;;");
	every_option(print_value_case, NULL);
	fputs(tail, stdout);
	return STATUS_DONE;
}
