/* SPDX-License-Identifier: Apache-2.0 */
/* See seccomp_flow.h. */
#include "runtime/seccomp_flow.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What lies in the accumulator. */
enum { HAS_NOTHING = 1, HAS_ARCH = 2, HAS_NR = 4, HAS_ARGS = 8 };

static unsigned source_of(uint32_t k)
{
	return k == offsetof(struct seccomp_data, arch) ? HAS_ARCH
	       : k == offsetof(struct seccomp_data, nr) ? HAS_NR
							: HAS_ARGS;
}

bool flow_is_same(struct outcome a, struct outcome b)
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

/* Walks until an answer or the first look at arguments. The program is sound and without loops: see trace(). */
struct outcome flow_walk(const struct program *p, uint32_t arch, uint32_t nr)
{
	uint32_t a = 0;
	for (size_t i = 0;; i++) {
		const struct sock_filter *c = &p->code[i];
		if (c->code == LD_ABS && source_of(c->k) == HAS_ARGS)
			return (struct outcome){ true, (uint32_t)i };
		if (c->code == LD_ABS)
			a = source_of(c->k) == HAS_ARCH ? arch : nr;
		else if (c->code == (BPF_JMP | BPF_JA))
			i += c->k;
		else if (c->code == (BPF_RET | BPF_K))
			return (struct outcome){ false, c->k };
		else
			i += compare(c->code, a, c->k) ? c->jt : c->jf;
	}
}

bool flow_is_listed(const struct part *parts, size_t n, uint32_t arch)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].arch == arch)
			return true;
	return false;
}

/* One step of trace(): which instructions follow, with what in the accumulator. False: not understood. */
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
 * only, so one pass sees all. False: there is something that flow_walk() and cuts() would not be right about.
 */
static bool trace(const struct program *p, uint32_t arch, unsigned char *has)
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

bool flow_survey(const struct program *p, unsigned char *has, struct arena *a, struct part *t)
{
	if (!trace(p, t->arch, has))
		return false;
	t->cuts = arena_array(a, 2 * p->n + 1, sizeof(*t->cuts));
	cuts(p, has, t);
	t->v = arena_array(a, t->cut_count, sizeof(*t->v));
	for (size_t i = 0; i < t->cut_count; i++) {
		struct outcome end = flow_walk(p, t->arch, t->cuts[i]);
		if (t->n == 0 || !flow_is_same(t->v[t->n - 1].end, end))
			t->v[t->n++] = (struct stretch){ t->cuts[i], end };
	}
	return true;
}

/* What an architecture gets that the filter is not for: an answer without a look at anything else. */
bool flow_other(const struct program *p, const struct part *parts, size_t n, unsigned char *has, uint32_t *ret)
{
	if (!trace(p, 0, has) || flow_is_listed(parts, n, 0))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *c = &p->code[i];
		if (has[i] & (HAS_NR | HAS_ARGS))
			return false;
		if (has[i] == HAS_ARCH && BPF_CLASS(c->code) == BPF_JMP && BPF_OP(c->code) != BPF_JA &&
		    !flow_is_listed(parts, n, c->k))
			return false;
	}
	*ret = flow_walk(p, 0, 0).v;
	return true;
}
