// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race MODE SECONDS: two threads, one on each CPU, against each other, with
 * random delays in between. Not "nothing exploded" is checked, but what each
 * pair of answers may be; see the functions below. Prints what happened how
 * often; fails if anything was wrong, or if the two never met.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "clock.h"
#include "race.h"

#define SESSION "/sys/kernel/debug/iommufd_testdrv/session"

/*
 * use: both use and destroy the same ids. An object is destroyed exactly once;
 * no destroy is refused since somebody merely uses it.
 * destroy: both do nothing but destroy.
 */
static atomic_uint target;
static atomic_ulong made, destroyed, used, missed;

static void try_destroy(uint32_t id)
{
	int rc = destroy(fd, id);

	if (!rc)
		destroyed++;
	else if (rc == ENOENT)
		missed++;
	else
		report("destroy", id, rc);
}

static void try_use(uint32_t id)
{
	int rc = ioas_use(fd, id);

	if (!rc)
		used++;
	else if (rc == ENOENT)
		missed++;
	else
		report("use", id, rc);
}

static void *use_and_destroy(void *uses)
{
	unsigned int round = 0;

	pin_to(1);
	while (!stop) {
		uint32_t id = target;

		jitter();
		if (uses) {
			try_use(id);
			try_use(id);
			if (++round % 3)
				continue;
		}
		try_destroy(id);
	}
	return NULL;
}

