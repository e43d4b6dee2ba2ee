# SPDX-License-Identifier: GPL-2.0-or-later
#
# What can be seen from outside: debugfs and fdinfo.

load ../lib/guest

setup() {
	guest_setup
	exec 5<>/dev/iommu
}

teardown() {
	exec 5>&-
	guest_teardown
}

# fdinfo KEY [FD]
fdinfo() {
	sed -n "s/^$1:\t//p" "/proc/$BASHPID/fdinfo/${2-5}"
}

@test "fdinfo has the context id and the counts" {
	local id
	id=$(fdinfo iommufd-ctx)
	[[ $id =~ ^[1-9][0-9]*$ ]]
	[[ $(fdinfo iommufd-objects) == 0 ]]
	[[ -z $(fdinfo iommufd-ioas) ]]
	must helper many 5 3
	[[ $(fdinfo iommufd-objects) == 3 ]]
	[[ $(fdinfo iommufd-ioas) == 3 ]]
	must helper destroy 5 2
	[[ $(fdinfo iommufd-objects) == 2 ]]

	exec 6<>/dev/iommu
	(($(fdinfo iommufd-ctx 6) > id))
	# A second descriptor of the same open is the same context.
	exec 7<&5
	[[ $(fdinfo iommufd-ctx 7) == "$id" ]]
	exec 6>&- 7>&-
}

@test "fdinfo needs no privilege for one's own context" {
	must as_user bash -c 'sed -n "s/^iommufd-ctx:\t//p" /proc/self/fdinfo/5' 5<&5
	assert_output "$(fdinfo iommufd-ctx)"
}

@test "debugfs lists contexts: id, opener, user, objects, name" {
	must helper many 5 2
	must cat "$DEBUGFS/contexts"
	assert_line --index 0 --regexp '^CONTEXT +OPENER +UID +OBJECTS +RLIMIT +PINNED +LIMIT +COMM$'
	assert_line --index 1 --regexp "^$(fdinfo iommufd-ctx) +$BASHPID +0 +2 +user +0 +[0-9]+ +bash\$"
}

@test "debugfs shows who opened it, even when that process is gone" {
	sleep 60 5>&- 6<>/dev/iommu &
	# The shell that opened it became the sleep.
	wait_for contexts_are 2
	must tail -n 1 "$DEBUGFS/contexts"
	assert_output --regexp " $! +0 +0 "
	kill $!
	wait $! || true
	wait_for contexts_are 1
}

contexts_are() { (($(grep -c '^[0-9]' "$DEBUGFS/contexts") == $1)); }

@test "a process name cannot make up lines or columns" {
	cat >"$BATS_TEST_TMPDIR/evil.py" <<-'PY'
		import ctypes, os, sys
		ctypes.CDLL(None).prctl(15, b"a b\n9\r\x1b[2K\\9")
		os.open("/dev/iommu", os.O_RDWR)
		print("ready", flush=True)
		sys.stdin.read()
	PY
	coproc evil { exec python3 "$BATS_TEST_TMPDIR/evil.py" 5>&-; }
	read -r <&"${evil[0]}"
	must tail -n 1 "$DEBUGFS/contexts"
	assert_output --regexp ' a\\040b\\0129\\015\\033\[2K\\1349$'
	must awk '{ print NF }' "$DEBUGFS/contexts"
	assert_output $'8\n8\n8'
	eval "exec ${evil[1]}>&-"
	wait
}

@test "who has learned of an id finds its folder at once" {
	local id n
	for n in 1 2 3 4 5; do
		exec 6<>/dev/iommu
		id=$(fdinfo iommufd-ctx 6)
		[[ -r $DEBUGFS/$id/objects ]]
		exec 6>&-
		exec 6<>/dev/iommu
		id=$(tail -n 1 "$DEBUGFS/contexts" | cut -d' ' -f1)
		[[ -r $DEBUGFS/$id/objects ]]
		exec 6>&-
	done
	# Folders of contexts that are gone go, and no others.
	wait_for folders_are 1
	[[ -r $DEBUGFS/$(fdinfo iommufd-ctx)/objects ]]
}

folders_are() { (($(find "$DEBUGFS" -mindepth 1 -maxdepth 1 -type d | wc -l) == $1)); }

