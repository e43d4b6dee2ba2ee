// SPDX-License-Identifier: GPL-2.0-or-later
/* Is this host ready to pass devices through, and if not, why not? */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "doctor.h"
#include "errors.h"
#include "options.h"
#include "render.h"

/*
 * In the order in which a host is set up: what comes first is why what comes
 * later is amiss. An id is a contract with scripts.
 */
static const struct {
	const char *id;
	void (*look)(struct host *host, struct finding *f);
	const char *why;
} checks[] = {
	{ "iommufd", check_iommufd,
	  "without a driver there is no /dev/iommu" },
	{ "device-node", check_device_node,
	  "programs reach the driver through this file" },
	{ "device-access", check_device_access,
	  "a virtual machine's program opens it as the user that it runs as" },
	{ "iommu", check_iommu,
	  "it alone keeps a device within the memory that it was given" },
	{ "iommu-mode", check_iommu_mode,
	  "it confines the devices that the host keeps; those that are given away always are" },
	{ "interrupt-remapping", check_interrupts,
	  "without it a device can raise any interrupt of the host, so it is not bound" },
	{ "groups", check_groups,
	  "devices of one group can reach each other: all of them are given away, or none" },
	{ "vfio-cdev", check_vfio_cdev,
	  "a device is bound to a context by its own character device" },
	{ "memlock", check_memlock,
	  "memory that a device can reach is pinned, and counts against this limit" },
	{ "hugepages", check_hugepages,
	  "large pages make page tables small and mapping fast" },
	{ "ptrace-scope", check_ptrace,
	  "a context of another process is taken as a debugger would take it" },
	{ "lockdown", check_lockdown,
	  "a locked kernel loads signed modules only, and closes debugfs" },
	{ "debugfs", check_debugfs,
	  "it shows a person what each context holds; this tool does without" },
	{ "denials", check_denials,
	  "what SELinux or AppArmor refuses looks to a program like a missing permission" },
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

static const char *const verdicts[] = { "ok", "warn", "fail" };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **plan = state->input;

	if (key != OPTION_PLAN)
		return ARGP_ERR_UNKNOWN;
	*plan = arg;
	return 0;
}

static const struct argp_option options[] = {
	{ "plan", OPTION_PLAN, "PLAN", 0,
	  "hold the limits against a virtual machine, as "
	  "mem=32G,devices=2[,viommu]", 0 },
	{}
};

const struct argp doctor_argp = {
	.options = options,
	.parser = parse,
	.doc = "Tell whether this host is ready to pass devices through, what "
	       "is missing, and the command that mends it.\v"
	       "Nothing is changed. The status is 0 if no check fails, else 1.",
	.children = common_children,
};

/* Where a check fails for what an earlier one has found, that one's number. */
static size_t same_cause(const struct finding *findings, size_t i)
{
	size_t n = 0;

	while (n < i && (!findings[n].remedy || !findings[i].remedy ||
			 strcmp(findings[n].remedy, findings[i].remedy)))
		n++;
	return n;
}

static void print_text(const struct finding *findings)
{
	size_t count[3] = {};

	for (size_t i = 0; i < CHECKS; i++) {
		const struct finding *f = &findings[i];
		size_t first = same_cause(findings, i);

		count[f->verdict]++;
		printf("%-4s  %-19s  %s\n", verdicts[f->verdict], checks[i].id,
		       f->seen);
		if (f->verdict == VERDICT_OK)
			continue;
		if (first < i) {
			printf("      mended with %s\n", checks[first].id);
			continue;
		}
		printf("      why   %s\n", checks[i].why);
		if (f->remedy)
			printf("      mend  %s\n", f->remedy);
	}
	printf("\n%s: %zu ok, %zu warn, %zu fail\n",
	       count[VERDICT_FAIL] ? "not ready" : "ready", count[VERDICT_OK],
	       count[VERDICT_WARN], count[VERDICT_FAIL]);
}

static void print_json(const struct finding *findings, bool ready)
{
	json_t *head = json_start(), *list = json_array(), *item;

	for (size_t i = 0; i < CHECKS; i++) {
		item = json_object();
		if (!item)
			abort();
		json_add(item, "id", json_text(checks[i].id));
		json_add(item, "status", json_text(verdicts[findings[i].verdict]));
		json_add(item, "seen", json_text(findings[i].seen));
		json_add(item, "why", json_text(checks[i].why));
		json_add(item, "remedy", json_text(findings[i].remedy));
		if (json_array_append_new(list, item))
			abort();
	}
	json_add(head, "ready", json_boolean(ready));
	json_add(head, "checks", list);
	json_print(head, stdout);
}

int cmd_doctor(const struct command *self, int argc, char **argv)
{
	struct finding findings[CHECKS] = {};
	struct host host = {};
	const char *plan = NULL;
	struct mistake mistake;
	bool ready = true;

	parse_options(self, &doctor_argp, argc, argv, &plan);
	if (option_context_given())
		usage_error("'doctor' looks at the host, not at a context: "
			    "leave -c out");
	if (plan && !parse_plan(plan, &host.plan, &mistake))
		usage_error("'%s' is no plan: at character %zu there should be "
			    "%s", plan, mistake.at + 1, mistake.expected);
	host_learn(&host);
	for (size_t i = 0; i < CHECKS; i++) {
		checks[i].look(&host, &findings[i]);
		ready = ready && findings[i].verdict != VERDICT_FAIL;
	}
	if (option_json())
		print_json(findings, ready);
	else
		print_text(findings);
	for (size_t i = 0; i < CHECKS; i++) {
		free(findings[i].seen);
		free(findings[i].remedy);
	}
	host_free(&host);
	return ready ? STATUS_DONE : STATUS_FAILED;
}
