# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# golden NAME: $output is what tests/golden/NAME says. JSON (NAME ends in .json)
# is compared as gojq writes it, with its keys in order. UPDATE_GOLDEN=1 takes $output for right. In
# the emulated machine nothing reaches the checkout, so what was not as it
# should be lies in build/vm/KERNEL-N/exchange/golden afterwards, to be looked
# at and copied.

golden() {
	local file=$TOP/tests/golden/$1 actual=$BATS_TEST_TMPDIR/${1##*/}
	if [[ $1 == *.json ]]; then
		gojq . <<<"${output-}" >"$actual"
	else
		printf '%s\n' "${output-}" >"$actual"
	fi
	if [[ ${UPDATE_GOLDEN-} ]]; then
		cp "$actual" "$file"
	elif ! diff -u "$file" "$actual"; then
		if [[ ${TEST_KERNEL-} ]]; then
			mkdir -p /run/vm/golden
			cp "$actual" /run/vm/golden/
		fi
		fail "not as in tests/golden/$1 (UPDATE_GOLDEN=1 takes it for right)"
	fi
}

# Puts fixed numbers in the place of what differs from run to run in JSON: of
# contexts, and of the processes that hold them.
settle() {
	output=$(gojq '
		(.context | numbers) = 7 |
		(.contexts[]?.id | numbers) = 7 |
		(.contexts[]?.holders[]?.pid) = 812 |
		(.holders[]?.pid) = 812 |
		if .error then .error |= (gsub("context [0-9]+"; "context 7") |
			gsub("\\[[0-9]+\\]"; "[812]")) else . end
	' <<<"$output")
}