@test "a folder comes by itself for who looks nowhere else" {
	wait_for folders_are 1
}

@test "a folder that outlives its context shows nothing of another" {
	local id
	exec 6<>/dev/iommu
	id=$(fdinfo iommufd-ctx 6)
	exec 7<"$DEBUGFS/$id/objects"
	exec 6>&-
	wait_for folders_are 1
	run cat <&7
	refute_output --regexp '^[0-9]'
	exec 7>&-
}

@test "debugfs lists objects: id, type, users, references both ways" {
	load ../lib/testdrv
	must helper ioas 5
	drv_open 5
	drv create 1
	drv create 1 2
	drv_close
	must cat "$DEBUGFS/$(fdinfo iommufd-ctx)/objects"
	assert_line --index 0 --regexp '^ID +TYPE +USERS +REFERS-TO +REFERRED-BY +AREAS +MAPPED +PINNED +OWNER$'
	assert_line --index 1 --regexp '^1 +ioas +3 +- +2,3 +0 +0 +0 +-$'
	assert_line --index 2 --regexp '^2 +test +2 +1 +3 +- +- +- +-$'
	assert_line --index 3 --regexp '^3 +test +1 +1,2 +- +- +- +- +-$'
	[[ ${#lines[@]} == 4 ]]
}

@test "a dump of 10,000 objects has each one once, in order" {
	local file
	must helper many 5 10000
	file=$DEBUGFS/$(fdinfo iommufd-ctx)/objects
	diff <(awk 'NR > 1 { print $1 }' "$file") <(seq 10000)
	# In whatever portions it is read.
	diff <(dd if="$file" bs=97 status=none) "$file"
}

@test "what lives through a dump is in it once, whatever comes and goes" {
	local file churn n gone
	# 500 that stay, among which others come and go.
	must helper many 5 1000
	mapfile -t gone < <(seq 2 2 1000)
	must helper destroy 5 "${gone[@]}"
	file=$DEBUGFS/$(fdinfo iommufd-ctx)/objects
	"$HELPERS/churn" 5 600 >/dev/null &
	churn=$!
	for ((n = 0; n < 8; n++)); do
		diff <(awk 'NR > 1 && $1 % 2 && $1 < 1000 { print $1 }' "$file") \
			<(seq 1 2 999)
	done
	# It was at it all the time.
	kill "$churn"
	wait "$churn" || true
}

@test "a reader in an endless loop makes no create or destroy fail" {
	local file reader
	file=$DEBUGFS/$(fdinfo iommufd-ctx)/objects
	must helper many 5 2000
	(while :; do cat "$file" "$DEBUGFS/contexts" >/dev/null; done) &
	reader=$!
	must helper churn 5 5
	kill "$reader"
	wait "$reader" 2>/dev/null || true
}

@test "contexts come and go while they are listed" {
	local n reader
	# Some are gone before they are read: that is the point.
	(while :; do cat "$DEBUGFS/contexts" "$DEBUGFS"/*/objects || true; done) \
		>/dev/null 2>&1 &
	reader=$!
	for ((n = 0; n < 300; n++)); do
		exec 6<>/dev/iommu
		exec 6>&-
	done
	kill "$reader"
	wait "$reader" 2>/dev/null || true
	wait_for folders_are 1
	must tail -n +2 "$DEBUGFS/contexts"
	assert_output --regexp "^$(fdinfo iommufd-ctx) "
}

@test "who opens contexts in masses gets few folders made" {
	must helper flood 8
	echo "# $output" >&3
	wait_for folders_are 1
}

@test "a reader of debugfs that is stuck holds up nobody" {
	must timeout -s KILL 20 "$HELPERS/stuck"
	wait_for folders_are 1
}

@test "an object that is not finished is not in the dump, and not to be found" {
	local file id=2
	load ../lib/testdrv
	must helper ioas 5
	drv_open 5
	drv reserve 0 &
	wait_for_inflight
	file=$DEBUGFS/$(fdinfo iommufd-ctx)/objects
	must helper ioas 5
	assert_output 3
	must awk 'NR > 1 { print $1 }' "$file"
	assert_output $'1\n3'
	must_fail 1 helper destroy 5 "$id"
	assert_output ENOENT
	must_fail 1 helper use 5 "$id"
	assert_output ENOENT
	[[ $(fdinfo iommufd-objects) == 2 ]]
	drv_go 0
	wait $!
	must helper ioas 5
	assert_output 2
	drv_close
}

@test "the folder of a context is charged to who opened it" {
	GROUP=/sys/fs/cgroup/iommufd-test
	[[ -e /sys/fs/cgroup/cgroup.controllers ]] ||
		mount -t cgroup2 none /sys/fs/cgroup
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir "$GROUP"
	# shellcheck disable=SC2034 # the descriptors are there to be open
	coproc opener {
		echo $BASHPID >"$GROUP/cgroup.procs"
		for ((i = 0; i < 200; i++)); do exec {fd}<>/dev/iommu; done
		echo ready
		read -r
	} 5>&-
	read -r <&"${opener[0]}"
	# Made by who looks, which is not in the group, or by the kernel itself.
	wait_for contexts_are 201
	# An open file and its context come to 840 bytes.
	wait_for slab_of_group_is_above $((200 * 1500))
	eval "exec ${opener[1]}>&-"
	wait
	wait_for folders_are 1
	rmdir "$GROUP"
}

# The kernel adds up what the CPUs counted every two seconds.
slab_of_group_is_above() {
	(($(awk '$1 == "slab" { print $2 }' "$GROUP/memory.stat") > $1))
}

@test "debugfs shows the areas of an IOAS, once its objects were read" {
	local dir id
	must helper ioas 5
	dir=$DEBUGFS/$(fdinfo iommufd-ctx)
	[[ ! -e $dir/ioas/1 ]]
	must cat "$dir/objects"
	must cat "$dir/ioas/1/areas"
	assert_equal "${#lines[@]}" 1
	must helper space 5 1 map 0x10000 0x3000 rw
	must helper space 5 1 map 0xfffffffffffff000 0x1000 r
	must cat "$dir/ioas/1/areas"
	assert_line --index 0 --regexp '^START +LAST +ACCESS$'
	assert_line --index 1 '0x0000000000010000 0x0000000000012fff rw'
	assert_line --index 2 '0xfffffffffffff000 0xffffffffffffffff r-'
	assert_equal "${#lines[@]}" 3
	must grep '^1 ' "$dir/objects"
	assert_output --regexp ' 2 +16384 +0 +-$'
	# In whatever portions it is read; more than one batch of it.
	for ((n = 0; n < 80; n++)); do helper space 5 1 map $((0x100000 + n * 0x1000)) 0x1000 r; done
	diff <(dd if="$dir/ioas/1/areas" bs=41 status=none) "$dir/ioas/1/areas"
	(($(wc -l <"$dir/ioas/1/areas") == 83))
	diff <(dd if="$dir/ioas/1/areas" bs=20 skip=30 status=none) \
		<(tail -c +601 "$dir/ioas/1/areas")
	# Gone: not to be opened, and what is open shows nothing of another.
	exec 7<"$dir/ioas/1/areas"
	must helper destroy 5 1
	must_fail 1 cat "$dir/ioas/1/areas"
	must cat <&7
	assert_equal "${#lines[@]}" 1
	exec 7>&-
	must helper ioas 5
	must cat "$dir/ioas/1/areas"
	assert_equal "${#lines[@]}" 1
}

@test "of very many IOASes the first have a folder" {
	local dir
	must helper many 5 2000
	dir=$DEBUGFS/$(fdinfo iommufd-ctx)
	cat "$dir/objects" >/dev/null
	(($(find "$dir/ioas" -mindepth 1 -maxdepth 1 | wc -l) == 1024))
	exec 5>&-
	wait_for folders_are 0
	exec 5<>/dev/iommu
}

@test "objects are read while their context goes away" {
	local n id
	for ((n = 0; n < 30; n++)); do
		exec 6<>/dev/iommu
		helper many 6 30
		id=$(fdinfo iommufd-ctx 6)
		(cat "$DEBUGFS/$id/objects" "$DEBUGFS/$id"/ioas/*/areas >/dev/null 2>&1 || true) &
		exec 6>&-
		wait $!
	done
	wait_for folders_are 1
}

@test "debugfs is for root" {
	must_fail 1 as_user cat "$DEBUGFS/contexts"
	assert_output --partial 'Permission denied'
}
