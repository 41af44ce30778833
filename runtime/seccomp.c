/* SPDX-License-Identifier: Apache-2.0 */
/* See seccomp.h. */
#include "runtime/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/seccomp_cache.h"
#include "runtime/seccomp_stub.h"
#include "runtime/seccomp_tree.h"
#include "spec/arch.h"
#include "spec/words.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"

static void ctx_release(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static const uint32_t actions[] = {
	[SPEC_ACT_KILL_THREAD] = SCMP_ACT_KILL_THREAD, [SPEC_ACT_KILL_PROCESS] = SCMP_ACT_KILL_PROCESS,
	[SPEC_ACT_TRAP] = SCMP_ACT_TRAP, [SPEC_ACT_ALLOW] = SCMP_ACT_ALLOW, [SPEC_ACT_LOG] = SCMP_ACT_LOG,
	[SPEC_ACT_NOTIFY] = SCMP_ACT_NOTIFY,
};

static const enum scmp_compare compares[] = {
	[SPEC_CMP_NE] = SCMP_CMP_NE, [SPEC_CMP_LT] = SCMP_CMP_LT, [SPEC_CMP_LE] = SCMP_CMP_LE,
	[SPEC_CMP_EQ] = SCMP_CMP_EQ, [SPEC_CMP_GE] = SCMP_CMP_GE, [SPEC_CMP_GT] = SCMP_CMP_GT,
	[SPEC_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static uint32_t action_of(int action, const struct opt_u32 *errno_ret)
{
	uint32_t num = errno_ret->has ? errno_ret->v : EPERM;
	if (action == SPEC_ACT_ERRNO)
		return SCMP_ACT_ERRNO(num);
	if (action == SPEC_ACT_TRACE)
		return SCMP_ACT_TRACE(num);
	return actions[action];
}

static int add_archs(scmp_filter_ctx ctx, const struct spec_seccomp *s, struct err *e)
{
	for (size_t i = 0; i < s->architectures.n; i++) {
		const char *word = s->architectures.v[i];
		uint32_t arch = spec_arch_number(word);
		int r = arch ? seccomp_arch_add(ctx, arch) : -EINVAL;
		if (r == -EDOM)
			return err_new(e, EINVAL, "linux.seccomp.architectures[%zu] %s: its byte order is not this "
				       "machine's, so no filter can be for both", i, word);
		if (r < 0 && r != -EEXIST)
			return err_ret(e, r, "linux.seccomp.architectures[%zu] %s", i, word);
	}
	return 0;
}

static struct scmp_arg_cmp arg_of(const struct spec_syscall_arg *a)
{
	struct scmp_arg_cmp c = { .arg = a->index.v, .op = compares[a->op], .datum_a = a->value.v,
				  .datum_b = a->value_two.v };
	return c;
}

/*
 * libseccomp takes one comparison per argument and rule. Two of them on the same argument cannot be and-ed: each
 * becomes a rule of its own, as runc and crun do.
 */
static bool has_same_index(const struct spec_syscall_args *args)
{
	for (size_t i = 0; i < args->n; i++)
		for (size_t k = i + 1; k < args->n; k++)
			if (args->v[i].index.v == args->v[k].index.v)
				return true;
	return false;
}

static int add_rule(scmp_filter_ctx ctx, uint32_t action, int nr, const struct spec_syscall_args *args)
{
	struct scmp_arg_cmp cmp[6];
	if (!has_same_index(args)) {
		size_t n = args->n < 6 ? args->n : 6;
		for (size_t i = 0; i < n; i++)
			cmp[i] = arg_of(&args->v[i]);
		return seccomp_rule_add_array(ctx, action, nr, (unsigned)n, cmp);
	}
	int r = 0;
	for (size_t i = 0; i < args->n && r == 0; i++) {
		cmp[0] = arg_of(&args->v[i]);
		r = seccomp_rule_add_array(ctx, action, nr, 1, cmp);
	}
	return r;
}

int seccomp_all_known(const struct spec_seccomp *s, struct err *e)
{
	for (size_t i = 0; i < s->syscalls.n; i++)
		for (size_t k = 0; k < s->syscalls.v[i].names.n; k++)
			if (seccomp_syscall_resolve_name(s->syscalls.v[i].names.v[k]) == __NR_SCMP_ERROR)
				return err_new(e, EINVAL, "linux.seccomp.syscalls[%zu].names[%zu]: %s is no system call that is "
					       "known here", i, k, s->syscalls.v[i].names.v[k]);
	return 0;
}

static int add_syscalls(scmp_filter_ctx ctx, const struct spec_seccomp *s, uint32_t default_action, struct err *e)
{
	for (size_t i = 0; i < s->syscalls.n; i++) {
		const struct spec_syscall *rule = &s->syscalls.v[i];
		uint32_t action = action_of(rule->action, &rule->errno_ret);
		if (action == default_action)
			continue;
		for (size_t k = 0; k < rule->names.n; k++) {
			int nr = seccomp_syscall_resolve_name(rule->names.v[k]);
			if (nr == __NR_SCMP_ERROR) {
				log_debug("linux.seccomp.syscalls[%zu].names[%zu]: %s is not known here; left out", i, k,
					  rule->names.v[k]);
				continue;
			}
			int r = add_rule(ctx, action, nr, &rule->args);
			/* -EDOM: the call does not exist on one of the architectures. */
			if (r < 0 && r != -EDOM)
				return err_ret(e, r, "linux.seccomp.syscalls[%zu].names[%zu] %s", i, k, rule->names.v[k]);
		}
	}
	return 0;
}

/* The architectures that libseccomp makes the filter for: the machine's own, then the config's. */
static size_t list_archs(const struct spec_seccomp *s, struct arena *a, uint32_t **ret)
{
	uint32_t *archs = arena_array(a, s->architectures.n + 1, sizeof(*archs));
	size_t n = 0;
	archs[n++] = seccomp_arch_native();
	for (size_t i = 0; i < s->architectures.n; i++) {
		uint32_t arch = spec_arch_number(s->architectures.v[i]);
		bool is_there = false;
		for (size_t k = 0; k < n; k++)
			is_there |= archs[k] == arch;
		if (!is_there)
			archs[n++] = arch;
	}
	*ret = archs;
	return n;
}

/* Appends libseccomp's program to what `ret` has already; libseccomp 2.5 exports into a descriptor only. */
static int export(scmp_filter_ctx ctx, const struct sock_filter *stub, size_t stub_len, struct arena *a,
		  struct seccomp_filter *ret, struct err *e)
{
	fd_auto int fd = memfd_create("seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "linux.seccomp: memfd");
	int r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_ret(e, r, "linux.seccomp: compile");
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "linux.seccomp: memfd");
	size_t n = (size_t)st.st_size / sizeof(struct sock_filter);
	if (st.st_size % (off_t)sizeof(struct sock_filter) || n == 0 || stub_len + n > UINT16_MAX)
		return err_new(e, E2BIG, "linux.seccomp: the compiled filter is larger than the kernel takes (%d instructions)",
			       BPF_MAXINSNS);
	struct sock_filter *code = arena_array(a, stub_len + n, sizeof(*code));
	if (stub_len)
		memcpy(code, stub, stub_len * sizeof(*code));
	if (pread(fd, code + stub_len, (size_t)st.st_size, 0) != st.st_size)
		return err_sys(e, "linux.seccomp: read the compiled filter");
	ret->code = code;
	ret->length = (unsigned short)(stub_len + n);
	return 0;
}

/* Puts the shorter program in the place of libseccomp's, if there is one. */
static bool shorten(const uint32_t *archs, size_t arch_count, struct arena *a, struct seccomp_filter *f)
{
	struct sock_filter *tree = arena_array(a, f->length, sizeof(*tree));
	size_t n = seccomp_code_is_sound(f->code, f->length) ? seccomp_tree(f->code, f->length, archs, arch_count, a, tree) : 0;
	if (n == 0)
		return false;
	f->code = tree;
	f->length = (unsigned short)n;
	return true;
}

static int compile(scmp_filter_ctx ctx, const struct spec_seccomp *s, struct arena *a, struct seccomp_filter *ret,
		   struct err *e)
{
	uint32_t *archs;
	size_t n = list_archs(s, a, &archs);
	struct sock_filter stub[SECCOMP_STUB_MAX];
	size_t stub_len = seccomp_stub(s, archs, n, stub);
	int r = export(ctx, stub, stub_len, a, ret, e);
	if (r < 0 || shorten(archs, n, a, ret) || s->syscalls.n <= 4)
		return r;
	/* libseccomp's own tree costs more to make and less at every system call than its list. seccomp_attr_set(3). */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return export(ctx, stub, stub_len, a, ret, e);
}

int seccomp_compile(const struct spec_seccomp *s, struct arena *a, struct seccomp_filter *ret, struct err *e)
{
	uint32_t default_action = action_of(s->default_action, &s->default_errno_ret);
	scmp_filter_ctx ctx __attribute__((cleanup(ctx_release))) = seccomp_init(default_action);
	if (!ctx)
		return err_new(e, EINVAL, "linux.seccomp.defaultAction: not supported by this kernel");
	int r = add_archs(ctx, s, e);
	if (r == 0)
		r = add_syscalls(ctx, s, default_action, e);
	if (r == 0)
		r = compile(ctx, s, a, ret, e);
	if (r == 0 && ret->length > BPF_MAXINSNS)
		r = err_new(e, E2BIG, "linux.seccomp: a filter of %u instructions, and the kernel takes %d", ret->length,
			    BPF_MAXINSNS);
	return r;
}

int seccomp_make(const struct spec_seccomp *s, int root, struct arena *a, struct seccomp_filter *ret, struct err *e)
{
	struct seccomp_key key;
	if (root < 0)
		return seccomp_compile(s, a, ret, e);
	seccomp_cache_key(s, a, &key);
	if (seccomp_cache_find(root, &key, a, ret) == 0)
		return 0;
	int r = seccomp_compile(s, a, ret, e);
	if (r < 0)
		return r;
	int kept = seccomp_cache_keep(root, &key, ret);
	if (kept < 0)
		log_debug("linux.seccomp: the compiled filter is not kept: %s", strerror(-kept));
	return 0;
}

bool seccomp_notifies(const struct spec_seccomp *s)
{
	bool is_used = s->default_action == SPEC_ACT_NOTIFY;
	for (size_t i = 0; i < s->syscalls.n && !is_used; i++)
		is_used = s->syscalls.v[i].action == SPEC_ACT_NOTIFY;
	return is_used;
}

/* Without a program the kernel looks at the flags only: EFAULT is its yes. seccomp(2). */
static bool has_flags(unsigned flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) == 0 || errno != EINVAL;
}

int seccomp_flags(const struct spec_seccomp *s, unsigned *ret, struct err *e)
{
	unsigned listener = seccomp_notifies(s) ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	unsigned flags = s->flags.has ? (unsigned)s->flags.v : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	/* There is one thread to be filtered, so that TSYNC has nothing to do; beside a listener it is an error. */
	if (listener)
		flags &= ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC;
	*ret = flags | listener;
	if (!s->flags.v || has_flags(*ret))
		return 0;
	for (const struct jx_word *w = spec_filter_flag_words; w->name; w++)
		if ((flags & (uint64_t)w->value) && !has_flags((unsigned)w->value | listener))
			return err_new(e, EINVAL, "linux.seccomp.flags: this kernel does not have %s", w->name);
	return err_new(e, EINVAL, "linux.seccomp.flags: this kernel does not take them together");
}

static bool lets_pass(int action)
{
	return action == SPEC_ACT_ALLOW || action == SPEC_ACT_LOG;
}

bool seccomp_allows(const struct spec_seccomp *s, const char *name)
{
	bool is_allowed = lets_pass(s->default_action);
	for (size_t i = 0; i < s->syscalls.n; i++)
		for (size_t k = 0; k < s->syscalls.v[i].names.n; k++) {
			if (strcmp(s->syscalls.v[i].names.v[k], name) != 0)
				continue;
			if (!lets_pass(s->syscalls.v[i].action))
				return false;
			is_allowed |= s->syscalls.v[i].args.n == 0;
		}
	return is_allowed;
}
