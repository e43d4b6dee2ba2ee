# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `doctor` says of hosts that are replayed: of each as a whole, and of one
# where a single thing is changed, that it names this.

load ../lib/host
load ../golden/golden

# Python takes long to start, and each answer is held against the schema.
setup_file() {
	export TEST_SERVER=$BATS_FILE_TMPDIR/server
	mkdir "$TEST_SERVER"
	mkfifo "$TEST_SERVER/ask" "$TEST_SERVER/answer"
	python3 "${BATS_TEST_FILENAME%/*}/../lib/server.py" "$TEST_SERVER" 3>&- &
	echo $! >"$TEST_SERVER/pid"
}

teardown_file() {
	kill "$(<"$TEST_SERVER/pid")"
}

setup() {
	host_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
	export IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root
	VERSION=$(iommufdctl --version | grep -o '[0-9][0-9.]*')
}

# host NAME: expanded in IOMMUFDCTL_ROOT, with a module of the tool's version
host() {
	rm -rf "$IOMMUFDCTL_ROOT"
	local at=$TOP/tests/fixtures
	"$at/hosts/expand" "$at/hosts/$1.host"
	"$at/hosts/expand" "$at/doctor/$1.host"
	[[ ! -e $IOMMUFDCTL_ROOT/sys/module/iommufd/version ]] ||
		put /sys/module/iommufd/version "$VERSION"
}

# put PATH TEXT: another content
put() {
	mkdir -p "$IOMMUFDCTL_ROOT${1%/*}"
	printf '%s\n' "$2" >"$IOMMUFDCTL_ROOT$1"
}

drop() {
	local path
	for path; do
		rm -r "$IOMMUFDCTL_ROOT$path"
	done
}

# doctor [ARG...]: $output is its JSON, whatever its status
doctor() {
	run iommufdctl doctor --json "$@"
	assert_schema "$SCHEMA" '#/$defs/doctor'
	assert_json '.ready == ([.checks[] | select(.status == "fail")] == [])'
	assert_equal "$status" "$(gojq 'if .ready then 0 else 1 end' <<<"$output")"
}

# says ID STATUS WORDS [WORDS-OF-REMEDY]: what the last doctor said of one check
says() {
	local check
	check=$(gojq -c --arg id "$1" '.checks[] | select(.id == $id)' <<<"$output")
	echo "$check"
	[[ $(gojq -r .status <<<"$check") == "$2" ]]
	[[ $(gojq -r .seen <<<"$check") == *"$3"* ]]
	if [[ ${4-} ]]; then
		[[ $(gojq -r .remedy <<<"$check") == *"$4"* ]]
	fi
}

# remedy ID: of the last doctor
remedy() { gojq -r --arg id "$1" '.checks[] | select(.id == $id).remedy' <<<"$output"; }

# only ID...: these checks failed, and no other
only() {
	assert_equal "$(gojq -r '[.checks[] | select(.status == "fail").id] | join(" ")' \
		<<<"$output")" "$*"
}

