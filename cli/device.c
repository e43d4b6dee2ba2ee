// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO devices in a context. A device is bound for as long as a descriptor of
 * it is open, so its descriptor is kept by who keeps the context.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "columns.h"
#include "created.h"
#include "errors_device.h"
#include "ioctls.h"
#include "kept.h"
#include "named.h"
#include "options.h"
#include "ranges.h"
#include "render.h"
#include "vfio_cdev.h"

/* A verb, and what it is about. */
#define WORDS_MAX 3

struct words {
	const char *word[WORDS_MAX];
	int count;
};

/*
 * struct place - where a verb does its work
 * @name: whose holder keeps the devices
 * @kept: what it keeps
 */
struct place {
	struct context context;
	char *name;
	struct kept_list kept;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;

	if (key != ARGP_KEY_ARG || words->count == WORDS_MAX)
		return ARGP_ERR_UNKNOWN;
	words->word[words->count++] = arg;
	return 0;
}

const struct argp device_argp = {
	.parser = parse,
	.args_doc = "bind BDF\nattach ID PT\ndetach ID\nunbind ID\nlist",
	.doc = "Bring PCI devices into a context, by VFIO's character devices, "
	       "and have them use an address space.\v"
	       "BDF is a device's address, as in 0000:01:00.0. ID is the "
	       "device's in the context, which 'bind' prints, and PT an ioas or "
	       "a hwpt. The holder of the context keeps the device.",
	.children = common_children,
};

static int open_place(struct place *place, struct problem *p)
{
	struct context_spec spec;

	context_option(&spec);
	if (context_open(&spec, &place->context, p))
		return -1;
	place->name = context_name(&spec, &place->context);
	if (place->name) {
		kept_read(place->name, &place->kept);
		return 0;
	}
	problem_set(p, STATUS_FAILED, 0,
		    "no holder keeps this context, and who keeps a device's "
		    "descriptor keeps it bound: use one of 'iommufdctl context "
		    "create NAME', with '-c NAME', or hand the device to a "
		    "program by 'iommufdctl run --vfio BDF=FD'");
	p->context = place->context.info.context;
	return -1;
}

static void close_place(struct place *place)
{
	if (place->context.fd >= 0)
		close(place->context.fd);
	kept_free(&place->kept);
	free(place->name);
}

/* A device that is bound and not kept is let go of when DEVICE is closed. */
static int bind_and_keep(const struct place *place, const char *address,
			 int device, uint32_t *id, struct problem *p)
{
	struct device_attempt attempt = {
		.what = TRYING_BIND,
		.context = &place->context,
		.address = address,
		.device = device,
	};
	struct kept_record record = { .kind = KEPT_DEVICE };

	if (vfio_bind(device, place->context.fd, id))
		return problem_device(p, &attempt, errno);
	record.id = *id;
	snprintf(record.address, sizeof(record.address), "%s", address);
	return keeper_ask(place->name, "keep", &record, device, p);
}

static int verb_bind(struct place *place, const struct words *words)
{
	char address[PCI_ADDRESS_SIZE];
	const char *word = words->word[1];
	struct problem problem;
	int device, ret, status;
	uint32_t id;

	if (!parse_pci_address(word, strlen(word), address))
		usage_error("'%s' is no device's address: it is as in "
			    "0000:01:00.0", word);
	/* first, as no context helps a kernel that has no such thing */
	device = vfio_cdev_open(address, &problem);
	if (device < 0)
		return problem_report(&problem);
	ret = open_place(place, &problem);
	if (!ret)
		ret = bind_and_keep(place, address, device, &id, &problem);
	close(device);
	if (ret)
		return problem_report(&problem);
	if (!print_created(&place->context, "device", id))
		return STATUS_DONE;
	/* no one knows its id, so no one could end this */
	status = write_failed(errno);
	keeper_drop(place->name, id, &problem);
	return status;
}

/* RECORD of device ID as it is, and a descriptor of it; or -1. */
static int take(struct place *place, uint32_t id, struct kept_record *record,
		struct problem *p)
{
	const struct kept_record *kept;
	int device;

	if (open_place(place, p))
		return -1;
	kept = kept_find(&place->kept, KEPT_DEVICE, id);
	if (!kept) {
		problem_set(p, STATUS_NOT_FOUND, ENOENT, "the holder of '%s' "
			    "keeps no such device: 'iommufdctl device list' "
			    "shows those that it keeps", place->name);
		p->context = place->context.info.context;
		p->id = id;
		return -1;
	}
	*record = *kept;
	return keeper_copy(place->name, id, &device, p) ? -1 : device;
}

static int attach(struct place *place, uint32_t id, uint32_t pt,
		  struct problem *p)
{
	struct kept_record record;
	struct device_attempt attempt = {
		.what = TRYING_ATTACH,
		.context = &place->context,
		.address = record.address,
		.id = id,
		.pt = pt,
	};
	int device = take(place, id, &record, p), ret;

	if (device < 0)
		return -1;
	record.ioas = ioas_exists(place->context.fd, pt) ?
		      kept_ioas_of(&place->kept, pt) : pt;
	record.pt = pt;
	attempt.device = device;
	ret = vfio_attach(device, &record.pt) ?
	      problem_device(p, &attempt, errno) :
	      keeper_ask(place->name, "tell", &record, -1, p);
	close(device);
	return ret;
}

