# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hosts to be looked at in place of this one: those in tests/fixtures/hosts.

# replay NAME: from here on the tool sees that host, or with '-' the one on
# standard input. What more a test needs it may add below $IOMMUFDCTL_ROOT.
replay() {
	local file=$1
	[[ $1 == - ]] || file=$TOP/tests/fixtures/hosts/$1.host
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/hosts/$1
	rm -rf "$IOMMUFDCTL_ROOT"
	"$TOP/tests/fixtures/hosts/expand" "$file" "$IOMMUFDCTL_ROOT"
}

# prints the names of all hosts, one a line
hosts() {
	local file
	for file in "$TOP"/tests/fixtures/hosts/*.host; do
		basename "$file" .host
	done
}
