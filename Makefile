# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every door of the project. All that is built goes below build/.
#
#   make                    the tool; the modules too where the running kernel's
#                           headers are installed
#   make modules KREL=R     the modules for kernel release R (or KDIR=TREE)
#   make install            the tool, its pages and completions (PREFIX, DESTDIR)
#   make uninstall          takes that away again
#   make modules_install    the two modules for KREL (INSTALL_MOD_PATH as in kbuild)
#   make dkms-install       the two modules for this and every later kernel, by DKMS
#   make vfio-modules       for KVM guests on stock 6.12: the kernel's own VFIO, built
#                           from Debian's source to go on top of iommufd.ko
#   make vfio-modules-install     that, for KREL, in place of what the kernel has
#   make vfio-modules-uninstall   and as it was again
#   make vfio-dkms-install        that for this and every later kernel, by DKMS
#   make vfio-dkms-uninstall      and as it was again
#   make demo [K=KERNEL]    what it does, shown in an emulated machine
#   make check              the host's tests, and the quick ones on both stock kernels
#        FILE=F K=KERNEL    only the tests in F, only on KERNEL
#   make check-all          the others, lint, sanitizers, fuzzers, two built kernels
#   make shell [K=KERNEL]   a prompt in the emulated machine
#   make bench              our module against upstream's, in one kernel
#   make lint               style and static checks
#   make deps               the Debian packages that all this needs
#   make clean              removes build/
#
# KERNEL is one of those that `tests/vm/kernel.sh --list` prints, or one of those that
# are built (tests/vm/built).

PREFIX ?= /usr/local
DESTDIR ?=

