/* SPDX-License-Identifier: Apache-2.0 */
/* From device rules in the order of decision to instructions. Between devices.c and devices_code.c only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cgroup/devices.h"

/* Bits as the kernel has them in bpf_cgroup_dev_ctx.access_type: access above 16 bits of type. */
enum {
	DEVICE_BLOCK = BPF_DEVCG_DEV_BLOCK,
	DEVICE_CHAR = BPF_DEVCG_DEV_CHAR,
	DEVICE_MKNOD = BPF_DEVCG_ACC_MKNOD,
	DEVICE_READ = BPF_DEVCG_ACC_READ,
	DEVICE_WRITE = BPF_DEVCG_ACC_WRITE,
	DEVICE_RWM = DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE,
	DEVICE_ANY = -1,
};

struct device_rule {
	uint32_t types;         /* DEVICE_BLOCK, DEVICE_CHAR or both */
	uint32_t access;        /* the bits it decides */
	bool is_allow;
	int64_t major, minor;   /* DEVICE_ANY: all */
};

struct device_rules {
	struct device_rule *v;  /* the first that covers a device and a bit decides it */
	size_t n;
	bool is_open;           /* what holds for bits that no rule decides */
};

/* Cannot fail. Runs of rules with the same types and major number should stand together. */
void devices_code(const struct device_rules *rules, struct arena *a, struct devices_program *ret_program);
