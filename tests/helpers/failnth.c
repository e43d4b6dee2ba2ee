// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failnth BDF: every allocation of every operation made to fail, as failnth.h
 * says. Prints for each operation how many failures it met. BDF is the address
 * of a PCI device without a driver.
 */
#define _GNU_SOURCE
#include <linux/vfio.h>

#include "failnth.h"

static char scratch[1 << 16];
static uint32_t id;		/* the object of the operation */
static int other;		/* the context of the operation */

static int run_open(void)
{
	other = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return other < 0 ? errno : 0;
}

static void close_other(int rc)
{
	if (!rc)
		close(other);
}

static int run_alloc(void)
{
	return ioas_alloc(fd, &id);
}

static void destroy_made(int rc)
{
	if (!rc && destroy(fd, id))
		die("destroy");
}

static void make(void)
{
	if (ioas_alloc(fd, &id))
		die("alloc");
}

static int run_destroy(void)
{
	return destroy(fd, id);
}

static void destroy_kept(int rc)
{
	if (rc && destroy(fd, id))
		die("destroy");
}

static int run_ranges(void)
{
	return ioas_use(fd, 1);
}

static int run_fdinfo(void)
{
	return slurp(fdinfo_path, scratch, sizeof(scratch));
}

static int run_contexts(void)
{
	return slurp("/sys/kernel/debug/iommufd/contexts", scratch,
		     sizeof(scratch));
}

static int run_objects(void)
{
	return slurp(objects_path, scratch, sizeof(scratch));
}

static char other_path[64];

static void open_other(void)
{
	other = open_iommu();
	snprintf(other_path, sizeof(other_path), "/proc/self/fdinfo/%d", other);
}

/* The first look at a context gives it a folder in debugfs. */
static int run_folder(void)
{
	return slurp(other_path, scratch, sizeof(scratch));
}

static void close_opened(int rc)
{
	(void)rc;
	close(other);
}

/* --- what is in an IOAS: always that of id 1, and copies to that of id 2 --- */

#define P 4096ULL
#define IOVA 0x10000000ULL
#define R IOMMU_IOAS_MAP_READABLE
#define W IOMMU_IOAS_MAP_WRITEABLE
#define F IOMMU_IOAS_MAP_FIXED_IOVA

static char memory[16 * 4096] __attribute__((aligned(4096)));

static int map(uint32_t flags, uint64_t iova)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = 1,
		.user_va = (uintptr_t)memory,
		.length = sizeof(memory),
		.iova = iova,
	};

	return call(fd, IOMMU_IOAS_MAP, &cmd);
}

static int unmap(uint32_t ioas)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .length = UINT64_MAX,
	};

	return call(fd, IOMMU_IOAS_UNMAP, &cmd);
}

static int run_map(void)
{
	return map(F | R | W, IOVA);
}

static int run_map_automatic(void)
{
	return map(R | W, 0);
}

static void make_map(void)
{
	if (map(F | R | W, IOVA))
		die("map");
}

static void unmap_made(int rc)
{
	(void)rc;
	if (unmap(1) || unmap(2))
		die("unmap");
}

static int run_unmap(void)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = 1,
		.iova = IOVA,
		.length = sizeof(memory),
	};

	return call(fd, IOMMU_IOAS_UNMAP, &cmd);
}

static int run_copy(void)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = F | R | W,
		.dst_ioas_id = 2,
		.src_ioas_id = 1,
		.length = sizeof(memory),
		.dst_iova = 2 * IOVA,
		.src_iova = IOVA,
	};

	return call(fd, IOMMU_IOAS_COPY, &cmd);
}

/* Three areas, so that a failure may strike when some are there already. */
static void make_maps(void)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = F | R | W,
		.ioas_id = 1,
		.user_va = (uintptr_t)memory,
	};
	static const uint64_t lengths[] = { P, 5 * P, 10 * P };
	unsigned int i;

	cmd.iova = IOVA;
	for (i = 0; i < 3; i++) {
		cmd.length = lengths[i];
		if (call(fd, IOMMU_IOAS_MAP, &cmd))
			die("map");
		cmd.iova += lengths[i];
	}
}