ifdef KDIR
# Not include/config/kernel.release, which in Debian's headers is another one.
KREL := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)".*/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
else
KREL ?= $(shell uname -r)
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/iommufdctl
KDIR := $(firstword $(wildcard /lib/modules/$(KREL)/build \
	$(CACHE)/*/usr/src/linux-headers-$(KREL)))
endif

# No built-in rules: kernel/netlink is a folder, not to be made of netlink.c.
MAKEFLAGS += -r

# Quiet unless V=1.
Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-8s %s\n' '$(1)' '$(2)'

# By a make of its own, so that with -j nothing is built before the packages
# that it is built with are there.
RUNNING := $(wildcard /lib/modules/$(shell uname -r)/build)
.PHONY: all
all:
	@tests/vm/deps build
	@$(MAKE) --no-print-directory build/iommufdctl $(if $(RUNNING),modules)

-include cli/cli.mk

# --- modules ---------------------------------------------------------------

MODULES := build/kernel/$(KREL)
TEST_MODULES := build/tests/modules/$(KREL)

# A folder's own time stamp tells that a file in it was added or removed.
module-deps = $(shell find $(1) -not -name '.*') tests/vm/kbuild \
	$(KDIR)/include/generated/autoconf.h

.PHONY: modules test-modules
modules: $(MODULES)/.built
test-modules: $(TEST_MODULES)/.built

$(MODULES)/.built: $(call module-deps,kernel)
	$(if $(KDIR),,$(error No headers of kernel $(KREL): \
	install linux-headers-$(KREL), or name a tree by KDIR=))
	$(call say,MODULES,$(KREL))
	+$(Q)tests/vm/kbuild kernel $(KDIR) $(MODULES) IOMMUFD_TESTDRV=m
	$(Q)touch $@

$(TEST_MODULES)/.built: $(call module-deps,tests/modules)
	$(call say,MODULES,$(KREL) for tests)
	+$(Q)tests/vm/kbuild tests/modules $(KDIR) $(TEST_MODULES)
	$(Q)touch $@

# --- helpers of the tests --------------------------------------------------

HELPERS := $(patsubst tests/helpers/%.c,build/tests/helpers/%,\
	$(wildcard tests/helpers/*.c))
HELPER_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -pthread \
	-Ikernel/include/uapi -Itests/helpers

.PHONY: helpers
helpers: $(HELPERS) $(HELPERS:=.32) build/tests/fuzz/fuzz \
	build/tests/bench/bench build/tests/bench/device

build/tests/%: tests/%.c Makefile
	$(call say,HELPER,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HELPER_FLAGS) -MMD -MP -MF $@.d -o $@ $<

# libFuzzer on what the tool takes apart: text, and netlink messages.
FUZZERS := build/tests/fuzz/parse build/tests/fuzz/replies
build/tests/fuzz/parse: $(wildcard cli/parse*.c)
build/tests/fuzz/replies: cli/replies.c cli/parse.c
$(FUZZERS): build/tests/fuzz/%: tests/fuzz/%.c $(wildcard cli/*.h) Makefile
	$(call say,FUZZER,$@)
	@mkdir -p $(@D)
	$(Q)clang-14 -g -O1 -D_GNU_SOURCE -Wall -Wextra -Werror \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-Ikernel/include/uapi -Icli -o $@ $(filter %.c,$^) -lmnl

build/tests/%.32: tests/%.c Makefile
	$(call say,HELPER,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -m32 $(HELPER_FLAGS) -MMD -MP -MF $@.d -o $@ $<

-include $(wildcard build/tests/*/*.d)

# What a run in the emulated machine, or on the host, finds built.
tools := build/iommufdctl
ifeq ($(IOMMUFDCTL_FLAVOUR),asan)
tools += build/asan/iommufdctl
endif
.PHONY: demo-needs guest-needs host-needs
demo-needs: build/iommufdctl modules build/tests/helpers/nvme
guest-needs: $(tools) modules test-modules helpers
host-needs: $(tools)

# --- tests -----------------------------------------------------------------

VM := tests/vm/run
kernel-arg := $(addprefix -k ,$(K))

.PHONY: demo check check-all shell lint bench
demo:
	@$(VM) -k $(or $(K),debian-6.12) --demo

shell:
	@$(VM) -k $(or $(K),debian-6.12) --shell

check:
	@tests/vm/check $(kernel-arg) $(FILE)

check-all:
	@tests/vm/check-all $(kernel-arg)

bench:
	@tests/bench/compare

lint:
	@tests/vm/deps build lint
	@$(MAKE) --no-print-directory build/iommufdctl
	@tests/vm/lint

.PHONY: deps
deps:
	@tests/vm/deps all

# --- installing --------------------------------------------------------------

# The version is the tool's (cli/cli.mk) and kernel/dkms.conf's.
DKMS_VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' kernel/dkms.conf)
DKMS_SRC := /usr/src/iommufd-$(DKMS_VERSION)

.PHONY: install uninstall install-module-files modules_install dkms-install
install: install-cli install-module-files

# What an install would put there, so that the two cannot drift apart.
uninstall:
	rm -rf build/uninstall
	$(Q)$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/build/uninstall >/dev/null
	cd build/uninstall && find . ! -type d -printf '%P\n' | \
		while read -r f; do rm -fv "$(DESTDIR)/$$f"; done

# /etc is the administrator's: with a PREFIX of /usr these go where packages
# put them, otherwise where local additions belong.
etc-or-lib := $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)
install-module-files:
	install -D -m 644 dist/60-iommufd.rules \
		$(DESTDIR)$(etc-or-lib)/udev/rules.d/60-iommufd.rules
	install -D -m 644 dist/iommufd.conf \
		$(DESTDIR)$(etc-or-lib)/modules-load.d/iommufd.conf

# Not kbuild's own modules_install, which would install the test driver too.
MODLIB := $(INSTALL_MOD_PATH)/lib/modules/$(KREL)
modules_install: modules
	install -d $(MODLIB)/updates
	# The second is built where the kernel has VFIO for PCI.
	for module in iommufd iommufd_vfio_pci; do \
		[ ! -e $(MODULES)/$$module.ko ] || \
			install -m 644 $(MODULES)/$$module.ko $(MODLIB)/updates || exit; \
	done
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KREL)