static int detach(struct place *place, uint32_t id, struct problem *p)
{
	struct kept_record record;
	struct device_attempt attempt = {
		.what = TRYING_DETACH,
		.context = &place->context,
		.address = record.address,
		.id = id,
	};
	int device = take(place, id, &record, p), ret;

	if (device < 0)
		return -1;
	record.pt = 0;
	record.ioas = 0;
	attempt.device = device;
	ret = vfio_detach(device) ? problem_device(p, &attempt, errno) :
	      keeper_ask(place->name, "tell", &record, -1, p);
	close(device);
	return ret;
}

static int unbind(struct place *place, uint32_t id, struct problem *p)
{
	struct kept_record record;
	int device = take(place, id, &record, p);

	if (device < 0)
		return -1;
	close(device);
	if (keeper_drop(place->name, id, p))
		return -1;
	/* A service manager that has it, too, lets go of it in its own time. */
	for (int i = 0; i < 20 && !device_exists(place->context.fd, id); i++)
		usleep(50000);
	if (!device_exists(place->context.fd, id))
		note("another process has the device open too, and keeps it "
		     "bound");
	return 0;
}

static int verb_attach(struct place *place, const struct words *words)
{
	struct problem problem;

	return attach(place, id_argument(words->word[1]),
		      id_argument(words->word[2]), &problem) ?
	       problem_report(&problem) : STATUS_DONE;
}

static int verb_detach(struct place *place, const struct words *words)
{
	struct problem problem;

	return detach(place, id_argument(words->word[1]), &problem) ?
	       problem_report(&problem) : STATUS_DONE;
}

static int verb_unbind(struct place *place, const struct words *words)
{
	struct problem problem;

	return unbind(place, id_argument(words->word[1]), &problem) ?
	       problem_report(&problem) : STATUS_DONE;
}

/* struct row - a device, as it is shown */
struct row {
	uint64_t id;
	const char *address;
	uint64_t hwpt;
	uint64_t ioas;
};

#define ROW(member) offsetof(struct row, member)

static const struct column columns[] = {
	{ "id", COLUMN_COUNT, ROW(id), PLACE_ALWAYS, "ID", 6,
	  "the device, as the context numbers it" },
	{ "address", COLUMN_TEXT, ROW(address), PLACE_ALWAYS, "ADDRESS", 12,
	  "the device, as the kernel calls it" },
	{ "hwpt", COLUMN_COUNT, ROW(hwpt), PLACE_ALWAYS, "HWPT", 6,
	  "the page table that it is attached to" },
	{ "ioas", COLUMN_COUNT, ROW(ioas), PLACE_ALWAYS, "IOAS", 6,
	  "the address space that this is of" },
	{}
};

static int verb_list(struct place *place, const struct words *words)
{
	json_t *array = option_json() ? json_array() : NULL, *o;
	struct problem problem;

	(void)words;
	if (open_place(place, &problem)) {
		json_decref(array);
		return problem_report(&problem);
	}
	if (!array)
		columns_print(columns, NULL);
	for (size_t i = 0; i < place->kept.count; i++) {
		const struct kept_record *r = &place->kept.records[i];
		const struct row row = {
			.id = r->id,
			.address = r->address,
			.hwpt = r->pt ? r->pt : UNKNOWN,
			.ioas = r->ioas ? r->ioas : UNKNOWN,
		};

		if (r->kind != KEPT_DEVICE)
			continue;
		if (!array)
			columns_print(columns, &row);
		else if (json_array_append_new(array,
					       columns_json(columns, &row)))
			abort();
	}
	if (array) {
		o = json_start();
		json_add(o, "context",
			 json_number(place->context.info.context));
		json_add(o, "devices", array);
		json_print(o, stdout);
	}
	return STATUS_DONE;
}

static const struct {
	const char *verb;
	int (*act)(struct place *place, const struct words *words);
	const char *needs[WORDS_MAX - 1];
} verbs[] = {
	{ "bind", verb_bind, { "device? Say its PCI address" } },
	{ "attach", verb_attach, { "device? Say its ID",
				   "ioas or hwpt? Say its ID" } },
	{ "detach", verb_detach, { "device? Say its ID" } },
	{ "unbind", verb_unbind, { "device? Say its ID" } },
	{ "list", verb_list, {} },
};

static void check_words(const struct words *words, const char *const *needs)
{
	int given = words->count - 1;

	for (int i = 0; i < WORDS_MAX - 1; i++) {
		if (needs[i] && i >= given)
			usage_error("which %s", needs[i]);
		if (!needs[i] && i < given)
			usage_error("'%s' is one argument too many",
				    words->word[i + 1]);
	}
}

int cmd_device(const struct command *self, int argc, char **argv)
{
	const size_t count = sizeof(verbs) / sizeof(verbs[0]);
	struct place place = { .context.fd = -1 };
	struct words words = {};
	size_t i = 0;
	int status;

	parse_options(self, &device_argp, argc, argv, &words);
	if (!words.count)
		usage_error("what about devices? There is: %s", self->words);
	while (i < count && strcmp(words.word[0], verbs[i].verb))
		i++;
	if (i == count)
		usage_error("devices cannot be told to '%s'; there is: %s",
			    words.word[0], self->words);
	check_words(&words, verbs[i].needs);
	/* a closed pipe must not end us before we took a binding back */
	signal(SIGPIPE, SIG_IGN);
	status = verbs[i].act(&place, &words);
	close_place(&place);
	return status;
}
