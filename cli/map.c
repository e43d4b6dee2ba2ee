// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps memory that is to outlive us. That is no matter where the kernel maps a
 * file; where it maps a piece of our address space it is one, since what has
 * not been pinned by then cannot be any more when we are gone. Such a mapping
 * is kept only if all of it is pinned.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli.h"
#include "errors_ioas.h"
#include "ioctls.h"
#include "options.h"
#include "ranges.h"
#include "render.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U	/* since Linux 6.3 */
#endif

struct map {
	const char *id_word;
	const char *path;
	const char *size_word;
	const char *iova_word;
	bool read_only;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct map *map = state->input;

	switch (key) {
	case OPTION_FILE:
		map->path = arg;
		break;
	case OPTION_ANON:
		map->size_word = arg;
		break;
	case OPTION_IOVA:
		map->iova_word = arg;
		break;
	case OPTION_READ_ONLY:
		map->read_only = true;
		break;
	case ARGP_KEY_ARG:
		if (map->id_word)
			return ARGP_ERR_UNKNOWN;
		map->id_word = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option map_options[] = {
	{ "file", OPTION_FILE, "PATH", 0,
	  "the whole of this file: a memfd (/proc/PID/fd/FD), or one on tmpfs "
	  "or hugetlbfs", 0 },
	{ "anon", OPTION_ANON, "SIZE", 0,
	  "new memory of this size, which goes with the mapping", 0 },
	{ "iova", OPTION_IOVA, "ADDRESS", 0,
	  "where to; else the kernel chooses", 0 },
	{ "read-only", OPTION_READ_ONLY, NULL, 0,
	  "devices may not write there", 0 },
	{}
};

const struct argp map_argp = {
	.options = map_options,
	.parser = parse,
	.args_doc = "ID --file=PATH\nID --anon=SIZE",
	.doc = "Map memory into IOAS ID and print its I/O address.\v"
	       "Numbers are decimal, or hexadecimal with 0x; sizes may end "
	       "in K, M, G or T.",
	.children = common_children,
};

/*
 * struct memory - what is to be mapped
 * @fd: of the file
 * @name: of it, for messages
 * @lasting: the kernel can keep it without a process that has it mapped
 */
struct memory {
	int fd;
	const char *name;
	bool lasting;
};

static int open_failed(struct problem *p, const char *path, int err,
		       bool read_only)
{
	enum exit_status status = STATUS_FAILED;
	const char *hint = "";

	if (err == EACCES || err == EPERM)
		status = STATUS_NOT_PERMITTED;
	if (!read_only && (err == EACCES || err == EPERM || err == EROFS))
		hint = ": --read-only asks for less";
	problem_set(p, status, err, "cannot open '%s': %s%s", path,
		    strerror(err), hint);
	clean_text(p->text);
	return -1;
}

/* Of the kinds of files that memfd_create(2) makes, wherever they are. */
static bool is_lasting(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (fs.f_type == TMPFS_MAGIC ||
				     fs.f_type == HUGETLBFS_MAGIC);
}

/* As sysfs has a PCI device's, in resource0 and the others. */
static bool is_foreign(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == SYSFS_MAGIC;
}

static int open_file(const struct map *map, struct memory *memory,
		     uint64_t *length, struct problem *p)
{
	struct stat st;

	/* O_NONBLOCK: to find out that it is a pipe must not take for ever */
	memory->fd = open(map->path, (map->read_only ? O_RDONLY : O_RDWR) |
			  O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (memory->fd < 0 || fstat(memory->fd, &st))
		return open_failed(p, map->path, errno, map->read_only);
	memory->name = map->path;
	memory->lasting = is_lasting(memory->fd);
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		*length = st.st_size;
		return 0;
	}
	problem_set(p, STATUS_FAILED, 0, "'%s' is %s", map->path,
		    S_ISREG(st.st_mode) ? "empty: there is nothing to map" :
		    "no regular file: only such can be mapped");
	clean_text(p->text);
	return -1;
}

static int make_memory(struct memory *memory, uint64_t length,
		       struct problem *p)
{
	/* not executable, as kernels ask for that know the difference */
	memory->fd = memfd_create("iommufdctl", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (memory->fd < 0 && errno == EINVAL)
		memory->fd = memfd_create("iommufdctl", MFD_CLOEXEC);
	memory->name = "new memory";
	memory->lasting = true;
	if (memory->fd < 0 || length > INT64_MAX ||
	    ftruncate(memory->fd, length)) {
		if (length > INT64_MAX)
			errno = EFBIG;
		return problem_set(p, STATUS_FAILED, errno,
				   "cannot make memory of %ju bytes: %s",
				   (uintmax_t)length, strerror(errno));
	}
	return 0;
}

static void take_back(int fd, const struct mapping *m)
{
	struct range range = {
		.start = m->iova,
		.last = m->iova + (m->length - 1),
	};
	uint64_t unmapped;

	ioas_unmap(fd, m->id, &range, &unmapped);
}

static int will_not_last(struct problem *p, const struct memory *memory,
			 const struct attempt *a)
{
	if (memory->lasting)
		problem_set(p, STATUS_UNSUPPORTED, 0,
			    "it would be lost when this command ends: this "
			    "kernel's iommufd has no IOMMU_IOAS_MAP_FILE for "
			    "it, and no device in ioas %" PRIu32 " pins it: "
			    "attach one first, or map it from a program that "
			    "stays", a->id);
	else
		problem_set(p, STATUS_UNSUPPORTED, 0,
			    "'%s' would be lost when this command ends, as no "
			    "device in ioas %" PRIu32 " pins it: use a file on "
			    "tmpfs (/dev/shm) or hugetlbfs, or a memfd",
			    memory->name, a->id);
	clean_text(p->text);
	p->context = a->context->info.context;
	p->id = a->id;
	return -1;
}

/* Through our address space, and only if all of it is pinned. */
static int map_pinned(const struct attempt *attempt,
		      const struct memory *memory, struct mapping *m,
		      struct problem *p)
{
	struct attempt foreign = *attempt;
	const struct attempt *a = &foreign;
	bool writes = m->flags & IOMMU_IOAS_MAP_WRITEABLE;
	uint64_t before;
	void *at;

	at = mmap(NULL, m->length, PROT_READ | (writes ? PROT_WRITE : 0),
		  MAP_SHARED, memory->fd, 0);
	if (at == MAP_FAILED) {
		problem_set(p, STATUS_FAILED, errno, "cannot map %s: %s",
			    memory->name, strerror(errno));
		clean_text(p->text);
		return -1;
	}
	foreign.foreign = is_foreign(memory->fd);
	before = pinned_bytes();
	if (ioas_map(a->context->fd, m, at))
		return problem_ioas(p, a, errno);
	if (pinned_bytes() - before < m->length) {
		take_back(a->context->fd, m);
		return will_not_last(p, memory, a);
	}
	note("mapped from this command's own address space: it lasts until "
	     "no device pins it any more");
	return 0;
}

static int map_memory(const struct attempt *a, const struct memory *memory,
		      struct mapping *m, struct problem *p)
{
	if (!memory->lasting)
		return map_pinned(a, memory, m, p);
	if (!ioas_map_file(a->context->fd, m, memory->fd))
		return 0;
	if (errno == ENOTTY || errno == EOPNOTSUPP)
		return map_pinned(a, memory, m, p);
	return problem_ioas(p, a, errno);
}

/* Flushed at once: main's close comes too late to take it back. */
static int print_mapped(const struct context *context, const struct mapping *m)
{
	json_t *o;

	if (!option_json()) {
		printf("0x%" PRIx64 "\n", m->iova);
		return fflush(stdout);
	}
	o = json_start();
	json_add(o, "context", json_number(context->info.context));
	json_add(o, "id", json_number(m->id));
	json_add(o, "type", json_text("ioas"));
	json_add(o, "iova", json_address(m->iova));
	json_add(o, "length", json_number(m->length));
	json_print(o, stdout);
	return fflush(stdout);
}

/* Of memory that is at hand; returns a status. */
static int map_into(const struct context *context, const struct memory *memory,
		    struct mapping *m)
{
	struct attempt attempt = {
		.what = TRYING_MAP,
		.context = context,
		.id = m->id,
		.fixed = m->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		.iova = m->iova,
		.length = m->length,
	};
	struct problem problem;
	int status;

	if (map_memory(&attempt, memory, m, &problem))
		return problem_report(&problem);
	if (print_mapped(context, m)) {
		status = write_failed(errno);
		/* no one knows where it is */
		take_back(context->fd, m);
		return status;
	}
	return STATUS_DONE;
}

static void check(const struct map *map, struct mapping *m)
{
	m->id = id_argument(map->id_word);
	if (!map->path == !map->size_word)
		usage_error("which memory? Say --file=PATH or --anon=SIZE%s",
			    map->path ? ", not both" : "");
	if (map->size_word)
		m->length = length_argument("--anon", map->size_word);
	m->flags = IOMMU_IOAS_MAP_READABLE;
	if (!map->read_only)
		m->flags |= IOMMU_IOAS_MAP_WRITEABLE;
	if (!map->iova_word)
		return;
	m->iova = amount_argument("--iova", map->iova_word);
	m->flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
}

int cmd_map(const struct command *self, int argc, char **argv)
{
	struct memory memory = { .fd = -1 };
	struct mapping mapping = {};
	struct context_spec spec;
	struct context context;
	struct problem problem;
	struct map map = {};
	int status;

	parse_options(self, &map_argp, argc, argv, &map);
	check(&map, &mapping);
	context_option(&spec);
	/* a closed pipe must not end us before we took the mapping back */
	signal(SIGPIPE, SIG_IGN);
	if (map.path ? open_file(&map, &memory, &mapping.length, &problem) :
		       make_memory(&memory, mapping.length, &problem)) {
		status = problem_report(&problem);
	} else if (context_open(&spec, &context, &problem)) {
		status = problem_report(&problem);
	} else {
		status = map_into(&context, &memory, &mapping);
		close(context.fd);
	}
	if (memory.fd >= 0)
		close(memory.fd);
	return status;
}