dkms-install:
	@command -v dkms >/dev/null || \
		{ echo "dkms is not installed: apt-get install dkms" >&2; exit 1; }
	# Of this version, since a changed file would not be seen otherwise.
	if [ -n "$$(dkms status -m iommufd -v $(DKMS_VERSION))" ]; then \
		dkms remove -m iommufd -v $(DKMS_VERSION) --all; fi
	$(MAKE) --no-print-directory dkms-files DESTDIR=
	dkms add -m iommufd -v $(DKMS_VERSION)
	dkms install -m iommufd -v $(DKMS_VERSION) -k $(KREL)

DKMS_VFIO_SRC := /usr/src/iommufd-vfio-$(DKMS_VERSION)
DKMS_FORCED := /usr/share/dkms/modules_to_force_install

.PHONY: dkms-files vfio-dkms-files vfio-dkms-install vfio-dkms-uninstall
# The trees that DKMS works on, for packages too.
dkms-files:
	rm -rf $(DESTDIR)$(DKMS_SRC)
	install -d $(DESTDIR)$(DKMS_SRC)
	cp -r kernel/. $(DESTDIR)$(DKMS_SRC)/
	rm -f $(DESTDIR)$(DKMS_SRC)/testdrv*

vfio-dkms-files:
	rm -rf $(DESTDIR)$(DKMS_VFIO_SRC)
	install -d $(DESTDIR)$(DKMS_VFIO_SRC)
	install -m 644 dist/vfio-dkms.conf $(DESTDIR)$(DKMS_VFIO_SRC)/dkms.conf
	install -m 755 dist/vfio-dkms-build $(DESTDIR)$(DKMS_VFIO_SRC)/build
	install -m 755 dist/vfio-modules $(DESTDIR)$(DKMS_VFIO_SRC)/
	cp -r kernel $(DESTDIR)$(DKMS_VFIO_SRC)/iommufd
	rm -f $(DESTDIR)$(DKMS_VFIO_SRC)/iommufd/testdrv*
	# They have the versions of those that the kernel has, which DKMS would not
	# replace, and say so only to who reads all that it prints.
	install -d $(DESTDIR)$(DKMS_FORCED)
	echo iommufd-vfio_version-override >$(DESTDIR)$(DKMS_FORCED)/iommufd-vfio

# On iommufd.ko, so that comes first.
vfio-dkms-install: dkms-install
	$(MAKE) --no-print-directory vfio-dkms-uninstall
	$(MAKE) --no-print-directory vfio-dkms-files DESTDIR=
	dkms add -m iommufd-vfio -v $(DKMS_VERSION)
	dkms install -m iommufd-vfio -v $(DKMS_VERSION) -k $(KREL)

vfio-dkms-uninstall:
	if [ -n "$$(dkms status -m iommufd-vfio -v $(DKMS_VERSION))" ]; then \
		dkms remove -m iommufd-vfio -v $(DKMS_VERSION) --all; fi
	rm -rf $(DKMS_VFIO_SRC) $(DKMS_FORCED)/iommufd-vfio
	rmdir --ignore-fail-on-non-empty $(DKMS_FORCED) 2>/dev/null || true

# --- VFIO on top -------------------------------------------------------------

VFIO_MODULES := build/vfio/$(KREL)

.PHONY: vfio-modules vfio-modules-install vfio-modules-uninstall
vfio-modules: $(VFIO_MODULES)/.built

$(VFIO_MODULES)/.built: $(MODULES)/.built dist/vfio-modules
	$(call say,VFIO,$(KREL))
	$(Q)unset MAKEFLAGS MFLAGS MAKELEVEL; vfio=$$(tests/vm/kernel.sh --vfio) && \
		dist/vfio-modules "$$vfio" $(KDIR) $(MODULES) $(VFIO_MODULES)
	$(Q)touch $@

vfio-modules-install: vfio-modules modules_install
	install -d $(MODLIB)/updates/vfio
	install -m 644 $(VFIO_MODULES)/modules/*.ko $(MODLIB)/updates/vfio
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KREL)

vfio-modules-uninstall:
	rm -rf $(MODLIB)/updates/vfio
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KREL)

.PHONY: clean
clean:
	rm -rf build
