// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cdev [--all] [--upstream] rules|fight NODE: what a PCI device's character
 * device NODE answers, one row a rule; and who gets the device where two
 * contexts want it. The device is QEMU's `edu`.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64	/* a region's number is in its offset */

#include "expect.h"
#include "pci.h"

/* A row names what differs from what is usual. */
#pragma GCC diagnostic ignored "-Woverride-init"

static const char *node;

#define BIND(...)                                                              \
	({                                                                     \
		struct vfio_device_bind_iommufd c = {                          \
			.argsz = sizeof(c), .iommufd = iommu, __VA_ARGS__      \
		};                                                             \
		call(fd, VFIO_DEVICE_BIND_IOMMUFD, &c);                        \
	})
#define ATTACH(...)                                                            \
	({                                                                     \
		struct vfio_device_attach_iommufd_pt c = {                     \
			.argsz = sizeof(c), .pt_id = ioas, __VA_ARGS__         \
		};                                                             \
		call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &c);                   \
	})
#define DETACH(...)                                                            \
	({                                                                     \
		struct vfio_device_detach_iommufd_pt c = {                     \
			.argsz = sizeof(c), __VA_ARGS__                        \
		};                                                             \
		call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &c);                   \
	})
#define FEATURE(...)                                                           \
	({                                                                     \
		struct vfio_device_feature c = {                               \
			.argsz = sizeof(c), __VA_ARGS__                        \
		};                                                             \
		call(fd, VFIO_DEVICE_FEATURE, &c);                             \
	})

/* What a whole file answers: its ioctls, read, write and mmap. */
static void use(int fd, const char *when, int want)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	uint32_t ioas = 1;
	char what[80], byte = 0;
	void *mem;

#define WHEN(call) (snprintf(what, sizeof(what), "%s %s", call, when), what)
	expect(WHEN("info"), want, call(fd, VFIO_DEVICE_GET_INFO, &info));
	expect(WHEN("reset"), want, call(fd, VFIO_DEVICE_RESET, NULL));
	expect(WHEN("attach"), want, ATTACH());
	expect(WHEN("detach"), want, DETACH());
	expect(WHEN("an unknown call"), want, call(fd, _IO(';', 250), NULL));
	expect(WHEN("read"), want, pread(fd, &byte, 1, 0) < 0 ? errno : 0);
	expect(WHEN("write"), want, pwrite(fd, &byte, 1, 0) < 0 ? errno : 0);
	mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect(WHEN("mmap"), want, mem == MAP_FAILED ? errno : 0);
}

