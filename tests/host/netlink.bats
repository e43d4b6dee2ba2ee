# SPDX-License-Identifier: GPL-2.0-or-later
#
# The netlink header and its description, held to each other; and the graph.

load ../lib/host

setup() {
	host_setup
	HEADER=$TOP/kernel/include/uapi/linux/iommufd_netlink.h
	SPEC=$TOP/kernel/netlink/iommufd.yaml
}

# Every constant that the header defines, and its value, whatever it is.
constants() {
	{
		echo '#include <linux/iommufd_netlink.h>'
		echo '#include <stdio.h>'
		echo 'int main(void) {'
		grep -oE '^(	|#define )IOMMUFD_NL_[A-Z0-9_]+' "$HEADER" |
			grep -oE 'IOMMUFD_NL_[A-Z0-9_]+' |
			sed 's/.*/printf(_Generic((&), char *: "& \\"%s\\"\\n", default: "& %d\\n"), &);/'
		echo 'return 0; }'
	} >"$BATS_TEST_TMPDIR/constants.c"
	gcc -Wno-format -I"$TOP/kernel/include/uapi" -o "$BATS_TEST_TMPDIR/constants" \
		"$BATS_TEST_TMPDIR/constants.c" && "$BATS_TEST_TMPDIR/constants"
}

@test "the header and the netlink spec have the same names and numbers" {
	must constants
	# What is compared is what we think is compared.
	assert_line 'IOMMUFD_NL_CMD_OBJECT_GET 2'
	assert_line 'IOMMUFD_NL_FAMILY_NAME "iommufd"'
	assert_line 'IOMMUFD_NL_RANGE_KIND_MAPPING 3'
	diff <(sort <<<"$output") <(python3 "$TOP/tests/lib/spec.py" "$SPEC" | sort)
}

@test "Graphviz draws the graph that a guest's test holds the tool to" {
	must dot -Tsvg "$TOP/tests/golden/graph.dot"
	assert_output --partial '<title>cluster_1</title>'
	assert_output --partial '<title>c1_3&#45;&gt;c1_2</title>'
	assert_output --partial '>test 3<'
}
