# SPDX-License-Identifier: Apache-2.0
# kist: `make run` and `make test` do everything on a fresh Debian 12. V=1 shows commands, O=DIR builds elsewhere.
O        ?= build
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
LIBEXEC  ?= $(PREFIX)/libexec/kist
MANDIR   ?= $(PREFIX)/share/man
DATADIR  ?= $(PREFIX)/share/kist
CC       ?= gcc
VERSION  := 0.1.0
COMMIT   := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wcast-qual -Wvla -Walloca \
            -Wundef -Wwrite-strings -Wnull-dereference -Wswitch-enum -Wpointer-arith -Wold-style-definition
ifneq ($(findstring clang,$(CC)),clang)
WARN     += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
endif
ifdef CI
WARN     += -Werror
endif
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fcf-protection
OPT      ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -I. -DKIST_VERSION='"$(VERSION)"' -DKIST_COMMIT='"$(COMMIT)"' -DKIST_LIBEXEC='"$(LIBEXEC)"' \
            -DKIST_DATADIR='"$(DATADIR)"'
CFLAGS   += -std=gnu17 $(OPT) $(WARN) $(HARDEN) -ffunction-sections -fdata-sections -fno-plt -include util/banned.h
LDFLAGS  += -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,-z,noexecstack
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

# image/ files that kist itself needs to run a stored image; the rest moves bytes and belongs to kist-image.
KIST_IMAGE_SRC := $(wildcard image/ref.c image/store.c image/image.c image/layers.c image/names.c)
KIST_SRC := $(filter-out cli/image_main.c cli/image_cmd%.c cli/gen%.c,$(wildcard cli/*.c)) $(wildcard engine/*.c runtime/*.c ns/*.c cgroup/*.c spec/*.c util/*.c) \
            $(KIST_IMAGE_SRC)
IMG_SRC  := cli/opt.c cli/optval.c cli/out.c cli/template.c cli/cmd.c $(wildcard cli/image_*.c image/*.c util/*.c)
IMG_SRC  := $(sort $(IMG_SRC))
ALL_SRC  := $(sort $(KIST_SRC) $(IMG_SRC))

KIST_LIBS := -lseccomp -lcap -ljansson
IMG_LIBS  := -larchive -lz -lzstd -lcrypto -ljansson -lpthread
obj       = $(patsubst %.c,$(O)/obj/%.o,$(1))

.PHONY: all run test check bats vm bench fuzz faults asan analyze fmt size install uninstall clean headers
all: $(O)/kist $(O)/kist-image

$(O)/kist: $(call obj,$(KIST_SRC))
	$(call say,LD,$@) $(CC) $(CFLAGS) -static $(LDFLAGS) -o $@ $^ $(KIST_LIBS)

$(O)/kist-image: $(call obj,$(IMG_SRC))
	$(call say,LD,$@) $(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(IMG_LIBS)

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CPPFLAGS) $(CFLAGS) -fPIE -MMD -MP -c -o $@ $<

-include $(patsubst %.c,$(O)/obj/%.d,$(ALL_SRC))

clean:
	rm -rf $(O)
