// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devnode.h"
#include "errors.h"
#include "options.h"
#include "parse.h"
#include "render.h"
#include "roots.h"

static void explain_missing(char *buf, size_t size)
{
	dev_t dev;

	if (device_number(&dev))
		snprintf(buf, size, "the iommufd module is not loaded: "
			 "load it with 'modprobe iommufd'");
	else
		snprintf(buf, size, "the driver is there, its node is not: "
			 "'udevadm trigger --name-match=iommu' makes it, or "
			 "the container lacks it");
}

/* Who may open the device node at PATH, and so what to become. */
void explain_node(const char *path, char *buf, size_t size)
{
	struct group *group;
	struct stat st;
	char number[16];

	if (root_stat(path, &st)) {
		snprintf(buf, size, "ask the administrator");
		return;
	}
	snprintf(number, sizeof(number), "%u", (unsigned int)st.st_gid);
	group = getgrgid(st.st_gid);
	if (st.st_mode & 0060)
		snprintf(buf, size, "it is open to group %s (mode %04o): "
			 "become a member, or root",
			 group ? group->gr_name : number, st.st_mode & 07777);
	else
		snprintf(buf, size, "it is open to its owner alone "
			 "(mode %04o, group %s): become root",
			 st.st_mode & 07777, group ? group->gr_name : number);
}

static void explain_group(char *buf, size_t size)
{
	explain_node("/dev/iommu", buf, size);
}

