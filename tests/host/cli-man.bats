# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages: well formed, complete, found by name, and their examples
# run. Those that need the device are run by tests/guest/cli-man.bats.

# shellcheck disable=SC2013 # words are what is meant

load ../lib/host
load ../golden/examples

setup() {
	host_setup
	unset IOMMUFDCTL_CONTEXT IOMMUFDCTL_ROOT
}

commands() {
	iommufdctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# page NAME: its text
page() { mandoc -T utf8 "$TOP/man/$1" | col -bx; }

@test "mandoc finds nothing to complain of" {
	requires mandoc
	must mandoc -T lint -W warning "$TOP"/man/*.[1-8]
	assert_output ''
}

@test "each command has a page, with the sections that pages have" {
	local c
	for c in $(commands); do
		# it has a paragraph
		[[ $c != help ]] || continue
		for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES \
			'SEE ALSO'; do
			grep -qx "\.Sh $section" "$TOP/man/iommufdctl-$c.1"
		done
		grep -qx "\.Xr iommufdctl-$c 1 [,.]" "$TOP/man/iommufdctl.1"
	done
	(($(find "$TOP/man" -name 'iommufdctl-*.1' | wc -l) == $(commands | wc -l) - 1))
}

@test "each option is on its command's page, and none that there is not" {
	requires mandoc
	local c option text help
	for c in $(commands); do
		[[ $c != help ]] || continue
		text=$(page "iommufdctl-$c.1"; page iommufdctl.1)
		help=$(iommufdctl "$c" --help)
		for option in $(grep -oE -- '^.{6}--[a-z-]+' <<<"$help" |
			grep -oE -- '--[a-z-]+'); do
			echo "$c $option"
			grep -qE -- "(^|[^a-z-])$option([^a-z-]|$)" <<<"$text"
		done
		for option in $(page "iommufdctl-$c.1" | sed '/^EXAMPLES/,$d' |
			grep -oE -- '(^|[ [])--[a-z]+' | tr -d ' ['); do
			echo "$c $option on its page"
			grep -q -- "$option" <<<"$help"
		done
	done
}

@test "the columns and the exit statuses are on the tool's page" {
	requires mandoc
	local text
	text=$(page iommufdctl.1)
	for head in $(iommufdctl list --help | sed -n '/^Columns:/,/^$/s/^  \([A-Z-]*\) .*/\1/p'); do
		grep -qE "^ +$head  " <<<"$text"
	done
	for status in 0 1 2 3 4 5 64; do
		grep -qE "^ +$status +[a-z]" <<<"$text"
	done
}

@test "the VM start hook on the page is the one that is tested" {
	diff <(grep -v SPDX "$TOP/tests/fixtures/vm-hook") \
		<(sed -n '/^#!\/bin\/bash$/,/^\.Ed$/{/^\.Ed$/d; s/\\e/\\/g; p}' \
			"$TOP/man/iommufdctl-context.1")
}

@test "the probe's limits are those of the source" {
	for gap in $(sed -n 's/^#define GAP.* \([0-9]*\)$/\1/p' "$TOP/cli/scan.c"); do
		grep -qw "$gap" "$TOP/man/iommufdctl.1"
	done
}

@test "iommufd(4) has every command, field and errno of the header" {
	local page=$TOP/man/iommufd.4 word
	for word in $(sed -n 's/^#define \(IOMMU_[A-Z_]*\) _IO.*/\1/p
		s/^\t__[a-z_]*[0-9]* \([a-z_]*\);.*/\1/p
		s/^struct \([a-z_]*\) {/\1/p' "$TOP/kernel/include/uapi/linux/iommufd.h"); do
		echo "$word"
		grep -qw -- "$word" "$page"
	done
	for word in $(grep -ohE '\bE[A-Z0-9]{3,}\b' \
		"$TOP/kernel/include/uapi/linux/iommufd.h" |
		sort -u); do
		echo "$word"
		grep -qw -- "$word" "$page"
	done
}

@test "installed pages are found by name" {
	requires mandoc
	make -s -C "$TOP" install-cli DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/usr
	for name in "1 iommufdctl" "1 iommufdctl-list" "4 iommufd" "4 iommufd_vfio_pci"; do
		# shellcheck disable=SC2086 # words
		MANPATH=$BATS_TEST_TMPDIR/dest/usr/share/man must man -w $name
		assert_output --partial "$BATS_TEST_TMPDIR/dest"
	done
}

@test "examples that need no device do what they say" {
	examples_of host
	((${#EXAMPLES[@]} > 0))
	for example in "${EXAMPLES[@]}"; do
		run_example "$example"
	done
}
