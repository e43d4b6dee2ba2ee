// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * edu [--upstream] WHAT NODE [ARG]: what user space can do with a PCI device,
 * QEMU's `edu`, by its character device NODE (see edu.h). WHAT is
 *
 *   dma       DMA both ways arrives, also after the address space has changed
 *   faults    DMA to where nothing is, or may not be written, does not arrive.
 *             All such addresses have 0xbad in them, by which the kernel's log
 *             is checked
 *   rules     what is refused before a bind, and by it, one row a rule
 *   fight     two contexts want one device
 *   msi       an interrupt arrives in an eventfd
 *   again N   opened, used and closed N times
 *   spin      DMA for ever, with "ready" once it runs
 *   hold      bound, with "ready"; for each line of standard input says what a
 *             read and an ioctl answer, until it ends. With ARG "ask", closes
 *             when it is asked to. With "touch", reads mapped memory as well
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64	/* a region's number is in its offset */
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>

#include "edu.h"
#include "expect.h"

/* A row names what differs from what is usual. */
#pragma GCC diagnostic ignored "-Woverride-init"

static const char *node;

static void fill(char *mem, size_t n, unsigned int seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		mem[i] = (i * 7 + seed) % 251;
}

/* From @from to @to by the device's buffer. */
static void copy(struct pci *d, uint64_t from, uint64_t to, size_t n)
{
	edu_in(d, from, n);
	edu_out(d, to, n);
}

static int dma(void)
{
	const size_t n = EDU_MOST;
	char *mem = memory(4 * PAGE), want[EDU_MOST];
	struct pci d;
	uint32_t other;

	edu_open(&d, node);
	expect("map", 0,
	       map_at(d.iommu, d.ioas, mem, 2 * PAGE, 0x100000, MAP_RW));
	fill(mem, n, 1);
	fill(want, n, 1);
	copy(&d, 0x100000, 0x101000, n);
	expect_u64("it arrives", 0, memcmp(mem + PAGE, want, n));

	/* Not where the next page of memory is, but where the IOAS says. */
	expect("map more", 0, map_at(d.iommu, d.ioas, mem + 3 * PAGE, PAGE,
				     0xfff000, MAP_RW));
	copy(&d, 0x100000, 0xfff000 + PAGE - n, n);
	expect_u64("it arrives there", 0,
		   memcmp(mem + 4 * PAGE - n, want, n));

	/* Over the boundary of two pages. */
	memset(mem, 0, 4 * PAGE);
	fill(mem + PAGE - 100, 200, 5);
	fill(want, 200, 5);
	copy(&d, 0x100000 + PAGE - 100, 0x100000, 200);
	expect_u64("over two pages", 0, memcmp(mem, want, 200));

	expect("unmap", 0, unmap_at(d.iommu, d.ioas, 0x100000, 2 * PAGE));
	expect("map elsewhere", 0, map_at(d.iommu, d.ioas, mem + 2 * PAGE, PAGE,
					  0x100000, MAP_RW));
	fill(want, n, 9);
	memcpy(mem + 2 * PAGE, want, n);
	copy(&d, 0x100000, 0xfff000, n);
	expect_u64("what came instead is read", 0,
		   memcmp(mem + 3 * PAGE, want, n));

	expect("another", 0, ioas_alloc(d.iommu, &other));
	expect("map there", 0,
	       map_at(d.iommu, other, mem, 2 * PAGE, 0x200000, MAP_RW));
	expect("moved", 0, dev_attach(d.fd, other, NULL));
	expect("the first is not in use any more", 0, destroy(d.iommu, d.ioas));
	fill(mem, n, 13);
	fill(want, n, 13);
	copy(&d, 0x200000, 0x201000, n);
	expect_u64("it arrives in the other", 0, memcmp(mem + PAGE, want, n));

	expect("in use", EBUSY, destroy(d.iommu, other));
	expect("detach", 0, dev_detach(d.fd));
	expect("not in use", 0, destroy(d.iommu, other));
	dev_close(&d);
	return expect_sum();
}