static int run_allow(void)
{
	struct iommu_iova_range list[] = {
		{ 0, IOVA - 1 }, { 2 * IOVA, 3 * IOVA }, { 4 * IOVA, -1 },
	};
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = 1,
		.num_iovas = 3,
		.allowed_iovas = (uintptr_t)list,
	};

	return call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

static void allow_all(int rc)
{
	struct iommu_ioas_allow_iovas cmd = { .size = sizeof(cmd), .ioas_id = 1 };

	(void)rc;
	if (call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd))
		die("allow");
}

static int option(uint64_t val)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = 1,
		.val64 = val,
	};

	return call(fd, IOMMU_OPTION, &cmd);
}

static int run_option(void)
{
	return option(0);
}

static void option_back(int rc)
{
	(void)rc;
	if (option(1))
		die("option");
}

static int vfio_ioas(uint16_t op)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .ioas_id = 1, .op = op };

	return call(fd, IOMMU_VFIO_IOAS, &cmd);
}

static int run_vfio_ioas(void)
{
	return vfio_ioas(IOMMU_VFIO_IOAS_SET);
}

static void vfio_set(void)
{
	if (vfio_ioas(IOMMU_VFIO_IOAS_SET))
		die("VFIO_IOAS");
}

static void vfio_clear(int rc)
{
	(void)rc;
	if (vfio_ioas(IOMMU_VFIO_IOAS_CLEAR))
		die("VFIO_IOAS");
}

static int run_vfio_map(void)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)memory,
		.iova = IOVA,
		.size = sizeof(memory),
	};

	return call(fd, VFIO_IOMMU_MAP_DMA, &cmd);
}

static int run_vfio_info(void)
{
	struct {
		struct vfio_iommu_type1_info info;
		char more[256];
	} cmd = { .info.argsz = sizeof(cmd) };

	return call(fd, VFIO_IOMMU_GET_INFO, &cmd);
}

static void vfio_unmap(int rc)
{
	unmap_made(rc);
	vfio_clear(rc);
}

/* --- accesses: one that is attached to IOAS 1 --- */

static int session = -1;
static uint32_t access_id;

static void make_access(void)
{
	if (drv(session, "access obey"))
		die("access");
	access_id = drv_result(session);
}

static void make_attached(void)
{
	make_map();
	make_access();
	if (drv(session, "attach %u 1", access_id))
		die("attach");
	/* Two runs of pages: one is pinned already. */
	if (drv(session, "pin %u %#llx %llu 1", access_id, IOVA + 4 * P, P))
		die("pin");
}

static void end_access(int rc)
{
	(void)rc;
	if (drv(session, "end %u", access_id) || unmap(1))
		die("end");
}

static int run_access(void)
{
	return drv(session, "access obey");
}

/* What it is called is asked only now, when nothing fails on purpose. */
static void end_new_access(int rc)
{
	if (!rc)
		access_id = drv_result(session);
	end_access(rc);
}

static int run_attach(void)
{
	return drv(session, "attach %u 1", access_id);
}

static int run_replace(void)
{
	return drv(session, "replace %u 2", access_id);
}

static int run_pin(void)
{
	return drv(session, "pin %u %#llx %llu 1", access_id, IOVA, 16 * P);
}

static int run_write(void)
{
	return drv(session, "write %u %#llx %llu 1 0", access_id, IOVA + 5,
		   16 * P - 9);
}

static int run_write_slowly(void)
{
	return drv(session, "write %u %#llx %llu 1 4", access_id, IOVA + 5,
		   16 * P - 9);
}

/* --- a device, and two areas for it --- */

static const char *bdf;
static uint32_t dev_id;

