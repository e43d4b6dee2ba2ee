# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The emulated machine of one run: what it boots, what it is made of, how it is
# watched and how its end is judged. Sourced by tests/vm/run, which sets:
# CHECKOUT BUILD KERNEL KREL RUN LOG here kernel mode gdb iommu cpus accel icount
# timeout files filter

# Where a guest has file systems of its own, the host's files do not show; a
# test file from there (or from a pipe) goes by way of the exchange folder.
visible() {
	local f=$1
	if [[ ! -f $f || $f =~ ^/(run|dev|proc|sys)/ ]]; then
		local copy=$RUN/exchange/${f##*/}
		cat "$f" >"$copy"
		echo "/run/vm/${f##*/}"
	else
		echo "$f"
	fi
}

# Whether the tests are the tool's, by the names of their files. What a kernel for
# faults of the module looks for is then less, since it takes most of a process's
# time, and the tool's tests are made of processes: no leaks (kernel_args) and no
# lock order (tests/vm/guest). The module's own tests show both. Nor have they a use
# for a second CPU (tests/vm/guest), and where there is only one, neither the kernel
# nor QEMU needs atomic instructions, which saves a quarter of the time.
tool_only() {
	local f
	((${#files[@]})) || return 1
	for f in "${files[@]}"; do
		[[ ${f##*/} == cli-* ]] || return 1
	done
}

write_exchange() {
	local f flavour=${IOMMUFDCTL_FLAVOUR-}
	local size
	size=$(stty size 2>/dev/null </dev/tty || true)
	[[ $size =~ ^[1-9][0-9]*\ [1-9][0-9]*$ ]] || size="24 80"
	{
		local GUEST=$CHECKOUT/tests/vm/guest MODE=$mode FLAVOUR=$flavour
		local TEST_KERNEL=$kernel TERM=${TERM:-dumb} TOOL_ONLY=''
		local ROWS=${size% *} COLUMNS=${size#* } v
		local HOST_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}
		! tool_only || TOOL_ONLY=1
		for v in GUEST MODE FLAVOUR TEST_KERNEL TERM ROWS COLUMNS \
			TOOL_ONLY CHECKOUT BUILD KERNEL KREL HOST_CACHE; do
			# Read by busybox too, whose quoting is the plain one.
			printf "%s='%s'\n" "$v" "${!v//\'/\'\\\'\'}"
		done
	} >"$RUN/exchange/boot"
	for f in "${files[@]}"; do
		# As the person named it: a test may look beside its own path.
		visible "$(realpath -s -- "$f")"
	done >"$RUN/files.txt"
	{
		((${#filter[@]} == 0)) || printf '%s\0' "${filter[@]}"
		tr '\n' '\0' <"$RUN/files.txt"
	} >"$RUN/exchange/files"
	preprocess "$RUN/exchange/preprocessed" <"$RUN/files.txt"
	rm "$RUN/files.txt"
	cat >"$RUN/exchange/shellrc" <<-'RC'
		PS1='[$TEST_KERNEL] \w\$ '
		HISTFILE=
		echo "Linux $(uname -r). iommufd is loaded; nothing here reaches the host."
		echo "Its modules: \$IOMMUFD_KO \$TESTDRV_KO. Kernel log: dmesg. Leave: exit."
	RC
}

# preprocess DIR: what Bats makes of each file that is named on standard input, in the
# place that it has below DIR, for tests/vm/bats-env.sh. What Bats has to complain about
# it does in the machine.
preprocess() {
	local dir=$1 file made
	while read -r file; do
		made=$dir$file
		# Not what has its place in the machine only (visible).
		[[ $file != /run/* && -r $file ]] || continue
		mkdir -p "${made%/*}"
		# In the machine's locale, which decides how a name is written.
		if LC_ALL=C BATS_ROOT=/usr CHECK_BATS_COMMENT_COMMANDS=1 BATS_TEST_FILTER='' \
			/usr/libexec/bats-core/bats-preprocess "$file" >"$made" 2>/dev/null; then
			grep '^bats_test_function ' "$made" >"$made.names" || (($? == 1))
		else
			rm "$made"
		fi
	done
}

# What is on the emulated NVMe disk: a line in each block tells its number. The
# guest sees the file as well, to compare.
make_disk() {
	awk 'BEGIN {
		for (n = 0; n < 128; n++)
			printf "%-512s", "This_is_block_" n "_of_the_disk.\n"
	}' | tr ' _' '\0 ' >"$1"
}

# busybox, tests/vm/init, the files that are opened most (tests/vm/hot), and the
# modules without which the host's other files cannot be reached. Which those
# are, and in what order they go in, the kernel's own dependency file knows: it
# differs from kernel to kernel.
make_initrd() {
	local out=$1 dir=$RUN/initramfs path n=100 name
	local busybox boot modules
	busybox=$(command -v busybox) || die "busybox-static is not installed"
	# Copies of the host's programs, with their modes, are nobody else's to run.
	mkdir -m 700 "$dir"
	mkdir -p "$dir"/{bin,dev,proc,sys,modules}
	cp "$busybox" "$dir/bin/busybox"
	for name in sh mount mkdir insmod chroot poweroff; do
		ln -s busybox "$dir/bin/$name"
	done
	cp "$here/init" "$dir/init"
	boot=$(boot_modules) || die "no modules for booting in $KERNEL"
	while read -r path; do
		n=$((n + 1))
		name=${path##*/}
		case $path in
		'') ;;
		*.xz) xz -dc "$path" >"$dir/modules/$n-${name%.xz}" ;;
		*) cp "$path" "$dir/modules/$n-$name" ;;
		esac
	done <<<"$boot"
	modules=("$BUILD"/{kernel,tests/modules}/"$KREL"/*.ko)
	mkdir "$dir/hot"
	"$here/hot" "$CHECKOUT/tests" "$BUILD/tests/helpers" \
		"$BUILD${IOMMUFDCTL_FLAVOUR:+/$IOMMUFDCTL_FLAVOUR}/iommufdctl" \
		"${modules[@]}" |
		tar -C / --no-recursion --exclude='*.ko' -T - -cf - |
		tar -C "$dir/hot" -xpf - ||
		die "cannot gather the files for the machine's memory"
	add_modules "$dir/hot" "${modules[@]}"
	# Bats's scripts have it started by env(1).
	[[ $mode != bats ]] ||
		sed -i '1s|^#!/usr/bin/env bash$|#!/bin/bash|' "$dir"/hot/usr/libexec/bats-core/* ||
		die "there is no Bats in /usr/libexec/bats-core"
	# The same Bash with its libraries in it. Most of what Bats and its tests start
	# are forks of Bash, and one takes a third less with fewer mappings to copy.
	cp --remove-destination /bin/bash-static "$dir/hot/usr/bin/bash" ||
		die "bash-static is not installed"
	# There they are root's, whoever packs them here.
	(cd "$dir" && find . | busybox cpio -o -H newc -R 0:0) >"$out" 2>"$RUN/cpio.err" ||
		die "cannot pack the initramfs: $(tail -n 1 "$RUN/cpio.err")"
	rm "$RUN/cpio.err"
	chmod -R u+w "$dir"
	rm -rf "$dir"
}

# add_modules DIR MODULE...: ours, without what is for gdb only. That is 9 of 10
# bytes, which the machine would read, check and copy each time that a test loads one.
add_modules() {
	local dir=$1 path
	shift
	for path; do
		# The demo builds no modules for tests.
		[[ -e $path ]] || continue
		# Not by way of a symbolic link, which leads out of DIR.
		path=$(realpath "$path")
		mkdir -p "$dir${path%/*}"
		strip --strip-debug -o "$dir$path" "$path" || die "cannot strip $path"
	done
}

# Those that are not built in.
boot_modules() {
	modprobe -a -d "$KERNEL" -S "$KREL" --show-depends \
		virtio_pci 9pnet_virtio 9p overlay |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++'
}

kernel_args() {
	# shellcheck disable=SC2054 # the commas are the kernel's
	local args=(
		console=ttyS0,115200 ignore_loglevel printk.devkmsg=on
		intel_iommu=on
		# An oops ends the run; so does a task that hangs. QEMU is told
		# not to reboot, so that the machine is gone at once.
		oops=panic panic=-1 hung_task_panic=1
		# Emulated CPUs share the host's with other runs. These limits
		# are above what that costs, and far below the time limit.
		sysctl.kernel.hung_task_timeout_secs=100
		sysctl.kernel.watchdog_thresh=30
		rcupdate.rcu_cpu_stall_timeout=60
		# On a busy host the timer may not tick within the time that the
		# kernel gives it at boot, which would be taken for a broken one.
		no_timer_check
		# QEMU keeps what it has translated by virtual address, so with
		# programs at random ones it translates bash anew at each start.
		norandmaps
		# The tests gain nothing from these, and they cost time.
		mitigations=off random.trust_cpu=on
	)
	if ((${#icount[@]})); then
		# The clock that README's figures were measured by.
		args+=(tsc=unstable)
	else
		# Loading and unloading consists of grace periods; a measured one
		# is to be as long as it is elsewhere.
		args+=(rcupdate.rcu_expedited=1)
		# Both CPUs read the host's own counter. The clock that the kernel
		# takes otherwise is a device, which each reading has to go out to.
		args+=(tsc=reliable)
	fi
	[[ ! $gdb ]] || args+=(nokaslr)
	# What is used after it was freed is found empty, also where no KASAN
	# looks.
	[[ $kernel != debian-* ]] || args+=(init_on_free=1)
	# A report that a test asked for must not be KASAN's last.
	[[ $kernel != debug-* ]] || args+=(kasan_multi_shot)
	[[ $kernel != debug-* ]] || ! tool_only || args+=(kmemleak=off)
	# The last word on it counts.
	[[ $iommu != off ]] || args+=(intel_iommu=off)
	# shellcheck disable=SC2206 # words
	args+=(${VM_APPEND-})
	echo "${args[*]}"
}

qemu_args() {
	local iommu_device=(-device "intel-iommu,intremap=on") cpu=max,la57=off
	if [[ ! $cpus ]]; then
		cpus=2
		! tool_only || cpus=1
	fi
	[[ $iommu != none ]] || iommu_device=()
	# A CPU that says that `rep movsb` is fast is given it wherever memory is copied
	# or cleared, and emulated it goes byte by byte: a process took twice as long.
	# What is measured is what such a CPU executes.
	((${#icount[@]})) || cpu+=,-erms
	# The kernel goes over all of its memory when it boots, and kmemleak in each scan.
	printf '%s\n' -machine q35,kernel-irqchip=split \
		-accel "$accel" "${icount[@]}" \
		-cpu "$cpu" -smp "$cpus" -m "${VM_MEMORY:-1G}" \
		-nodefaults -no-user-config -display none -no-reboot \
		"${iommu_device[@]}" -device edu,addr=0x10 \
		-drive "if=none,id=disk,format=raw,file=$RUN/exchange/nvme.img" \
		-device nvme,addr=0x11,serial=iommufdctl,drive=disk \
		-kernel "$KERNEL/boot/vmlinuz-$KREL" -initrd "$RUN/initrd" \
		-append "$(kernel_args)" \
		-chardev "file,id=log,path=$LOG" -serial chardev:log \
		-virtfs "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap" \
		-virtfs "local,path=$RUN/exchange,mount_tag=exchange,security_model=none"
	# With signal=off, Ctrl-C in a shell is for the guest.
	printf '%s\n' -chardev stdio,id=tap,signal=off -serial chardev:tap
	if [[ $gdb ]]; then
		printf '%s\n' -gdb "unix:path=$RUN/gdb.sock,server=on,wait=off"
		[[ $gdb != wait ]] || printf '%s\n' -S
	fi
}

qemu_pid=''
stop_qemu() {
	[[ $qemu_pid ]] || return 0
	kill -KILL "$qemu_pid" 2>/dev/null || true
	qemu_pid=''
}

log_end() {
	echo "vm: the end of $LOG:" >&2
	tail -n "${1:-40}" "$LOG" 2>/dev/null | tr -d '\r' | sed 's/^/  | /' >&2
}

# A stock kernel under QEMU 7.2 on a busy host does that in about one boot of a hundred,
# where it has just changed its own text (static keys); as the dumps look, the CPU goes
# on with what was there before. What comes after "begin" (tests/vm/guest) may be our
# doing, and counts.
died_booting() {
	[[ ! -e $RUN/exchange/status ]] &&
		grep -q 'Kernel panic - not syncing' "$LOG" &&
		! grep -q 'iommufd-test: begin' "$LOG"
}

boot() {
	local args status=0
	command -v qemu-system-x86_64 >/dev/null ||
		die "qemu-system-x86 is not installed"
	mapfile -t args < <(qemu_args)
	: >"$LOG"
	echo "vm: $kernel ($KREL), log in ${LOG#"$CHECKOUT/"}" >&2
	[[ ! $gdb ]] || echo "vm: gdb: target remote $RUN/gdb.sock" >&2

	trap stop_qemu EXIT
	trap 'stop_qemu; exit 130' INT
	trap 'stop_qemu; exit 143' TERM HUP
	if [[ $mode == shell ]]; then
		qemu-system-x86_64 "${args[@]}" 2>"$RUN/qemu.err" || status=$?
	else
		run_watched || status=$?
		if died_booting; then
			mv "$LOG" "$LOG.1"
			: >"$LOG"
			echo "vm: the kernel died before anything of ours ran, see" \
				"${LOG#"$CHECKOUT/"}.1; once more" >&2
			status=0
			run_watched || status=$?
		fi
	fi
	rm -f "$RUN/initrd"
	judge "$status"
}

# QEMU in the background, so that the shell can act on a signal and on the time
# limit. Its standard input is closed: a test run takes nothing from a person.
run_watched() {
	local deadline=$((SECONDS + timeout)) status=0 out_pid
	# Not on our own standard output: QEMU makes its end non-blocking, which
	# whoever shares it with us (make, say) would feel.
	mkfifo "$RUN/out"
	cat "$RUN/out" &
	out_pid=$!
	qemu-system-x86_64 "${args[@]}" >"$RUN/out" 2>"$RUN/qemu.err" </dev/null &
	qemu_pid=$!
	while kill -0 "$qemu_pid" 2>/dev/null; do
		if ((SECONDS >= deadline)); then
			stop_qemu
			return 124
		fi
		sleep 0.2
	done
	wait "$qemu_pid" || status=$?
	qemu_pid=''
	wait "$out_pid" || true
	rm "$RUN/out"
	return "$status"
}

# The guest's word on its tests, then the log's: a run is good when both are.
judge() {
	local qemu=$1 status
	if [[ $qemu == 124 ]]; then
		echo "vm: FAILED: not done after $timeout s; killed" >&2
		log_end
		exit 124
	fi
	if [[ -s $RUN/qemu.err && $qemu != 0 ]]; then
		sed 's/^/vm: /' "$RUN/qemu.err" >&2
	fi
	# For tests/vm/coverage: what was counted, and what it was built from.
	[[ ! -d $RUN/exchange/gcda ]] ||
		echo "vm: coverage: $RUN/exchange/gcda $BUILD/kernel/$KREL" >&2
	status=$(cat "$RUN/exchange/status" 2>/dev/null || true)
	if [[ ! $status =~ ^[0-9]+$ ]]; then
		echo "vm: FAILED: the machine stopped before its tests were done" >&2
		"$here/check-log" "$LOG" || true
		log_end 60
		exit 125
	fi
	if ! "$here/check-log" "$LOG"; then
		log_end
		((status)) || status=1
	fi
	exit "$status"
}
