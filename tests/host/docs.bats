# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is written down in more than one place says the same everywhere.

load ../lib/host

setup() { host_setup; cd "$TOP" || return; }

@test "tool, module, DKMS and changelog have one version" {
	local version
	version=$(iommufdctl --version | grep -o '[0-9][0-9.]*' | head -n 1)
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
	grep -qF "MODULE_VERSION(\"$version\")" kernel/main.c
	grep -qF "MODULE_VERSION(\"$version\")" kernel/vfio_pci.c
	grep -qF "PACKAGE_VERSION=\"$version\"" kernel/dkms.conf
	grep -qF "PACKAGE_VERSION=\"$version\"" dist/vfio-dkms.conf
	grep -q "^## $version" CHANGELOG.md
	grep -qF "iommufd/$version" README.md
}

@test "every command has a page, and README names it" {
	local command
	while read -r command; do
		[[ $command == help ]] || [[ -s man/iommufdctl-$command.1 ]]
		[[ $command == help ]] || grep -q "\`${command}[ \`]" README.md
	done < <(iommufdctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
}

@test "every ioctl in the table is in iommufd(4), and no other" {
	diff <(grep -o 'IOMMUFD_ROW(IOMMU_[A-Z_]*' kernel/ioctl.c | sed 's/.*(//' | sort) \
		<(sed -n 's/^\.Ss \(IOMMU_[A-Z_]*\)$/\1/p' man/iommufd.4 | sort)
}

@test "every door that the Makefile's head names is there, and README's too" {
	local door
	while read -r door; do
		grep -qE "^$door:|^([a-z_-]+ )*$door( [a-z_-]+)*:" Makefile
	done < <(sed -n 's/^#   make \([a-z_-]*\).*/\1/p' Makefile | grep .)
	while read -r door; do
		grep -qE "^$door:" Makefile
	done < <(grep -o '`make [a-z_-]*' README.md CONTRIBUTING.md | sed 's/.*make //' | sort -u)
}

@test "what README shows of a device passed through is the demo's last scene" {
	local command commands=0
	while read -r command; do
		echo "$command"
		grep -qF "try \"${command//\$/\\$}" tests/vm/demo.sh
		commands=$((commands + 1))
	done < <(sed -n '/^## Passthrough/,/^## In a script/s/^    \$ //p' README.md)
	((commands > 10))
}

@test "iommufd_vfio_pci(4) has every field of its header, and the parameter" {
	local word
	for word in $(sed -n 's/^struct \([a-z_]*\) {/\1/p
		s/^\t__[us]32 \([a-z_]*\);/\1/p
		s/^#define \(VFIO_[A-Z_]*\) _IO.*/\1/p' \
		kernel/include/uapi/linux/iommufd_vfio.h) \
		$(sed -n 's/^module_param(\([a-z_]*\),.*/\1/p' kernel/vfio_pci.c); do
		echo "$word"
		grep -qw -- "$word" man/iommufd_vfio_pci.4
	done
}
