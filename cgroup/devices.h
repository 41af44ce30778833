/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules as a program of type BPF_PROG_TYPE_CGROUP_DEVICE. This module only builds it: pure, no system call.
 * cgroup/devices_bpf.h loads and attaches it. Callers: runtime/plan, `kist plan`, update.
 * Sources: config-linux.md, "Device Allow List"; bpf(2); struct bpf_cgroup_dev_ctx in <linux/bpf.h>.
 */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

struct devices_program {
	struct bpf_insn *insns;  /* in the arena */
	size_t n;
	bool is_open;            /* it allows everything: a fresh group need not have it */
};

/*
 * Builds the program for `rules` in their order. What it answers, for each of the bits read, write and mknod that are
 * asked for: the last rule that covers the device and the bit decides; no rule: denied. An access is allowed when all
 * its bits are. `with_defaults` puts behind them what every container may use: mknod of any device; null, zero, full,
 * random, urandom, tty, console, ptmx, pts/N and net/tun in full. An absent type, major or minor covers all, so that
 * {allow: false} resets what stands before it. FIFOs have no rules in the kernel; such rules are passed over.
 * -EINVAL: access or a number that no device has; `prefix` starts the path in the message.
 */
int devices_build(const struct spec_device_rules *rules, bool with_defaults, const char *prefix, struct arena *a,
		  struct devices_program *ret_program, struct err *e);
