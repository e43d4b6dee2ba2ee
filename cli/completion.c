// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scripts, and the live words that they ask us for: 'contexts', 'names',
 * 'objects' and 'devices' print a word a line, a tab, and what it is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "completion.h"
#include "contexts.h"
#include "errors.h"
#include "names.h"
#include "options.h"
#include "sysfs.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **what = state->input;

	if (key != ARGP_KEY_ARG || *what)
		return ARGP_ERR_UNKNOWN;
	*what = arg;
	return 0;
}

const struct argp completion_argp = {
	.parser = parse,
	.args_doc = "bash|zsh|fish",
	.doc = "Print the script that completes our command line in a shell.",
	.children = common_children,
};

bool takes(const struct argp_option *option, const char *sort)
{
	return option->arg && !strcmp(option->arg, sort);
}

/* The option's value is one of these words: "user process", or NULL. */
const char *value_words(const struct argp_option *option)
{
	static char words[64];
	char *bar;

	/* examples, to be edited: which words it has is seen from them */
	if (takes(option, "PLAN"))
		return "mem=4G,devices=1 mem=4G,devices=1,viommu";
	if (!option->arg || !strchr(option->arg, '|'))
		return NULL;
	snprintf(words, sizeof(words), "%s", option->arg);
	while ((bar = strchr(words, '|')))
		*bar = ' ';
	return words;
}

/* struct once - passes on each option that has not been met before */
struct once {
	void (*call)(const struct argp_option *option, void *data);
	void *data;
	size_t count;
	int keys[64];
};

static void call_once(const struct argp_option *option, void *data)
{
	struct once *once = data;

	for (size_t i = 0; i < once->count; i++)
		if (once->keys[i] == option->key)
			return;
	if (once->count < sizeof(once->keys) / sizeof(once->keys[0]))
		once->keys[once->count++] = option->key;
	once->call(option, once->data);
}

void every_option(void (*call)(const struct argp_option *option, void *data),
		  void *data)
{
	struct once once = { .call = call, .data = data };

	for (const struct command *c = commands; c->name; c++)
		each_option(c->argp, call_once, &once);
}

static void print_opening(const struct found *found, size_t i)
{
	const struct opening *o = &found->openings[i];

	if (is_own(o))
		printf("fd:%d\tinherited\n", o->holder.fd);
	else
		printf("pid:%d:%d\t%s\n", o->holder.pid, o->holder.fd,
		       o->holder.comm);
}

/* A user who can have none has none. */
static int print_names(void)
{
	struct name_list list;
	struct problem problem;

	if (names_list(&list, &problem))
		return STATUS_DONE;
	for (size_t i = 0; i < list.count; i++)
		printf("%s\tnamed\n", list.names[i].name);
	names_free(&list);
	return STATUS_DONE;
}

static int print_contexts(void)
{
	struct problem problem;
	struct found found;

	print_names();
	if (found_all(&found, NULL, &problem))
		return problem_report(&problem);
	for (size_t g = 0; g < found.groups; g++) {
		const struct opening *o = &found.openings[found.first[g]];

		if (o->info.context != UNKNOWN)
			printf("%" PRIu64 "\t%s\n", o->info.context,
			       is_own(o) ? "inherited" : o->holder.comm);
		for (size_t i = found.first[g]; i < found.first[g + 1]; i++)
			print_opening(&found, i);
	}
	found_free(&found);
	return STATUS_DONE;
}

static int print_object(struct sink *sink, const struct object_info *info)
{
	(void)sink;
	printf("%" PRIu64 "\t%s\n", info->id, info->type);
	return ferror(stdout);
}

static int skip_begin(struct sink *sink, const char *source)
{
	(void)sink;
	(void)source;
	return 0;
}

static int skip_context(struct sink *sink, const struct context_info *info)
{
	(void)sink;
	(void)info;
	return 0;
}

static int skip(struct sink *sink)
{
	(void)sink;
	return 0;
}

static void skip_note(struct sink *sink, const char *text)
{
	(void)sink;
	(void)text;
}

static int print_objects(void)
{
	struct sink sink = {
		.begin = skip_begin,
		.context = skip_context,
		.object = print_object,
		.context_end = skip,
		.end = skip,
		.note = skip_note,
	};
	struct context_spec spec;
	struct query query = { .only = &spec };
	struct problem problem;

	context_option(&spec);
	if (source_list(&query, &sink, &problem) < 0)
		return problem_report(&problem);
	return STATUS_DONE;
}

static int print_devices(void)
{
	struct device_list list;
	struct device_info info;
	struct problem problem;

	if (sysfs_devices(&list, &problem))
		return problem_report(&problem);
	for (size_t i = 0; i < list.count; i++)
		if (sysfs_device(&list.names[i], &info))
			printf("%s\t%s\n", info.name.address, *info.driver ?
			       info.driver : "no driver");
	sysfs_devices_free(&list);
	return STATUS_DONE;
}

static const struct {
	const char *what;
	int (*print)(void);
} kinds[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
	{ "contexts", print_contexts },
	{ "names", print_names },
	{ "objects", print_objects },
	{ "devices", print_devices },
};

int cmd_completion(const struct command *self, int argc, char **argv)
{
	const char *what = NULL;

	parse_options(self, &completion_argp, argc, argv, &what);
	if (!what)
		usage_error("for which shell? There is: %s", self->words);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(what, kinds[i].what))
			return kinds[i].print();
	usage_error("there is nothing for '%s'; there is: %s", what,
		    self->words);
}
