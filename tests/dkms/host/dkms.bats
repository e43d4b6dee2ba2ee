# SPDX-License-Identifier: GPL-2.0-or-later
#
# What DKMS makes of the modules, in trees of its own: nothing is installed on
# this host. The kernels are there as their packages have them, since DKMS looks at
# what it is to replace. check-all runs this.

load ../../lib/host

setup_file() {
	make -s -C "$TOP" dkms-files vfio-dkms-files DESTDIR="$BATS_FILE_TMPDIR"
	mkdir "$BATS_FILE_TMPDIR"/{dkms,modules}
	mkdir -p "$BATS_FILE_TMPDIR/archive/linux-source-6.12"
	local vfio version
	vfio=$("$TOP/tests/vm/kernel.sh" --vfio)
	cp -r "$vfio/drivers" "$BATS_FILE_TMPDIR/archive/linux-source-6.12/"
	IFS=. read -r -a version < <(sed 's/-.*//' "$vfio/release")
	export SUBLEVEL=${version[2]}
	source_of "$SUBLEVEL"
}

teardown_file() {
	rmdir --ignore-fail-on-non-empty /usr/share/dkms 2>/dev/null || true
}

setup() {
	unshare -m true 2>/dev/null || skip "needs a mount namespace"
	host_setup
}

# The archive of Debian's linux-source-6.12, as far as it matters.
source_of() {
	local dir=$BATS_FILE_TMPDIR/archive
	printf '# SPDX\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = %s\n' "$1" \
		>"$dir/linux-source-6.12/Makefile"
	export LINUX_SOURCE=$BATS_FILE_TMPDIR/linux-source-6.12.tar.xz
	tar -C "$dir" -cJf "$LINUX_SOURCE" linux-source-6.12
}

# dkms COMMAND MODULE [KERNEL]: of kernels.sh's names.
with_dkms() {
	local command=$1 module=$2 at=() kernel
	if (($# > 2)); then
		kernel=$("$TOP/tests/vm/kernel.sh" "$3")
		KREL=$(<"$kernel/release")
		[[ -d $BATS_FILE_TMPDIR/modules/$KREL ]] ||
			cp -r "$kernel/lib/modules/$KREL" "$BATS_FILE_TMPDIR/modules/"
		at=(-k "$KREL" --kernelsourcedir "$kernel/usr/src/linux-headers-$KREL")
	else
		at=(--all)
	fi
	[[ $command != add ]] || at=()
	[[ $command == add || $command == build ]] || at+=(--no-depmod)
	in_their_place dkms "$command" --dkmstree "$BATS_FILE_TMPDIR/dkms" \
		--sourcetree "$BATS_FILE_TMPDIR/usr/src" \
		--installtree "$BATS_FILE_TMPDIR/modules" \
		-m "$module" -v "$(version)" "${at[@]}"
}

# What DKMS reads below /usr/share, with what is installed there, for this one
# command.
in_their_place() {
	unshare -m bash -euc '
		share=$1
		shift
		cp -rn /usr/share/dkms/. "$share/" 2>/dev/null || true
		mkdir -p /usr/share/dkms
		mount --bind "$share" /usr/share/dkms
		exec "$@"
	' - "$BATS_FILE_TMPDIR/usr/share/dkms" "$@"
}

version() { sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$TOP/kernel/dkms.conf"; }

installed() {
	find "$BATS_FILE_TMPDIR/modules/$KREL/updates" -name '*.ko*' -printf '%f\n' |
		sed 's/\.ko.*//' | sort
}

@test "iommufd on both stock kernels" {
	local kernel
	with_dkms add iommufd
	for kernel in debian-6.1 debian-6.12; do
		run with_dkms build iommufd $kernel
		assert_success
		with_dkms install iommufd $kernel
		run installed
		assert_output "iommufd
iommufd_vfio_pci"
	done
}

@test "VFIO on top of it, on 6.12" {
	local ko
	with_dkms add iommufd-vfio
	run with_dkms build iommufd-vfio debian-6.12
	assert_success
	with_dkms install iommufd-vfio debian-6.12
	run installed
	assert_output "iommufd
iommufd_vfio_pci
mdev
vfio
vfio-pci
vfio-pci-core
vfio_iommu_type1"
	ko=$(find "$BATS_FILE_TMPDIR/modules/$KREL/updates" -name 'vfio.ko*')
	modinfo -F depends "$ko" | grep -q iommufd
	modinfo -F vermagic "$ko" | grep -qF "$KREL "
	run with_dkms remove iommufd-vfio
	assert_success
	run installed
	assert_output "iommufd
iommufd_vfio_pci"
}

@test "another version's source is refused, and so is none" {
	with_dkms add iommufd-vfio
	source_of "$((SUBLEVEL + 1))"
	run with_dkms build iommufd-vfio debian-6.12
	assert_failure
	grep -qF "the source is that of Linux 6.12.$((SUBLEVEL + 1))" \
		"$BATS_FILE_TMPDIR/dkms/iommufd-vfio/$(version)/build/make.log"
	# Told at once, and not after a minute of compiling.
	run find "$BATS_FILE_TMPDIR/dkms/iommufd-vfio/$(version)/build" -name '*.o'
	assert_output ''
	LINUX_SOURCE=/nowhere run with_dkms build iommufd-vfio debian-6.12
	assert_failure
	grep -qF "apt-get install linux-source-6.12" \
		"$BATS_FILE_TMPDIR/dkms/iommufd-vfio/$(version)/build/make.log"
}

@test "6.1 has no VFIO of that kind, and DKMS says so" {
	with_dkms add iommufd-vfio || true
	run with_dkms build iommufd-vfio debian-6.1
	assert_failure
	assert_output --partial "BUILD_EXCLUSIVE"
}
