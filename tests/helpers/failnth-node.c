// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failnth-node NODE: what failnth.h has, for the calls on a device's character
 * device NODE: its open, its bind to a context, and what comes after that.
 */
#define _GNU_SOURCE
#include "failnth.h"
#include "pci.h"

#define IOVA (16 * PAGE)

static const char *node;
static int dev = -1;
static void *mem;

static int run_open(void)
{
	dev = open(node, O_RDWR | O_CLOEXEC);
	return dev < 0 ? errno : 0;
}

static void open_dev(void)
{
	dev = open_node(node);
}

static void close_dev(int rc)
{
	(void)rc;
	if (dev >= 0)
		close(dev);
	dev = -1;
}

static int run_bind(void)
{
	return dev_bind(dev, fd, NULL);
}

static void bind_dev(void)
{
	open_dev();
	done(dev_bind(dev, fd, NULL), "bind");
}

static int run_attach(void)
{
	return dev_attach(dev, 1, NULL);
}

static void attach_dev(void)
{
	bind_dev();
	done(dev_attach(dev, 1, NULL), "attach");
}

static int run_replace(void)
{
	return dev_attach(dev, 2, NULL);
}

static int run_detach(void)
{
	return dev_detach(dev);
}

static int run_map(void)
{
	return map_at(fd, 1, mem, 4 * PAGE, IOVA, MAP_RW);
}

static void map_and_bind(void)
{
	done(run_map(), "map");
	bind_dev();
}

static int run_unmap(void)
{
	return unmap_at(fd, 1, IOVA, 4 * PAGE);
}

static void map_and_attach(void)
{
	done(run_map(), "map");
	attach_dev();
}

static void unmap_and_close(int rc)
{
	close_dev(rc);
	/* Where an unmap was tried, it is gone already. */
	run_unmap();
}

static const struct op ops[] = {
	{ "node open", NULL, run_open, close_dev, false },
	{ "node bind", open_dev, run_bind, close_dev, false },
	{ "node attach", bind_dev, run_attach, close_dev, false },
	{ "node attach of what is mapped", map_and_bind, run_attach,
	  unmap_and_close, false },
	{ "node replace", attach_dev, run_replace, close_dev, false },
	{ "node replace of what is mapped", map_and_attach, run_replace,
	  unmap_and_close, false },
	{ "node detach", attach_dev, run_detach, close_dev, false },
	{ "map for a node", attach_dev, run_map, unmap_and_close, false },
	{ "unmap for a node", map_and_attach, run_unmap, unmap_and_close,
	  false },
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	node = argv[1];
	failnth_begin();
	mem = memory(4 * PAGE);
	memset(mem, 1, 4 * PAGE);
	return failnth_run(ops, sizeof(ops) / sizeof(ops[0]));
}
