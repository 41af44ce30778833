/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json as C: every key of the OCI runtime-spec 1.3.0 that concerns Linux. Only data; spec/load.h
 * fills it, spec/check.h judges it, and from then on it is const.
 *
 * Absent optional scalars have `has` false and v 0; absent strings and objects are NULL; absent lists have
 * n 0. All strings and lists are borrowed from `struct spec.arena`. Numbers of words are those of the
 * kernel where it has one (CLONE_NEW*, RLIMIT_*, SCHED_*, MPOL_*, MS_*), else the enums below; 0 is
 * "absent" where the key is optional.
 */
#pragma once
#include <stdint.h>
#include "util/arena.h"
#include "util/jx.h"

/* Declares `struct NAME`: a list of `struct ELEMENT`, n of them at v. */
#define SPEC_LIST(NAME, ELEMENT)      \
	struct NAME {                 \
		struct ELEMENT *v;    \
		size_t n;             \
	}

/* ---- config.md ---- */

struct spec_root {
	const char *path;          /* absolute, or relative to the bundle */
	struct opt_bool readonly;
};

struct spec_id_map {
	struct opt_u32 container_id;
	struct opt_u32 host_id;
	struct opt_u32 size;
};
SPEC_LIST(spec_id_maps, spec_id_map);

struct spec_mount {
	const char *destination;
	const char *type;
	const char *source;        /* a bind's relative source starts at the bundle */
	struct strs options;       /* words: spec/mountopt.h */
	struct spec_id_maps uid_mappings;
	struct spec_id_maps gid_mappings;
};
SPEC_LIST(spec_mounts, spec_mount);

struct spec_console_size {
	struct opt_u32 height;
	struct opt_u32 width;
};

struct spec_user {
	struct opt_u32 uid;        /* required, v is enough */
	struct opt_u32 gid;
	struct opt_u32 umask;
	struct u32s additional_gids;
};

struct spec_rlimit {
	int type;                  /* RLIMIT_* of getrlimit(2) */
	struct opt_u64 soft;       /* UINT64_MAX: unlimited */
	struct opt_u64 hard;
};
SPEC_LIST(spec_rlimits, spec_rlimit);

struct spec_capabilities {
	struct strs bounding;      /* "CAP_..." as written; unknown ones are worth a warning, no more */
	struct strs effective;
	struct strs inheritable;
	struct strs permitted;
	struct strs ambient;
};

struct spec_scheduler {
	int policy;                /* SCHED_* of sched(7) */
	struct opt_i32 nice;
	struct opt_i32 priority;
	struct opt_u64 flags;      /* SCHED_FLAG_* of sched_setattr(2), or-ed */
	struct opt_u64 runtime;    /* nanoseconds */
	struct opt_u64 deadline;
	struct opt_u64 period;
};

struct spec_io_priority {
	int io_class;              /* 1 real time, 2 best effort, 3 idle: IOPRIO_CLASS_* of ioprio_set(2) */
	struct opt_i32 priority;
};

struct spec_cpu_affinity {
	const char *initial;       /* list of CPUs: "0-3,7" */
	const char *final;
};

struct spec_process {
	struct opt_bool terminal;
	struct spec_console_size *console_size;
	const char *cwd;
	struct strs env;
	struct strs args;
	struct spec_user *user;    /* NULL: 0:0 and no more groups */
	struct spec_rlimits rlimits;
	struct spec_capabilities *capabilities;
	struct opt_bool no_new_privileges;
	struct opt_i32 oom_score_adj;
	struct spec_scheduler *scheduler;
	struct spec_io_priority *io_priority;
	struct spec_cpu_affinity *exec_cpu_affinity;
	const char *apparmor_profile;
	const char *selinux_label;
};

struct spec_hook {
	const char *path;
	struct strs args;
	struct strs env;
	struct opt_i64 timeout;    /* seconds */
};
SPEC_LIST(spec_hook_list, spec_hook);

struct spec_hooks {
	struct spec_hook_list prestart;
	struct spec_hook_list create_runtime;
	struct spec_hook_list create_container;
	struct spec_hook_list start_container;
	struct spec_hook_list poststart;
	struct spec_hook_list poststop;
};

