/* SPDX-License-Identifier: Apache-2.0 */
/* See seccomp_tree.h. */
#include "runtime/seccomp_tree.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/seccomp_cache.h"
#include "util/mem.h"

/* NODES_MAX and ENDS_MAX: a conditional jump reaches 255 instructions, so that any node finds any end of its tree. */
enum { ARCHS_MAX = 24, ENDS_MAX = 32, NODES_MAX = 220, LD_ABS = BPF_LD | BPF_W | BPF_ABS };

/* What lies in the accumulator. */
enum { HAS_NOTHING = 1, HAS_ARCH = 2, HAS_NR = 4, HAS_ARGS = 8 };

/* How a number ends: with an answer, or at an instruction that looks at arguments. */
struct outcome {
	bool is_block;
	uint32_t v; /* the answer, or the index of the instruction */
};

struct program {
	const struct sock_filter *code;
	size_t n;
};

/* From `start` to the start of the next one, all numbers end the same way. */
struct stretch {
	uint32_t start;
	struct outcome end;
};

struct part {
	uint32_t arch;	/* AUDIT_ARCH_* */
	uint32_t *cuts; /* where the old program may change its mind, rising from 0 */
	size_t cut_count;
	struct stretch *v;
	size_t n;
};

static unsigned source_of(uint32_t k)
{
	return k == offsetof(struct seccomp_data, arch) ? HAS_ARCH
	       : k == offsetof(struct seccomp_data, nr) ? HAS_NR
							: HAS_ARGS;
}

static bool is_same(struct outcome a, struct outcome b)
{
	return a.is_block == b.is_block && a.v == b.v;
}

static bool compare(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	default:
		return a & k;
	}
}

/* ---- the old program ---- */

/* Walks until an answer or the first look at arguments. The program is sound and without loops: see flow(). */
static struct outcome walk(const struct program *p, uint32_t arch, uint32_t nr)
{
	uint32_t a = 0;
	for (size_t i = 0;; i++) {
		const struct sock_filter *c = &p->code[i];
		if (c->code == LD_ABS && source_of(c->k) == HAS_ARGS)
			return (struct outcome){true, (uint32_t)i};
		if (c->code == LD_ABS)
			a = source_of(c->k) == HAS_ARCH ? arch : nr;
		else if (c->code == (BPF_JMP | BPF_JA))
			i += c->k;
		else if (c->code == (BPF_RET | BPF_K))
			return (struct outcome){false, c->k};
		else
			i += compare(c->code, a, c->k) ? c->jt : c->jf;
	}
}

static bool is_listed(const struct part *parts, size_t n, uint32_t arch)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].arch == arch)
			return true;
	return false;
}

/* One step of flow: which instructions follow, with what in the accumulator. False: not understood. */
static bool step(const struct program *p, size_t i, uint32_t arch, unsigned char *has)
{
	const struct sock_filter *c = &p->code[i];
	switch (c->code) {
	case LD_ABS:
		has[i + 1] |= source_of(c->k);
		return true;
	case BPF_RET | BPF_K:
		return true;
	case BPF_ALU | BPF_AND | BPF_K:
		has[i + 1] |= HAS_ARGS;
		return has[i] == HAS_ARGS;
	case BPF_JMP | BPF_JA:
		has[i + 1 + c->k] |= has[i];
		return true;
	case BPF_JMP | BPF_JSET | BPF_K:
		if (has[i] != HAS_ARGS)
			return false;
		break;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
		break;
	default:
		return false;
	}
	if (has[i] == HAS_ARCH) {
		has[i + 1 + (compare(c->code, arch, c->k) ? c->jt : c->jf)] |= HAS_ARCH;
		return BPF_OP(c->code) == BPF_JEQ;
	}
	has[i + 1 + c->jt] |= has[i];
	has[i + 1 + c->jf] |= has[i];
	return has[i] == HAS_NR || has[i] == HAS_ARGS;
}

/*
 * Finds, for one architecture, which instructions can be reached and with what in the accumulator. Jumps go forward
 * only, so one pass sees all. False: there is something that walk() and cuts() would not be right about.
 */
