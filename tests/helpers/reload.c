// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reload COUNT: loads the module whose file is in $IOMMUFD_KO, opens the device
 * and makes an object, looks into debugfs every other time (so that there is a
 * folder to take down), closes and unloads; COUNT times. It must not be loaded.
 */
#include <sys/syscall.h>

#include "iommu.h"

static int look(void)
{
	char buf[4096];
	int fd = open("/sys/kernel/debug/iommufd/contexts",
		      O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (fd >= 0)
		close(fd);
	return n > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	int file, fd, i, tries;
	uint32_t id;

	if (argc != 2 || !getenv("IOMMUFD_KO"))
		return 64;
	file = open(getenv("IOMMUFD_KO"), O_RDONLY | O_CLOEXEC);
	for (i = 0; i < atoi(argv[1]); i++) {
		if (syscall(SYS_finit_module, file, "", 0)) {
			perror("reload: load");
			return 1;
		}
		fd = open_iommu();
		if (ioas_alloc(fd, &id) || (i % 2 && look())) {
			perror("reload: use");
			return 1;
		}
		close(fd);
		/* Others may look at a new device: udev, for one. */
		for (tries = 100; syscall(SYS_delete_module, "iommufd",
					  O_NONBLOCK); tries--) {
			if (errno != EAGAIN || !tries) {
				perror("reload: unload");
				return 1;
			}
			usleep(10000);
		}
	}
	printf("%d times\n", i);
	return 0;
}
