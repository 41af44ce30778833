/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the linux object and of seccomp. Source: runtime-spec config-linux.md. */
#include "spec/fields.h"
#include "spec/spec.h"
#include "spec/words.h"

static const struct jx_field namespace_fields[] = {
	JX_ENUM(struct spec_namespace, kind, "type", spec_namespace_words, .must = true),
	JX_STR(struct spec_namespace, path, "path", .blank = true),
	JX_END,
};

static const struct jx_field time_offset_fields[] = {
	JX_I64(struct spec_time_offset, secs, "secs"),
	JX_U32(struct spec_time_offset, nanosecs, "nanosecs"),
	JX_END,
};

static const struct jx_field device_fields[] = {
	JX_ENUM(struct spec_device, type, "type", spec_device_words, .must = true),
	JX_STR(struct spec_device, path, "path", .must = true),
	JX_I64(struct spec_device, major, "major"),
	JX_I64(struct spec_device, minor, "minor"),
	JX_U32(struct spec_device, file_mode, "fileMode"),
	JX_U32(struct spec_device, uid, "uid"),
	JX_U32(struct spec_device, gid, "gid"),
	JX_END,
};

static const struct jx_field net_device_fields[] = {
	JX_STR(struct spec_net_device, name, "name", .blank = true),
	JX_END,
};

static const struct jx_field personality_fields[] = {
	JX_ENUM(struct spec_personality, domain, "domain", spec_domain_words, .must = true),
	JX_STRS(struct spec_personality, flags, "flags"),
	JX_END,
};

static const struct jx_field intel_rdt_fields[] = {
	JX_STR(struct spec_intel_rdt, clos_id, "closID", .blank = true),
	JX_STRS(struct spec_intel_rdt, schemata, "schemata"),
	JX_STR(struct spec_intel_rdt, l3_cache_schema, "l3CacheSchema", .blank = true),
	JX_STR(struct spec_intel_rdt, mem_bw_schema, "memBwSchema", .blank = true),
	JX_BOOL(struct spec_intel_rdt, enable_monitoring, "enableMonitoring"),
	JX_END,
};

static const struct jx_field memory_policy_fields[] = {
	JX_ENUM(struct spec_memory_policy, mode, "mode", spec_policy_mode_words, .must = true),
	JX_STR(struct spec_memory_policy, nodes, "nodes", .blank = true),
	JX_FLAGS(struct spec_memory_policy, flags, "flags", spec_policy_flag_words),
	JX_END,
};

/* ---- seccomp ---- */

static const struct jx_field syscall_arg_fields[] = {
	JX_U32(struct spec_syscall_arg, index, "index", .must = true),
	JX_U64(struct spec_syscall_arg, value, "value", .must = true),
	JX_U64(struct spec_syscall_arg, value_two, "valueTwo"),
	JX_ENUM(struct spec_syscall_arg, op, "op", spec_compare_words, .must = true),
	JX_END,
};

static const struct jx_field syscall_fields[] = {
	JX_STRS(struct spec_syscall, names, "names", .must = true),
	JX_ENUM(struct spec_syscall, action, "action", spec_action_words, .must = true),
	JX_U32(struct spec_syscall, errno_ret, "errnoRet"),
	JX_LIST(struct spec_syscall, args, "args", struct spec_syscall_arg, syscall_arg_fields),
	JX_END,
};

const struct jx_field spec_seccomp_fields[] = {
	JX_ENUM(struct spec_seccomp, default_action, "defaultAction", spec_action_words, .must = true),
	JX_U32(struct spec_seccomp, default_errno_ret, "defaultErrnoRet"),
	JX_STRS(struct spec_seccomp, architectures, "architectures"),
	JX_FLAGS(struct spec_seccomp, flags, "flags", spec_filter_flag_words),
	JX_STR(struct spec_seccomp, listener_path, "listenerPath", .blank = true),
	JX_STR(struct spec_seccomp, listener_metadata, "listenerMetadata", .blank = true),
	JX_LIST(struct spec_seccomp, syscalls, "syscalls", struct spec_syscall, syscall_fields),
	JX_END,
};

/* ---- linux ---- */

const struct jx_field spec_linux_fields[] = {
	JX_LIST(struct spec_linux, namespaces, "namespaces", struct spec_namespace, namespace_fields),
	JX_LIST(struct spec_linux, uid_mappings, "uidMappings", struct spec_id_map, spec_id_map_fields),
	JX_LIST(struct spec_linux, gid_mappings, "gidMappings", struct spec_id_map, spec_id_map_fields),
	JX_MAP(struct spec_linux, time_offsets, "timeOffsets", struct spec_time_offset, time_offset_fields),
	JX_LIST(struct spec_linux, devices, "devices", struct spec_device, device_fields),
	JX_MAP(struct spec_linux, net_devices, "netDevices", struct spec_net_device, net_device_fields),
	JX_STR(struct spec_linux, cgroups_path, "cgroupsPath", .blank = true),
	JX_ENUM(struct spec_linux, rootfs_propagation, "rootfsPropagation", spec_propagation_words),
	JX_STRS(struct spec_linux, masked_paths, "maskedPaths"),
	JX_STRS(struct spec_linux, readonly_paths, "readonlyPaths"),
	JX_STR(struct spec_linux, mount_label, "mountLabel", .blank = true),
	JX_OBJ(struct spec_linux, personality, "personality", struct spec_personality, personality_fields),
	JX_OBJ(struct spec_linux, intel_rdt, "intelRdt", struct spec_intel_rdt, intel_rdt_fields),
	JX_OBJ(struct spec_linux, memory_policy, "memoryPolicy", struct spec_memory_policy,
	       memory_policy_fields),
	JX_PAIRS(struct spec_linux, sysctl, "sysctl"),
	JX_OBJ(struct spec_linux, seccomp, "seccomp", struct spec_seccomp, spec_seccomp_fields),
	JX_OBJ(struct spec_linux, resources, "resources", struct spec_resources, spec_resources_fields),
	JX_END,
};
