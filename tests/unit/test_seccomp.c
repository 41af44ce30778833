/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/seccomp*: what a compiled filter says to every number of a call, and the cache of compiled filters. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/seccomp.h"
#include "runtime/seccomp_cache.h"
#include "runtime/seccomp_stub.h"
#include "runtime/seccomp_tree.h"
#include "spec/fields.h"
#include "util/fd.h"
#include "util/mem.h"

#define EPERM_SAID (SECCOMP_RET_ERRNO | EPERM)
#define ENOSYS_SAID (SECCOMP_RET_ERRNO | ENOSYS)

static char top[] = "/tmp/kist-seccomp.XXXXXX";
static int root = -1;

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : 0;
}

static int remove_root(void **state)
{
	(void)state;
	close(root);
	return file_remove_tree(AT_FDCWD, top);
}

/* A filter from the text of linux.seccomp, with ' for ". */
static struct spec_seccomp read_filter(struct arena *a, const char *text)
{
	struct spec_seccomp s = { 0 };
	struct err e;
	char *json = arena_str(a, text);
	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	if (jx_load(json, strlen(json), "filter", spec_seccomp_fields, &s, a, NULL, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static struct seccomp_filter compile(struct arena *a, const char *text)
{
	struct spec_seccomp s = read_filter(a, text);
	struct seccomp_filter f = { 0 };
	struct err e;
	if (seccomp_compile(&s, a, &f, &e) < 0)
		fail_msg("%s", e.text);
	return f;
}

/* The kernel's machine for these programs, as far as libseccomp uses it. seccomp(2), bpf(4). */
static uint32_t judge(const struct seccomp_filter *f, uint32_t arch, uint32_t nr, uint64_t arg0)
{
	struct seccomp_data d = { .nr = (int)nr, .arch = arch, .args = { arg0 } };
	uint32_t a = 0;
	for (size_t i = 0; i < f->length; i++) {
		const struct sock_filter *c = &f->code[i];
		bool is_true = false;
		switch (c->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(c->k + sizeof(a) <= sizeof(d));
			memcpy(&a, (const char *)&d + c->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= c->k;
			continue;
		case BPF_RET | BPF_K:
			return c->k;
		case BPF_JMP | BPF_JA:
			i += c->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			is_true = a == c->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			is_true = a > c->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			is_true = a >= c->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			is_true = a & c->k;
			break;
		default:
			fail_msg("instruction %zu: unknown code %#x", i, c->code);
		}
		i += is_true ? c->jt : c->jf;
	}
	fail_msg("the program has no end");
	return 0;
}

/* ---- newer calls ---- */

#define FOUR "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86','SCMP_ARCH_X32','SCMP_ARCH_AARCH64']"
#define NAMES "'read','write','openat','openat2','faccessat2','exit_group'"
#define ALLOWED "'syscalls':[{'names':[" NAMES "],'action':'SCMP_ACT_ALLOW'}]"

static const struct {
	uint32_t arch, audit, base, end;
} machines[] = {
	{ SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0, 0x40000000 },
	{ SCMP_ARCH_X86, AUDIT_ARCH_I386, 0, 0x80000000 },
	{ SCMP_ARCH_X32, AUDIT_ARCH_X86_64, 0x40000000, 0x80000000 },
	{ SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, 0, 0x80000000 },
};

static bool is_named(uint32_t arch, uint32_t nr)
{
	static const char *const names[] = { "read", "write", "openat", "openat2", "faccessat2", "exit_group" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (seccomp_syscall_resolve_name_arch(arch, names[i]) == (int)nr)
			return true;
	return false;
}

static void newer_calls_are_missing_and_not_forbidden(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct seccomp_filter f = compile(&a, "{'defaultAction':'SCMP_ACT_ERRNO'," FOUR "," ALLOWED "}");
	for (size_t m = 0; m < ARRAY_LEN(machines); m++) {
		/* faccessat2 is the newest of them, with the same number everywhere: x32 but for its mark */
		uint32_t base = machines[m].base, last = base + 439;
		assert_int_equal(seccomp_syscall_resolve_name_arch(machines[m].arch, "faccessat2"), last);
		for (uint32_t nr = base; nr < base + 2048; nr++) {
			uint32_t want = is_named(machines[m].arch, nr) ? SECCOMP_RET_ALLOW
								       : nr > last ? ENOSYS_SAID : EPERM_SAID;
			uint32_t got = judge(&f, machines[m].audit, nr, 0);
			if (got != want)
				fail_msg("%#x %u: %#x and not %#x", machines[m].audit, nr, got, want);
		}
		assert_int_equal(judge(&f, machines[m].audit, machines[m].end - 1, 0), ENOSYS_SAID);
		/* what is no number of a call is as it was: a tracer's -1 */
		assert_int_equal(judge(&f, machines[m].audit, UINT32_MAX, 0), EPERM_SAID);
	}
}

static void other_machines_are_as_they_were(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct seccomp_filter f = compile(&a, "{'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X86_64']," ALLOWED
					      "}");
	/* libseccomp kills what comes by an architecture that is not listed; x32 shows by a bit only. */
	for (uint32_t nr = 0; nr < 1024; nr++) {
		assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, 0x40000000 + nr, 0), SECCOMP_RET_KILL);
		assert_int_equal(judge(&f, AUDIT_ARCH_I386, nr, 0), SECCOMP_RET_KILL);
		assert_int_equal(judge(&f, AUDIT_ARCH_PPC64LE, nr, 0), SECCOMP_RET_KILL);
	}
}

static void who_lets_pass_or_asks_is_left_alone(void **state)
{
	(void)state;
	static const struct {
		const char *action;
		bool is_stubbed;
	} rows[] = {
		{ "'SCMP_ACT_ERRNO'", true },
		{ "'SCMP_ACT_ERRNO','defaultErrnoRet':1", true },
		{ "'SCMP_ACT_ERRNO','defaultErrnoRet':38", false },
		{ "'SCMP_ACT_KILL'", true },
		{ "'SCMP_ACT_KILL_THREAD'", true },
		{ "'SCMP_ACT_KILL_PROCESS'", true },
		{ "'SCMP_ACT_TRAP'", true },
		{ "'SCMP_ACT_ALLOW'", false },
		{ "'SCMP_ACT_LOG'", false },
		{ "'SCMP_ACT_TRACE'", false },
		{ "'SCMP_ACT_NOTIFY'", false },
	};
	static const uint32_t archs[] = { SCMP_ARCH_X86_64 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena_auto a = { 0 };
		struct sock_filter out[SECCOMP_STUB_MAX];
		struct spec_seccomp s = read_filter(&a, arena_fmt(&a, "{'defaultAction':%s," ALLOWED "}", rows[i].action));
		if ((seccomp_stub(&s, archs, 1, out) > 0) != rows[i].is_stubbed)
			fail_msg("%s", rows[i].action);
	}
}

static void without_names_there_is_no_newest(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct sock_filter out[SECCOMP_STUB_MAX];
	static const uint32_t archs[] = { SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64 };
	struct spec_seccomp none = read_filter(&a, "{'defaultAction':'SCMP_ACT_KILL'}");
	assert_int_equal(seccomp_stub(&none, archs, 2, out), 0);
	struct spec_seccomp unknown = read_filter(
		&a, "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['no_such_call'],'action':'SCMP_ACT_ALLOW'}]}");
	assert_int_equal(seccomp_stub(&unknown, archs, 2, out), 0);
	/* a call of one machine alone */
	struct spec_seccomp one = read_filter(
		&a, "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['iopl'],'action':'SCMP_ACT_ALLOW'}]}");
	assert_true(seccomp_stub(&one, archs, 1, out) > 0);
	assert_int_equal(seccomp_stub(&one, archs + 1, 1, out), 0);
}

/* arm has calls of the processor family far above all others, s390 shows what it does not know as 0. */
static void odd_numbers_of_machines(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct sock_filter out[SECCOMP_STUB_MAX + 1];
	struct spec_seccomp s = read_filter(&a, "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['read','cacheflush',"
						"'set_tls'],'action':'SCMP_ACT_ALLOW'}]}");
	static const uint32_t arm[] = { SCMP_ARCH_ARM }, s390[] = { SCMP_ARCH_S390X };
	size_t n = seccomp_stub(&s, arm, 1, out);
	out[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct seccomp_filter f = { .code = out, .length = (unsigned short)(n + 1) };
	assert_int_equal(judge(&f, AUDIT_ARCH_ARM, 3, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(judge(&f, AUDIT_ARCH_ARM, 4, 0), ENOSYS_SAID);
	assert_int_equal(judge(&f, AUDIT_ARCH_ARM, 0x0f0002, 0), SECCOMP_RET_ALLOW);
	n = seccomp_stub(&s, s390, 1, out);
	out[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f.length = (unsigned short)(n + 1);
	assert_int_equal(judge(&f, AUDIT_ARCH_S390X, 0, 0), ENOSYS_SAID);
	assert_int_equal(judge(&f, AUDIT_ARCH_S390X, 3, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(judge(&f, AUDIT_ARCH_S390X, 4, 0), ENOSYS_SAID);
}

/* All architectures that libseccomp knows fit into the room that is there for them. */
static void the_stub_has_room(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	static const char *const names[] = {
		"x86_64", "x86", "x32", "arm", "aarch64", "mips", "mips64", "mips64n32", "mipsel", "mipsel64", "mipsel64n32",
		"ppc", "ppc64", "ppc64le", "s390", "s390x", "parisc", "parisc64", "riscv64",
	};
	uint32_t archs[ARRAY_LEN(names)];
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_true(archs[i] = seccomp_arch_resolve_name(names[i]));
	struct sock_filter out[SECCOMP_STUB_MAX];
	struct spec_seccomp s = read_filter(&a, "{'defaultAction':'SCMP_ACT_ERRNO'," ALLOWED "}");
	size_t n = seccomp_stub(&s, archs, ARRAY_LEN(names), out);
	assert_int_equal(n, ARRAY_LEN(names) * 6 + 2);
}

/* ---- the filter of libseccomp behind it ---- */

static void rules_of_one_index_are_either(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct seccomp_filter f = compile(&a, "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86_64'],"
					      "'syscalls':[{'names':['personality'],'action':'SCMP_ACT_ERRNO','errnoRet':7,"
					      "'args':[{'index':0,'value':3,'op':'SCMP_CMP_EQ'},"
					      "{'index':0,'value':9223372036854775808,'op':'SCMP_CMP_EQ'}]}]}");
	uint32_t nr = (uint32_t)seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, "personality");
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, nr, 3), SECCOMP_RET_ERRNO | 7);
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, nr, 1ULL << 63), SECCOMP_RET_ERRNO | 7);
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, nr, 4), SECCOMP_RET_ALLOW);
}

static void byte_orders_do_not_mix(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct spec_seccomp s = read_filter(&a, "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_S390X',"
						"'SCMP_ARCH_PPC64LE','SCMP_ARCH_RISCV64']}");
	struct seccomp_filter f;
	struct err e;
	assert_int_equal(seccomp_compile(&s, &a, &f, &e), -EINVAL);
	assert_non_null(strstr(e.text, "linux.seccomp.architectures["));
	assert_non_null(strstr(e.text, "byte order"));
}

static void flags_follow_from_the_config(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned flags;
	} rows[] = {
		{ "'flags':null", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "'flags':[]", 0 },
		{ "'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_TSYNC']",
		  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC },
		{ "'syscalls':[{'names':['read'],'action':'SCMP_ACT_NOTIFY'}],'flags':['SECCOMP_FILTER_FLAG_TSYNC']",
		  SECCOMP_FILTER_FLAG_NEW_LISTENER },
		{ "'syscalls':[{'names':['read'],'action':'SCMP_ACT_NOTIFY'}]",
		  SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena_auto a = { 0 };
		struct spec_seccomp s = read_filter(&a, arena_fmt(&a, "{'defaultAction':'SCMP_ACT_ALLOW',%s}", rows[i].text));
		unsigned flags = ~0U;
		struct err e;
		assert_int_equal(seccomp_flags(&s, &flags, &e), 0);
		assert_int_equal(flags, rows[i].flags);
	}
	/* a flag that no kernel has stands for one that this kernel lacks */
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .flags = { .has = true, .v = 1U << 30 } };
	unsigned flags = 5;
	struct err e;
	assert_int_equal(seccomp_flags(&s, &flags, &e), -EINVAL);
	assert_non_null(strstr(e.text, "linux.seccomp.flags"));
}

/* ---- the shorter program ---- */

/* libseccomp's own program. */
static struct seccomp_filter export_raw(struct arena *a, scmp_filter_ctx ctx, int level)
{
	fd_auto int fd = memfd_create("raw", MFD_CLOEXEC);
	struct stat st;
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, (uint32_t)level), 0);
	assert_true(fd >= 0 && seccomp_export_bpf(ctx, fd) == 0 && fstat(fd, &st) == 0);
	void *code = arena_alloc(a, (size_t)st.st_size);
	assert_int_equal(pread(fd, code, (size_t)st.st_size, 0), st.st_size);
	return (struct seccomp_filter){ .code = code, .length = (unsigned short)(st.st_size / 8) };
}