/* ---- config-linux.md ---- */

struct spec_namespace {
	int kind;                  /* one CLONE_NEW* bit */
	const char *path;          /* NULL: a new one */
};
SPEC_LIST(spec_namespaces, spec_namespace);

struct spec_time_offset {
	const char *key;           /* "monotonic" or "boottime" */
	struct opt_i64 secs;
	struct opt_u32 nanosecs;
};
SPEC_LIST(spec_time_offsets, spec_time_offset);

struct spec_device {
	int type;                  /* 'c', 'b', 'u' (same as c) or 'p' (fifo) */
	const char *path;
	struct opt_i64 major;
	struct opt_i64 minor;
	struct opt_u32 file_mode;
	struct opt_u32 uid;
	struct opt_u32 gid;
};
SPEC_LIST(spec_devices, spec_device);

struct spec_net_device {
	const char *key;           /* name on the host */
	const char *name;          /* name in the container; NULL: the same */
};
SPEC_LIST(spec_net_devices, spec_net_device);

struct spec_personality {
	int domain;                /* PER_LINUX or PER_LINUX32 of personality(2) */
	struct strs flags;
};

struct spec_intel_rdt {
	const char *clos_id;
	struct strs schemata;
	const char *l3_cache_schema;
	const char *mem_bw_schema;
	struct opt_bool enable_monitoring;
};

struct spec_memory_policy {
	int mode;                  /* MPOL_* of set_mempolicy(2) */
	const char *nodes;         /* list of nodes: "0-3,7" */
	struct opt_u64 flags;      /* MPOL_F_*, or-ed */
};

/* ---- config-linux.md, "Seccomp" ---- */

enum spec_action {
	SPEC_ACT_KILL_THREAD = 1,  /* SCMP_ACT_KILL is this one too */
	SPEC_ACT_KILL_PROCESS,
	SPEC_ACT_TRAP,
	SPEC_ACT_ERRNO,
	SPEC_ACT_TRACE,
	SPEC_ACT_ALLOW,
	SPEC_ACT_LOG,
	SPEC_ACT_NOTIFY,
};

enum spec_compare {
	SPEC_CMP_NE = 1,
	SPEC_CMP_LT,
	SPEC_CMP_LE,
	SPEC_CMP_EQ,
	SPEC_CMP_GE,
	SPEC_CMP_GT,
	SPEC_CMP_MASKED_EQ,        /* value is the mask, value_two what must be left */
};

struct spec_syscall_arg {
	struct opt_u32 index;      /* 0 to 5 */
	struct opt_u64 value;
	struct opt_u64 value_two;
	int op;                    /* enum spec_compare */
};
SPEC_LIST(spec_syscall_args, spec_syscall_arg);

struct spec_syscall {
	struct strs names;
	int action;                /* enum spec_action */
	struct opt_u32 errno_ret;
	struct spec_syscall_args args;
};
SPEC_LIST(spec_syscalls, spec_syscall);

struct spec_seccomp {
	int default_action;        /* enum spec_action */
	struct opt_u32 default_errno_ret;
	struct strs architectures; /* "SCMP_ARCH_..." */
	struct opt_u64 flags;      /* SECCOMP_FILTER_FLAG_* or-ed; absent or null: SPEC_ALLOW; []: none */
	const char *listener_path;
	const char *listener_metadata;
	struct spec_syscalls syscalls;
};

/* ---- config-linux.md, "Control groups" ---- */

struct spec_device_rule {
	struct opt_bool allow;
	int type;                  /* 'a', 'b' or 'c'; 0: absent, which is 'a' */
	struct opt_i64 major;      /* absent or -1: any */
	struct opt_i64 minor;
	const char *access;        /* of r, w, m; NULL: all */
};
SPEC_LIST(spec_device_rules, spec_device_rule);

struct spec_memory {
	struct opt_i64 limit;      /* bytes; -1: no limit */
	struct opt_i64 reservation;
	struct opt_i64 swap;       /* bytes of memory and swap together */
	struct opt_i64 kernel;
	struct opt_i64 kernel_tcp;
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer;
	struct opt_bool use_hierarchy;
	struct opt_bool check_before_update;
};