# whole NAME: as a table, and as JSON
whole() {
	host "$1"
	run iommufdctl doctor
	output=${output//$VERSION/VERSION}
	golden "doctor-$1.txt"
	doctor
	gojq -r '.checks[].remedy // empty' <<<"$output" | while read -r line; do
		bash -n <<<"$line"
	done
	output=${output//$VERSION/VERSION}
	golden "doctor-$1.json"
}

@test "an Intel server that is ready" {
	whole intel-server
	only
}

@test "an AMD server: no iommufd, and a group that the host uses too" {
	whole amd-server
	only iommufd device-node device-access groups vfio-cdev
	says iommufd fail "module is not installed" "make dkms-install"
	says groups fail "in group 13 0000:41:00.1 (snd_hda_intel)" "for d in 0000:41:00.1;"
}

@test "an ARM board that is ready, with remarks" {
	whole arm-board
	only
}

@test "what README shows is what is printed" {
	local line n=0
	host arm-board
	run iommufdctl doctor --plan mem=16G,devices=2
	assert_failure 1
	while IFS= read -r line; do
		[[ $line == ... ]] || assert_line "$line"
		n=$((n + 1))
	done < <(sed -n '/^    \$ iommufdctl doctor/,/^$/s/^    //p' "$TOP/README.md" | tail -n +2)
	((n >= 5))
}

@test "a laptop: the kernel's own module is not loaded" {
	whole laptop
	only iommufd device-node device-access
	says iommufd fail "not loaded" "modprobe iommufd"
}

@test "a virtual machine without an IOMMU" {
	whole vm
	only iommu
	says iommu fail "virtual machine that was given none" "intremap=on"
}

@test "a server with 500 functions: no character devices, and AppArmor" {
	whole large
	only vfio-cdev
}

@test "iommufd: not loaded, not built for this kernel, not there, of another version" {
	local rel=6.12.48+deb13-amd64
	host intel-server
	drop /sys/module/iommufd /sys/class/misc/iommu /dev/iommu
	doctor
	only iommufd device-node device-access
	says iommufd fail "this project's module is installed, but not loaded: /lib/modules/$rel/updates/dkms/iommufd.ko.xz" "modprobe iommufd && echo"
	assert_equal "$(remedy device-node)" "$(remedy iommufd)"
	put /lib/modules/$rel/modules.dep "updates/vfio.ko:"
	put /var/lib/dkms/iommufd/0.1.0/source x
	doctor
	says iommufd fail "known to DKMS, but was not built for kernel $rel" "apt-get install linux-headers-$rel && dkms autoinstall -k $rel"
	put /lib/modules/6.12.38-amd64/modules.dep "updates/dkms/iommufd.ko.xz:"
	doctor
	says iommufd fail "installed for kernel 6.12.38-amd64, not for $rel" "dkms autoinstall -k $rel"
	drop /var/lib/dkms
	doctor
	says iommufd fail "installed for kernel 6.12.38-amd64, not for $rel" "make dkms-install"
	put /proc/sys/kernel/osrelease 6.19.0-1-amd64
	drop /lib/modules/6.12.38-amd64
	doctor
	says iommufd fail "kernel 6.19.0-1-amd64 has no iommufd" "apt-get install linux-image-amd64"
	put /proc/sys/kernel/osrelease ../../etc
	doctor
	host amd-server
	put /sys/module/iommufd/initstate live
	put /sys/module/iommufd/taint O
	put /sys/module/iommufd/version 0.0.9
	doctor
	says iommufd warn "has version 0.0.9, this tool $VERSION" "modprobe -r iommufd"
}

@test "iommufd: the kernel's own, loaded, built in, or missing from its package" {
	host laptop
	put /sys/module/iommufd/initstate live
	put /sys/module/iommufd/taint ''
	doctor
	says iommufd ok "the kernel's own module is loaded (Linux 6.17.1-300.fc43.x86_64; CONFIG_IOMMUFD=m in /lib/modules/"
	drop /sys/module/iommufd
	put /lib/modules/6.17.1-300.fc43.x86_64/modules.dep ''
	doctor
	says iommufd fail "is missing" "apt-get install --reinstall linux-image-6.17.1"
	put /lib/modules/6.17.1-300.fc43.x86_64/modules.builtin kernel/drivers/iommu/iommufd/iommufd.ko
	doctor
	says iommufd ok "part of the kernel"
	drop /lib/modules
	doctor
	says iommufd fail "configuration is not to be found"
	# in which the kernel keeps it
	printf 'CONFIG_IOMMUFD=y\nCONFIG_IOMMUFD_TEST=m\n' | gzip >"$IOMMUFDCTL_ROOT/proc/config.gz"
	doctor
	says iommufd ok "CONFIG_IOMMUFD=y in /proc/config.gz"
}

@test "device-node: left over, lost, of its owner alone, of everyone" {
	host intel-server
	put /dev/iommu '0600 0 0 10:126'
	doctor
	says device-node warn "open to user root alone: mode 0600, group root" "60-iommufd.rules"
	put /dev/iommu '0660 0 0 10:126'
	doctor
	says device-node warn "open to user root alone: mode 0660, group root" "GROUP=\"kvm\""
	put /dev/iommu '0666 0 0 10:126'
	doctor
	says device-node ok "open to everyone"
	put /dev/iommu '0660 0 104 10:99'
	doctor
	says device-node fail "is not the driver's, which is 10:126" "mknod -m 0660 /dev/iommu c 10 126"
	drop /dev/iommu
	doctor
	only device-node device-access
	says device-node fail "the driver is there (10:126), /dev/iommu is not" "mknod -m 0660 /dev/iommu c 10 126"
	put /dev/iommu ''
	doctor
	says device-node ok "whose it is is not known"
	says device-access warn "is not known"
	put /proc/misc '127 vga_arbiter'
	drop /sys/class/misc/iommu
	doctor
	says device-node fail "left over"
}

@test "device-access: a member, one from the next login on, no member" {
	host arm-board
	put /dev/iommu '0660 0 36 10:124'
	doctor
	only device-access
	says device-access fail "user ada may not open it: it is no member of group 36" "adduser ada 36"
	printf 'kvm:x:36:bert,adam\n' >>"$IOMMUFDCTL_ROOT/etc/group"
	doctor
	says device-access fail "no member of group kvm" "adduser ada kvm"
	sed -i 's/adam/adam,ada/' "$IOMMUFDCTL_ROOT/etc/group"
	doctor
	says device-access fail "from the next login on" "newgrp kvm"
	put /dev/iommu '0600 0 36 10:124'
	doctor
	says device-access fail "open to its owner alone" "60-iommufd.rules"
	put /dev/iommu '0606 0 104 10:124'
	doctor
	says device-access fail "user ada may not open it"
	put /dev/iommu '0600 1000 0 10:124'
	doctor
	says device-access ok "user ada may open it"
}

# without_iommu: the server's, as it is when it is off
without_iommu() {
	drop /sys/kernel/iommu_groups /sys/class/iommu
	mkdir -p "$IOMMUFDCTL_ROOT/sys/kernel/iommu_groups"
}

@test "iommu: the option, the firmware, or the kernel's own reason" {
	local rel=6.12.48+deb13-amd64 option
	host intel-server
	without_iommu
	doctor
	only iommu
	says iommu fail "(table DMAR), but the kernel does not use it" "dmesg"
	says groups warn "not known while the IOMMU is off"
	put /proc/cmdline "root=/dev/sda1 intel_iommu=onx ro"
	sed -i /DEFAULT_ON/d "$IOMMUFDCTL_ROOT/boot/config-$rel"
	doctor
	says iommu fail "the kernel's command line lacks intel_iommu=on" "&intel_iommu=on /"
	for option in intel_iommu=off iommu=off; do
		put /proc/cmdline "root=/dev/sda1 $option ro"
		doctor
		says iommu fail "the kernel's command line has $option" "s/ *\\b$option\\b//"
	done
	put /proc/cmdline "root=/dev/sda1 amd_iommu=off ro"
	doctor
	says iommu fail "lacks intel_iommu=on"
	drop /sys/firmware/acpi/tables/DMAR
	doctor
	says iommu fail "VT-d is turned off there" "systemctl reboot --firmware-setup"
	put /sys/firmware/acpi/tables/VIOT ''
	put "/boot/config-$rel" CONFIG_VIRTIO_IOMMU=m
	doctor
	says iommu fail virtio-iommu "update-initramfs -u"
	# a group that VFIO made up for a device that nothing confines
	put /sys/kernel/iommu_groups/0/name vfio-noiommu
	doctor
	says iommu fail off
}

@test "iommu: AMD's" {
	host amd-server
	without_iommu
	put /proc/cmdline "ro amd_iommu=off"
	doctor
	says iommu fail "has amd_iommu=off" "\\bamd_iommu=off\\b"
	# a virtual machine with Intel's on such a processor
	put /proc/cmdline "ro intel_iommu=off"
	doctor
	says iommu fail "(table IVRS)"
	put /sys/firmware/acpi/tables/DMAR ''
	doctor
	says iommu fail "has intel_iommu=off" "\\bintel_iommu=off\\b"
	drop /sys/firmware/acpi/tables/DMAR
	put /proc/cmdline ro
	drop /sys/firmware/acpi/tables/IVRS
	doctor
	says iommu fail "IOMMU (AMD-Vi) is turned off there"
}

# grub REMEDY: what it makes of /etc/default/grub, in $GRUB
grub() {
	local command=${1%% && *}
	eval "${command/\/etc\/default\/grub/\"\$GRUB\"}"
}

@test "iommu: the remedies do to /etc/default/grub what they are for" {
	GRUB=$BATS_TEST_TMPDIR/grub
	printf '%s\n' 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' \
		'GRUB_CMDLINE_LINUX=""' >"$GRUB"
	host intel-server
	without_iommu
	put /proc/cmdline ro
	put /boot/config-6.12.48+deb13-amd64 CONFIG_VFIO=m
	doctor
	grub "$(remedy iommu)"
	must cat "$GRUB"
	assert_line 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"'
	assert_line 'GRUB_CMDLINE_LINUX="intel_iommu=on "'
	printf '%s\n' 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=off splash"' \
		'GRUB_CMDLINE_LINUX="intel_iommu=off"' >"$GRUB"
	put /proc/cmdline "quiet intel_iommu=off"
	doctor
	grub "$(remedy iommu)"
	must cat "$GRUB"
	assert_line 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"'
	assert_line 'GRUB_CMDLINE_LINUX=""'
}

@test "interrupt-remapping: off, by an option, and made up for" {
	host intel-server
	put /proc/interrupts '   8:  0  IO-APIC   8-edge      rtc0'
	doctor
	only interrupt-remapping
	says interrupt-remapping fail off "firmware-setup"
	put /proc/cmdline "ro intremap=off"
	doctor
	says interrupt-remapping fail "has intremap=off" "\\bintremap=off\\b"
	put /sys/module/iommufd/parameters/allow_unsafe_interrupts Y
	doctor
	says interrupt-remapping warn allow_unsafe_interrupts "echo N"
	drop /proc/interrupts
	doctor
	says interrupt-remapping warn "not known"
	host arm-board
	put /proc/interrupts ' 71:  0  GICv2m-PCI-MSI-0002:01:00.0 0 Edge nvme0q0'
	doctor
	says interrupt-remapping fail "no interrupt goes through an ITS"
}

@test "groups: the remedy gives what blocks the driver that the group has" {
	local pci=$IOMMUFDCTL_ROOT/sys/bus/pci
	host amd-server
	mkdir -p "$pci/drivers/iommufd_vfio_pci"
	ln -sfn ../../../bus/pci/drivers/iommufd_vfio_pci "$pci/devices/0000:41:00.0/driver"
	doctor
	says groups fail "of 3 groups with a device of VFIO 1 are not viable" "for d in 0000:41:00.1; do echo iommufd_vfio_pci >"
	rm "$pci/devices/0000:41:00.1/driver"
	doctor
	says groups ok "3, in 3 groups, all of them viable"
}

@test "vfio-cdev: nothing, our driver, rebuilt modules, the kernel's own" {
	local rel=6.12.48+deb13-amd64
	# nothing
	host large
	doctor
	says vfio-cdev fail "the kernel's VFIO has none (CONFIG_VFIO_DEVICE_CDEV is not set in" "make vfio-modules "
	# our driver: for all but KVM
	printf 'updates/dkms/iommufd_vfio_pci.ko.xz:\n' >>"$IOMMUFDCTL_ROOT/lib/modules/$rel/modules.dep"
	doctor
	says vfio-cdev warn "installed, but not loaded" "modprobe iommufd_vfio_pci"
	put /sys/module/iommufd_vfio_pci/initstate live
	doctor
	says vfio-cdev ok "without KVM, as KVM takes only files that VFIO itself made"
	doctor --plan mem=1G,devices=1
	says vfio-cdev warn "without KVM" "make vfio-modules "
	# rebuilt: not in use, in use
	drop /sys/module/iommufd_vfio_pci
	printf 'updates/%s.ko:\n' vfio vfio-pci >"$IOMMUFDCTL_ROOT/lib/modules/$rel/modules.dep"
	doctor
	says vfio-cdev fail "(updates/vfio.ko), but the kernel's own is loaded" "modprobe -r vfio-pci"
	put /sys/module/vfio/taint OE
	doctor
	says vfio-cdev ok "a rebuilt VFIO has them, and is loaded; no device"
	drop /sys/module/vfio
	doctor
	says vfio-cdev warn "a rebuilt VFIO has them, but is not loaded" "modprobe vfio-pci"
	# the kernel's own
	put "/boot/config-$rel" CONFIG_VFIO_DEVICE_CDEV=y
	doctor
	says vfio-cdev warn "the kernel's own VFIO has them, but is not loaded"
	put /sys/module/vfio/initstate live
	doctor
	says vfio-cdev ok "the kernel's own VFIO has them, and is loaded"
	drop /boot
	put "/lib/modules/$rel/modules.dep" ''
	put /sys/module/vfio/taint ''
	doctor
	says vfio-cdev warn "not known"
}

@test "vfio-cdev: a kernel that VFIO cannot be rebuilt for has our driver" {
	host amd-server
	doctor
	says vfio-cdev fail "has none" "modprobe iommufd_vfio_pci"
	refute_output --partial vfio-modules
}

# memlock BYTES: soft and hard limit
memlock() {
	put /proc/self/limits "$(printf '%-26s%-21s%-21s%s\n' 'Max locked memory' "$1" "$1" bytes)"
}

@test "memlock: what the planned machine needs, by the formula" {
	local G=1073741824
	host large
	doctor --plan mem=32G,devices=2
	says memlock ok "the limit is 64 GiB, the planned machine needs 33 GiB"
	# with an IOMMU of its own each device may have all of its memory mapped
	doctor --plan mem=32G,devices=2,viommu
	says memlock fail "the limit is 64 GiB, the planned machine needs 65 GiB" "--memlock=$((65 * G)):$((65 * G))"
	says memlock fail "" "memlock $((65 * 1024 * 1024))"
	only vfio-cdev memlock
	memlock $((33 * G - 1))
	doctor --plan devices=2,mem=32G
	says memlock fail "the limit is 32.9 GiB, the planned machine needs 33 GiB"
	memlock $((33 * G))
	doctor --plan devices=2,mem=0x800000000
	says memlock ok "needs 33 GiB"
	doctor --plan viommu,mem=16G,devices=2
	says memlock ok "needs 33 GiB"
	doctor --plan viommu,mem=16G,devices=3
	says memlock fail "needs 49 GiB"
	doctor
	says memlock ok "enough for machines of this user with 32 GiB of memory together"
	doctor --plan mem=2T,devices=1
	says memlock fail "has 2 TiB of memory, this host 1007"
	assert_equal "$(remedy memlock)" null
}

@test "memlock: no limit, a small one, and one that does not bind" {
	host large
	memlock unlimited
	doctor --plan mem=512G,devices=64
	says memlock ok "there is no limit"
	memlock 8388608
	doctor
	says memlock warn "8 MiB, too little for any" "prlimit --pid \$\$"
	doctor --plan mem=1G,devices=1
	says memlock fail "8 MiB, the planned machine needs 2 GiB"
	sed -i 's/^CapEff:.*/CapEff:\t0000000000004000/' "$IOMMUFDCTL_ROOT/proc/self/status"
	doctor --plan mem=1G,devices=1
	says memlock ok "does not bind who has CAP_IPC_LOCK"
	drop /proc/self/limits
	doctor
	says memlock warn "not known"
}

@test "a plan that is none is wrong usage, which says where" {
	host large
	for plan in "" mem "mem=" mem=4X,devices=1 mem=0,devices=1 devices=2 mem=1G \
		mem=1G,devices=0 mem=1G,devices=4097 mem=1G,mem=1G,devices=1 \
		mem=1G,devices=1,devices=1 mem=1G,devices=1,viommu,viommu \
		"mem=1G,devices=1," ,mem=1G mem=1G,devices=1,viommu=1 \
		mem=1025T,devices=1 mem=1G,devices=-1 "mem=1G, devices=1"; do
		must_fail 64 iommufdctl doctor --plan "$plan"
		assert_output --partial "is no plan: at character"
	done
	must_fail 64 iommufdctl doctor --plan mem=4X,devices=1
	assert_output --partial "at character 6 "
	must_fail 64 iommufdctl doctor --plan
	must_fail 64 iommufdctl doctor -c fd:3
	must_fail 64 iommufdctl doctor 0000:00:00.0
	must_fail 64 iommufdctl doctor --json --plan mem=1
	assert_schema "$SCHEMA" '#/$defs/error'
}

@test "hugepages: set aside, transparent, neither" {
	host arm-board
	doctor --plan mem=4G,devices=1
	says hugepages warn "0 free ones of 2 MiB are set aside, of which the planned machine would fill 2048; transparent ones: never" "vm.nr_hugepages=2048"
	put /proc/meminfo $'MemTotal: 32000000 kB\nHugePages_Total: 3000\nHugePages_Free: 2048\nHugepagesize: 2048 kB'
	doctor --plan mem=4G,devices=1
	says hugepages ok "2048 free ones"
	doctor --plan mem=4G,devices=1,viommu
	says hugepages ok "2048 free ones"
	doctor --plan mem=5G,devices=1
	says hugepages warn "2560" "vm.nr_hugepages=3512"
	put /sys/kernel/mm/transparent_hugepage/enabled "always [madvise] never"
	doctor --plan mem=5G,devices=1
	says hugepages ok "transparent ones: madvise"
	drop /proc/meminfo
	doctor
	says hugepages warn "has none"
}

@test "ptrace-scope: whom it binds" {
	host arm-board
	for scope in 1 2; do
		put /proc/sys/kernel/yama/ptrace_scope $scope
		doctor
		says ptrace-scope warn "$scope: " "ptrace_scope=0"
	done
	put /proc/sys/kernel/yama/ptrace_scope 3
	doctor
	says ptrace-scope warn "nobody until the next boot"
	put /proc/sys/kernel/yama/ptrace_scope 0
	doctor
	says ptrace-scope ok 0
	drop /proc/sys/kernel/yama
	doctor
	says ptrace-scope ok "no restriction"
	host vm
	doctor
	says ptrace-scope ok "does not bind"
}

@test "lockdown: matters where a module of DKMS is yet to be loaded" {
	host intel-server
	put /sys/kernel/security/lockdown "none integrity [confidentiality]"
	doctor
	says lockdown ok "confidentiality, which the driver is not kept out by"
	drop /sys/module/iommufd /sys/class/misc/iommu
	mkdir -p "$IOMMUFDCTL_ROOT/sys/firmware/efi/efivars"
	printf '\6\0\0\0\1' >"$IOMMUFDCTL_ROOT/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	doctor
	says lockdown warn "confidentiality: a module that DKMS built loads only once its key is enrolled; Secure Boot is on" "mokutil --import"
	put /sys/kernel/security/lockdown "[none] integrity confidentiality"
	doctor
	says lockdown ok "none; Secure Boot is on"
	host laptop
	doctor
	says lockdown ok integrity
}

@test "debugfs: mounted, not mounted, not built" {
	host vm
	doctor
	says debugfs warn "not mounted" "mount -t debugfs"
	put /sys/kernel/debug/iommufd/contexts ''
	doctor
	says debugfs ok "/sys/kernel/debug/iommufd/contexts is there"
	drop /sys/kernel/debug
	sed -i /DEBUG_FS/d "$IOMMUFDCTL_ROOT/boot/config-6.12.48+deb13-cloud-amd64"
	doctor
	says debugfs ok "has none"
}

@test "denials: SELinux's and AppArmor's, of ours only, from the kernel and from auditd" {
	host intel-server
	put /dev/kmsg '5,900,61000000,-;audit: type=1400 audit(1.1:31): apparmor="DENIED" operation="capable" profile="swtpm" pid=9 comm="swtpm" capability=14 capname="ipc_lock"'
	doctor
	says denials warn "1 in the log; the last: AppArmor refused ipc_lock to swtpm under swtpm" aa-logprof
	put /dev/kmsg '6,1,0,-;vfio-pci 0000:17:00.0: enabling device'
	doctor
	says denials ok "none in the log"
	put /var/log/audit/audit.log 'type=AVC msg=audit(1795600000.1:99): avc:  denied  { read write } for  pid=90 comm="qemu-kvm" path="/dev/vfio/devices/vfio0" dev="devtmpfs" ino=7 scontext=system_u:system_r:svirt_t:s0:c1,c2 tcontext=system_u:object_r:device_t:s0 tclass=chr_file permissive=0'
	doctor
	says denials warn "1 in the log; the last: SELinux refused /dev/vfio/devices/vfio0 to qemu-kvm" "ausearch -m avc -c 'qemu-kvm'"
	# whoever is refused chooses its name, which is not to reach a shell
	put /var/log/audit/audit.log "type=AVC msg=audit(1795600000.1:99): avc:  denied  { read } for  pid=90 comm=\"';id>x;'\" path=\"/dev/iommu\""
	doctor
	says denials warn "refused /dev/iommu to" "ausearch -m avc --raw"
	refute_output --partial "-c '"
	put /var/log/audit/audit.log "x apparmor=\"DENIED\" profile=\"libvirt-1\" name=\"/dev/vfio/';id;'\" comm=\"q\""
	doctor
	says denials warn "AppArmor refused" "aa-logprof"
	put /sys/kernel/security/lsm capability,yama
	doctor
	says denials ok "neither"
}

@test "denials: a log that cannot be read is no log without any" {
	host intel-server
	drop /dev/kmsg
	mkdir "$IOMMUFDCTL_ROOT/dev/kmsg"
	doctor
	says denials warn "the kernel's log cannot be read: Is a directory"
	drop /sys/kernel/security/lsm /dev/kmsg
	doctor
	says denials warn "cannot be read"
}

@test "a host of which nothing is known, and one of which all is nonsense" {
	local file
	mkdir -p "$IOMMUFDCTL_ROOT"
	doctor
	only iommufd device-node device-access iommu
	must_fail 1 iommufdctl doctor
	for seed in 1 2 3; do
		host intel-server
		for file in $(cd "$IOMMUFDCTL_ROOT" && find boot dev etc lib proc sys -type f); do
			head -c $((seed * 700)) /dev/urandom >"$IOMMUFDCTL_ROOT/$file"
		done
		doctor
	done
}

@test "this very host, without privilege: an answer, and nothing changed" {
	requires strace no-asan
	unset IOMMUFDCTL_ROOT
	doctor
	run strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=all iommufdctl doctor
	run grep -E '^[0-9]+ +(ioctl|write|unlink|rename|mkdir|mknod|chmod|mount|execve|fork|vfork|clone|kill)' "$BATS_TEST_TMPDIR/trace"
	refute_line --regexp '^([0-9]+ +)?(ioctl|unlink|rename|mkdir|mknod|chmod|mount|v?fork|clone|kill)[a-z0-9]*\('
	assert_equal "$(grep -c execve <<<"$output")" 1
	# to stdout alone
	run grep -E 'write\((0|2|[3-9]|[1-9][0-9])' "$BATS_TEST_TMPDIR/trace"
	assert_failure 1
	run grep -E 'O_(CREAT|TRUNC|WRONLY)' "$BATS_TEST_TMPDIR/trace"
	assert_failure 1
	((EUID)) || must_fail 1 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$(command -v iommufdctl)" doctor --json
}

@test "the checks are those of the manual page, in its order" {
	requires mandoc
	host vm
	doctor
	diff <(gojq -r '.checks[].id' <<<"$output") \
		<(sed -n '/^\.Sh CHECKS/,/^\.Sh EXIT/s/^\.It Ic \([a-z-]*\)$/\1/p' "$TOP/man/iommufdctl-doctor.1")
}