static bool flow(const struct program *p, uint32_t arch, unsigned char *has)
{
	memset(has, 0, p->n);
	has[0] = HAS_NOTHING;
	for (size_t i = 0; i < p->n; i++)
		if (has[i] && !step(p, i, arch, has))
			return false;
	return true;
}

static int rising(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* A comparison with a number can change the way at that number and behind it, and nowhere else. */
static void cuts(const struct program *p, const unsigned char *has, struct part *t)
{
	size_t n = 0;
	t->cuts[n++] = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *c = &p->code[i];
		if (has[i] != HAS_NR || BPF_CLASS(c->code) != BPF_JMP || BPF_OP(c->code) == BPF_JA)
			continue;
		t->cuts[n++] = c->k;
		if (c->k < UINT32_MAX)
			t->cuts[n++] = c->k + 1;
	}
	qsort(t->cuts, n, sizeof(*t->cuts), rising);
	for (size_t i = 0; i < n; i++)
		if (t->cut_count == 0 || t->cuts[t->cut_count - 1] != t->cuts[i])
			t->cuts[t->cut_count++] = t->cuts[i];
}

static bool survey(const struct program *p, unsigned char *has, struct arena *a, struct part *t)
{
	if (!flow(p, t->arch, has))
		return false;
	t->cuts = arena_array(a, 2 * p->n + 1, sizeof(*t->cuts));
	cuts(p, has, t);
	t->v = arena_array(a, t->cut_count, sizeof(*t->v));
	for (size_t i = 0; i < t->cut_count; i++) {
		struct outcome end = walk(p, t->arch, t->cuts[i]);
		if (t->n == 0 || !is_same(t->v[t->n - 1].end, end))
			t->v[t->n++] = (struct stretch){t->cuts[i], end};
	}
	return true;
}

/* ---- the new one ---- */

struct maker {
	struct sock_filter *out;
	size_t n, room;
	const uint32_t *moved; /* old index of a copied instruction to its new one, counted from `tail` */
	size_t tail;
	const struct part *t;	       /* being written */
	struct outcome ends[ENDS_MAX]; /* its distinct ends, which stand behind its nodes from `first_end` on */
	size_t end_count, first_end;
};

static void put(struct maker *m, uint16_t code, size_t jt, size_t jf, uint32_t k)
{
	if (m->n < m->room)
		m->out[m->n] = (struct sock_filter){code, (unsigned char)jt, (unsigned char)jf, k};
	m->n++;
}

/* Whether three stretches are one with a single number in it that ends otherwise: one comparison then. */
static bool is_hole(const struct part *t, size_t first, size_t last)
{
	return last - first == 2 && is_same(t->v[first].end, t->v[last].end) &&
	       t->v[first + 1].start + 1 == t->v[last].start;
}

static size_t middle_of(size_t first, size_t last)
{
	return (first + last + 1) / 2;
}

static size_t nodes_of(const struct part *t, size_t first, size_t last)
{
	if (first == last)
		return 0;
	if (is_hole(t, first, last))
		return 1;
	size_t middle = middle_of(first, last);
	return 1 + nodes_of(t, first, middle - 1) + nodes_of(t, middle, last);
}

static size_t end_of(struct maker *m, struct outcome end)
{
	size_t i = 0;
	while (!is_same(m->ends[i], end))
		i++;
	return m->first_end + i;
}

/* The nodes of some stretches, the first of them at m->n: lower numbers follow, higher ones are jumped to. */
static void put_nodes(struct maker *m, size_t first, size_t last)
{
	const struct stretch *v = m->t->v;
	if (first == last)
		return;
	size_t at = m->n, middle = middle_of(first, last);
	if (is_hole(m->t, first, last)) {
		put(m, BPF_JMP | BPF_JEQ | BPF_K, end_of(m, v[first + 1].end) - at - 1,
		    end_of(m, v[first].end) - at - 1, v[first + 1].start);
		return;
	}
	size_t lower = first == middle - 1 ? end_of(m, v[first].end) : at + 1;
	size_t higher = middle == last ? end_of(m, v[last].end) : at + 1 + nodes_of(m->t, first, middle - 1);
	put(m, BPF_JMP | BPF_JGE | BPF_K, higher - at - 1, lower - at - 1, v[middle].start);
	put_nodes(m, first, middle - 1);
	put_nodes(m, middle, last);
}

