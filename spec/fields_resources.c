/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of linux.resources. Source: runtime-spec config-linux.md "Control groups". */
#include "spec/fields.h"
#include "spec/spec.h"
#include "spec/words.h"

static const struct jx_field device_rule_fields[] = {
	JX_BOOL(struct spec_device_rule, allow, "allow", .must = true),
	JX_ENUM(struct spec_device_rule, type, "type", spec_device_rule_words),
	JX_I64(struct spec_device_rule, major, "major"),
	JX_I64(struct spec_device_rule, minor, "minor"),
	JX_STR(struct spec_device_rule, access, "access"),
	JX_END,
};

static const struct jx_field memory_fields[] = {
	JX_I64(struct spec_memory, limit, "limit"),
	JX_I64(struct spec_memory, reservation, "reservation"),
	JX_I64(struct spec_memory, swap, "swap"),
	JX_I64(struct spec_memory, kernel, "kernel"),
	JX_I64(struct spec_memory, kernel_tcp, "kernelTCP"),
	JX_U64(struct spec_memory, swappiness, "swappiness"),
	JX_BOOL(struct spec_memory, disable_oom_killer, "disableOOMKiller"),
	JX_BOOL(struct spec_memory, use_hierarchy, "useHierarchy"),
	JX_BOOL(struct spec_memory, check_before_update, "checkBeforeUpdate"),
	JX_END,
};

static const struct jx_field cpu_fields[] = {
	JX_U64(struct spec_cpu, shares, "shares"),
	JX_I64(struct spec_cpu, quota, "quota"),
	JX_U64(struct spec_cpu, burst, "burst"),
	JX_U64(struct spec_cpu, period, "period"),
	JX_I64(struct spec_cpu, realtime_runtime, "realtimeRuntime"),
	JX_U64(struct spec_cpu, realtime_period, "realtimePeriod"),
	JX_STR(struct spec_cpu, cpus, "cpus", .blank = true),
	JX_STR(struct spec_cpu, mems, "mems", .blank = true),
	JX_I64(struct spec_cpu, idle, "idle"),
	JX_END,
};

static const struct jx_field pids_fields[] = {
	JX_I64(struct spec_pids, limit, "limit"),
	JX_END,
};

static const struct jx_field weight_device_fields[] = {
	JX_I64(struct spec_weight_device, major, "major", .must = true),
	JX_I64(struct spec_weight_device, minor, "minor", .must = true),
	JX_U32(struct spec_weight_device, weight, "weight"),
	JX_U32(struct spec_weight_device, leaf_weight, "leafWeight"),
	JX_END,
};

static const struct jx_field throttle_fields[] = {
	JX_I64(struct spec_throttle_device, major, "major", .must = true),
	JX_I64(struct spec_throttle_device, minor, "minor", .must = true),
	JX_U64(struct spec_throttle_device, rate, "rate", .must = true),
	JX_END,
};

#define THROTTLE(m, k) JX_LIST(struct spec_block_io, m, k, struct spec_throttle_device, throttle_fields)

static const struct jx_field block_io_fields[] = {
	JX_U32(struct spec_block_io, weight, "weight"),
	JX_U32(struct spec_block_io, leaf_weight, "leafWeight"),
	JX_LIST(struct spec_block_io, weight_device, "weightDevice", struct spec_weight_device,
		weight_device_fields),
	THROTTLE(throttle_read_bps, "throttleReadBpsDevice"),
	THROTTLE(throttle_write_bps, "throttleWriteBpsDevice"),
	THROTTLE(throttle_read_iops, "throttleReadIOPSDevice"),
	THROTTLE(throttle_write_iops, "throttleWriteIOPSDevice"),
	JX_END,
};

static const struct jx_field hugepage_fields[] = {
	JX_STR(struct spec_hugepage, page_size, "pageSize", .must = true),
	JX_U64(struct spec_hugepage, limit, "limit", .must = true),
	JX_END,
};

static const struct jx_field priority_fields[] = {
	JX_STR(struct spec_priority, name, "name", .must = true),
	JX_U32(struct spec_priority, priority, "priority", .must = true),
	JX_END,
};

static const struct jx_field network_fields[] = {
	JX_U32(struct spec_network, class_id, "classID"),
	JX_LIST(struct spec_network, priorities, "priorities", struct spec_priority, priority_fields),
	JX_END,
};

static const struct jx_field rdma_fields[] = {
	JX_U32(struct spec_rdma, hca_handles, "hcaHandles"),
	JX_U32(struct spec_rdma, hca_objects, "hcaObjects"),
	JX_END,
};

const struct jx_field spec_resources_fields[] = {
	JX_LIST(struct spec_resources, devices, "devices", struct spec_device_rule, device_rule_fields),
	JX_OBJ(struct spec_resources, memory, "memory", struct spec_memory, memory_fields),
	JX_OBJ(struct spec_resources, cpu, "cpu", struct spec_cpu, cpu_fields),
	JX_OBJ(struct spec_resources, pids, "pids", struct spec_pids, pids_fields),
	JX_OBJ(struct spec_resources, block_io, "blockIO", struct spec_block_io, block_io_fields),
	JX_LIST(struct spec_resources, hugepage_limits, "hugepageLimits", struct spec_hugepage,
		hugepage_fields),
	JX_OBJ(struct spec_resources, network, "network", struct spec_network, network_fields),
	JX_MAP(struct spec_resources, rdma, "rdma", struct spec_rdma, rdma_fields),
	JX_PAIRS(struct spec_resources, unified, "unified"),
	JX_END,
};
