# SPDX-License-Identifier: GPL-2.0-or-later
#
# Our ioctl header against the published one, which comes with the headers of
# Debian's 6.12 kernel: same names, numbers, sizes and offsets, for 64-bit and
# for 32-bit programs. What to compare is read from our header, so that nothing
# new in it can be forgotten here.

setup() {
	load ../lib/host
	OURS=$TOP/kernel/include/uapi
	# Alone in a folder: the headers beside it are not for user space.
	PUBLISHED=$BATS_TEST_TMPDIR/published
	mkdir -p "$PUBLISHED/linux"
	cp "$("$TOP/tests/vm/kernel.sh" debian-6.12)"/usr/src/linux-headers-*-common/include/uapi/linux/iommufd.h \
		"$PUBLISHED/linux"
}

# Prints a C program that prints all that our header defines.
layout_program() {
	awk '
		BEGIN {
			print "#include <stdio.h>\n#include <stddef.h>"
			print "#include <linux/iommufd.h>\nint main(void)\n{"
		}
		function number(name) {
			printf "\tprintf(\"%s %%#llx\\n\", (unsigned long long)%s);\n", name, name
		}
		/^struct [a-z0-9_]+ \{/ {
			s = "struct " $2
			printf "\tprintf(\"%s size %%zu\\n\", sizeof(%s));\n", s, s
			next
		}
		/^}/ { s = "" }
		s && /;$/ {
			field = $NF
			sub(/;/, "", field)
			sub(/\[.*/, "", field)
			printf "\tprintf(\"%s.%s at %%zu size %%zu\\n\", offsetof(%s, %s), sizeof(((%s *)0)->%s));\n", \
				s, field, s, field, s, field
		}
		/^#define IOMMU/ && NF > 2 { number($2) }
		/^\tIOMMU[A-Z0-9_]+ = / { number($1) }
		END { print "\treturn 0;\n}" }
	' "$OURS/linux/iommufd.h"
}

layout() { # INCLUDE-FOLDER [CFLAGS...]
	local dir=$1
	shift
	gcc "$@" -I"$dir" -o "$BATS_TEST_TMPDIR/layout" -x c \
		"$BATS_TEST_TMPDIR/layout.c" && "$BATS_TEST_TMPDIR/layout"
}

@test "names, numbers and layouts are the published ones" {
	local bits
	layout_program >"$BATS_TEST_TMPDIR/layout.c"
	for bits in -m64 -m32; do
		must layout "$OURS" "$bits"
		# What is compared is what we think is compared.
		assert_line 'struct iommu_ioas_iova_ranges size 32'
		assert_line 'struct iommu_ioas_alloc.out_ioas_id at 8 size 4'
		assert_line 'IOMMU_DESTROY 0x3b80'
		diff <(echo "$output") <(layout "$PUBLISHED" "$bits")
	done
}

@test "no sentence of the published header is in ours" {
	words() { grep -o '[A-Za-z].*' "$1" | grep -E '( [A-Za-z]+){4}' | sort -u; }
	run comm -12 <(words "$OURS/linux/iommufd.h") \
		<(words "$PUBLISHED/linux/iommufd.h")
	refute_output --regexp '[a-z] [a-z]+ [a-z]+ [a-z]+'
}
