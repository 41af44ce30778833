/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device programs, run by a small interpreter over a matrix of devices and accesses and compared with the rules
 * themselves, read naively. The interpreter also insists on what the kernel's verifier does: forward jumps only, no
 * instruction that cannot be reached, an answer of 0 or 1.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup/devices.h"
#include "util/mem.h"

enum { BLOCK = 1, CHAR = 2, M = 1, R = 2, W = 4, SPAN_MAX = 65536 };

static bool compare(uint8_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JNE: return a != b;
	case BPF_JLT: return a < b;
	case BPF_JLE: return a <= b;
	case BPF_JSET: return (a & b) != 0;
	default: fail_msg("jump %#x", op); return false;
	}
}

/* Runs a program; marks what it passes. */
static int run(const struct devices_program *p, const struct bpf_cgroup_dev_ctx *ctx, bool *passed)
{
	uint32_t reg[5] = { 0 };
	unsigned set = 1u << BPF_REG_1;
	for (size_t i = 0; i < p->n; i++) {
		const struct bpf_insn *in = &p->insns[i];
		passed[i] = true;
		if (in->code == (BPF_JMP | BPF_EXIT)) {
			assert_true(set & 1 && reg[0] <= 1);
			return (int)reg[0];
		}
		if (in->code == (BPF_LDX | BPF_MEM | BPF_W)) {
			assert_int_equal(in->src_reg, BPF_REG_1);
			memcpy(&reg[in->dst_reg], (const char *)ctx + in->off, 4);
			set |= 1u << in->dst_reg;
		} else if (in->code == (BPF_ALU | BPF_MOV | BPF_K)) {
			reg[in->dst_reg] = (uint32_t)in->imm;
			set |= 1u << in->dst_reg;
		} else if (in->code == (BPF_ALU | BPF_AND | BPF_K)) {
			assert_true(set & 1u << in->dst_reg);
			reg[in->dst_reg] &= (uint32_t)in->imm;
		} else if (in->code == (BPF_JMP | BPF_JA)) {
			assert_true(in->off >= 0);
			i += (size_t)in->off;
		} else {
			assert_int_equal(BPF_CLASS(in->code), BPF_JMP32);
			assert_true(in->off >= 0 && (set & 1u << in->dst_reg));
			if (compare(BPF_OP(in->code), reg[in->dst_reg], (uint32_t)in->imm))
				i += (size_t)in->off;
		}
	}
	fail_msg("the program runs over its end");
	return -1;
}

static const struct spec_device_rule defaults[] = {
#define FULL(MAJOR, MINOR) { { true, true }, 'c', MAJOR, MINOR, "rwm" }
#define N(x) { true, (x) }
	{ { true, true }, 'c', { 0 }, { 0 }, "m" }, { { true, true }, 'b', { 0 }, { 0 }, "m" },
	FULL(N(1), N(3)), FULL(N(1), N(5)), FULL(N(1), N(7)), FULL(N(1), N(8)), FULL(N(1), N(9)),
	FULL(N(5), N(0)), FULL(N(5), N(1)), FULL(N(5), N(2)), FULL(N(136), N(-1)), FULL(N(10), N(200)),
};

static bool fits(const struct spec_device_rule *r, unsigned type, uint32_t major, uint32_t minor)
{
	bool is_type = !r->type || r->type == 'a' || (r->type == 'b' && type == BLOCK) ||
		       ((r->type == 'c' || r->type == 'u') && type == CHAR);
	return is_type && (!r->major.has || r->major.v == -1 || r->major.v == major) &&
	       (!r->minor.has || r->minor.v == -1 || r->minor.v == minor);
}

/* What the rules say of one bit, last match first. */
static bool bit_allowed(const struct spec_device_rule *rules, size_t n, bool with_defaults, char letter, unsigned type,
			uint32_t major, uint32_t minor)
{
	for (size_t i = 0; with_defaults && i < ARRAY_LEN(defaults); i++)
		if (fits(&defaults[i], type, major, minor) && strchr(defaults[i].access, letter))
			return true;
	for (size_t i = n; i-- > 0;)
		if (fits(&rules[i], type, major, minor) && (!rules[i].access || strchr(rules[i].access, letter)))
			return rules[i].allow.v;
	return false;
}