static const uint64_t some_args[] = { 0, 1, 2, 7, 38, 39, 40, 41, 0x7e020000, UINT32_MAX, 1ULL << 32, 1ULL << 63 };

static void must_agree(const struct seccomp_filter *one, const struct seccomp_filter *other)
{
	static const uint32_t audits[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_PPC64LE, 0, 1 };
	static const uint32_t bases[] = { 0, 0x3fffff00, 0x40000000, 0x7fffff00, 0x80000000, 0xffffff00 };
	for (size_t m = 0; m < ARRAY_LEN(audits); m++)
		for (size_t b = 0; b < ARRAY_LEN(bases); b++)
			for (uint32_t i = 0; i < (b == 0 || b == 2 ? 700 : 256); i++)
				for (size_t k = 0; k < ARRAY_LEN(some_args); k++)
					if (judge(one, audits[m], bases[b] + i, some_args[k]) !=
					    judge(other, audits[m], bases[b] + i, some_args[k]))
						fail_msg("%#x %#x %#llx", audits[m], bases[b] + i,
							 (unsigned long long)some_args[k]);
}

static uint32_t chance(uint32_t below)
{
	static uint64_t state = 42;
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(state >> 33) % below;
}

/* Rules for most calls, in stretches of one answer; some of them by a look at an argument, or by several. */
static void add_random_rules(scmp_filter_ctx ctx)
{
	static const uint32_t actions[] = { SCMP_ACT_ALLOW, SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(5), SCMP_ACT_LOG,
					    SCMP_ACT_KILL_PROCESS };
	uint32_t stretch = 2 + chance(20), action = SCMP_ACT_ALLOW;
	for (int nr = 0; nr < 450; nr++) {
		if (chance(stretch) == 0)
			action = actions[chance(ARRAY_LEN(actions))];
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
		int call = name ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;
		free(name);
		if (call == __NR_SCMP_ERROR || chance(30) == 0)
			continue;
		uint32_t looks = chance(20) ? 0 : 1 + chance(4);
		for (uint32_t k = 0; k < looks; k++) {
			struct scmp_arg_cmp c = { .arg = chance(2), .op = (enum scmp_compare)(1 + chance(7)),
						  .datum_a = some_args[chance(ARRAY_LEN(some_args))],
						  .datum_b = some_args[chance(4)] };
			seccomp_rule_add_array(ctx, action, call, 1, &c);
		}
		if (looks == 0)
			seccomp_rule_add(ctx, action, call, 0);
	}
}

