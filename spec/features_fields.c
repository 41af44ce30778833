/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the features document. Source: runtime-spec features.md, features-linux.md. */
#include "spec/features_fields.h"

static const struct jx_field switch_fields[] = {
	JX_BOOL(struct features_switch, enabled, "enabled"),
	JX_END,
};

static const struct jx_field cgroup_fields[] = {
	JX_BOOL(struct features_cgroup, v1, "v1"),
	JX_BOOL(struct features_cgroup, v2, "v2"),
	JX_BOOL(struct features_cgroup, systemd, "systemd"),
	JX_BOOL(struct features_cgroup, systemd_user, "systemdUser"),
	JX_BOOL(struct features_cgroup, rdma, "rdma"),
	JX_END,
};

static const struct jx_field seccomp_fields[] = {
	JX_BOOL(struct features_seccomp, enabled, "enabled"),
	JX_STRS(struct features_seccomp, actions, "actions"),
	JX_STRS(struct features_seccomp, operators, "operators"),
	JX_STRS(struct features_seccomp, archs, "archs"),
	JX_STRS(struct features_seccomp, known_flags, "knownFlags"),
	JX_STRS(struct features_seccomp, supported_flags, "supportedFlags"),
	JX_END,
};

static const struct jx_field rdt_fields[] = {
	JX_BOOL(struct features_rdt, enabled, "enabled"),
	JX_BOOL(struct features_rdt, schemata, "schemata"),
	JX_BOOL(struct features_rdt, monitoring, "monitoring"),
	JX_END,
};

static const struct jx_field memory_policy_fields[] = {
	JX_STRS(struct features_memory_policy, modes, "modes"),
	JX_STRS(struct features_memory_policy, flags, "flags"),
	JX_END,
};

static const struct jx_field mount_extensions_fields[] = {
	JX_OBJ(struct features_mount_extensions, idmap, "idmap", struct features_switch, switch_fields),
	JX_END,
};

static const struct jx_field linux_fields[] = {
	JX_STRS(struct features_linux, namespaces, "namespaces"),
	JX_STRS(struct features_linux, capabilities, "capabilities"),
	JX_OBJ(struct features_linux, cgroup, "cgroup", struct features_cgroup, cgroup_fields),
	JX_OBJ(struct features_linux, seccomp, "seccomp", struct features_seccomp, seccomp_fields),
	JX_OBJ(struct features_linux, apparmor, "apparmor", struct features_switch, switch_fields),
	JX_OBJ(struct features_linux, selinux, "selinux", struct features_switch, switch_fields),
	JX_OBJ(struct features_linux, intel_rdt, "intelRdt", struct features_rdt, rdt_fields),
	JX_OBJ(struct features_linux, memory_policy, "memoryPolicy", struct features_memory_policy,
	       memory_policy_fields),
	JX_OBJ(struct features_linux, mount_extensions, "mountExtensions", struct features_mount_extensions,
	       mount_extensions_fields),
	JX_OBJ(struct features_linux, net_devices, "netDevices", struct features_switch, switch_fields),
	JX_END,
};

const struct jx_field features_fields[] = {
	JX_STR(struct features, version_min, "ociVersionMin"),
	JX_STR(struct features, version_max, "ociVersionMax"),
	JX_STRS(struct features, hooks, "hooks"),
	JX_STRS(struct features, mount_options, "mountOptions"),
	JX_OBJ(struct features, linux_, "linux", struct features_linux, linux_fields),
	JX_PAIRS(struct features, annotations, "annotations"),
	JX_STRS(struct features, unsafe, "potentiallyUnsafeConfigAnnotations"),
	JX_END,
};
