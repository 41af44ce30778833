/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See devices_code.h. The program keeps in one register the bits that are still to be decided. A rule that denies one
 * of them ends it with 0; a rule that allows takes its bits away, and when none is left the answer is 1.
 *
 *   r2 = type | bits to be decided << 16      r3 = major      r4 = minor      r0 = 1, the answer
 *   [ types ]  [ major ]  [ minor ]  act      per group of rules that share types, then major number
 *   deny:  r0 = 0
 *   end:   exit
 */
#include "cgroup/devices_code.h"

#include <string.h>

enum { ANSWER = BPF_REG_0, CONTEXT = BPF_REG_1, WORD = BPF_REG_2, MAJOR = BPF_REG_3, MINOR = BPF_REG_4 };

enum { ACCESS_SHIFT = 16, PER_RULE_MAX = 8, FRAME_MAX = 12 };

/* Where a jump leads that is not known yet. */
enum target { TO_ALLOW, TO_DENY };

struct code {
	struct bpf_insn *v;
	unsigned char *target;  /* per instruction: 1 + enum target, or 0 */
	size_t n;
};

static size_t put(struct code *c, uint8_t op, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	c->v[c->n] = (struct bpf_insn){ .code = op, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm };
	return c->n++;
}

/* A 32-bit comparison that jumps to a verdict. */
static void jump(struct code *c, uint8_t test, uint8_t reg, int64_t value, enum target to)
{
	c->target[put(c, BPF_JMP32 | test | BPF_K, reg, 0, 0, (int32_t)value)] = (unsigned char)(1 + to);
}

/* A comparison that jumps over what follows; `land` sets its aim. */
static size_t skip_if(struct code *c, uint8_t test, uint8_t reg, int64_t value)
{
	return put(c, BPF_JMP32 | test | BPF_K, reg, 0, 0, (int32_t)value);
}

static void land(struct code *c, size_t from)
{
	c->v[from].off = (int16_t)(c->n - from - 1);
}


/* What a rule does once type, major and minor fit; `r` has some bits only, or fits any minor. */
static void put_act(struct code *c, const struct device_rule *r)
{
	int32_t bits = (int32_t)(r->access << ACCESS_SHIFT), all = DEVICE_RWM << ACCESS_SHIFT;
	if (r->access == DEVICE_RWM) {
		c->target[put(c, BPF_JMP | BPF_JA, 0, 0, 0, 0)] = r->is_allow ? 1 + TO_ALLOW : 1 + TO_DENY;
	} else if (!r->is_allow) {
		jump(c, BPF_JSET, WORD, bits, TO_DENY);
	} else {
		put(c, BPF_ALU | BPF_AND | BPF_K, WORD, 0, 0, ~bits);
		size_t left = skip_if(c, BPF_JSET, WORD, all);
		c->target[put(c, BPF_JMP | BPF_JA, 0, 0, 0, 0)] = 1 + TO_ALLOW;
		land(c, left);
	}
}

/* Rules i.. with all bits whose minor numbers follow one another; returns how many there are. */
static size_t minors_in_row(const struct device_rule *v, size_t n)
{
	size_t k = 1;
	while (k < n && v[k].minor == v[0].minor + (int64_t)k && v[k].access == v[0].access)
		k++;
	return k;
}

/* Rules of one verdict, types and major number: the minor numbers. */
static void put_minors(struct code *c, const struct device_rule *v, size_t n)
{
	for (size_t i = 0, k; i < n; i += k) {
		const struct device_rule *r = &v[i];
		enum target to = r->is_allow ? TO_ALLOW : TO_DENY;
		k = 1;
		if (r->minor == DEVICE_ANY) {
			put_act(c, r);
			continue;
		}
		if (r->access != DEVICE_RWM) {
			size_t other = skip_if(c, BPF_JNE, MINOR, r->minor);
			put_act(c, r);
			land(c, other);
			continue;
		}
		k = minors_in_row(r, n - i);
		if (k == 1 || (k == 2 && r->minor != 0)) {
			jump(c, BPF_JEQ, MINOR, r->minor, to);
			k = 1;
			continue;
		}
		size_t below = r->minor ? skip_if(c, BPF_JLT, MINOR, r->minor) : 0;
		jump(c, BPF_JLE, MINOR, r->minor + (int64_t)k - 1, to);
		if (r->minor)
			land(c, below);
	}
}

