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
# What moves bytes is made fast, the rest small: kist's memory and start count. OPT comes later and wins.
LEVEL     = $(if $(filter image/%,$<),-O2,-Os)
OPT      ?= -g
CPPFLAGS += -D_GNU_SOURCE -I. -DKIST_VERSION='"$(VERSION)"' -DKIST_COMMIT='"$(COMMIT)"' -DKIST_LIBEXEC='"$(LIBEXEC)"' \
            -DKIST_DATADIR='"$(DATADIR)"'
CFLAGS   += -std=gnu17 $(LEVEL) $(OPT) $(WARN) $(HARDEN) -ffunction-sections -fdata-sections -fno-plt -include util/banned.h
LDFLAGS  += -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,-z,noexecstack
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

# ---- the six programs ----
# image/ files that kist itself needs to run a stored image; the rest moves bytes and belongs to kist-image.
KIST_IMAGE_SRC := $(wildcard image/ref.c image/store.c image/image.c image/layers.c image/names.c image/thin.c image/packhead.c image/platform.c image/erofsmount.c image/flat.c image/du.c image/inodes.c)
KIST_SRC  := $(filter-out cli/image_%.c cli/registry_%.c cli/verbs.c cli/gen%.c,$(wildcard cli/*.c)) cli/image_words.c \
             $(wildcard engine/*.c runtime/*.c ns/*.c cgroup/*.c spec/*.c util/*.c) $(KIST_IMAGE_SRC)
IMAGE_SRC := $(addprefix cli/,opt.c optval.c out.c template.c cmd.c verbs.c words_system.c words_registry.c) \
             $(wildcard cli/image_*.c image/*.c image/trust/*.c util/*.c) ns/mount.c ns/lend.c
# Talks to registries: as kist-image without its verbs, and with libcurl.
REGISTRY_SRC := $(filter-out cli/image_%.c,$(IMAGE_SRC)) cli/image_words.c cli/image_files_words.c $(wildcard cli/registry_*.c image/registry/*.c)
GEN_SRC   := $(wildcard cli/gen*.c cli/words*.c) $(addprefix cli/,help.c image_words.c opt.c optval.c) \
             $(addprefix util/,mem.c fd.c err.c jx_near.c)
# seccomp, caps and JSON are static, because loading libraries is a third of the time of other runtimes' start.
KIST_LIBS  := -lseccomp -lcap -ljansson
NET_SRC   := $(wildcard net/*.c) $(addprefix util/,err.c fd.c mem.c num.c)
NET_LIBS   := -lmnl
SYSTEMD_SRC := $(wildcard cgroup/systemd/*.c) $(addprefix util/,arena.c clock.c err.c fd.c mem.c num.c)
SYSTEMD_LIBS := -lsystemd
# What only signatures need is static, so that no other verb loads it; zstd, because its allocators (image/window) are no part
# of the shared library's promises.
IMAGE_LIBS := -lisal -lcrypto -ljansson -lpthread -Wl,-Bstatic -lzstd -lyaml -lsodium -Wl,-Bdynamic
REGISTRY_LIBS := $(IMAGE_LIBS) -lcurl
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

.PHONY: all run test check bats vm bench bench-image hot fuzz faults asan analyze fmt size man install uninstall clean deps
all: $(O)/kist $(O)/kist-image $(O)/kist-registry $(O)/kist-net $(O)/kist-systemd $(O)/kist-gen
	@:

# What every start executes lies together: `make hot` sees to the list, after which kist is linked.
HOT := scripts/hot.ld
$(O)/kist: $(call obj,$(KIST_SRC)) $(HOT)
	$(call say,LD,$@) $(CC) $(CFLAGS) -static $(LDFLAGS) -Wl,-T,$(HOT) -Wl,-Map=$@.map -o $@ $(filter %.o,$^) $(KIST_LIBS)

$(O)/kist-image: $(call obj,$(IMAGE_SRC))
	$(call say,LD,$@) $(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(IMAGE_LIBS)

$(O)/kist-registry: $(call obj,$(REGISTRY_SRC))
	$(call say,LD,$@) $(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(REGISTRY_LIBS)

$(O)/kist-net: $(call obj,$(NET_SRC))
	$(call say,LD,$@) $(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(NET_LIBS)

$(O)/kist-systemd: $(call obj,$(SYSTEMD_SRC))
	$(call say,LD,$@) $(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(SYSTEMD_LIBS)

# The tables name the functions of the commands, which the generator never calls.
$(O)/kist-gen: $(call obj,$(GEN_SRC))
	$(call say,LD,$@) $(CC) $(CFLAGS) -no-pie $(LDFLAGS) -Wl,--unresolved-symbols=ignore-all -o $@ $^

# The program that stands between kist and a container's: no libc, a few hundred bytes, carried inside of kist.
LAUNCHER := $(O)/launcher
$(LAUNCHER): runtime/launcher/launcher.c runtime/sync.h util/err.h Makefile
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) -std=gnu17 -Os $(WARN) -D_GNU_SOURCE -I. -ffreestanding -fno-stack-protector -fcf-protection=none \
		-fno-asynchronous-unwind-tables -fno-pic -static -nostdlib -Wl,-n -Wl,-z,noexecstack -Wl,-z,norelro \
		-Wl,--build-id=none -s -o $@ $<
$(O)/obj/runtime/launcher.o: $(LAUNCHER)
$(O)/obj/runtime/launcher.o: CPPFLAGS += -DLAUNCHER='"$(LAUNCHER)"'

$(O)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CPPFLAGS) $(CFLAGS) -fPIE -MMD -MP -c -o $@ $<

-include $(patsubst %.c,$(O)/obj/%.d,$(sort $(KIST_SRC) $(IMAGE_SRC) $(REGISTRY_SRC) $(NET_SRC) $(SYSTEMD_SRC) $(GEN_SRC)))

# ---- the two commands of the README ----
run:
	@scripts/deps run
	@$(MAKE) --no-print-directory all
	@scripts/demo $(O)

test:
	@scripts/deps test
	@$(MAKE) --no-print-directory -j$(shell nproc) all units fuzzers
	@O=$(O) tests/run

# ---- parts of the tests ----
UNITS := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZ  := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
# Everything but the mains, as archives: a test takes what it needs and may put its own functions in their place.
LIB_SRC := $(filter-out cli/main.c cli/image_main.c cli/registry_main.c net/main.c cgroup/systemd/main.c cli/gen%.c,$(sort $(KIST_SRC) $(IMAGE_SRC) $(REGISTRY_SRC) $(NET_SRC) $(SYSTEMD_SRC)))
.PHONY: units fuzzers mutants
units: $(UNITS)
fuzzers: $(FUZZ) mutants

$(O)/libtest.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	$(call say,AR,$@) ar rcs $@ $^

$(O)/tests/unit/%: tests/unit/%.c $(O)/libtest.a
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CPPFLAGS) $(CFLAGS) -fPIE -pie -o $@ $< $(O)/libtest.a -lcmocka $(KIST_LIBS) $(REGISTRY_LIBS) $(NET_LIBS)

# What fuzzers call is built once more, with clang's sanitizers.
FUZZ_SRC := $(sort $(wildcard util/*.c spec/*.c image/*.c image/registry/*.c image/trust/*.c)) runtime/criu_record.c \
            cgroup/systemd/variant.c
FUZZ_CC  := clang $(CPPFLAGS) -std=gnu17 -g -O1
FUZZ_OBJ := $(patsubst %.c,$(O)/fuzzed/%.o,$(FUZZ_SRC))

$(O)/fuzzed/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,FUZZ,$<) $(FUZZ_CC) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

$(O)/fuzzed/libfuzzed.a: $(FUZZ_OBJ)
	@rm -f $@
	$(call say,AR,$@) ar rcs $@ $^

$(O)/fuzz/%: tests/fuzz/%.c $(O)/fuzzed/libfuzzed.a
	@mkdir -p $(@D)
	$(call say,FUZZ,$@) $(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $< $(O)/fuzzed/libfuzzed.a $(KIST_LIBS) $(REGISTRY_LIBS)

-include $(FUZZ_OBJ:.o=.d)

# The program that tests/fuzz/mutants loads damaged images with.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
mutants:
	@$(MAKE) --no-print-directory O=$(O)/sanitized OPT="-O1 -g $(SANITIZE)" HARDEN= CI= $(O)/sanitized/kist-image

check: all units
	@O=$(O) tests/run unit lint
bats: all
	@O=$(O) tests/run bats
vm: all
	@O=$(O) tests/run vm
faults: all
	@KIST=$(abspath $(O))/kist tests/faults/all
hot: all
	@mkdir -p $(O)/hot && rm -f $(O)/hot/*.trace && $(CC) -O2 $(WARN) -o $(O)/hot/trace tests/hot/trace.c
	@tests/helpers/isolate tests/hot/run $(abspath $(O))/kist $(O)/hot
	@tests/hot/order $(O)/kist.map $(O)/hot/*.trace >$(O)/hot/hot.ld && mv $(O)/hot/hot.ld $(HOT)
bench: all
	@scripts/deps bench
	@KIST=$(abspath $(O))/kist tests/bench/run
bench-image: all
	@scripts/deps bench
	@KIST=$(abspath $(O))/kist tests/bench/image
fuzz: fuzzers
	@for f in $(FUZZ); do echo "== $$f"; $$f -max_total_time=60 -print_final_stats=1 -artifact_prefix=$(O)/ || exit 1; done
	@echo "== mutants"; mkdir -p $(O)/crashes/mutants; tests/fuzz/mutants --count 20000 --seed $$(date +%s) --keep $(O)/crashes/mutants \
		$(O)/sanitized/kist-image
# LeakSanitizer cannot work in processes that are traced or change their user: leaks are not looked for.
asan:
	@$(MAKE) --no-print-directory O=$(O)-asan OPT="-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer" HARDEN= \
		units $(O)-asan/kist-image $(O)-asan/kist-registry $(O)-asan/kist-net $(O)-asan/kist-systemd
	@ASAN_OPTIONS=detect_leaks=0 O=$(O)-asan tests/run unit
analyze:
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --suppress=ctuuninitvar --inline-suppr -j2 -I. \
		$(sort $(KIST_SRC) $(IMAGE_SRC) $(REGISTRY_SRC) $(NET_SRC) $(SYSTEMD_SRC))
	@$(MAKE) --no-print-directory O=$(O)-analyze OPT="-O2 -g -fanalyzer" CI=1 \
		$(patsubst %.c,$(O)-analyze/obj/%.o,$(sort $(KIST_SRC) $(IMAGE_SRC) $(REGISTRY_SRC) $(NET_SRC) $(SYSTEMD_SRC)))
fmt:
	clang-format -i $(sort $(KIST_SRC) $(IMAGE_SRC) $(REGISTRY_SRC) $(NET_SRC) $(SYSTEMD_SRC) $(GEN_SRC))
size: all
	@ls -l $(O)/kist $(O)/kist-image $(O)/kist-registry $(O)/kist-net $(O)/kist-systemd | awk '{ print $$5, $$NF }'
	@echo "longest files:"; wc -l $(sort $(KIST_SRC) $(IMAGE_SRC) $(REGISTRY_SRC) $(NET_SRC) $(SYSTEMD_SRC)) | sort -rn | sed -n 2,11p
	@echo "most complex functions (complexity, lines):"; pmccabe $(sort $(KIST_SRC) $(IMAGE_SRC) $(REGISTRY_SRC) $(NET_SRC) $(SYSTEMD_SRC)) | sort -rn | head -10 | \
		awk '{ print $$1, $$5, $$NF, $$(NF-1) }'

# ---- installation ----
man: $(O)/kist-gen
	@mkdir -p $(O)/man
	$(call say,MAN,$(O)/man) $(O)/kist-gen man $(O)/man

# How callers are told of kist: docs/integrations.md.
SNIPPETS := containers.conf containerd.toml crio.conf docker.json kist@.service
install: all man
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXEC) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(DATADIR)
	install -m 755 $(O)/kist $(DESTDIR)$(BINDIR)/kist
	ln -sfn kist $(DESTDIR)$(BINDIR)/kist-oci
	install -m 755 $(O)/kist-image $(O)/kist-registry $(O)/kist-net $(O)/kist-systemd $(DESTDIR)$(LIBEXEC)
	install -m 644 $(O)/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 config.example.json $(DESTDIR)$(DATADIR)/config.example.json
	for f in $(SNIPPETS); do sed 's|@BINDIR@|$(BINDIR)|g' share/$$f >$(DESTDIR)$(DATADIR)/$$f && \
		chmod 644 $(DESTDIR)$(DATADIR)/$$f || exit 1; done
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(O)/kist-gen bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/kist
	$(O)/kist-gen zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_kist
	$(O)/kist-gen fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/kist.fish

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/kist $(DESTDIR)$(BINDIR)/kist-oci $(addprefix $(DESTDIR)$(LIBEXEC)/,kist-image kist-registry kist-net kist-systemd) \
		$(DESTDIR)$(MANDIR)/man1/kist.1 $(DESTDIR)$(MANDIR)/man1/kist-*.1 $(DESTDIR)$(DATADIR)/config.example.json \
		$(addprefix $(DESTDIR)$(DATADIR)/,$(SNIPPETS)) $(DESTDIR)$(PREFIX)/share/bash-completion/completions/kist \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_kist \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/kist.fish
	-rmdir $(DESTDIR)$(LIBEXEC) $(DESTDIR)$(DATADIR)

clean:
	rm -rf $(O) $(O)-asan $(O)-analyze
