#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Finds, and where need be fetches, a kernel that the tests run on.
#
#   kernel.sh debian-6.1|debian-6.12     prints the folder that holds it
#   kernel.sh ref-6.12|debug-6.12|kcsan-6.12
#                                        the same; built here, by built/build
#   kernel.sh --list                     prints the stock kernels
#   kernel.sh --update KERNEL            fetches, even where one is cached
#   kernel.sh --files                    prints the folder with the few files
#                                        of linux-source-6.12 that are used by
#                                        themselves: checkpatch, and YNL
#   kernel.sh --vfio                     the same with that package's VFIO
#
# Such a folder is a small root: boot/vmlinuz-RELEASE, lib/modules/RELEASE,
# usr/src/linux-headers-RELEASE, and a file `release` that names RELEASE.
#
# Packages are unpacked and not installed: installing a kernel would build an
# initramfs, touch the boot loader and need root, for nothing that we use. The
# cache lies outside the checkout so that a clean clone finds it again.

set -euo pipefail

KERNELS=(debian-6.1 debian-6.12)
BUILT=(ref-6.12 debug-6.12 kcsan-6.12)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/iommufdctl
APT_OPTS=()

say() { printf '%s\n' "kernel: $*" >&2; }
die() { say "$@"; exit 1; }

# A folder gets its final name only when it is whole, so its name is the proof.
# `release` is written last of all and guards against a cache copied by hand.
cached() {
	local glob=$1 dir best=
	for dir in "$CACHE"/$glob; do
		[[ -s $dir/release ]] || continue
		best+=$dir$'\n'
	done
	[[ $best ]] || return 1
	sort -V <<<"${best%$'\n'}" | tail -n 1
}

# apt as the host has it set up, else (see use_own_sources) as we set it up.
apt_cache() { apt-cache "${APT_OPTS[@]}" "$@"; }
apt_get() { apt-get "${APT_OPTS[@]}" "$@"; }