struct spec_cpu {
	struct opt_u64 shares;     /* as cgroup v1 counts: 2 to 262144; 0: unset */
	struct opt_i64 quota;      /* microseconds per period; <= 0: no limit */
	struct opt_u64 burst;
	struct opt_u64 period;
	struct opt_i64 realtime_runtime;
	struct opt_u64 realtime_period;
	const char *cpus;
	const char *mems;
	struct opt_i64 idle;
};

struct spec_pids {
	struct opt_i64 limit;      /* -1: no limit; 0 is a limit */
};

struct spec_weight_device {
	struct opt_i64 major;
	struct opt_i64 minor;
	struct opt_u32 weight;
	struct opt_u32 leaf_weight;
};
SPEC_LIST(spec_weight_devices, spec_weight_device);

struct spec_throttle_device {
	struct opt_i64 major;
	struct opt_i64 minor;
	struct opt_u64 rate;       /* bytes or operations per second */
};
SPEC_LIST(spec_throttle_devices, spec_throttle_device);

struct spec_block_io {
	struct opt_u32 weight;     /* 10 to 1000; 0: unset */
	struct opt_u32 leaf_weight;
	struct spec_weight_devices weight_device;
	struct spec_throttle_devices throttle_read_bps;
	struct spec_throttle_devices throttle_write_bps;
	struct spec_throttle_devices throttle_read_iops;
	struct spec_throttle_devices throttle_write_iops;
};

struct spec_hugepage {
	const char *page_size;     /* "2MB" */
	struct opt_u64 limit;      /* bytes */
};
SPEC_LIST(spec_hugepages, spec_hugepage);

struct spec_priority {
	const char *name;
	struct opt_u32 priority;
};
SPEC_LIST(spec_priorities, spec_priority);

struct spec_network {
	struct opt_u32 class_id;
	struct spec_priorities priorities;
};

struct spec_rdma {
	const char *key;           /* device name */
	struct opt_u32 hca_handles;
	struct opt_u32 hca_objects;
};
SPEC_LIST(spec_rdmas, spec_rdma);

struct spec_resources {
	struct spec_device_rules devices;  /* in order, the last that matches wins */
	struct spec_memory *memory;
	struct spec_cpu *cpu;
	struct spec_pids *pids;
	struct spec_block_io *block_io;
	struct spec_hugepages hugepage_limits;
	struct spec_network *network;
	struct spec_rdmas rdma;
	struct pairs unified;              /* file of cgroup v2 -> what to write */
};

struct spec_linux {
	struct spec_namespaces namespaces;
	struct spec_id_maps uid_mappings;
	struct spec_id_maps gid_mappings;
	struct spec_time_offsets time_offsets;
	struct spec_devices devices;
	struct spec_net_devices net_devices;
	const char *cgroups_path;
	int rootfs_propagation;            /* MS_SHARED and so on, with MS_REC for r-words; 0: absent */
	struct strs masked_paths;
	struct strs readonly_paths;
	const char *mount_label;
	struct spec_personality *personality;
	struct spec_intel_rdt *intel_rdt;
	struct spec_memory_policy *memory_policy;
	struct pairs sysctl;
	struct spec_seccomp *seccomp;
	struct spec_resources *resources;
};

struct spec {
	struct arena arena;                /* holds all that this struct points to */
	const char *oci_version;
	struct spec_root *root;
	struct spec_mounts mounts;
	struct spec_process *process;      /* NULL: create works, start does not */
	const char *hostname;
	const char *domainname;
	struct spec_hooks *hooks;
	struct pairs annotations;
	struct spec_linux *linux_;         /* NULL: all defaults; "linux" is a macro of gnu C */
};

/* Frees what a spec holds. */
void spec_done(struct spec *s);

#define spec_auto __attribute__((cleanup(spec_done)))

/* The value of an annotation, or NULL. */
const char *spec_annotation(const struct spec *s, const char *key);

/* The row of a namespace kind (CLONE_NEW*), or NULL when the config does not name it. */
const struct spec_namespace *spec_namespace_find(const struct spec *s, int kind);
