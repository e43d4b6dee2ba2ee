// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "cli.h"
#include "contexts.h"
#include "created.h"
#include "errors.h"
#include "errors_device.h"
#include "holder.h"
#include "ioctls.h"
#include "kept.h"
#include "named.h"
#include "options.h"
#include "ranges.h"

struct create {
	const char *type;
	const char *device;
	const char *ioas;
	char **allow;
	int allow_count;
	bool no_huge_pages;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct create *create = state->input;

	switch (key) {
	case OPTION_ALLOW:
		create->allow[create->allow_count++] = arg;
		break;
	case OPTION_DEVICE:
		create->device = arg;
		break;
	case OPTION_IOAS:
		create->ioas = arg;
		break;
	case OPTION_NO_HUGE_PAGES:
		create->no_huge_pages = true;
		break;
	case ARGP_KEY_ARG:
		if (create->type)
			return ARGP_ERR_UNKNOWN;
		create->type = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option create_options[] = {
	{ "allow", OPTION_ALLOW, "RANGE", 0,
	  "of an ioas: set this range aside for mappings; may be given again",
	  0 },
	{ "no-huge-pages", OPTION_NO_HUGE_PAGES, NULL, 0,
	  "of an ioas: page tables may not use large pages", 0 },
	{ "device", OPTION_DEVICE, "ID", 0,
	  "of a hwpt: the device that it is for", 0 },
	{ "ioas", OPTION_IOAS, "ID", 0,
	  "of a hwpt: the ioas whose mappings it has", 0 },
	{}
};

const struct argp create_argp = {
	.options = create_options,
	.parser = parse,
	.args_doc = "ioas\nhwpt --device ID --ioas ID\nfault",
	.doc = "Make an object in the context and print its id. An 'ioas' is "
	       "an I/O address space, empty at first; a 'hwpt' is a page table "
	       "for a device; a 'fault' is a queue of I/O page faults.\v"
	       "A RANGE is START-LAST or START+LENGTH. Numbers are decimal, "
	       "or hexadecimal with 0x; START and LENGTH may end in K, M, G "
	       "or T.",
	.children = common_children,
};

/*
 * The context named 'default' begins with the first object that is made in it.
 * Who starts it at the same time as another finds that one's.
 */
static int open_or_start(const struct context_spec *spec,
			 struct context *context, struct problem *p)
{
	struct hold hold = {
		.name = "default",
		.mode = 0600,
		.rlimit_mode = RLIMIT_MODE_UNSET,
	};

	if (!context_open(spec, context, p))
		return 0;
	if (spec->form != CONTEXT_NAME || strcmp(spec->text, hold.name) ||
	    p->status != STATUS_NOT_FOUND)
		return -1;
	if (hold_start(&hold, p) && p->status != STATUS_IN_USE)
		return -1;
	return context_open(spec, context, p);
}

/* Returns a status. On a failure nothing is left. */
static int create_ioas(const struct context *context,
		       const struct change *change)
{
	struct problem problem;
	uint32_t id;
	int status;

	if (ioas_create(context->fd, &id)) {
		problem_errno(&problem, DOING_CREATE, errno, "ioas");
		problem.context = context->info.context;
		return problem_report(&problem);
	}
	if (change_ioas(context, id, change, &problem)) {
		/* it is not to be seen by anyone, so its id tells nothing */
		problem.id = UNKNOWN;
		status = problem_report(&problem);
	} else if (print_created(context, "ioas", id)) {
		/* no one knows its id, so no one could destroy it */
		status = write_failed(errno);
	} else {
		return STATUS_DONE;
	}
	object_destroy(context->fd, id);
	return status;
}

static void read_change(struct change *change, const struct create *create)
{
	struct range *ranges;

	*change = (struct change){
		.huge_pages = create->no_huge_pages ? TRUTH_NO : TRUTH_UNKNOWN,
	};
	if (!create->allow_count)
		return;
	ranges = calloc(create->allow_count, sizeof(*ranges));
	if (!ranges)
		abort();
	for (int i = 0; i < create->allow_count; i++)
		ranges[i] = range_argument(create->allow[i]);
	change->allow = (struct range_list){ true, create->allow_count,
					     ranges };
}

/* So that a look at the context can tell; who made it has it either way. */
static void write_down(const struct context_spec *spec,
		       const struct context *context, uint32_t hwpt,
		       uint32_t ioas)
{
	const struct kept_record record = {
		.kind = KEPT_HWPT,
		.id = hwpt,
		.ioas = ioas,
	};
	char *name = context_name(spec, context);
	struct problem ignored;

	if (name)
		keeper_ask(name, "keep", &record, -1, &ignored);
	free(name);
}

static int create_hwpt(const struct context_spec *spec, uint32_t device,
		       uint32_t ioas)
{
	struct context context;
	struct problem problem;
	const struct device_attempt attempt = {
		.what = TRYING_HWPT,
		.context = &context,
		.address = "",
		.device = -1,
		.id = device,
		.pt = ioas,
	};
	int status = STATUS_DONE;
	uint32_t id;

	if (context_open(spec, &context, &problem))
		return problem_report(&problem);
	if (hwpt_create(context.fd, device, ioas, &id)) {
		problem_device(&problem, &attempt, errno);
		status = problem_report(&problem);
	} else if (print_created(&context, "hwpt-paging", id)) {
		status = write_failed(errno);
		object_destroy(context.fd, id);
	} else {
		write_down(spec, &context, id, ioas);
	}
	close(context.fd);
	return status;
}

/* Without a reader of its faults a queue is of no use, so it is kept or gone. */
static int keep_queue(const char *name, uint32_t id, int queue,
		      struct problem *p)
{
	const struct kept_record record = { .kind = KEPT_FAULT, .id = id };

	if (name)
		return keeper_ask(name, "keep", &record, queue, p);
	return problem_set(p, STATUS_FAILED, 0, "no holder keeps this "
			   "context, and a queue that no one has open "
			   "cannot be read: use one of 'iommufdctl context "
			   "create NAME', with '-c NAME'");
}

static int create_fault(const struct context_spec *spec)
{
	struct context context;
	struct problem problem, ignored;
	int status = STATUS_DONE, queue, ret;
	char *name = NULL;
	uint32_t id;

	if (open_or_start(spec, &context, &problem))
		return problem_report(&problem);
	if (fault_create(context.fd, &id, &queue)) {
		problem_errno(&problem, DOING_CREATE, errno, "fault");
		problem.context = context.info.context;
		status = problem_report(&problem);
		goto out;
	}
	name = context_name(spec, &context);
	ret = keep_queue(name, id, queue, &problem);
	close(queue);
	if (ret) {
		status = problem_report(&problem);
	} else if (print_created(&context, "fault", id)) {
		status = write_failed(errno);
		keeper_drop(name, id, &ignored);
	}
	if (status)
		object_destroy(context.fd, id);
out:
	free(name);
	close(context.fd);
	return status;
}

/* What only another type has is a mistake. */
static void check_options(const struct create *create)
{
	bool hwpt = !strcmp(create->type, "hwpt");
	bool ioas = !strcmp(create->type, "ioas");

	if (!hwpt && !ioas && strcmp(create->type, "fault"))
		usage_error("'%s' cannot be created; there is: ioas hwpt fault",
			    create->type);
	if (!ioas && (create->allow_count || create->no_huge_pages))
		usage_error("%s is for an ioas", create->allow_count ?
			    "--allow" : "--no-huge-pages");
	if (!hwpt && (create->device || create->ioas))
		usage_error("%s is for a hwpt", create->device ? "--device" :
			    "--ioas");
	if (hwpt && !create->device)
		usage_error("for which device? Say its --device ID");
	if (hwpt && !create->ioas)
		usage_error("of which ioas? Say its --ioas ID");
}

static int create_ioas_in(const struct context_spec *spec,
			  const struct change *change)
{
	struct context context;
	struct problem problem;
	int status;

	if (open_or_start(spec, &context, &problem))
		return problem_report(&problem);
	status = create_ioas(&context, change);
	close(context.fd);
	return status;
}

int cmd_create(const struct command *self, int argc, char **argv)
{
	struct create create = {};
	struct change change;
	struct context_spec spec;
	int status;

	create.allow = calloc(argc, sizeof(*create.allow));
	if (!create.allow)
		abort();
	parse_options(self, &create_argp, argc, argv, &create);
	if (!create.type)
		usage_error("which type of object? There is: %s", self->words);
	check_options(&create);
	read_change(&change, &create);
	context_option(&spec);
	/* a closed pipe must not end us before we took the object back */
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(create.type, "hwpt"))
		status = create_hwpt(&spec, id_argument(create.device),
				     id_argument(create.ioas));
	else if (!strcmp(create.type, "fault"))
		status = create_fault(&spec);
	else
		status = create_ioas_in(&spec, &change);
	change_free(&change);
	free(create.allow);
	return status;
}