static int rules(void)
{
	int fd = open_node(node), other = open_node(node);
	int iommu = open_iommu(), null = open("/dev/null", O_RDWR);
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };
	uint32_t ioas, id, device, hwpt;

	expect("ioas", 0, ioas_alloc(iommu, &ioas));
	use(fd, "before the bind", EINVAL);

	expect("bind: short", EINVAL, BIND(.argsz = 12));
	expect("bind: flags", EINVAL, BIND(.flags = 1));
	expect("bind: no descriptor", EINVAL, BIND(.iommufd = -1));
	expect("bind: closed descriptor", EBADF, BIND(.iommufd = 999));
	expect("bind: another file", EBADFD, BIND(.iommufd = null));
	expect("bind: nowhere", EFAULT,
	       call(fd, VFIO_DEVICE_BIND_IOMMUFD, NULL));
	use(fd, "after refused binds", EINVAL);
	expect("bind", 0, dev_bind(fd, iommu, &device));
	expect("bind: again", EINVAL, dev_bind(fd, iommu, NULL));
	expect("bind: another open file", EINVAL, dev_bind(other, iommu, NULL));
	use(other, "beside the one that is bound", EINVAL);

	expect("info", 0, call(fd, VFIO_DEVICE_GET_INFO, &info));
	expect_u64("a PCI device", VFIO_DEVICE_FLAGS_PCI,
		   info.flags & VFIO_DEVICE_FLAGS_PCI);
	expect("attach: short", EINVAL, ATTACH(.argsz = 8));
	expect("attach: flags", EINVAL, ATTACH(.flags = 1));
	expect("attach: no such id", ENOENT, ATTACH(.pt_id = 999));
	expect("attach: id 0", ENOENT, ATTACH(.pt_id = 0));
	expect("attach: to itself", EINVAL, ATTACH(.pt_id = device));
	expect("attach: nowhere", EFAULT,
	       call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, NULL));
	expect("detach: short", EINVAL, DETACH(.argsz = 4));
	expect("detach: flags", EINVAL, DETACH(.flags = 1));
	expect("detach: nowhere", EFAULT,
	       call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, NULL));
	expect("detach: not attached", 0, DETACH());

	expect("the device is held", EBUSY, destroy(iommu, device));
	expect("attach", 0, dev_attach(fd, ioas, &hwpt));
	expect_u64("it tells its own page table", true,
		   hwpt && hwpt != ioas && hwpt != device);
	expect("the page table is held", EBUSY, destroy(iommu, hwpt));
	expect("attach: the same", 0, ATTACH());
	id = ioas;
	expect("ioas", 0, ioas_alloc(iommu, &ioas));
	expect("attach: another", 0, ATTACH());
	expect("the first is free", 0, destroy(iommu, id));
	expect("detach", 0, DETACH());
	expect("detach: again", 0, DETACH());
	expect("the second is free", 0, destroy(iommu, ioas));

	expect("feature: short", EINVAL, FEATURE(.argsz = 4));
	expect("feature: unknown flag", EINVAL, FEATURE(.flags = 1 << 20));
	expect("feature: get and set", EINVAL,
	       FEATURE(.flags = VFIO_DEVICE_FEATURE_GET |
				VFIO_DEVICE_FEATURE_SET));
	expect("feature: none like that", ENOTTY,
	       FEATURE(.flags = VFIO_DEVICE_FEATURE_PROBE |
				VFIO_DEVICE_FEATURE_GET | 0xfff0));
	/* Its bus has no reset that would be for it alone. */
	expect("hot reset", ENODEV,
	       call(fd, VFIO_DEVICE_PCI_HOT_RESET, &reset));
	expect("an unknown call", ENOTTY, call(fd, _IO(';', 250), NULL));

	close(fd);
	expect("bind: after the other's close", 0, dev_bind(other, iommu, &id));
	close(iommu);
	expect("without the context's descriptor", 0,
	       call(other, VFIO_DEVICE_GET_INFO, &info));
	close(other);
	return expect_sum();
}

static int fight(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int a = open_iommu(), b = open_iommu(), n;
	int fd = open_node(node), other = open_node(node);
	uint32_t id, ioas;

	/* So that none of its ids is one of the first's. */
	for (n = 0; n < 20; n++)
		expect("the second's", 0, ioas_alloc(b, &ioas));
	for (n = 0; n < 5; n++) {
		expect("the first", 0, dev_bind(fd, a, &id));
		expect("the second", EINVAL, dev_bind(other, b, NULL));
		expect("the second's IOAS", 0, ioas_alloc(b, &ioas));
		expect("another's IOAS", ENOENT, dev_attach(fd, ioas, NULL));
		expect("the first has it", 0,
		       call(fd, VFIO_DEVICE_GET_INFO, &info));
		close(fd);
		expect("then the second", 0, dev_bind(other, b, &id));
		expect("its own IOAS", 0, dev_attach(other, ioas, NULL));
		close(other);
		fd = open_node(node);
		other = open_node(node);
	}
	return expect_sum();
}

int main(int argc, char **argv)
{
	expect_options(&argc, &argv);
	if (argc != 3)
		return 64;
	node = argv[2];
	if (!strcmp(argv[1], "rules"))
		return rules();
	if (!strcmp(argv[1], "fight"))
		return fight();
	return 64;
}