static void the_shorter_program_says_the_same(void **state)
{
	(void)state;
	static const uint32_t defaults[] = { SCMP_ACT_ERRNO(1), SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRAP };
	static const uint32_t archs[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64 };
	int shortened = 0;
	for (int round = 0; round < 12; round++) {
		struct arena arena_auto a = { 0 };
		scmp_filter_ctx ctx = seccomp_init(defaults[round % 3]);
		assert_non_null(ctx);
		for (size_t i = 0; i < ARRAY_LEN(archs); i++)
			seccomp_arch_add(ctx, archs[i]);
		add_random_rules(ctx);
		for (int level = 1; level <= 2; level++) {
			struct seccomp_filter raw = export_raw(&a, ctx, level);
			struct sock_filter *out = arena_array(&a, raw.length, sizeof(*out));
			size_t n = seccomp_tree(raw.code, raw.length, archs, ARRAY_LEN(archs), &a, out);
			if (n == 0)
				continue;
			struct seccomp_filter tree = { .code = out, .length = (unsigned short)n };
			assert_true(n < raw.length && seccomp_code_is_sound(out, n));
			must_agree(&raw, &tree);
			shortened++;
		}
		seccomp_release(ctx);
	}
	if (shortened < 12)
		fail_msg("%d of 24", shortened);
}

