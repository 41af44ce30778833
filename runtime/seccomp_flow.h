/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter of libseccomp answers to each number of a system call, found by walking it. Caller: seccomp_tree.
 * Pure; memory is the arena's.
 */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"

enum { LD_ABS = BPF_LD | BPF_W | BPF_ABS };

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

bool flow_is_same(struct outcome a, struct outcome b);

/* Whether one of the parts is for an architecture. */
bool flow_is_listed(const struct part *parts, size_t n, uint32_t arch);

/*
 * Walks until an answer or the first look at arguments. For a sound program (seccomp_code_is_sound) of which
 * flow_survey has said yes for this architecture.
 */
struct outcome flow_walk(const struct program *p, uint32_t arch, uint32_t nr);

/*
 * Fills a part, whose `arch` is given, with the stretches of all numbers. `has`: one byte of scratch per instruction and
 * one more. False: there is something in the program that is not understood.
 */
bool flow_survey(const struct program *p, unsigned char *has, struct arena *a, struct part *t);

/*
 * What an architecture gets that the filter is not for. False: the answer depends on something else.
 */
bool flow_other(const struct program *p, const struct part *parts, size_t n, unsigned char *has, uint32_t *ret);
