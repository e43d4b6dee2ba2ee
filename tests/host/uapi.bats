# SPDX-License-Identifier: GPL-2.0-or-later
#
# Our ioctl headers against the published ones, which come with the headers of
# Debian's 6.12 kernel: same names, numbers, sizes and offsets, for 64-bit and
# for 32-bit programs. What to compare is read from our header, so that nothing
# new in it can be forgotten here.

load ../lib/host

setup() {
	host_setup
	OURS=$TOP/kernel/include/uapi
	# Alone in a folder: the headers beside it are not for user space.
	PUBLISHED=$BATS_TEST_TMPDIR/published
	mkdir -p "$PUBLISHED/linux"
	cp "$(uapi debian-6.12)"/{iommufd,vfio}.h "$PUBLISHED/linux"
}

uapi() { # KERNEL
	echo "$("$TOP/tests/vm/kernel.sh" "$1")"/usr/src/linux-headers-*-common/include/uapi/linux
}

# Prints a C program whose assembly lists all that our header NAME defines, but for
# what was published after 6.12. It is never run: not every kernel that this is
# tested on runs 32-bit programs.
layout_program() { # NAME
	awk -v name="$1" '
		/IOAS_MAP_FILE/ { next }
		/^struct iommu_ioas_map_file / { skip = 1 }
		skip { if (/^}/) skip = 0; next }
		BEGIN {
			print "#include <stddef.h>\n#include <linux/" name ">"
			print "#define SAY(what, n) asm volatile(\"\\n->\" what \" %c0\" : : \"i\"(n))"
			print "void layout(void)\n{"
		}
		function number(name) {
			printf "\tSAY(\"%s\", %s);\n", name, name
		}
		/^struct [a-z0-9_]+ \{/ {
			s = "struct " $2
			printf "\tSAY(\"%s size\", sizeof(%s));\n", s, s
			next
		}
		/^}/ { s = "" }
		s && /;$/ {
			field = $NF
			sub(/;/, "", field)
			sub(/\[.*/, "", field)
			printf "\tSAY(\"%s.%s at\", offsetof(%s, %s));\n", s, field, s, field
			printf "\tSAY(\"%s.%s size\", sizeof(((%s *)0)->%s));\n", s, field, s, field
		}
		/^#define (IOMMU|VFIO)/ && NF > 2 { number($2) }
		/^\tIOMMU[A-Z0-9_]+ = / { number($1) }
		END { print "}" }
	' "$OURS/linux/$1"
}

layout() { # INCLUDE-FOLDER [CFLAGS...]
	local dir=$1
	shift
	# As they are in the kernel, where pointers are marked.
	gcc "$@" -D__user= -I"$dir" -S -o - -x c "$BATS_TEST_TMPDIR/layout.c" |
		sed -n 's/^->//p'
}

@test "names, numbers and layouts are the published ones" {
	local bits
	layout_program iommufd.h >"$BATS_TEST_TMPDIR/layout.c"
	for bits in -m64 -m32; do
		must layout "$OURS" "$bits"
		# What is compared is what we think is compared.
		assert_line 'struct iommu_ioas_iova_ranges size 32'
		assert_line 'struct iommu_ioas_alloc.out_ioas_id at 8'
		assert_line 'struct iommu_ioas_alloc.out_ioas_id size 4'
		assert_line "IOMMU_DESTROY $((0x3b80))"
		diff <(echo "$output") <(layout "$PUBLISHED" "$bits")
	done
}

@test "so are those of a VFIO device's node, where VFIO's header is an old one" {
	local bits old=$BATS_TEST_TMPDIR/old
	layout_program iommufd_vfio.h >"$BATS_TEST_TMPDIR/layout.c"
	mkdir -p "$old/linux"
	cp "$(uapi debian-6.1)/vfio.h" "$OURS/linux/iommufd_vfio.h" "$old/linux"
	must_fail 1 grep VFIO_DEVICE_BIND_IOMMUFD "$old/linux/vfio.h"
	echo '#include <linux/vfio.h>' >"$PUBLISHED/linux/iommufd_vfio.h"
	for bits in -m64 -m32; do
		must layout "$old" "$bits"
		assert_line 'struct vfio_device_bind_iommufd.out_devid at 12'
		assert_line "VFIO_DEVICE_BIND_IOMMUFD $((0x3b76))"
		diff <(echo "$output") <(layout "$PUBLISHED" "$bits")
	done
}

@test "what came after 6.12 has the layout that it was published with" {
	cat >"$BATS_TEST_TMPDIR/layout.c" <<-'C'
		#include <stddef.h>
		#include <linux/iommufd.h>
		#define SAY(n) asm volatile("\n->%c0" : : "i"(n))
		void layout(void)
		{
			SAY(IOMMU_IOAS_MAP_FILE);
			SAY(sizeof(struct iommu_ioas_map_file));
			SAY(offsetof(struct iommu_ioas_map_file, fd));
			SAY(offsetof(struct iommu_ioas_map_file, start));
			SAY(offsetof(struct iommu_ioas_map_file, length));
			SAY(offsetof(struct iommu_ioas_map_file, iova));
		}
	C
	for bits in -m64 -m32; do
		must layout "$OURS" "$bits"
		assert_output "$(printf '%s\n' $((0x3b8f)) 40 12 16 24 32)"
	done
}

@test "no sentence of the published header is in ours" {
	words() { grep -o '[A-Za-z].*' "$1" | grep -E '( [A-Za-z]+){4}' | sort -u; }
	run comm -12 <(cat "$OURS"/linux/iommufd{,_vfio}.h | words /dev/stdin) \
		<(cat "$PUBLISHED"/linux/*.h | words /dev/stdin)
	refute_output --regexp '[a-z] [a-z]+ [a-z]+ [a-z]+'
}