/* What an engine gives to each container: it is worth the while there. */
static void a_profile_becomes_a_third(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct spec_seccomp s = { 0 };
	struct seccomp_filter f;
	struct err e;
	assert_int_equal(jx_load_file(AT_FDCWD, "tests/data/seccomp-profile.json", spec_seccomp_fields, &s, &a, NULL, &e), 0);
	assert_int_equal(seccomp_compile(&s, &a, &f, &e), 0);
	if (f.length > 480)
		fail_msg("%u instructions", f.length);
	assert_true(seccomp_code_is_sound(f.code, f.length));
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, 41, 38), EPERM_SAID);
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, 41, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, 56, 0x10000000), EPERM_SAID);
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, 56, 0x11), SECCOMP_RET_ALLOW);
	assert_int_equal(judge(&f, AUDIT_ARCH_I386, 435, 0), ENOSYS_SAID);
	assert_int_equal(judge(&f, AUDIT_ARCH_X86_64, 2000, 0), ENOSYS_SAID);
}

static void odd_programs_are_left_as_they_are(void **state)
{
	(void)state;
	static const struct sock_filter ret = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
					nr = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), arch = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4);
	static const uint32_t archs[] = { SCMP_ARCH_X86_64 };
	static const struct sock_filter odd[] = {
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),  /* a look at single bits of the number */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
	};
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct arena arena_auto a = { 0 };
		struct sock_filter code[40] = { nr, odd[i] }, out[40];
		for (size_t k = 2; k < ARRAY_LEN(code); k++)
			code[k] = ret;
		assert_int_equal(seccomp_tree(code, ARRAY_LEN(code), archs, 1, &a, out), 0);
	}
	/* an architecture that the filter knows, and its maker has not told of */
	struct arena arena_auto a = { 0 };
	struct sock_filter code[40] = { arch, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 1), ret }, out[40];
	for (size_t k = 3; k < ARRAY_LEN(code); k++)
		code[k] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL);
	assert_int_equal(seccomp_tree(code, ARRAY_LEN(code), archs, 1, &a, out), 0);
	/* the same, told of: "other architectures: kill" is all that is left */
	static const uint32_t both[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86 };
	assert_true(seccomp_tree(code, ARRAY_LEN(code), both, 2, &a, out) > 0);
}