static int run_bind(void)
{
	return drv(session, "bind %s", bdf);
}

static void end_device(int rc)
{
	if (!rc && drv(session, "unbind %u", dev_id))
		die("unbind");
}

static void end_new_device(int rc)
{
	if (!rc)
		dev_id = drv_result(session);
	end_device(rc);
}

static void make_device(void)
{
	make_map();
	if (run_bind())
		die("bind");
	dev_id = drv_result(session);
}

static void end_made_device(int rc)
{
	(void)rc;
	end_device(0);
	if (unmap(1))
		die("unmap");
}

static int run_dev_attach(void)
{
	return drv(session, "dev-attach %u 1", dev_id);
}

static void make_attached_device(void)
{
	make_device();
	if (run_dev_attach())
		die("dev-attach");
}

static int run_dev_replace(void)
{
	return drv(session, "dev-replace %u 2", dev_id);
}

/* What is mapped goes to a page table that is there. */
static void make_empty_attached(void)
{
	make_attached_device();
	if (unmap(1))
		die("unmap");
}

static int run_hwpt_alloc(void)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = dev_id,
		.pt_id = 1,
	};
	int rc = call(fd, IOMMU_HWPT_ALLOC, &cmd);

	id = cmd.out_hwpt_id;
	return rc;
}

static void end_hwpt(int rc)
{
	if (!rc && destroy(fd, id))
		die("destroy");
	end_made_device(rc);
}

static const struct op ops[] = {
	{ "open", NULL, run_open, close_other, false },
	{ "IOAS_ALLOC", NULL, run_alloc, destroy_made, false },
	{ "DESTROY", make, run_destroy, destroy_kept, false },
	{ "IOAS_IOVA_RANGES", NULL, run_ranges, NULL, false },
	{ "fdinfo", NULL, run_fdinfo, NULL, false },
	{ "debugfs contexts", NULL, run_contexts, NULL, false },
	{ "debugfs objects", NULL, run_objects, NULL, false },
	{ "debugfs folder", open_other, run_folder, close_opened, false },
	{ "IOAS_MAP", NULL, run_map, unmap_made, true },
	{ "IOAS_MAP automatic", NULL, run_map_automatic, unmap_made, true },
	{ "IOAS_UNMAP", make_map, run_unmap, unmap_made, true },
	{ "IOAS_COPY", make_maps, run_copy, unmap_made, true },
	{ "IOAS_ALLOW_IOVAS", NULL, run_allow, allow_all, false },
	{ "OPTION", NULL, run_option, option_back, true },
	{ "VFIO_IOAS", NULL, run_vfio_ioas, vfio_clear, true },
	{ "VFIO MAP_DMA", vfio_set, run_vfio_map, vfio_unmap, false },
	{ "VFIO GET_INFO", vfio_set, run_vfio_info, vfio_clear, false },
	{ "access", NULL, run_access, end_new_access, false },
	{ "attach", make_access, run_attach, end_access, false },
	{ "replace", make_attached, run_replace, end_access, false },
	{ "pin", make_attached, run_pin, end_access, false },
	{ "write", make_attached, run_write, end_access, false },
	{ "write slowly", make_attached, run_write_slowly, end_access, false },
	{ "IOAS_UNMAP pinned", make_attached, run_unmap, end_access,
	  true },
	{ "bind", NULL, run_bind, end_new_device, false },
	{ "device attach", make_device, run_dev_attach, end_made_device,
	  false },
	{ "device replace", make_attached_device, run_dev_replace,
	  end_made_device, false },
	{ "HWPT_ALLOC", make_device, run_hwpt_alloc, end_hwpt, false },
	{ "IOAS_MAP for a device", make_empty_attached, run_map,
	  end_made_device, true },
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	bdf = argv[1];
	failnth_begin();
	memset(memory, 1, sizeof(memory));
	session = drv_open(fd);
	return failnth_run(ops, sizeof(ops) / sizeof(ops[0]));
}
