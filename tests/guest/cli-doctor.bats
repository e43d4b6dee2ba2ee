# SPDX-License-Identifier: GPL-2.0-or-later
#
# `doctor` in a machine that is what it seems, and in some that are broken.

load ../lib/guest

setup() {
	guest_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT
	# The kernel's configuration, which the host does not have.
	# shellcheck source=/dev/null
	. /run/vm/boot
	cp "$KERNEL/boot/config-$KREL" /boot/
	# Debian's udev makes it; what the host runs in may have no udev.
	getent group kvm >/dev/null || groupadd --system kvm
}

teardown() {
	load_iommufd
	# The driver's own goes with the driver; one made by hand stays for ever.
	[[ ! -e /dev/iommu.kept ]] || mv -f /dev/iommu.kept /dev/iommu
	chmod 0660 /dev/iommu
	chgrp root /dev/iommu
	guest_teardown
}

# doctor [ARG...]: $output is its JSON, whatever its status
doctor() {
	run "${as[@]}" iommufdctl doctor --json "$@"
	assert_schema "$SCHEMA" '#/$defs/doctor'
}

# says ID STATUS WORDS [WORDS-OF-REMEDY]: what the last doctor said of one check
says() {
	assert_json '[.checks[] | select(.id == $id and .status == $status and
		(.seen | contains($seen)) and
		(.remedy // "" | contains($remedy)))] | length == 1' \
		--arg id "$1" --arg status "$2" --arg seen "$3" --arg remedy "${4-}"
}

as=()

@test "the machine as it is: driver, node, IOMMU, interrupts" {
	local config=/proc/config.gz
	[[ -e $config ]] || config=/boot/config-$(uname -r)
	doctor
	says iommufd ok "this project's module, version "
	says iommufd ok "CONFIG_IOMMUFD is not set in $config"
	says device-node warn "open to user root alone: mode 0660, group root" 60-iommufd.rules
	chgrp kvm /dev/iommu
	doctor
	says device-node ok "open to user root and group kvm, mode 0660"
	says device-access ok "user root may open it"
	says iommu ok "on: 1 IOMMU (intel)"
	says iommu-mode ok "translation: "
	says interrupt-remapping ok on
	says groups ok "no device is bound"
	says vfio-cdev fail "the kernel's VFIO has none (CONFIG_VFIO_DEVICE_CDEV is not set in"
	says memlock ok CAP_IPC_LOCK
	says debugfs ok "/sys/kernel/debug/iommufd/contexts is there"
	assert_json '[.checks[] | select(.status == "fail").id] == ["vfio-cdev"]'
	# no context is left, and no process was needed for it
	must iommufdctl list --json
	assert_json '.contexts == []'
}

@test "the module is missing: that is the cause, whoever asks" {
	rmmod iommufd
	doctor
	assert_failure 1
	says iommufd fail "has no iommufd" "make dkms-install"
	says device-node fail "there is no /dev/iommu, as no driver is loaded" "make dkms-install"
	as=(as_user)
	doctor
	assert_failure 1
	says iommufd fail "has no iommufd" "make dkms-install"
	# installed, it has but to be loaded; the remedy does that
	# with all other modules, depmod takes minutes here
	mkdir -p /run/modules/updates /run/modules/kernel/drivers/vfio
	cp "/lib/modules/$KREL"/modules.{order,builtin*} /run/modules
	cp -r "/lib/modules/$KREL/kernel/drivers/vfio" /run/modules/kernel/drivers
	cp "$IOMMUFD_KO" /run/modules/updates/
	mount --bind /run/modules "/lib/modules/$KREL"
	depmod "$KREL"
	as=()
	doctor
	says iommufd fail "is installed, but not loaded" "modprobe iommufd"
	eval "$(gojq -r '.checks[0].remedy' <<<"$output")"
	umount "/lib/modules/$KREL"
	rm -r /run/modules
	doctor
	says iommufd ok "is loaded"
	says device-access ok "user root may open it"
}

@test "memlock is too small: that is the cause, and its remedy is enough" {
	local need=$((1536 * 1024 * 1024))
	chmod 0666 /dev/iommu
	as=(as_user bash -c 'ulimit -l 64; exec "$@"' -)
	doctor --plan mem=512M,devices=2
	assert_failure 1
	says memlock fail "the limit is 64 KiB, the planned machine needs 1.5 GiB" "--memlock=$need:$need"
	says device-access ok "user nobody may open it"
	doctor --plan mem=256M,devices=2,viommu
	says memlock fail "needs 1.5 GiB"
	as=(prlimit "--memlock=$need:$need" setpriv --reuid=65534 --regid=65534 --clear-groups)
	doctor --plan mem=512M,devices=2
	says memlock ok "the limit is 1.5 GiB, the planned machine needs 1.5 GiB"
	doctor --plan mem=513M,devices=2
	says memlock fail "needs 1.5 GiB"
	# root, but for the capability
	as=(prlimit "--memlock=65536:65536" setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock)
	doctor --plan mem=512M,devices=2
	says memlock fail "the limit is 64 KiB"
}

@test "a user is told the group; a member may open it" {
	as=(as_user)
	chgrp kvm /dev/iommu
	doctor
	says device-access fail "user nobody may not open it: it is no member of group kvm" "adduser nobody kvm"
	as=(setpriv --reuid=65534 --regid=65534 "--groups=$(getent group kvm | cut -d : -f 3)"
		env "PATH=$PATH")
	doctor
	says device-access ok "user nobody may open it"
	chgrp root /dev/iommu
	doctor
	says device-access fail "open to its owner alone" 60-iommufd.rules
	as=()
	doctor
	says device-node warn "open to user root alone"
}

@test "the node is lost: the remedy makes the same one" {
	local before
	chgrp kvm /dev/iommu
	before=$(stat -c '%F %a %t:%T' /dev/iommu)
	mv /dev/iommu /dev/iommu.kept
	doctor
	says device-node fail "the driver is there" "mknod -m 0660 /dev/iommu c 10 "
	eval "$(gojq -r '.checks[1].remedy' <<<"$output")"
	assert_equal "$(stat -c '%F %a %t:%T' /dev/iommu)" "$before"
	iommufdctl run --new true
	rm /dev/iommu
	mknod /dev/iommu c 1 3
	doctor
	says device-node fail "is not the driver's" "mknod"
}

@test "a device is bound, and debugfs is gone" {
	modprobe vfio-pci
	local bdf
	pci_device bdf 0x1234 0x11e8
	echo vfio-pci >"/sys/bus/pci/devices/$bdf/driver_override"
	echo "$bdf" >/sys/bus/pci/drivers_probe
	umount /sys/kernel/debug
	doctor
	says groups ok "devices bound to a driver of VFIO: 1, in 1 groups, all of them viable"
	says debugfs warn "not mounted" "mount -t debugfs debugfs /sys/kernel/debug"
	eval "$(gojq -r '.checks[] | select(.id == "debugfs").remedy' <<<"$output")"
	doctor
	says debugfs ok "contexts is there"
	echo "$bdf" >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >"/sys/bus/pci/devices/$bdf/driver_override"
	modprobe -r vfio-pci
}