/* ---- the cache ---- */

#define BASE "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':1,'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86']," \
	     "'flags':[],'syscalls':[{'names':['read','write'],'action':'SCMP_ACT_ALLOW'}," \
	     "{'names':['kill'],'action':'SCMP_ACT_ERRNO','errnoRet':5," \
	     "'args':[{'index':0,'value':7,'valueTwo':0,'op':'SCMP_CMP_EQ'}]}]}"

static struct seccomp_key key_of(struct arena *a, const char *text)
{
	struct spec_seccomp s = read_filter(a, text);
	struct seccomp_key k;
	seccomp_cache_key(&s, a, &k);
	return k;
}

/* The text with its first `from` made `to`. */
static char *change(struct arena *a, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	assert_non_null(at);
	return arena_fmt(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void keys_tell_profiles_apart(void **state)
{
	(void)state;
	static const char *const changes[][2] = {
		{ "'errnoRet':5", "'errnoRet':6" },
		{ ",'errnoRet':5", "" },
		{ "'defaultErrnoRet':1", "'defaultErrnoRet':2" },
		{ "'defaultErrnoRet':1,", "" },
		{ "'flags':[]", "'flags':['SECCOMP_FILTER_FLAG_LOG']" },
		{ "'flags':[],", "" },
		{ "'SCMP_ARCH_X86_64','SCMP_ARCH_X86'", "'SCMP_ARCH_X86','SCMP_ARCH_X86_64'" },
		{ ",'SCMP_ARCH_X86'", "" },
		{ "'SCMP_ACT_ALLOW'", "'SCMP_ACT_LOG'" },
		{ "'SCMP_ACT_ERRNO'", "'SCMP_ACT_TRACE'" },
		{ "'read','write'", "'write','read'" },
		{ "'read','write'", "'readwrite'" },
		{ "'read','write'", "'read'],'action':'SCMP_ACT_ALLOW'},{'names':['write'" },
		{ "'index':0", "'index':1" },
		{ "'value':7", "'value':8" },
		{ "'valueTwo':0", "'valueTwo':1" },
		{ "SCMP_CMP_EQ", "SCMP_CMP_NE" },
	};
	struct arena arena_auto a = { 0 };
	struct seccomp_key keys[ARRAY_LEN(changes) + 1];
	keys[0] = key_of(&a, BASE);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		keys[i + 1] = key_of(&a, change(&a, BASE, changes[i][0], changes[i][1]));
		for (size_t k = 0; k <= i; k++)
			if (keys[k].len == keys[i + 1].len && memcmp(keys[k].bytes, keys[i + 1].bytes, keys[k].len) == 0)
				fail_msg("%s makes no difference", changes[i][1]);
	}
	struct seccomp_key same = key_of(&a, BASE);
	assert_int_equal(same.len, keys[0].len);
	assert_memory_equal(same.bytes, keys[0].bytes, same.len);
	/* where the listener is does not shape a program: one that names each container would make the cache useless */
	const char *text = change(&a, BASE, "'flags'", "'listenerPath':'/l','listenerMetadata':'m','flags'");
	struct seccomp_key listener = key_of(&a, text);
	assert_int_equal(listener.len, keys[0].len);
	assert_memory_equal(listener.bytes, keys[0].bytes, listener.len);
}

static void a_program_comes_back(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct spec_seccomp s = read_filter(&a, BASE), other = read_filter(&a, change(&a, BASE, "'errnoRet':5", "'errnoRet':6"));
	struct seccomp_filter made, found, third;
	struct seccomp_key key;
	struct err e;
	seccomp_cache_key(&s, &a, &key);
	assert_int_equal(seccomp_cache_find(root, &key, &a, &found), -ENOENT);
	assert_int_equal(seccomp_make(&s, root, &a, &made, &e), 0);
	assert_int_equal(seccomp_cache_find(root, &key, &a, &found), 0);
	assert_int_equal(found.length, made.length);
	assert_memory_equal(found.code, made.code, made.length * sizeof(*made.code));
	/* only errnoRet differs */
	assert_int_equal(seccomp_make(&other, root, &a, &third, &e), 0);
	assert_int_equal(judge(&found, AUDIT_ARCH_X86_64, 62, 7), SECCOMP_RET_ERRNO | 5);
	assert_int_equal(judge(&third, AUDIT_ARCH_X86_64, 62, 7), SECCOMP_RET_ERRNO | 6);
}

/* How many files are in the cache, and the path of one of them. */
static int count_files(struct arena *a, char **ret_path)
{
	DIR *d = opendir(arena_fmt(a, "%s/.seccomp", top));
	int n = 0;
	assert_non_null(d);
	for (struct dirent *de; (de = readdir(d));) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		*ret_path = arena_fmt(a, "%s/.seccomp/%s", top, de->d_name);
		n++;
	}
	closedir(d);
	return n;
}

