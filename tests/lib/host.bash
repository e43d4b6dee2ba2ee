# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests that run on the host: no module, no /dev/iommu, perhaps no root.
#
#   load ../lib/host
#   setup() { host_setup; }

# shellcheck source=tests/lib/common.bash
. "${BASH_SOURCE[0]%/*}/common.bash"

# The built tool, whatever is installed on this host.
PATH=$TOP/build${IOMMUFDCTL_FLAVOUR:+/$IOMMUFDCTL_FLAVOUR}:$PATH

host_setup() { untrace_functions; }