static int faults(void)
{
	const size_t n = EDU_MOST;
	char *mem = memory(3 * PAGE), *zero = calloc(1, PAGE);
	struct pci d;
	uint32_t other;

	edu_open(&d, node);
	expect("map", 0,
	       map_at(d.iommu, d.ioas, mem, PAGE, 0x100000, MAP_RW));
	expect("map for reading", 0, map_at(d.iommu, d.ioas, mem + PAGE, PAGE,
					    0xbad1000, MAP_R));
	fill(mem, n, 3);

	edu_in(&d, 0x100000, n);
	edu_out(&d, 0xbad1000, n);
	expect_u64("not to be written", 0, memcmp(mem + PAGE, zero, PAGE));
	edu_out(&d, 0xbad2000, n);

	expect("map where that went", 0, map_at(d.iommu, d.ioas, mem + 2 * PAGE,
						PAGE, 0xbad2000, MAP_RW));
	expect_u64("nothing was there", 0, memcmp(mem + 2 * PAGE, zero, PAGE));
	edu_out(&d, 0xbad2000, n);
	expect_u64("now it arrives", 0, memcmp(mem, mem + 2 * PAGE, n));
	expect("unmap", 0, unmap_at(d.iommu, d.ioas, 0xbad2000, PAGE));
	memset(mem + 2 * PAGE, 0, PAGE);
	edu_out(&d, 0xbad2000, n);
	expect_u64("no longer there", 0, memcmp(mem + 2 * PAGE, zero, PAGE));

	/* Half in, half out: of the half that is in, any part may arrive. */
	expect("unmap", 0, unmap_at(d.iommu, d.ioas, 0xbad1000, PAGE));
	expect("map", 0,
	       map_at(d.iommu, d.ioas, mem + PAGE, PAGE, 0xbad0000, MAP_RW));
	edu_out(&d, 0xbad1000 - 1024, n);
	expect_u64("before it nothing", 0,
		   memcmp(mem + PAGE, zero, PAGE - 1024));

	/* Neither by an IOAS that it is not attached to, nor by none. */
	expect("another", 0, ioas_alloc(d.iommu, &other));
	expect("map there", 0, map_at(d.iommu, other, mem + 2 * PAGE, PAGE,
				      0xbad3000, MAP_RW));
	edu_out(&d, 0xbad3000, n);
	expect_u64("not by another", 0, memcmp(mem + 2 * PAGE, zero, PAGE));
	memset(mem + PAGE, 0, PAGE);
	expect("detach", 0, dev_detach(d.fd));
	edu_out(&d, 0xbad0000, n);
	expect_u64("not when detached", 0, memcmp(mem + PAGE, zero, PAGE));

	expect("attach again", 0, dev_attach(d.fd, d.ioas, NULL));
	edu_in(&d, 0x100000, n);
	edu_out(&d, 0xbad0000, n);
	expect_u64("and it works", 0, memcmp(mem + PAGE, mem, n));
	dev_close(&d);
	return expect_sum();
}

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
	expect("hot reset", DIFFERS(ENODEV, ENODEV),
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

static int msi(void)
{
	int event = eventfd(0, 0);
	struct pollfd p = { .fd = event, .events = POLLIN };
	struct pci d;
	uint64_t n;
	int i;

	edu_open(&d, node);
	expect("eventfd", 0, dev_irq(d.fd, VFIO_PCI_MSI_IRQ_INDEX, event));
	for (i = 1; i <= 3; i++) {
		edu_set(&d, EDU_IRQ_RAISE, i);
		expect_u64("it arrives", 1, poll(&p, 1, 20000));
		expect_u64("once", 8, read(event, &n, 8));
		expect_u64("and no more", 1, n);
		expect_u64("with what was raised", i,
			   edu_get(&d, EDU_IRQ_STATUS));
		edu_set(&d, EDU_IRQ_ACK, i);
	}
	expect("no eventfd", 0, dev_irq(d.fd, VFIO_PCI_MSI_IRQ_INDEX, -1));
	edu_set(&d, EDU_IRQ_RAISE, 1);
	expect_u64("none arrives", 0, poll(&p, 1, 500));
	edu_set(&d, EDU_IRQ_ACK, 1);
	dev_close(&d);
	return expect_sum();
}

static int again(int times)
{
	char *mem = memory(2 * PAGE);
	struct pci d;
	int n;

	for (n = 1; n <= times; n++) {
		edu_open(&d, node);
		done(map_at(d.iommu, d.ioas, mem, 2 * PAGE, 0x100000, MAP_RW),
		     "map");
		fill(mem, 256, n);
		copy(&d, 0x100000, 0x101000, 256);
		expect_u64("it arrives", 0, memcmp(mem, mem + PAGE, 256));
		dev_close(&d);
	}
	return expect_sum();
}

static void spin(void)
{
	char *mem = memory(64 * PAGE);
	struct pci d;
	unsigned int n;

	edu_open(&d, node);
	done(map_at(d.iommu, d.ioas, mem, 64 * PAGE, 0x100000, MAP_RW), "map");
	for (n = 0;; n++) {
		edu_start(&d, 0x100000 + n % 64 * PAGE, EDU_MOST, true);
		if (!n) {
			puts("ready");
			fflush(stdout);
		}
		edu_wait(&d);
	}
}

static sigjmp_buf fault;

static void on_sigbus(int sig)
{
	siglongjmp(fault, sig);
}

static int hold(const char *how)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int event = eventfd(0, 0);
	bool ask = how && !strcmp(how, "ask");
	bool touch = how && !strcmp(how, "touch");
	struct pollfd p[2] = {
		{ .fd = 0, .events = POLLIN },
		{ .fd = event, .events = ask ? POLLIN : 0 },
	};
	char *mem = memory(PAGE), byte;
	struct pci d;
	int rc;

	signal(SIGBUS, on_sigbus);
	edu_open(&d, node);
	done(map_at(d.iommu, d.ioas, mem, PAGE, 0x100000, MAP_RW), "map");
	if (ask)
		done(dev_irq(d.fd, VFIO_PCI_REQ_IRQ_INDEX, event), "request");
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(p, 2, -1) < 0)
			done(errno, "poll");
		if (p[1].revents & POLLIN) {
			puts("asked");
			fflush(stdout);
			return 0;
		}
		if (read(0, &byte, 1) != 1)
			return 0;
		if (byte != '\n')
			continue;
		rc = call(d.fd, VFIO_DEVICE_GET_INFO, &info);
		printf("ioctl %s", rc ? strerrorname_np(rc) : "0");
		rc = pread(d.fd, &byte, 1, 0) < 0 ? errno : 0;
		printf(" read %s", rc ? strerrorname_np(rc) : "0");
		if (touch) {
			if (!sigsetjmp(fault, 1))
				printf(" memory %#x", edu_get(&d, EDU_ID));
			else
				printf(" memory SIGBUS");
		}
		putchar('\n');
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *what;

	expect_options(&argc, &argv);
	if (argc < 3)
		return 64;
	what = argv[1];
	node = argv[2];
	if (!strcmp(what, "dma"))
		return dma();
	if (!strcmp(what, "faults"))
		return faults();
	if (!strcmp(what, "rules"))
		return rules();
	if (!strcmp(what, "fight"))
		return fight();
	if (!strcmp(what, "msi"))
		return msi();
	if (!strcmp(what, "again") && argc > 3)
		return again(atoi(argv[3]));
	if (!strcmp(what, "spin"))
		spin();
	if (!strcmp(what, "hold"))
		return hold(argv[3]);
	return 64;
}