static char *only_file(struct arena *a)
{
	char *path;
	assert_int_equal(count_files(a, &path), 1);
	return path;
}

static void put_file(const char *path, const void *bytes, size_t len)
{
	fd_auto int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
}

static void broken_files_are_none(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct spec_seccomp s = read_filter(&a, BASE);
	struct seccomp_key key;
	struct seccomp_filter made, found = { 0 };
	struct err e;
	file_remove_tree(root, ".seccomp");
	seccomp_cache_key(&s, &a, &key);
	assert_int_equal(seccomp_make(&s, root, &a, &made, &e), 0);
	const char *path = only_file(&a);
	free_auto char *bytes = NULL;
	size_t len;
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, false, &bytes, &len), 0);
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (char)(bytes[i] ^ 0x10);
		put_file(path, bytes, len);
		bytes[i] = (char)(bytes[i] ^ 0x10);
		/* the few bytes between key and program are nobody's */
		if (seccomp_cache_find(root, &key, &a, &found) == 0 &&
		    (found.length != made.length || memcmp(found.code, made.code, made.length * sizeof(*made.code)) != 0))
			fail_msg("byte %zu of %zu is changed, and it was taken", i, len);
	}
	for (size_t cut = 0; cut < len; cut += cut < 64 || cut > len - 64 ? 1 : 61) {
		put_file(path, bytes, cut);
		if (seccomp_cache_find(root, &key, &a, &found) == 0)
			fail_msg("%zu of %zu bytes were taken", cut, len);
	}
	/* what is broken is written again */
	assert_int_equal(seccomp_make(&s, root, &a, &found, &e), 0);
	assert_int_equal(seccomp_cache_find(root, &key, &a, &found), 0);
}

