/* SPDX-License-Identifier: Apache-2.0 */
/* See words.h. Where the headers of Debian 12 lack a number, it is written out with its kernel version. */
#include "spec/words.h"

#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <time.h>

#include "spec/spec.h"

/* clang-format off: rows of tables */

/* namespaces(7) */
const struct jx_word spec_namespace_words[] = {
	{ "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC },   { "mount", CLONE_NEWNS },
	{ "network", CLONE_NEWNET },   { "pid", CLONE_NEWPID },   { "time", CLONE_NEWTIME },
	{ "user", CLONE_NEWUSER },     { "uts", CLONE_NEWUTS },   { 0 },
};

/* getrlimit(2) */
const struct jx_word spec_rlimit_words[] = {
	{ "RLIMIT_AS", RLIMIT_AS },             { "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },           { "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },       { "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },   { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },         { "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },       { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },     { "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
	{ 0 },
};

/* sched(7) */
const struct jx_word spec_sched_policy_words[] = {
	{ "SCHED_OTHER", SCHED_OTHER }, { "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },       { "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", 4 /* reserved by the kernel, which answers EINVAL */ },
	{ "SCHED_IDLE", SCHED_IDLE },   { "SCHED_DEADLINE", SCHED_DEADLINE },
	{ 0 },
};

/* sched_setattr(2), linux/sched.h */
const struct jx_word spec_sched_flag_words[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ 0 },
};

/* ioprio_set(2) */
const struct jx_word spec_io_class_words[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ 0 },
};

/* mount_namespaces(7). The r-words are not in the spec, but callers send them. */
const struct jx_word spec_propagation_words[] = {
	{ "shared", MS_SHARED },   { "rshared", MS_SHARED | MS_REC },
	{ "slave", MS_SLAVE },     { "rslave", MS_SLAVE | MS_REC },
	{ "private", MS_PRIVATE }, { "rprivate", MS_PRIVATE | MS_REC },
	{ "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
	{ 0 },
};

/* personality(2) */
const struct jx_word spec_domain_words[] = {
	{ "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 }, { 0 },
};

/* set_mempolicy(2) */
const struct jx_word spec_policy_mode_words[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },       { "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE }, { "MPOL_WEIGHTED_INTERLEAVE", 6 /* Linux 6.9 */ },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },   { "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_LOCAL", MPOL_LOCAL },           { 0 },
};

const struct jx_word spec_policy_flag_words[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ 0 },
};

const struct jx_word spec_device_words[] = {
	{ "c", 'c' }, { "b", 'b' }, { "u", 'u' }, { "p", 'p' }, { 0 },
};

const struct jx_word spec_device_rule_words[] = {
	{ "a", 'a' }, { "b", 'b' }, { "c", 'c' }, { 0 },
};

/* runtime-spec config-linux.md "Seccomp" */
const struct jx_word spec_action_words[] = {
	{ "SCMP_ACT_ALLOW", SPEC_ACT_ALLOW },     { "SCMP_ACT_ERRNO", SPEC_ACT_ERRNO },
	{ "SCMP_ACT_KILL", SPEC_ACT_KILL_THREAD }, { "SCMP_ACT_KILL_PROCESS", SPEC_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SPEC_ACT_KILL_THREAD }, { "SCMP_ACT_LOG", SPEC_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", SPEC_ACT_NOTIFY },   { "SCMP_ACT_TRACE", SPEC_ACT_TRACE },
	{ "SCMP_ACT_TRAP", SPEC_ACT_TRAP },       { 0 },
};

const struct jx_word spec_compare_words[] = {
	{ "SCMP_CMP_EQ", SPEC_CMP_EQ }, { "SCMP_CMP_GE", SPEC_CMP_GE },
	{ "SCMP_CMP_GT", SPEC_CMP_GT }, { "SCMP_CMP_LE", SPEC_CMP_LE },
	{ "SCMP_CMP_LT", SPEC_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SPEC_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SPEC_CMP_NE }, { 0 },
};

/* seccomp(2) */
const struct jx_word spec_filter_flag_words[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ 0 },
};

const struct jx_word spec_arch_words[] = {
	{ "SCMP_ARCH_AARCH64", 1 },     { "SCMP_ARCH_ARM", 2 },         { "SCMP_ARCH_LOONGARCH64", 3 },
	{ "SCMP_ARCH_M68K", 4 },        { "SCMP_ARCH_MIPS", 5 },        { "SCMP_ARCH_MIPS64", 6 },
	{ "SCMP_ARCH_MIPS64N32", 7 },   { "SCMP_ARCH_MIPSEL", 8 },      { "SCMP_ARCH_MIPSEL64", 9 },
	{ "SCMP_ARCH_MIPSEL64N32", 10 }, { "SCMP_ARCH_PARISC", 11 },    { "SCMP_ARCH_PARISC64", 12 },
	{ "SCMP_ARCH_PPC", 13 },        { "SCMP_ARCH_PPC64", 14 },      { "SCMP_ARCH_PPC64LE", 15 },
	{ "SCMP_ARCH_RISCV64", 16 },    { "SCMP_ARCH_S390", 17 },       { "SCMP_ARCH_S390X", 18 },
	{ "SCMP_ARCH_SH", 19 },         { "SCMP_ARCH_SHEB", 20 },       { "SCMP_ARCH_X32", 21 },
	{ "SCMP_ARCH_X86", 22 },        { "SCMP_ARCH_X86_64", 23 },     { 0 },
};

/* capabilities(7), linux/capability.h */
const struct jx_word spec_capability_words[] = {
	{ "CAP_CHOWN", CAP_CHOWN },
	{ "CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE },
	{ "CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH },
	{ "CAP_FOWNER", CAP_FOWNER },
	{ "CAP_FSETID", CAP_FSETID },
	{ "CAP_KILL", CAP_KILL },
	{ "CAP_SETGID", CAP_SETGID },
	{ "CAP_SETUID", CAP_SETUID },
	{ "CAP_SETPCAP", CAP_SETPCAP },
	{ "CAP_LINUX_IMMUTABLE", CAP_LINUX_IMMUTABLE },
	{ "CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE },
	{ "CAP_NET_BROADCAST", CAP_NET_BROADCAST },
	{ "CAP_NET_ADMIN", CAP_NET_ADMIN },
	{ "CAP_NET_RAW", CAP_NET_RAW },
	{ "CAP_IPC_LOCK", CAP_IPC_LOCK },
	{ "CAP_IPC_OWNER", CAP_IPC_OWNER },
	{ "CAP_SYS_MODULE", CAP_SYS_MODULE },
	{ "CAP_SYS_RAWIO", CAP_SYS_RAWIO },
	{ "CAP_SYS_CHROOT", CAP_SYS_CHROOT },
	{ "CAP_SYS_PTRACE", CAP_SYS_PTRACE },
	{ "CAP_SYS_PACCT", CAP_SYS_PACCT },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
	{ "CAP_SYS_BOOT", CAP_SYS_BOOT },
	{ "CAP_SYS_NICE", CAP_SYS_NICE },
	{ "CAP_SYS_RESOURCE", CAP_SYS_RESOURCE },
	{ "CAP_SYS_TIME", CAP_SYS_TIME },
	{ "CAP_SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG },
	{ "CAP_MKNOD", CAP_MKNOD },
	{ "CAP_LEASE", CAP_LEASE },
	{ "CAP_AUDIT_WRITE", CAP_AUDIT_WRITE },
	{ "CAP_AUDIT_CONTROL", CAP_AUDIT_CONTROL },
	{ "CAP_SETFCAP", CAP_SETFCAP },
	{ "CAP_MAC_OVERRIDE", CAP_MAC_OVERRIDE },
	{ "CAP_MAC_ADMIN", CAP_MAC_ADMIN },
	{ "CAP_SYSLOG", CAP_SYSLOG },
	{ "CAP_WAKE_ALARM", CAP_WAKE_ALARM },
	{ "CAP_BLOCK_SUSPEND", CAP_BLOCK_SUSPEND },
	{ "CAP_AUDIT_READ", CAP_AUDIT_READ },
	{ "CAP_PERFMON", CAP_PERFMON },
	{ "CAP_BPF", CAP_BPF },
	{ "CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE },
	{ 0 },
};

/* time_namespaces(7) */
const struct jx_word spec_clock_words[] = {
	{ "monotonic", CLOCK_MONOTONIC }, { "boottime", CLOCK_BOOTTIME }, { 0 },
};