static const uint32_t majors[] = { 0, 1, 2, 5, 7, 8, 10, 136, 137, 195, 254, 4095 };
static const uint32_t minors[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 199, 200, 201, 255, 1048575 };

static void assert_cell(const struct devices_program *p, const struct spec_device_rule *rules, size_t n,
			bool with_defaults, unsigned type, uint32_t major, uint32_t minor, bool *passed)
{
	static const char letters[] = "mrw";
	for (unsigned access = 1; access < 8; access++) {
		bool want = true;
		for (unsigned b = 0; b < 3; b++)
			if (access & 1u << b)
				want &= bit_allowed(rules, n, with_defaults, letters[b], type, major, minor);
		struct bpf_cgroup_dev_ctx ctx = { .access_type = access << 16 | type, .major = major, .minor = minor };
		int got = run(p, &ctx, passed);
		if (got != want)
			fail_msg("%c %u:%u access %u: got %d", type == CHAR ? 'c' : 'b', major, minor, access, got);
	}
}

/* Builds, runs over the matrix, compares. Returns the number of instructions. */
static size_t assert_rules(const struct spec_device_rule *rules, size_t n, bool with_defaults)
{
	struct devices_program p;
	struct err e;
	bool passed[4096] = { false };
	arena_auto struct arena a = { 0 };
	const struct spec_device_rules list = { .v = (struct spec_device_rule *)(uintptr_t)rules, .n = n };
	assert_int_equal(devices_build(&list, with_defaults, "", &a, &p, &e), 0);
	assert_true(p.n > 0 && p.n < ARRAY_LEN(passed));
	for (unsigned type = BLOCK; type <= CHAR; type++)
		for (size_t i = 0; i < ARRAY_LEN(majors); i++)
			for (size_t j = 0; j < ARRAY_LEN(minors); j++)
				assert_cell(&p, rules, n, with_defaults, type, majors[i], minors[j], passed);
	for (size_t i = 0; i < p.n; i++)
		if (!passed[i])
			fail_msg("instruction %zu of %zu is never reached", i, p.n);
	return p.n;
}

#define DENY_ALL { { true, false }, 0, { 0 }, { 0 }, "rwm" }
#define ALLOW_ALL { { true, true }, 'a', { 0 }, { 0 }, "rwm" }
static const struct spec_device_rule deny_all = DENY_ALL, allow_all = ALLOW_ALL;

static void default_set(void **state)
{
	(void)state;
	size_t n = assert_rules(&deny_all, 1, true);
	print_message("# default rules: %zu instructions\n", n);
	assert_true(n <= 24);
	assert_int_equal(assert_rules(NULL, 0, true), n);
	assert_int_equal(assert_rules(NULL, 0, false), 2);
}

static void open_set(void **state)
{
	struct devices_program p;
	struct err e;
	(void)state;
	arena_auto struct arena a = { 0 };
	struct spec_device_rule rules[] = { deny_all, allow_all };
	assert_int_equal(devices_build(&(struct spec_device_rules){ rules, 2 }, true, "", &a, &p, &e), 0);
	assert_true(p.is_open);
	assert_int_equal(p.n, 2);
	assert_rules(rules, 2, true);
	rules[0] = allow_all;
	rules[1] = deny_all;
	assert_int_equal(devices_build(&(struct spec_device_rules){ rules, 2 }, false, "", &a, &p, &e), 0);
	assert_false(p.is_open);
}