static void files_of_others_are_none(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct spec_seccomp s = read_filter(&a, BASE);
	struct seccomp_key key;
	struct seccomp_filter f;
	struct err e;
	file_remove_tree(root, ".seccomp");
	seccomp_cache_key(&s, &a, &key);
	assert_int_equal(seccomp_make(&s, root, &a, &f, &e), 0);
	const char *path = only_file(&a), *moved = arena_fmt(&a, "%s/moved", top), *dir = arena_fmt(&a, "%s/.seccomp", top);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(seccomp_cache_find(root, &key, &a, &f), -EBADMSG);
	assert_int_equal(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1, 1), 0);
		assert_int_equal(seccomp_cache_find(root, &key, &a, &f), -EBADMSG);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_int_equal(seccomp_cache_find(root, &key, &a, &f), 0);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(symlink(moved, path), 0);
	assert_true(seccomp_cache_find(root, &key, &a, &f) < 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(seccomp_cache_find(root, &key, &a, &f) < 0);
	/* a directory that others may write to, and one that is none, get nothing; the filter is made all the same */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(seccomp_cache_keep(root, &key, &f), -EPERM);
	assert_int_equal(seccomp_make(&s, root, &a, &f, &e), 0);
	assert_int_equal(rmdir(dir), 0);
	put_file(dir, "", 0);
	assert_true(seccomp_cache_keep(root, &key, &f) < 0);
	assert_int_equal(seccomp_make(&s, root, &a, &f, &e), 0);
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(unlink(moved), 0);
}

static void the_cache_stays_small(void **state)
{
	(void)state;
	struct arena arena_auto a = { 0 };
	struct seccomp_filter f = compile(&a, BASE), found;
	struct seccomp_key key = { 0 };
	file_remove_tree(root, ".seccomp");
	for (int i = 0; i < 100; i++) {
		char *text = change(&a, BASE, "'value':7", arena_fmt(&a, "'value':%d", i));
		key = key_of(&a, text);
		assert_int_equal(seccomp_cache_keep(root, &key, &f), 0);
		assert_int_equal(seccomp_cache_find(root, &key, &a, &found), 0);
	}
	char *path;
	assert_int_equal(count_files(&a, &path), 64);
}

static void unsound_programs_are_told(void **state)
{
	(void)state;
	static const struct sock_filter ret = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_filter good[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), ret, ret,
	};
	assert_true(seccomp_code_is_sound(good, ARRAY_LEN(good)));
	assert_false(seccomp_code_is_sound(good, 0));
	assert_false(seccomp_code_is_sound(good, 2));
	static const struct sock_filter bad[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1, 0, 2),
		BPF_STMT(BPF_JMP | BPF_JA, 2),
		BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_ST, 0),
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		good[1] = bad[i];
		assert_false(seccomp_code_is_sound(good, ARRAY_LEN(good)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newer_calls_are_missing_and_not_forbidden),
		cmocka_unit_test(other_machines_are_as_they_were),
		cmocka_unit_test(who_lets_pass_or_asks_is_left_alone),
		cmocka_unit_test(without_names_there_is_no_newest),
		cmocka_unit_test(odd_numbers_of_machines),
		cmocka_unit_test(the_stub_has_room),
		cmocka_unit_test(rules_of_one_index_are_either),
		cmocka_unit_test(byte_orders_do_not_mix),
		cmocka_unit_test(flags_follow_from_the_config),
		cmocka_unit_test(the_shorter_program_says_the_same),
		cmocka_unit_test(a_profile_becomes_a_third),
		cmocka_unit_test(odd_programs_are_left_as_they_are),
		cmocka_unit_test(keys_tell_profiles_apart),
		cmocka_unit_test(a_program_comes_back),
		cmocka_unit_test(broken_files_are_none),
		cmocka_unit_test(files_of_others_are_none),
		cmocka_unit_test(the_cache_stays_small),
		cmocka_unit_test(unsound_programs_are_told),
	};
	return cmocka_run_group_tests_name("seccomp", tests, make_root, remove_root);
}
