/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the process object. Source: runtime-spec config.md "Process", "POSIX process", "Linux Process". */
#include "spec/fields.h"
#include "spec/spec.h"
#include "spec/words.h"

static const struct jx_field console_size_fields[] = {
	JX_U32(struct spec_console_size, height, "height", .must = true),
	JX_U32(struct spec_console_size, width, "width", .must = true),
	JX_END,
};

static const struct jx_field user_fields[] = {
	JX_U32(struct spec_user, uid, "uid", .must = true),
	JX_U32(struct spec_user, gid, "gid", .must = true),
	JX_U32(struct spec_user, umask, "umask"),
	JX_U32S(struct spec_user, additional_gids, "additionalGids"),
	JX_SKIP("username"),
	JX_END,
};

static const struct jx_field rlimit_fields[] = {
	JX_ENUM(struct spec_rlimit, type, "type", spec_rlimit_words, .must = true),
	JX_U64(struct spec_rlimit, soft, "soft", .must = true),
	JX_U64(struct spec_rlimit, hard, "hard", .must = true),
	JX_END,
};

static const struct jx_field capabilities_fields[] = {
	JX_STRS(struct spec_capabilities, bounding, "bounding"),
	JX_STRS(struct spec_capabilities, effective, "effective"),
	JX_STRS(struct spec_capabilities, inheritable, "inheritable"),
	JX_STRS(struct spec_capabilities, permitted, "permitted"),
	JX_STRS(struct spec_capabilities, ambient, "ambient"),
	JX_END,
};

static const struct jx_field scheduler_fields[] = {
	JX_ENUM(struct spec_scheduler, policy, "policy", spec_sched_policy_words, .must = true),
	JX_I32(struct spec_scheduler, nice, "nice"),
	JX_I32(struct spec_scheduler, priority, "priority"),
	JX_FLAGS(struct spec_scheduler, flags, "flags", spec_sched_flag_words),
	JX_U64(struct spec_scheduler, runtime, "runtime"),
	JX_U64(struct spec_scheduler, deadline, "deadline"),
	JX_U64(struct spec_scheduler, period, "period"),
	JX_END,
};

static const struct jx_field io_priority_fields[] = {
	JX_ENUM(struct spec_io_priority, io_class, "class", spec_io_class_words, .must = true),
	JX_I32(struct spec_io_priority, priority, "priority", .must = true),
	JX_END,
};

static const struct jx_field cpu_affinity_fields[] = {
	JX_STR(struct spec_cpu_affinity, initial, "initial", .blank = true),
	JX_STR(struct spec_cpu_affinity, final, "final", .blank = true),
	JX_END,
};

const struct jx_field spec_process_fields[] = {
	JX_BOOL(struct spec_process, terminal, "terminal"),
	JX_OBJ(struct spec_process, console_size, "consoleSize", struct spec_console_size,
	       console_size_fields),
	JX_STR(struct spec_process, cwd, "cwd", .must = true),
	JX_STRS(struct spec_process, env, "env"),
	JX_STRS(struct spec_process, args, "args", .must = true),
	JX_OBJ(struct spec_process, user, "user", struct spec_user, user_fields),
	JX_LIST(struct spec_process, rlimits, "rlimits", struct spec_rlimit, rlimit_fields),
	JX_OBJ(struct spec_process, capabilities, "capabilities", struct spec_capabilities,
	       capabilities_fields),
	JX_BOOL(struct spec_process, no_new_privileges, "noNewPrivileges"),
	JX_I32(struct spec_process, oom_score_adj, "oomScoreAdj"),
	JX_OBJ(struct spec_process, scheduler, "scheduler", struct spec_scheduler, scheduler_fields),
	JX_OBJ(struct spec_process, io_priority, "ioPriority", struct spec_io_priority, io_priority_fields),
	JX_OBJ(struct spec_process, exec_cpu_affinity, "execCPUAffinity", struct spec_cpu_affinity,
	       cpu_affinity_fields),
	JX_STR(struct spec_process, apparmor_profile, "apparmorProfile", .blank = true),
	JX_STR(struct spec_process, selinux_label, "selinuxLabel", .blank = true),
	JX_SKIP("commandLine"),
	JX_END,
};
