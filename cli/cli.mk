# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tool: build/iommufdctl, and the same under sanitizers. Included by the
# top Makefile; everything that it makes lies under build/.

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man

CLI_SRC := $(sort $(wildcard cli/*.c))
CLI_OBJ := $(CLI_SRC:cli/%.c=build/cli/%.o)
CLI_ASAN_OBJ := $(CLI_SRC:cli/%.c=build/asan/cli/%.o)

CLI_CPPFLAGS := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Ikernel/include/uapi
CLI_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wformat=2 \
	-Wmissing-prototypes -Wstrict-prototypes -Wvla
CLI_ASAN := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
CLI_LIBS := -ljansson

CFLAGS ?= -O2 -g

build/iommufdctl: $(CLI_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

build/asan/iommufdctl: $(CLI_ASAN_OBJ)
	$(CC) $(CLI_ASAN) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

# This file is a prerequisite because it holds the version and the flags.
build/cli/%.o: cli/%.c cli/cli.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CLI_CPPFLAGS) $(CFLAGS) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

build/asan/cli/%.o: cli/%.c cli/cli.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CLI_CPPFLAGS) $(CLI_CFLAGS) $(CLI_ASAN) -MMD -MP -c -o $@ $<

-include $(CLI_OBJ:.o=.d) $(CLI_ASAN_OBJ:.o=.d)
