/* SPDX-License-Identifier: Apache-2.0 */
/* See seccomp_tree.h. */
#include "runtime/seccomp_tree.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/seccomp_cache.h"
#include "runtime/seccomp_flow.h"
#include "util/mem.h"

/* NODES_MAX and ENDS_MAX: a conditional jump reaches 255 instructions, so that any node finds any end of its tree. */
enum { ARCHS_MAX = 24, ENDS_MAX = 32, NODES_MAX = 220 };

/* ---- the new program ---- */

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
		m->out[m->n] = (struct sock_filter){ code, (unsigned char)jt, (unsigned char)jf, k };
	m->n++;
}

/* Whether three stretches are one with a single number in it that ends otherwise: one comparison then. */
static bool is_hole(const struct part *t, size_t first, size_t last)
{
	return last - first == 2 && flow_is_same(t->v[first].end, t->v[last].end) &&
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
	while (!flow_is_same(m->ends[i], end))
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
		while (k < i && !flow_is_same(t->v[k].end, t->v[i].end))
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
		while (k < m->end_count && !flow_is_same(m->ends[k], t->v[i].end))
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
	const struct program new = { m->out, m->n };
	for (size_t i = 0; i < t->cut_count; i++) {
		uint32_t last = i + 1 < t->cut_count ? t->cuts[i + 1] - 1 : UINT32_MAX;
		for (int k = 0; k < 2; k++) {
			struct outcome a = flow_walk(old, t->arch, k ? last : t->cuts[i]),
				       b = flow_walk(&new, t->arch, k ? last : t->cuts[i]);
			if (a.is_block)
				a.v = (uint32_t)m->tail + m->moved[a.v];
			if (!flow_is_same(a, b))
				return false;
		}
	}
	return true;
}

size_t seccomp_tree(const struct sock_filter *code, size_t count, const uint32_t *archs, size_t arch_count,
		    struct arena *a, struct sock_filter *out)
{
	const struct program p = { code, count };
	struct part parts[ARCHS_MAX] = { 0 };
	size_t n = 0;
	unsigned char *has = arena_alloc(a, count + 1);
	for (size_t i = 0; i < arch_count; i++) {
		uint32_t arch = archs[i] == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : archs[i];
		if (flow_is_listed(parts, n, arch))
			continue;
		if (n == ARCHS_MAX)
			return 0;
		parts[n].arch = arch;
		if (!flow_survey(&p, has, a, &parts[n++]))
			return 0;
	}
	uint32_t other;
	if (!flow_other(&p, parts, n, has, &other))
		return 0;
	bool *is_kept = arena_array(a, count + 1, sizeof(*is_kept));
	uint32_t *moved = arena_array(a, count, sizeof(*moved));
	mark_blocks(&p, parts, n, is_kept, moved);
	struct maker m = { .out = out, .room = count, .moved = moved };
	put_all(&m, &p, parts, n, other, is_kept);
	if (m.n >= count || !seccomp_code_is_sound(out, m.n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!is_equal(&p, &m, &parts[i]))
			return 0;
	const struct program new = { out, m.n };
	return flow_walk(&new, 0, 0).v == other ? m.n : 0;
}
