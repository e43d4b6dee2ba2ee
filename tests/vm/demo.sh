#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run by `make demo` in the emulated machine: what the project does, as a person
# would do it at a prompt. Each command is printed before its output. A command
# that fails ends the demo, which then fails.

set -euo pipefail

say() { printf '\n# %s\n' "$*"; }

# Runs its argument as a line of shell, in this shell: descriptors opened stay.
try() {
	printf '$ %s\n' "$1"
	eval "$1"
}

say "A stock Debian kernel. It has no /dev/iommu:"
try "uname -r"
try "ls /dev/iommu || true"

say "The module gives it one."
try "modinfo -F description $IOMMUFD_KO"
try "insmod $IOMMUFD_KO"
try "ls -l /dev/iommu"

say "Opening the device makes a context. It lives as long as someone holds it," \
	"here this shell at descriptor 3."
try "exec 3<>/dev/iommu"
try "iommufdctl -c fd:3 create ioas"
try "iommufdctl -c fd:3 create ioas"
try "iommufdctl list"
try "iommufdctl -c fd:3 show 1"

say "Another process has a context too, with more in it: what builds on address" \
	"spaces are drivers in the kernel, for which the test driver stands in here." \
	"Beside all this a monitor listens."
try "iommufdctl monitor 3>&- >/tmp/events & monitor=\$!"
try "sleep 1000 3<>/dev/iommu & vmm=\$!"
# As soon as it has a context, and is no shell any more.
until [[ $(<"/proc/${vmm:?}/comm") == sleep ]]; do sleep 0.1; done
try "iommufdctl -c pid:\$vmm create ioas"
insmod "$TESTDRV_KO"
exec {session}<>/sys/kernel/debug/iommufd_testdrv/session
# It takes a context from the process that talks to it.
echo "ctx 3" >&"$session"
echo "create 1" >&"$session"
echo "create 3 2" >&"$session"
try "iommufdctl list --tree"

say "A destroy that is refused says who is in the way, and whose it all is:"
try "iommufdctl -c fd:3 destroy 1 || echo \"status \$?\""
try "iommufdctl -c fd:3 --json destroy 1 2>&1 | jq -c '{errno, referred_by, pid: .holders[0].pid}' || true"
try "iommufdctl -c fd:3 destroy 3 --recursive"
try "iommufdctl graph | grep -e '->' || echo 'no arrow is left'"

say "What the monitor heard of all that:"
try "kill \$vmm; sleep 1; kill \$monitor; cat /tmp/events"
exec {session}>&-
rmmod iommufd_testdrv

say "Who holds what can be seen from outside, which no kernel could tell before:"
try "cat /sys/kernel/debug/iommufd/contexts"
try "cat /sys/kernel/debug/iommufd/*/objects"
try "cat /proc/\$\$/fdinfo/3"

say "Scripts read JSON:"
try "iommufdctl --json list | jq -c '.contexts[] | {id, objects: [.objects[] | {id, type}]}'"

say "Objects go one by one, or with their context."
try "iommufdctl -c fd:3 destroy 1"
try "iommufdctl list"
try "exec 3>&-"
try "iommufdctl list"

say "What it is all for: a device whose DMA goes through the IOMMU, by what its" \
	"user maps. Here it is an NVMe disk, taken from the kernel by name."
cd "$(dirname "$IOMMUFD_KO")"
PATH=$HELPERS:$PATH
block=$(mktemp)
try "modprobe vfio-pci-core"
try "insmod iommufd_vfio_pci.ko"
try "cd /sys/bus/pci/devices/0000:00:11.0"
try "echo iommufd_vfio_pci >driver_override"
try "echo 0000:00:11.0 >/sys/bus/pci/drivers_probe"
try "ls vfio-dev /dev/vfio/devices"

say "A driver in user space, of 250 lines (tests/helpers/nvme.c), joins the context" \
	"that the shell holds, maps its queues and buffer, and reads the disk's first block."
try "exec 3<>/dev/iommu"
try "iommufdctl -c fd:3 create ioas"
try "nvme -c 3 -i 1 -k /dev/vfio/devices/vfio0 read 0 >\$block & driver=\$!"
until [[ -s $block ]]; do
	kill -0 "${driver:?}"
	sleep 0.1
done
try "head -n 1 \$block"
try "iommufdctl list --tree"
try "iommufdctl -c fd:3 destroy 1 || echo \"status \$?\""

say "However it ends, the device is stopped before its memory is let go of."
try "kill -KILL \$driver; wait \$driver || true"
try "iommufdctl list --tree"
try "iommufdctl -c fd:3 destroy 1"
try "exec 3>&-"
try "echo 0000:00:11.0 >driver/unbind; echo >driver_override"
try "cd /; rmmod iommufd_vfio_pci"

say "And the module leaves as it came."
try "rmmod iommufd"
