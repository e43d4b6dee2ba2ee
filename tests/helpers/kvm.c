// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvm NODE: offers KVM the open file of a device, as QEMU does before it binds
 * the device to a context, and says what it answers.
 */
#define _GNU_SOURCE
#include <linux/kvm.h>

#include "pci.h"

/* Under their newer names: a file of VFIO, be it a group's or a device's. */
#define VFIO_FILE 1
#define VFIO_FILE_ADD 1

int main(int argc, char **argv)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr add = {
		.group = VFIO_FILE, .attr = VFIO_FILE_ADD,
	};
	int kvm = open("/dev/kvm", O_RDWR), vm, rc;
	int32_t fd;

	if (argc != 2)
		return 64;
	done(kvm < 0 ? errno : 0, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	done(vm < 0 ? errno : 0, "machine");
	done(call(vm, KVM_CREATE_DEVICE, &device), "KVM's VFIO device");
	fd = open_node(argv[1]);
	add.addr = (uintptr_t)&fd;
	rc = call(device.fd, KVM_SET_DEVICE_ATTR, &add);
	puts(rc ? strerrorname_np(rc) : "taken");
	return rc != 0;
}