# Debian's 6.12 for Debian 12 comes by the security archive only, which a bare
# debootstrap does not list. Rather than change the host's sources, keep lists
# of our own below the cache; this also serves a user who is not root.
use_own_sources() {
	local d=$CACHE/apt key=/usr/share/keyrings/debian-archive-keyring.gpg
	local suite url=http://deb.debian.org

	mkdir -p "$d/lists/partial" "$d/archives/partial"
	{
		for suite in bookworm bookworm-updates; do
			echo "deb [signed-by=$key] $url/debian $suite main"
		done
		echo "deb [signed-by=$key] $url/debian-security bookworm-security main"
	} >"$d/sources.list"
	APT_OPTS+=(-o "Dir::Etc::sourcelist=$d/sources.list"
		-o "Dir::Etc::sourceparts=/dev/null"
		-o "Dir::State::lists=$d/lists"
		-o "Dir::Cache::archives=$d/archives"
		-o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=")
	say "asking deb.debian.org itself, since this host's package sources" \
		"do not have it"
	apt_get -qq update
}

# The version of a package that would be downloaded; empty when there is none.
version_of() {
	apt_cache show --no-all-versions "$1" 2>/dev/null |
		sed -n 's/^Version: //p' | head -n 1
}

# Prints "RELEASE IMAGE-PACKAGE VERSION" for the newest kernel of a series of
# which both the image and the headers can be had.
newest() {
	local series=$1 rel pkg ver
	while read -r rel; do
		ver=$(version_of "linux-headers-$rel")
		[[ $ver ]] || continue
		for pkg in "linux-image-$rel" "linux-image-$rel-unsigned"; do
			if [[ $(version_of "$pkg") == "$ver" ]]; then
				echo "$rel $pkg $ver"
				return
			fi
		done
	done < <(apt_cache pkgnames "linux-image-$series." |
		sed -nE 's/^linux-image-(.*[0-9](\+deb12)?-amd64)(-unsigned)?$/\1/p' |
		sort -uVr)
	return 1
}

# The headers' own dependencies name the two packages they are incomplete
# without; the rest of what they depend on is not for us (see above).
header_packages() {
	echo "linux-headers-$1"
	apt_cache show --no-all-versions "linux-headers-$1" |
		sed -n 's/^Depends: //p' | tr ',' '\n' |
		sed -nE 's/^ *(linux-(headers-[^ ]*-common|kbuild-[^ ]*)).*/\1/p'
}

# Makes $tmp, on the cache's own file system so that the rename is atomic.
# Under the lock any other such folder is what a killed run left.
take_cache() {
	mkdir -p "$CACHE"
	exec 9>"$CACHE/.lock"
	flock -n 9 || { say "waiting for another run that fills the cache"; flock 9; }
	rm -rf "$CACHE"/.tmp.*
	# Not removed by a killed run, hence the line above.
	tmp=$(mktemp -d "$CACHE/.tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	# The cache may be below a home that apt's own user cannot enter.
	[[ $EUID != 0 ]] || APT_OPTS+=(-o APT::Sandbox::User=root)
}

no_mirror() {
	die "$1 is neither in the cache ($CACHE) nor to be had from the package" \
		"mirrors. Is the network up? What apt said is above."
}

download() {
	say "downloading $*"
	(cd "$tmp" && apt_get -qq download "$@")
}

unpack() {
	local deb
	for deb in "$tmp"/*.deb; do
		# A full disk is told once a file; the end of that will do.
		if ! dpkg-deb -x "$deb" "$1" 2>"$tmp/errors"; then
			tail -n 3 "$tmp/errors" >&2
			die "cannot unpack ${deb##*/} in $CACHE; is the disk full?"
		fi
		rm "$deb"
	done
}

# The headers expect to lie in /usr/src. Their links to kbuild are relative and
# survive the move; one `include` and the modules' `build` link do not.
relocate() {
	local root=$1 final=$2 rel=$3
	local hdr=$root/usr/src/linux-headers-$rel

	sed -i "s|^include /usr/src/|include $final/usr/src/|" "$hdr/Makefile"
	ln -sfn "../../../usr/src/linux-headers-$rel" \
		"$root/lib/modules/$rel/build"
	rm -f "$root/lib/modules/$rel/source"
	depmod -b "$root" "$rel"

	local need
	for need in "boot/vmlinuz-$rel" "lib/modules/$rel/modules.dep" \
		"usr/src/linux-headers-$rel/scripts/mod/modpost" \
		"usr/src/linux-headers-$rel/tools/objtool/objtool"; do
		[[ -s $root/$need ]] || die "the packages of $rel have no $need"
	done
}

finish() {
	local dir=$1 final=$2 rel=$3
	echo "$rel" >"$dir/release"
	# Otherwise a power cut could leave the new name with empty files.
	sync -f "$dir"
	rm -rf "$final"
	mv -T "$dir" "$final"
}

# $1: function that succeeds once the package lists have what we want. Lists
# that are there are tried first, as they may well do.
with_sources() {
	"$@" && return
	if [[ $EUID == 0 ]]; then
		apt_get -qq update || true
		"$@" && return
	fi
	use_own_sources || true
	"$@"
}

pick() { picked=$(newest "$1"); }

fetch_debian() {
	local series=$1 rel pkg ver final packages start=$SECONDS
	with_sources pick "$series" || no_mirror "Linux $series"
	read -r rel pkg ver <<<"$picked"
	final=$CACHE/$ver
	mapfile -t packages < <(header_packages "$rel")
	if ! download "$pkg" "${packages[@]}"; then
		# The lists may be older than the mirror.
		rm -f "$tmp"/*.deb
		use_own_sources || true
		pick "$series" || no_mirror "Linux $series"
		read -r rel pkg ver <<<"$picked"
		final=$CACHE/$ver
		mapfile -t packages < <(header_packages "$rel")
		download "$pkg" "${packages[@]}" || no_mirror "Linux $series"
	fi
	mkdir "$tmp/root"
	unpack "$tmp/root"
	relocate "$tmp/root" "$final" "$rel"
	finish "$tmp/root" "$final" "$rel"
	say "Linux $rel ($ver) is now in $final; took $((SECONDS - start)) s"
}

have_source() { [[ $(version_of linux-source-6.12) ]]; }

# The folder NAME, unless it was filled when less than FILE was asked for.
cached_part() { # NAME FILE
	local dir
	dir=$(cached "$1-6.12.*") && [[ -e $dir/$2 ]] && echo "$dir"
}

# The tree as the package has it; a built kernel has left it in the cache.
source_tarball() {
	local tree=linux-source-6.12 dir
	if dir=$(cached 'tarball-6.12.*') && [[ -s $dir/$tree.tar.xz ]]; then
		cat "$dir/$tree.tar.xz"
	else
		dpkg-deb --fsys-tarfile "$tmp"/*.deb |
			tar -xO "./usr/src/$tree.tar.xz"
	fi
}

fetch_part() { # NAME PATH...
	local ver dir tree=linux-source-6.12 name=$1
	shift
	if dir=$(cached 'tarball-6.12.*'); then
		ver=${dir##*/tarball-}
	else
		with_sources have_source || no_mirror "$tree"
		ver=$(version_of "$tree")
		download "$tree" || no_mirror "$tree"
	fi
	mkdir "$tmp/files"
	say "unpacking a part of $tree"
	source_tarball |
		tar -xJ -C "$tmp/files" --strip-components=1 "${@/#/$tree/}"
	finish "$tmp/files" "$CACHE/$name-$ver" "$ver"
}

# part NAME FILE PATH...: prints the folder NAME, which has FILE in it once it is
# filled with these files and folders of the source.
part() {
	local name=$1 file=$2
	shift 2
	cached_part "$name" "$file" && return
	take_cache
	cached_part "$name" "$file" && return
	fetch_part "$name" "$@" >&2
	cached_part "$name" "$file"
}

main() {
	local update='' name
	case ${1-} in
	--list) printf '%s\n' "${KERNELS[@]}"; return ;;
	--files)
		part source tools/net/ynl/cli.py \
			scripts/checkpatch.pl scripts/spelling.txt \
			scripts/const_structs.checkpatch \
			Documentation/dev-tools/checkpatch.rst \
			Documentation/netlink/genetlink-c.yaml \
			tools/net/ynl/cli.py tools/net/ynl/lib
		return
		;;
	--vfio)
		part vfio drivers/vfio/Makefile drivers/vfio
		return
		;;
	--update) update=1; shift ;;
	esac
	name=${1-}
	if [[ " ${BUILT[*]} " == *" $name "* ]]; then
		exec "${BASH_SOURCE[0]%/*}/built/build" ${update:+--update} "$name"
	fi
	[[ " ${KERNELS[*]} " == *" $name "* ]] ||
		die "unknown kernel '$name'; known: ${KERNELS[*]} ${BUILT[*]}"
	local series=${name#debian-}
	if [[ ! $update ]]; then
		cached "$series.*" && return
	fi
	take_cache
	# Another run may have brought it while this one waited.
	if [[ ! $update ]]; then
		cached "$series.*" && return
	fi
	fetch_debian "$series" >&2
	cached "$series.*"
}

# Sourced, it lends its functions to built/build.
[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
