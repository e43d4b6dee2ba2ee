// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nldump [SECONDS]: dumps all objects by netlink, the barest way that looks at
 * every attribute, once or for so long; prints how many objects and how many
 * nanoseconds an object took.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/iommufd_netlink.h>

#include "iommu.h"

static char buf[32768] __attribute__((aligned(8)));
static unsigned long sum;

static void ask(int fd, int family, int cmd, int flags, const char *name)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		struct nlattr attr;
		char name[8];
	} request = {
		.nlh = { sizeof(request), family, NLM_F_REQUEST | flags, 1, 0 },
		.genl = { .cmd = cmd, .version = 1 },
		.attr = { NLA_HDRLEN + 8, CTRL_ATTR_FAMILY_NAME },
	};

	if (name)
		memcpy(request.name, name, sizeof(request.name));
	else
		request.nlh.nlmsg_len = offsetof(typeof(request), attr);
	if (send(fd, &request, request.nlh.nlmsg_len, 0) < 0) {
		perror("nldump: send");
		exit(1);
	}
}

/* Messages in one datagram; *END at the last. */
static unsigned long receive(int fd, int *family, int *end)
{
	ssize_t left = recv(fd, buf, sizeof(buf), 0);
	struct nlmsghdr *nlh = (void *)buf;
	unsigned long count = 0;

	if (left < 0) {
		perror("nldump: receive");
		exit(1);
	}
	for (; NLMSG_OK(nlh, left); nlh = NLMSG_NEXT(nlh, left)) {
		char *at = (char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN;
		char *stop = (char *)nlh + nlh->nlmsg_len;

		if (nlh->nlmsg_type == NLMSG_DONE ||
		    nlh->nlmsg_type == NLMSG_ERROR) {
			*end = 1;
			if (*(int *)NLMSG_DATA(nlh)) {
				errno = -*(int *)NLMSG_DATA(nlh);
				perror("nldump");
				exit(1);
			}
			break;
		}
		count++;
		while (at < stop) {
			struct nlattr *attr = (void *)at;

			if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
				*family = *(uint16_t *)(at + NLA_HDRLEN);
			sum += *(uint32_t *)(at + NLA_HDRLEN);
			at += NLA_ALIGN(attr->nla_len);
		}
	}
	return count;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	double begin, until, seconds = argc > 1 ? atof(argv[1]) : 0;
	int family = 0, ignored, end = 0;
	unsigned long count = 0;

	if (fd < 0)
		return 1;
	ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK, "iommufd");
	while (!end)
		receive(fd, &family, &end);
	begin = now();
	until = begin + seconds * 1e9;
	do {
		ask(fd, family, IOMMUFD_NL_CMD_OBJECT_GET, NLM_F_DUMP, NULL);
		for (end = 0; !end;)
			count += receive(fd, &ignored, &end);
	} while (now() < until);
	printf("%lu %.0f\n", count, count ? (now() - begin) / count : 0);
	return 0;
}
