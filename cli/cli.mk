# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tool: build/iommufdctl, and build/asan/iommufdctl under sanitizers.
# Included by the top Makefile; all that it makes lies below build/, but for
# `make completions`, which writes anew what is checked in.

VERSION := 0.1.0

BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
# Of systemd: a package's units, or the administrator's.
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/systemd/system

CFLAGS ?= -O2 -g

CLI_CPPFLAGS := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Ikernel/include/uapi
CLI_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wformat=2 \
	-Wmissing-prototypes -Wstrict-prototypes -Wvla
CLI_ASAN := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
CLI_LIBS := -ljansson -lmnl -lz

CLI_SRC := $(sort $(wildcard cli/*.c))
CLI_OBJ := $(CLI_SRC:cli/%.c=build/cli/%.o)
CLI_ASAN_OBJ := $(CLI_SRC:cli/%.c=build/asan/cli/%.o)

build/iommufdctl: $(CLI_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

build/asan/iommufdctl: $(CLI_ASAN_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CLI_ASAN) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

# This file is a prerequisite because it holds the version and the flags.
build/cli/%.o: cli/%.c cli/cli.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CLI_CPPFLAGS) $(CFLAGS) $(CLI_CFLAGS) \
		-MMD -MP -c -o $@ $<

build/asan/cli/%.o: cli/%.c cli/cli.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CLI_CPPFLAGS) $(CLI_CFLAGS) $(CLI_ASAN) \
		-MMD -MP -c -o $@ $<

-include $(CLI_OBJ:.o=.d) $(CLI_ASAN_OBJ:.o=.d)

# Checked in, so that a package need not run what it has just cross-built; a
# test holds them equal to what the tool prints.
.PHONY: completions
completions: build/iommufdctl
	$(Q)build/iommufdctl completion bash > completions/iommufdctl.bash
	$(Q)build/iommufdctl completion zsh > completions/_iommufdctl
	$(Q)build/iommufdctl completion fish > completions/iommufdctl.fish

.PHONY: install-cli
install-cli: build/iommufdctl
	install -D -m 755 build/iommufdctl $(DESTDIR)$(BINDIR)/iommufdctl
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man4
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1/
	install -m 644 man/*.4 $(DESTDIR)$(MANDIR)/man4/
	install -D -m 644 completions/iommufdctl.bash \
		$(DESTDIR)$(DATADIR)/bash-completion/completions/iommufdctl
	install -D -m 644 completions/_iommufdctl \
		$(DESTDIR)$(DATADIR)/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)/_iommufdctl
	install -D -m 644 completions/iommufdctl.fish \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/iommufdctl.fish
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@BINDIR@|$(BINDIR)|' dist/iommufdctl-hold@.service.in \
		> $(DESTDIR)$(UNITDIR)/iommufdctl-hold@.service
	chmod 644 $(DESTDIR)$(UNITDIR)/iommufdctl-hold@.service
	install -D -m 644 schema/iommufdctl.schema.json \
		$(DESTDIR)$(DATADIR)/iommufdctl/iommufdctl.schema.json
