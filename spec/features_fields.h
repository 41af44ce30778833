/* SPDX-License-Identifier: Apache-2.0 */
/* The features document as C and its rows. For spec/features.c alone. */
#pragma once
#include "util/jx.h"

struct features_switch {
	struct opt_bool enabled;
};

struct features_cgroup {
	struct opt_bool v1, v2, systemd, systemd_user, rdma;
};

struct features_seccomp {
	struct opt_bool enabled;
	struct strs actions, operators, archs, known_flags, supported_flags;
};

struct features_rdt {
	struct opt_bool enabled, schemata, monitoring;
};

struct features_memory_policy {
	struct strs modes, flags;
};

struct features_mount_extensions {
	struct features_switch *idmap;
};

struct features_linux {
	struct strs namespaces;
	struct strs capabilities;
	struct features_cgroup *cgroup;
	struct features_seccomp *seccomp;
	struct features_switch *apparmor;
	struct features_switch *selinux;
	struct features_rdt *intel_rdt;
	struct features_memory_policy *memory_policy;
	struct features_mount_extensions *mount_extensions;
	struct features_switch *net_devices;
};

struct features {
	const char *version_min, *version_max;
	struct strs hooks;
	struct strs mount_options;
	struct features_linux *linux_;
	struct pairs annotations;
	struct strs unsafe;
};

extern const struct jx_field features_fields[];
