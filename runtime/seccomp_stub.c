/* SPDX-License-Identifier: Apache-2.0 */
/* See seccomp_stub.h. */
#include "runtime/seccomp_stub.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

/*
 * Numbers from `from` up to `to` are system calls; what lies beyond belongs to another architecture of the same
 * AUDIT_ARCH_* (x32 is x86_64 with bit 30 set), is the processor family's own (arm), or is a tracer's -1.
 */
struct numbers {
	uint32_t audit, from, to;
};

static struct numbers numbers_of(uint32_t arch)
{
	switch (arch) {
	case SCMP_ARCH_X86_64:
		return (struct numbers){ AUDIT_ARCH_X86_64, 0, 0x40000000 };
	case SCMP_ARCH_X32:
		return (struct numbers){ AUDIT_ARCH_X86_64, 0x40000000, 0x80000000 };
	case SCMP_ARCH_ARM:
		return (struct numbers){ arch, 0, 0x0f0000 };
	default:
		return (struct numbers){ arch, 0, 0x80000000 };
	}
}

static bool is_wanted(const struct spec_seccomp *s)
{
	switch (s->default_action) {
	case SPEC_ACT_ERRNO:
		return !s->default_errno_ret.has || s->default_errno_ret.v != ENOSYS;
	case SPEC_ACT_KILL_THREAD:
	case SPEC_ACT_KILL_PROCESS:
	case SPEC_ACT_TRAP:
		return true;
	default:
		return false;
	}
}

/* The highest number that a rule names; -1: none. Names that the architecture does not have resolve below 0. */
static int64_t last_of(const struct spec_seccomp *s, uint32_t arch, const struct numbers *n)
{
	int64_t last = -1;
	for (size_t i = 0; i < s->syscalls.n; i++)
		for (size_t k = 0; k < s->syscalls.v[i].names.n; k++) {
			int nr = seccomp_syscall_resolve_name_arch(arch, s->syscalls.v[i].names.v[k]);
			if (nr >= 0 && (uint32_t)nr >= n->from && (uint32_t)nr < n->to && nr > last)
				last = nr;
		}
	return last;
}

/*
 * On s390 a number that does not fit into the instruction is looked up elsewhere, and shows as 0 when the kernel does
 * not know it; setup(2), which 0 once was, is long gone.
 */
static bool has_zero_for_unknown(uint32_t arch)
{
	return arch == SCMP_ARCH_S390 || arch == SCMP_ARCH_S390X;
}

size_t seccomp_stub(const struct spec_seccomp *s, const uint32_t *archs, size_t arch_count, struct sock_filter *out)
{
	size_t n = 0;
	for (size_t i = 0; i < arch_count && is_wanted(s) && n + 7 <= SECCOMP_STUB_MAX; i++) {
		const struct numbers nr = numbers_of(archs[i]);
		int64_t last = last_of(s, archs[i], &nr);
		if (last < 0)
			continue;
		bool is_zero = has_zero_for_unknown(archs[i]);
		unsigned char rest = is_zero ? 5 : 4;
		out[n++] =
			(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr.audit, 0, rest);
		out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
		if (is_zero)
			out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 0, 2);
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, nr.to, 1, 0);
		out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	}
	return n;
}