static void explain_ptrace(char *buf, size_t size)
{
	char text[16];
	uint64_t scope = 0;

	if (root_read("/proc/sys/kernel/yama/ptrace_scope", text,
		      sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = '\0';
		parse_number(text, 3, &scope);
	}
	if (scope == 3)
		snprintf(buf, size, "kernel.yama.ptrace_scope is 3, which "
			 "forbids it to everyone until the next boot");
	else if (scope)
		snprintf(buf, size, "kernel.yama.ptrace_scope is %d, which "
			 "asks for CAP_SYS_PTRACE", (int)scope);
	else
		snprintf(buf, size, "that takes the same user as the "
			 "process's, or CAP_SYS_PTRACE");
}

/*
 * Cause and next step. The first row that fits is taken; one with err 0 fits
 * any. '@' stands for the subject; what explain() finds out is appended.
 */
static const struct {
	enum doing doing;
	int err;
	enum exit_status status;
	const char *text;
	void (*explain)(char *buf, size_t size);
} causes[] = {
	{ DOING_OPEN_DEVICE, ENOENT, STATUS_UNSUPPORTED,
	  "there is no /dev/iommu: ", explain_missing },
	{ DOING_OPEN_DEVICE, ENXIO, STATUS_UNSUPPORTED,
	  "no driver is behind /dev/iommu: ", explain_missing },
	{ DOING_OPEN_DEVICE, ENODEV, STATUS_UNSUPPORTED,
	  "no driver is behind /dev/iommu: ", explain_missing },
	{ DOING_OPEN_DEVICE, EACCES, STATUS_NOT_PERMITTED,
	  "no permission to open /dev/iommu: ", explain_group },
	{ DOING_OPEN_DEVICE, EPERM, STATUS_NOT_PERMITTED,
	  "/dev/iommu is refused by a device cgroup or a security module: "
	  "allow the device to this container or service", NULL },
	{ DOING_OPEN_DEVICE, EMFILE, STATUS_FAILED,
	  "too many open descriptors: raise 'ulimit -n'", NULL },
	{ DOING_LOOK, ENOENT, STATUS_NOT_FOUND,
	  "there is no process @", NULL },
	{ DOING_LOOK, ESRCH, STATUS_NOT_FOUND,
	  "there is no process @", NULL },
	{ DOING_LOOK, EACCES, STATUS_NOT_PERMITTED,
	  "not permitted to look into process @: that takes the same user as "
	  "the process's, or CAP_SYS_PTRACE", NULL },
	{ DOING_LOOK, EPERM, STATUS_NOT_PERMITTED,
	  "not permitted to look into process @: that takes the same user as "
	  "the process's, or CAP_SYS_PTRACE", NULL },
	{ DOING_TAKE, EPERM, STATUS_NOT_PERMITTED,
	  "not permitted to take a descriptor of process @: ",
	  explain_ptrace },
	{ DOING_TAKE, ESRCH, STATUS_NOT_FOUND,
	  "process @ is gone", NULL },
	{ DOING_TAKE, EBADF, STATUS_NOT_FOUND,
	  "process @ has closed its context", NULL },
	{ DOING_TAKE, ENOSYS, STATUS_UNSUPPORTED,
	  "this kernel cannot take another process's descriptor "
	  "(pidfd_getfd came with 5.6): use an inherited one, -c fd:N", NULL },
	{ DOING_CREATE, ENOTTY, STATUS_UNSUPPORTED,
	  "this kernel's iommufd cannot make @ objects", NULL },
	{ DOING_CREATE, EOPNOTSUPP, STATUS_UNSUPPORTED,
	  "this kernel's iommufd cannot make such @ objects", NULL },
	{ DOING_CREATE, ENOMEM, STATUS_FAILED,
	  "no memory for another object: see the memory limit of this cgroup",
	  NULL },
	{ DOING_CREATE, EBUSY, STATUS_FAILED,
	  "the context has no free id: destroy what is no longer needed",
	  NULL },
	{ DOING_DESTROY, ENOENT, STATUS_NOT_FOUND,
	  "no such object@: 'iommufdctl list' shows what there is", NULL },
	{ DOING_DESTROY, EBUSY, STATUS_IN_USE,
	  "in use by another object or by a driver: end that use first",
	  NULL },
	{ DOING_FIND, ENOENT, STATUS_NOT_FOUND,
	  "no such object@: 'iommufdctl list' shows what there is", NULL },
	{ DOING_ASK, ENOENT, STATUS_NOT_FOUND,
	  "no such object@, or of a type that cannot be looked into: "
	  "'iommufdctl list' shows what there is", NULL },
	{ DOING_CHANGE, ENOENT, STATUS_NOT_FOUND,
	  "no such ioas@: 'iommufdctl list' shows what there is", NULL },
	{ DOING_ANYTHING, ENOTTY, STATUS_UNSUPPORTED,
	  "this kernel's iommufd does not know that command", NULL },
	{ DOING_ANYTHING, EOPNOTSUPP, STATUS_UNSUPPORTED,
	  "this kernel's iommufd cannot do that", NULL },
	{ DOING_ANYTHING, EPERM, STATUS_NOT_PERMITTED, "not permitted", NULL },
	{ DOING_ANYTHING, EACCES, STATUS_NOT_PERMITTED, "not permitted", NULL },
	{ DOING_ANYTHING, 0, STATUS_FAILED, NULL, NULL },
};

/* Always -1, so that a caller can fail in one line. */
int problem_set(struct problem *p, enum exit_status status, int err,
		const char *fmt, ...)
{
	va_list args;

	*p = (struct problem){ .status = status, .err = err,
			       .context = UNKNOWN, .id = UNKNOWN };
	va_start(args, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, args);
	va_end(args);
	return -1;
}

/* Translates ERR; SUBJECT is whom it is about. Always -1. */
int problem_errno(struct problem *p, enum doing doing, int err,
		  const char *subject)
{
	char more[256] = "";
	const char *at;
	size_t i = 0;

	while ((causes[i].doing != doing && causes[i].doing) ||
	       (causes[i].err != err && causes[i].err))
		i++;
	if (!causes[i].text)
		return problem_set(p, causes[i].status, err, "%s",
				   strerror(err));
	if (causes[i].explain)
		causes[i].explain(more, sizeof(more));
	at = strchrnul(causes[i].text, '@');
	return problem_set(p, causes[i].status, err, "%.*s%s%s%s",
			   (int)(at - causes[i].text), causes[i].text,
			   *at ? subject : "", *at ? at + 1 : "", more);
}

/* The same for object ID of CONTEXT (or UNKNOWN). Always -1. */
int problem_object(struct problem *p, enum doing doing, int err,
		   uint64_t context, uint64_t id)
{
	char subject[48] = "";

	if (context != UNKNOWN)
		snprintf(subject, sizeof(subject), " in context %ju",
			 (uintmax_t)context);
	problem_errno(p, doing, err, subject);
	p->context = context;
	p->id = id;
	return -1;
}

static void report_json(const struct problem *p)
{
	json_t *o = json_start();

	json_add(o, "error", json_text(p->text));
	json_add(o, "errno", json_text(p->err ? strerrorname_np(p->err) :
						NULL));
	json_add(o, "command", json_text(option_command()));
	json_add(o, "context", json_number(p->context));
	json_add(o, "id", json_number(p->id));
	json_add(o, "referred_by", json_ids(&p->referred_by));
	json_add(o, "holders", p->holders_known ?
		 json_holders(p->holders, p->holder_count) : json_null());
	json_print(o, stderr);
}

/* Says it on stderr; returns the status. */
int problem_report(const struct problem *p)
{
	const char *command = option_command();

	if (option_json()) {
		report_json(p);
		return p->status;
	}
	fputs("iommufdctl: ", stderr);
	if (command)
		fputs(command, stderr);
	if (command && p->id != UNKNOWN)
		fprintf(stderr, " %ju", (uintmax_t)p->id);
	fprintf(stderr, "%s%s\n", command ? ": " : "", p->text);
	return p->status;
}

void usage_error(const char *fmt, ...)
{
	const char *command = option_command();
	struct problem p;
	size_t used;
	va_list args;

	problem_set(&p, STATUS_USAGE, 0, "%s", "");
	va_start(args, fmt);
	vsnprintf(p.text, sizeof(p.text), fmt, args);
	va_end(args);
	clean_text(p.text);
	used = strlen(p.text);
	snprintf(p.text + used, sizeof(p.text) - used,
		 " (see 'iommufdctl %s%s--help')", command ? command : "",
		 command ? " " : "");
	exit(problem_report(&p));
}

/* A closed pipe needs no comment: its reader has what it wanted. */
int write_failed(int err)
{
	static bool told;
	struct problem p;

	/* once: the close at the end meets what a flush before has met */
	if (told || err == EPIPE) {
		told = true;
		return STATUS_FAILED;
	}
	told = true;
	problem_set(&p, STATUS_FAILED, err,
		    "cannot write to standard output%s%s", err ? ": " : "",
		    err ? strerror(err) : "");
	return problem_report(&p);
}

/* Has errno say why an earlier write failed, which stdio does not keep. */
static void find_lost_errno(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	errno = 0;
	if (poll(&out, 1, 0) == 1 && out.revents & POLLERR)
		errno = EPIPE;
	/* What was written is broken off: one more byte there does no harm. */
	else if (write(STDOUT_FILENO, "\n", 1) == 1)
		errno = 0;
}

/*
 * The last thing that is done with stdout: only its close tells whether all of
 * it was written. Returns STATUS, or what write_failed() says.
 */
int close_output(int status)
{
	bool failed = ferror(stdout);
	int err = 0;

	if (failed) {
		find_lost_errno();
		err = errno;
	}
	if (fclose(stdout) && !err)
		err = errno;
	return failed || err ? write_failed(err) : status;
}

/* A remark on stderr that is no error; of the form that errors have. */
void note(const char *text)
{
	json_t *o;

	if (!option_json()) {
		fprintf(stderr, "iommufdctl: note: %s\n", text);
		return;
	}
	o = json_start();
	json_add(o, "note", json_text(text));
	json_add(o, "command", json_text(option_command()));
	json_print(o, stderr);
}