static void destroy_against(bool uses)
{
	pthread_t thread = start(use_and_destroy, uses ? &fd : NULL);

	while (go_on()) {
		uint32_t id;
		int i, rc = ioas_alloc(fd, &id);

		if (rc) {
			report("alloc", 0, rc);
			break;
		}
		made++;
		target = id;
		jitter();
		for (i = uses ? made % 5 : 0; i; i--)
			try_use(id);
		try_destroy(id);
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("%lu made, %lu destroyed, %lu uses, %lu too late\n", made,
	       destroyed, used, missed);
	if (made != destroyed || !missed || (uses && !used))
		report("made and destroyed differ, or the two never met", 0, 0);
}

static void mode_use(void)
{
	destroy_against(true);
}

static void mode_destroy(void)
{
	destroy_against(false);
}

/*
 * release: one opens and closes contexts, the other creates objects through
 * the same descriptor. What comes too late gets EBADF, and nothing stays.
 */
static void *create_in(void *arg)
{
	int shared = *(int *)arg;

	pin_to(1);
	while (!stop) {
		uint32_t id;
		int rc;

		jitter();
		rc = ioas_alloc(shared, &id);
		if (!rc)
			made++;
		else if (rc == EBADF)
			missed++;
		else
			report("alloc", 0, rc);
	}
	return NULL;
}

static void mode_release(void)
{
	/* One number, which all contexts get in turn. */
	int shared = fcntl(fd, F_DUPFD_CLOEXEC, 100), opened;
	pthread_t thread = start(create_in, &shared);

	while (go_on()) {
		opened = open_iommu();
		if (dup3(opened, shared, O_CLOEXEC) < 0)
			report("dup", 0, errno);
		close(opened);
		jitter();
		close(shared);
		jitter();
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("%lu made, %lu too late\n", made, missed);
	if (!made || !missed)
		report("the two never met", 0, 0);
}

/*
 * lasting: one destroys, the other takes a lasting reference in the kernel.
 * Exactly one of the two succeeds, and the object is as that one wants it.
 */
static pthread_barrier_t turn;
static atomic_int hold_rc;
static int session;

static int tell(const char *command, uint32_t id)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%s %u", command, id);

	return write(session, line, len) == len ? 0 : errno;
}

static void *hold_target(void *arg)
{
	(void)arg;
	pin_to(1);
	for (;;) {
		pthread_barrier_wait(&turn);
		if (stop)
			return NULL;
		jitter();
		hold_rc = tell("hold", target);
		pthread_barrier_wait(&turn);
	}
}

static void mode_lasting(void)
{
	unsigned long holds = 0, destroys = 0;
	pthread_t thread;
	uint32_t id;
	int rc;

	session = open(SESSION, O_RDWR | O_CLOEXEC);
	if (session < 0 || tell("ctx", fd)) {
		perror("race: " SESSION);
		exit(1);
	}
	pthread_barrier_init(&turn, NULL, 2);
	thread = start(hold_target, NULL);
	while (go_on()) {
		if (ioas_alloc(fd, &id))
			report("alloc", 0, errno);
		target = id;
		pthread_barrier_wait(&turn);
		jitter();
		rc = destroy(fd, id);
		pthread_barrier_wait(&turn);

		if (rc == EBUSY && hold_rc == 0) {
			holds++;
			rc = ioas_use(fd, id) ?: tell("drop", id) ?:
			     destroy(fd, id);
			if (rc)
				report("held object", id, rc);
		} else if (rc == 0 && hold_rc == ENOENT) {
			destroys++;
		} else {
			printf("destroy %d, hold %d\n", rc, hold_rc);
			report("both or neither", id, rc);
		}
	}
	stop = true;
	pthread_barrier_wait(&turn);
	pthread_join(thread, NULL);
	close(session);
	printf("%lu times the hold, %lu times the destroy\n", holds, destroys);
	if (!holds || !destroys)
		report("one always wins", 0, 0);
}

/*
 * unload: one opens and closes, the other unloads and loads the module whose
 * file is in $IOMMUFD_KO. No open finds half a module.
 */
static void *open_and_use(void *arg)
{
	(void)arg;
	pin_to(1);
	while (!stop) {
		int other = open("/dev/iommu", O_RDWR | O_CLOEXEC);
		uint32_t id;

		if (other < 0) {
			if (errno != ENOENT && errno != ENODEV &&
			    errno != ENXIO)
				report("open", 0, errno);
			missed++;
			continue;
		}
		if (ioas_alloc(other, &id) || destroy(other, id))
			report("alloc or destroy", 0, errno);
		close(other);
		used++;
		jitter();
	}
	return NULL;
}

static void mode_unload(void)
{
	const char *ko = getenv("IOMMUFD_KO");
	int file = open(ko ?: "", O_RDONLY | O_CLOEXEC);
	unsigned long loads = 0, refused = 0;
	pthread_t thread;

	if (file < 0) {
		perror("race: $IOMMUFD_KO");
		exit(1);
	}
	close(fd);
	thread = start(open_and_use, NULL);
	while (go_on()) {
		jitter();
		if (syscall(SYS_delete_module, "iommufd", O_NONBLOCK)) {
			if (errno != EAGAIN && errno != EBUSY)
				report("unload", 0, errno);
			refused++;
			continue;
		}
		jitter();
		if (syscall(SYS_finit_module, file, "", 0))
			report("load", 0, errno);
		loads++;
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("%lu loads, %lu unloads refused, %lu opens, %lu too early\n",
	       loads, refused, used, missed);
	if (!loads || !refused || !used)
		report("the two never met", 0, 0);
}

/*
 * latency: three threads keep an object busy with calls that use it, while it
 * is destroyed. No destroy is refused; the longest one is reported.
 */
static void *keep_busy(void *arg)
{
	(void)arg;
	noise = (uintptr_t)&arg | 1;
	while (!stop)
		try_use(target);
	return NULL;
}

static void mode_latency(void)
{
	uint64_t worst = 0, sum = 0, took;
	unsigned long busy = 0;
	pthread_t threads[3];
	int i, rc;

	for (i = 0; i < 3; i++)
		threads[i] = start(keep_busy, NULL);
	while (go_on()) {
		uint32_t id;

		if (ioas_alloc(fd, &id))
			report("alloc", 0, errno);
		target = id;
		usleep(1000);
		took = now_ns();
		rc = destroy(fd, id);
		took = now_ns() - took;
		if (rc == EBUSY)
			busy++;
		if (rc)
			report("destroy", id, rc);
		destroyed++;
		sum += took;
		if (took > worst)
			worst = took;
	}
	stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("%lu destroys, %lu EBUSY, mean %llu us, worst %llu us\n",
	       destroyed, busy,
	       (unsigned long long)(destroyed ? sum / destroyed / 1000 : 0),
	       (unsigned long long)worst / 1000);
	if (!destroyed || !used)
		report("the threads never met", 0, 0);
}

static const struct race modes[] = {
	{ "use", mode_use },
	{ "destroy", mode_destroy },
	{ "release", mode_release },
	{ "lasting", mode_lasting },
	{ "unload", mode_unload },
	{ "latency", mode_latency },
};

int main(int argc, char **argv)
{
	return run_race(modes, sizeof(modes) / sizeof(modes[0]), argc, argv);
}