static void mixed_sets(void **state)
{
	static const struct spec_device_rule sets[][6] = {
		{ DENY_ALL, { { true, true }, 'c', N(195), N(0), "rw" }, { { true, false }, 'c', N(195), N(0), "w" } },
		{ ALLOW_ALL, { { true, false }, 'b', N(8), { 0 }, NULL }, { { true, true }, 'b', N(8), N(16), "r" } },
		{ ALLOW_ALL, { { true, false }, 'c', N(1), N(3), "w" }, { { true, false }, 'c', N(10), N(200), "rwm" } },
		{ DENY_ALL, { { true, true }, 'c', { 0 }, N(5), "r" }, { { true, true }, 'b', N(7), N(-1), "rw" } },
		{ DENY_ALL, { { true, true }, 'c', N(8), N(1), "r" }, { { true, true }, 'c', N(8), N(1), "w" } },
		{ DENY_ALL, { { true, true }, 'c', N(1), N(3), "rwm" }, { { true, true }, 'c', { 0 }, { 0 }, "rwm" } },
		{ DENY_ALL, { { true, true }, 'c', N(0), N(0), "rwm" }, { { true, true }, 'u', N(2), N(0), "rwm" } },
		{ { { true, true }, 'p', { 0 }, { 0 }, "rwm" }, { { true, false }, 'a', N(7), { 0 }, "rw" }, ALLOW_ALL },
		{ ALLOW_ALL, { { true, false }, 'a', N(7), { 0 }, "rw" }, { { true, false }, 'a', { 0 }, { 0 }, "m" } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		assert_rules(sets[i], 3, true);
		assert_rules(sets[i], 3, false);
	}
}

/* The next of a fixed row of numbers, below n. */
static uint32_t draw(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 10) % n;
}

/* Sets drawn by a fixed generator, so that a failure can be had again. */
static void drawn_sets(void **state)
{
	static const char *const accesses[] = { "r", "w", "m", "rw", "rm", "wm", "rwm", NULL };
	static const int types[] = { 0, 'a', 'b', 'c', 'c', 'b', 'u', 'p' };
	uint32_t seed = 12345;
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct spec_device_rule rules[12];
		size_t n = 1 + draw(&seed, ARRAY_LEN(rules));
		for (size_t i = 0; i < n; i++) {
			uint32_t major = draw(&seed, ARRAY_LEN(majors) + 4), minor = draw(&seed, ARRAY_LEN(minors) + 8);
			rules[i] = (struct spec_device_rule){ .type = types[draw(&seed, 8)] };
			rules[i].allow = (struct opt_bool){ true, draw(&seed, 2) };
			rules[i].access = accesses[draw(&seed, 8)];
			if (major < ARRAY_LEN(majors))
				rules[i].major = (struct opt_i64){ true, majors[major] };
			if (minor < ARRAY_LEN(minors))
				rules[i].minor = (struct opt_i64){ true, minors[minor] };
		}
		struct devices_program p;
		struct err e;
		arena_auto struct arena a = { 0 };
		bool passed[4096] = { false }, with_defaults = draw(&seed, 2);
		assert_int_equal(devices_build(&(struct spec_device_rules){ rules, n }, with_defaults, "", &a, &p, &e), 0);
		for (unsigned type = BLOCK; type <= CHAR; type++)
			for (size_t i = 0; i < ARRAY_LEN(majors); i++)
				for (size_t j = 0; j < ARRAY_LEN(minors); j++)
					assert_cell(&p, rules, n, with_defaults, type, majors[i], minors[j], passed);
	}
}

static void wrong_rules(void **state)
{
	static const struct { struct spec_device_rule r; const char *want; } rows[] = {
		{ { .access = "" }, "x.devices[1].access: " }, { { .access = "rx" }, "x.devices[1].access: " },
		{ { .major = N(4096) }, "x.devices[1].major: " }, { { .major = N(-2) }, "x.devices[1].major: " },
		{ { .minor = N(1 << 20) }, "x.devices[1].minor: " }, { { .type = 'z' }, "x.devices[1].type: " },
	};
	struct devices_program p;
	struct err e;
	(void)state;
	arena_auto struct arena a = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_device_rule two[] = { deny_all, rows[i].r };
		assert_int_equal(devices_build(&(struct spec_device_rules){ two, 2 }, true, "x.", &a, &p, &e), -EINVAL);
		assert_ptr_equal(strstr(e.text, rows[i].want), e.text);
	}
	struct spec_device_rules many = { arena_array(&a, 5000, sizeof(*many.v)), 5000 };
	assert_int_equal(devices_build(&many, true, "x.", &a, &p, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_set), cmocka_unit_test(open_set),    cmocka_unit_test(mixed_sets),
		cmocka_unit_test(drawn_sets),  cmocka_unit_test(wrong_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