/* Rules of one verdict and the same types: the major numbers. */
static void put_majors(struct code *c, const struct device_rule *v, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && v[end].major == v[i].major;)
			end++;
		if (v[i].major == DEVICE_ANY) {
			put_minors(c, v + i, end - i);
		} else if (v[i].access == DEVICE_RWM && v[i].minor == DEVICE_ANY) {
			jump(c, BPF_JEQ, MAJOR, v[i].major, v[i].is_allow ? TO_ALLOW : TO_DENY);
		} else {
			size_t other = skip_if(c, BPF_JNE, MAJOR, v[i].major);
			put_minors(c, v + i, end - i);
			land(c, other);
		}
	}
}

static void put_types(struct code *c, const struct device_rules *rules)
{
	for (size_t i = 0, end; i < rules->n; i = end) {
		const struct device_rule *v = &rules->v[i];
		for (end = i + 1; end < rules->n && rules->v[end].types == v->types &&
		     rules->v[end].is_allow == v->is_allow;)
			end++;
		if (v->types == (DEVICE_BLOCK | DEVICE_CHAR)) {
			put_majors(c, v, end - i);
			continue;
		}
		/* A device is of one type: the other's bit tells. */
		uint32_t others = (DEVICE_BLOCK | DEVICE_CHAR) & ~v->types;
		size_t other = skip_if(c, BPF_JSET, WORD, others);
		put_majors(c, v, end - i);
		land(c, other);
	}
}

/* Loads a field of the context, if any rule looks at it. */
static void put_load(struct code *c, uint8_t reg, size_t field)
{
	put(c, BPF_LDX | BPF_MEM | BPF_W, reg, CONTEXT, (int16_t)field, 0);
}

static void put_loads(struct code *c, const struct device_rules *rules)
{
	bool has_word = false, has_major = false, has_minor = false;
	for (size_t i = 0; i < rules->n; i++) {
		const struct device_rule *r = &rules->v[i];
		has_word |= r->types != (DEVICE_BLOCK | DEVICE_CHAR) || r->access != DEVICE_RWM;
		has_major |= r->major != DEVICE_ANY;
		has_minor |= r->minor != DEVICE_ANY;
	}
	if (has_word)
		put_load(c, WORD, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	if (has_major)
		put_load(c, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	if (has_minor)
		put_load(c, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

void devices_code(const struct device_rules *rules, struct arena *a, struct devices_program *ret_program)
{
	size_t room = rules->n * PER_RULE_MAX + FRAME_MAX;
	struct code c = { .v = arena_array(a, room, sizeof(*c.v)), .target = arena_alloc(a, room) };
	put_loads(&c, rules);
	if (rules->n > 0 || rules->is_open)
		put(&c, BPF_ALU | BPF_MOV | BPF_K, ANSWER, 0, 0, 1);
	put_types(&c, rules);
	bool has_deny = !rules->is_open || memchr(c.target, 1 + TO_DENY, c.n);
	if (rules->is_open && has_deny)
		c.target[put(&c, BPF_JMP | BPF_JA, 0, 0, 0, 0)] = 1 + TO_ALLOW;
	size_t deny = c.n;
	if (has_deny)
		put(&c, BPF_ALU | BPF_MOV | BPF_K, ANSWER, 0, 0, 0);
	size_t end = put(&c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (size_t i = 0; i < end; i++)
		if (c.target[i])
			c.v[i].off = (int16_t)((c.target[i] == 1 + TO_DENY ? deny : end) - i - 1);
	*ret_program = (struct devices_program){ .insns = c.v, .n = c.n, .is_open = rules->is_open && rules->n == 0 };
}
