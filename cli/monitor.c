// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/genetlink.h>

#include "cli.h"
#include "contexts.h"
#include "errors.h"
#include "netlink.h"
#include "options.h"
#include "render.h"

/* Some thousand events, for a reader that is away for a moment. */
#define RECEIVE_ROOM (1024 * 1024)

/* In place of what netlink_receive() returns by itself. */
#define UNLOADED 1

const struct argp monitor_argp = {
	.doc = "Tell of contexts and objects as they come and go, a line each, "
	       "until interrupted: of all, or with -c of that context.",
	.children = common_children,
};

/*
 * struct monitor - what is listened to
 * @events: the socket that events come in on
 * @context: only of this one, UNKNOWN: of all
 */
struct monitor {
	struct netlink *events;
	uint64_t context;
};

/* The clock, as it is when an event is printed. */
static void format_time(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	used = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + used, size - used, ".%06ldZ", now.tv_nsec / 1000);
}

static void print_json(const char *when, const struct event_reply *event)
{
	json_t *o = json_start();

	json_add(o, "time", json_text(when));
	json_add(o, "event", json_text(event->name));
	json_add(o, "context", json_number(event->context));
	json_add(o, "id", json_number(event->id));
	json_add(o, "type", json_text(*event->type ? event->type : NULL));
	json_print(o, stdout);
}

static void print_text(const char *when, const struct event_reply *event)
{
	printf("%s  %-17s", when, event->name);
	if (event->context == UNKNOWN)
		fputs("  events were lost; what there is now follows", stdout);
	else
		printf("  context %" PRIu64, event->context);
	if (event->id != UNKNOWN)
		printf(", %s %" PRIu64, event->type, event->id);
	putchar('\n');
}

static void print_event(const struct event_reply *event)
{
	char when[64];

	format_time(when, sizeof(when));
	if (option_json())
		print_json(when, event);
	else
		print_text(when, event);
}

static int take_event(const struct nlmsghdr *nlh, void *data)
{
	const struct monitor *m = data;
	struct event_reply event;

	if (parse_family_gone(nlh, m->events->family))
		return UNLOADED;
	if (nlh->nlmsg_type == m->events->family && parse_event(nlh, &event) &&
	    (m->context == UNKNOWN || m->context == event.context))
		print_event(&event);
	return 0;
}

static int take_context(const struct nlmsghdr *nlh, void *data)
{
	const struct monitor *m = data;
	struct context_reply context;
	struct event_reply event = { "context-created", UNKNOWN, UNKNOWN, "" };

	if (!parse_context_reply(nlh, &context))
		return -EBADMSG;
	event.context = context.info.id;
	if (m->context == UNKNOWN || m->context == event.context)
		print_event(&event);
	return 0;
}

static int take_object(const struct nlmsghdr *nlh, void *data)
{
	struct event_reply event = { .name = "object-created" };
	struct object_reply object;

	(void)data;
	if (!parse_object_reply(nlh, &object))
		return -EBADMSG;
	event.context = object.context;
	event.id = object.info.id;
	snprintf(event.type, sizeof(event.type), "%s", object.type);
	print_event(&event);
	return 0;
}

/*
 * What was lost is not known, so the reader is told to forget what it has, and
 * then of all that there is. Events that come meanwhile wait in their socket.
 */
static int sync_anew(struct monitor *m, struct problem *p)
{
	const struct event_reply overrun = { "overrun", UNKNOWN, UNKNOWN, "" };
	struct nlmsghdr *request;
	struct netlink *nl;
	int ret = netlink_open(&nl, p);

	print_event(&overrun);
	netlink_drain(m->events);
	if (ret)
		return ret < 0 ? ret : UNLOADED;
	request = netlink_request(nl, IOMMUFD_NL_CMD_CONTEXT_GET, true);
	ret = netlink_ask(nl, request, take_context, m);
	if (!ret) {
		request = netlink_request(nl, IOMMUFD_NL_CMD_OBJECT_GET, true);
		if (m->context != UNKNOWN)
			mnl_attr_put_u64(request, IOMMUFD_NL_OBJECT_CONTEXT,
					 m->context);
		ret = netlink_ask(nl, request, take_object, m);
	}
	/* the one context that is listened to is gone, or yet to come */
	if (ret == -ENOENT && m->context != UNKNOWN)
		ret = 0;
	if (ret)
		netlink_problem(nl, p, -ret);
	netlink_close(nl);
	return ret ? -1 : 0;
}

/*
 * Joining the group takes a capability in the socket's network namespace; that
 * nothing is sent to this one can only be learned by asking for something.
 */
static int may_listen(struct netlink *nl)
{
	struct nlmsghdr *request =
		netlink_request(nl, IOMMUFD_NL_CMD_CONTEXT_GET, false);
	int ret;

	mnl_attr_put_u64(request, IOMMUFD_NL_CONTEXT_ID, 0);
	ret = netlink_ask(nl, request, NULL, NULL);
	return ret == -ENOENT ? 0 : ret;
}

static int start_listening(struct monitor *m, struct problem *p)
{
	int room = RECEIVE_ROOM, ret = netlink_open(&m->events, p);

	if (ret > 0)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
			"no events: the iommufd module is not loaded, or is "
			"one that sends none");
	if (ret)
		return ret;
	setsockopt(mnl_socket_get_fd(m->events->sock), SOL_SOCKET,
		   SO_RCVBUFFORCE, &room, sizeof(room));
	ret = may_listen(m->events);
	if (!ret)
		ret = netlink_join(m->events, m->events->group);
	/* and to learn that the module is unloaded: then nothing comes */
	if (!ret)
		ret = netlink_join(m->events, GENL_ID_CTRL);
	return ret ? netlink_problem(m->events, p, -ret) : 0;
}

static int listen_on(struct monitor *m, struct problem *p)
{
	int ret;

	do {
		ret = netlink_receive(m->events, take_event, m);
		if (ret == -ENOBUFS)
			ret = sync_anew(m, p);
		else if (ret < 0)
			return netlink_problem(m->events, p, -ret);
		if (fflush(stdout)) {
			write_failed(errno);
			return 0;
		}
	} while (!ret);
	if (ret == UNLOADED)
		return problem_set(p, STATUS_UNSUPPORTED, 0,
				   "the iommufd module was unloaded");
	return ret;
}

/* A number may be of a context that is yet to come. */
static int choose(const struct context_spec *spec, uint64_t *id,
		  struct problem *p)
{
	struct found found;
	size_t group;
	int ret;

	if (spec->form == CONTEXT_ID) {
		*id = spec->id;
		return 0;
	}
	if (found_all(&found, spec, p))
		return -1;
	ret = found_select(&found, spec, &group, p);
	if (!ret)
		*id = found.openings[found.first[group]].info.context;
	found_free(&found);
	return ret;
}

int cmd_monitor(const struct command *self, int argc, char **argv)
{
	struct monitor monitor = { .context = UNKNOWN };
	struct context_spec spec;
	struct problem problem;
	int ret = 0;

	parse_options(self, &monitor_argp, argc, argv, NULL);
	if (context_option(&spec))
		ret = choose(&spec, &monitor.context, &problem);
	if (!ret)
		ret = start_listening(&monitor, &problem);
	if (!ret)
		ret = listen_on(&monitor, &problem);
	netlink_close(monitor.events);
	return ret ? problem_report(&problem) : STATUS_DONE;
}