static size_t ends_of(const struct part *t, size_t first, size_t last)
{
	size_t n = 0;
	for (size_t i = first; i <= last; i++) {
		size_t k = first;
		while (k < i && !is_same(t->v[k].end, t->v[i].end))
			k++;
		n += k == i;
	}
	return n;
}

/* Whether conditional jumps reach from each node to each end. */
static bool is_near(const struct part *t, size_t first, size_t last)
{
	return nodes_of(t, first, last) <= NODES_MAX && ends_of(t, first, last) <= ENDS_MAX;
}

static size_t size_of_tree(const struct part *t, size_t first, size_t last)
{
	if (is_near(t, first, last))
		return nodes_of(t, first, last) + ends_of(t, first, last);
	size_t middle = middle_of(first, last);
	return 2 + size_of_tree(t, first, middle - 1) + size_of_tree(t, middle, last);
}

static void put_ends(struct maker *m)
{
	for (size_t i = 0; i < m->end_count; i++)
		if (m->ends[i].is_block)
			put(m, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(m->tail + m->moved[m->ends[i].v] - m->n - 1));
		else
			put(m, BPF_RET | BPF_K, 0, 0, m->ends[i].v);
}

/* Nodes and behind them their ends; what is too large for that becomes two trees, and a jump that reaches anywhere.
 */
static void put_tree(struct maker *m, size_t first, size_t last)
{
	const struct part *t = m->t;
	if (!is_near(t, first, last)) {
		size_t middle = middle_of(first, last);
		put(m, BPF_JMP | BPF_JGE | BPF_K, 0, 1, t->v[middle].start);
		put(m, BPF_JMP | BPF_JA, 0, 0, (uint32_t)size_of_tree(t, first, middle - 1));
		put_tree(m, first, middle - 1);
		put_tree(m, middle, last);
		return;
	}
	m->end_count = 0;
	for (size_t i = first; i <= last; i++) {
		size_t k = 0;
		while (k < m->end_count && !is_same(m->ends[k], t->v[i].end))
			k++;
		if (k == m->end_count)
			m->ends[m->end_count++] = t->v[i].end;
	}
	m->first_end = m->n + nodes_of(t, first, last);
	put_nodes(m, first, last);
	put_ends(m);
}

static void put_part(struct maker *m, const struct part *t)
{
	m->t = t;
	put(m, LD_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	put_tree(m, 0, t->n - 1);
}

static size_t size_of_part(const struct part *t)
{
	return 1 + size_of_tree(t, 0, t->n - 1);
}

/* Marks what can be reached from each look at arguments that a number ends at, and numbers it anew. */
static size_t mark_blocks(const struct program *p, const struct part *parts, size_t n, bool *is_kept, uint32_t *moved)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < parts[i].n; k++)
			if (parts[i].v[k].end.is_block)
				is_kept[parts[i].v[k].end.v] = true;
	size_t count = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *c = &p->code[i];
		if (!is_kept[i])
			continue;
		moved[i] = (uint32_t)count++;
		if (c->code == (BPF_JMP | BPF_JA)) {
			is_kept[i + 1 + c->k] = true;
		} else if (BPF_CLASS(c->code) == BPF_JMP) {
			is_kept[i + 1 + c->jt] = true;
			is_kept[i + 1 + c->jf] = true;
		} else if (c->code != (BPF_RET | BPF_K)) {
			is_kept[i + 1] = true;
		}
	}
	return count;
}

/* Jumps only become shorter: what lay between is left out. */
static void put_blocks(struct maker *m, const struct program *p, const bool *is_kept)
{
	for (size_t i = 0; i < p->n; i++) {
		struct sock_filter c = p->code[i];
		if (!is_kept[i])
			continue;
		uint32_t here = m->moved[i] + 1;
		if (c.code == (BPF_JMP | BPF_JA)) {
			c.k = m->moved[i + 1 + c.k] - here;
		} else if (BPF_CLASS(c.code) == BPF_JMP) {
			c.jt = (unsigned char)(m->moved[i + 1 + c.jt] - here);
			c.jf = (unsigned char)(m->moved[i + 1 + c.jf] - here);
		}
		put(m, c.code, c.jt, c.jf, c.k);
	}
}

static void put_all(struct maker *m, const struct program *p, const struct part *parts, size_t n, uint32_t other,
		    const bool *is_kept)
{
	size_t at[ARCHS_MAX];
	m->tail = 2 + 2 * n;
	for (size_t i = 0; i < n; i++) {
		at[i] = m->tail;
		m->tail += size_of_part(&parts[i]);
	}
	put(m, LD_ABS, 0, 0, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < n; i++) {
		put(m, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, parts[i].arch);
		put(m, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(at[i] - m->n - 1));
	}
	put(m, BPF_RET | BPF_K, 0, 0, other);
	for (size_t i = 0; i < n; i++)
		put_part(m, &parts[i]);
	put_blocks(m, p, is_kept);
}

/* ---- both ---- */

/* Between two cuts neither program can change its mind: both are asked at either end. */
static bool is_equal(const struct program *old, const struct maker *m, const struct part *t)
{
	const struct program new = {m->out, m->n};
	for (size_t i = 0; i < t->cut_count; i++) {
		uint32_t last = i + 1 < t->cut_count ? t->cuts[i + 1] - 1 : UINT32_MAX;
		for (int k = 0; k < 2; k++) {
			struct outcome a = walk(old, t->arch, k ? last : t->cuts[i]),
				       b = walk(&new, t->arch, k ? last : t->cuts[i]);
			if (a.is_block)
				a.v = (uint32_t)m->tail + m->moved[a.v];
			if (!is_same(a, b))
				return false;
		}
	}
	return true;
}

/* What an architecture gets that the filter is not for: an answer without a look at anything else. */
static bool find_other(const struct program *p, const struct part *parts, size_t n, unsigned char *has, uint32_t *ret)
{
	if (!flow(p, 0, has) || is_listed(parts, n, 0))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *c = &p->code[i];
		if (has[i] & (HAS_NR | HAS_ARGS))
			return false;
		if (has[i] == HAS_ARCH && BPF_CLASS(c->code) == BPF_JMP && BPF_OP(c->code) != BPF_JA &&
		    !is_listed(parts, n, c->k))
			return false;
	}
	*ret = walk(p, 0, 0).v;
	return true;
}

size_t seccomp_tree(const struct sock_filter *code, size_t count, const uint32_t *archs, size_t arch_count,
		    struct arena *a, struct sock_filter *out)
{
	const struct program p = {code, count};
	struct part parts[ARCHS_MAX] = {0};
	size_t n = 0;
	unsigned char *has = arena_alloc(a, count + 1);
	for (size_t i = 0; i < arch_count; i++) {
		uint32_t arch = archs[i] == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : archs[i];
		if (is_listed(parts, n, arch))
			continue;
		if (n == ARCHS_MAX)
			return 0;
		parts[n].arch = arch;
		if (!survey(&p, has, a, &parts[n++]))
			return 0;
	}
	uint32_t other;
	if (!find_other(&p, parts, n, has, &other))
		return 0;
	bool *is_kept = arena_array(a, count + 1, sizeof(*is_kept));
	uint32_t *moved = arena_array(a, count, sizeof(*moved));
	mark_blocks(&p, parts, n, is_kept, moved);
	struct maker m = {.out = out, .room = count, .moved = moved};
	put_all(&m, &p, parts, n, other, is_kept);
	if (m.n >= count || !seccomp_code_is_sound(out, m.n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!is_equal(&p, &m, &parts[i]))
			return 0;
	const struct program new = {out, m.n};
	return walk(&new, 0, 0).v == other ? m.n : 0;
}
