/* SPDX-License-Identifier: Apache-2.0 */
/* See attrs.h. */
#include "runtime/attrs.h"

#include <errno.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <string.h>
#include <sys/personality.h>

#include "spec/words.h"
#include "util/mem.h"
#include "util/num.h"
#include "util/sys.h"

enum { WORD_BITS = sizeof(unsigned long) * CHAR_BIT, ALL_CPUS_BITS = 8192 };

/* ---- the plan ---- */

/*
 * As long as its highest number needs: machines have more than the 1024 processors of a cpu_set_t. The list has been
 * checked (verdict.h).
 */
static struct attrs_set make_set(const char *list, struct arena *a)
{
	uint64_t first, last, highest = 0;
	for (const char *p = list; num_range(&p, &first, &last);)
		highest = last > highest ? last : highest;
	size_t count = highest / WORD_BITS + 1;
	struct attrs_set set = {
		.words = arena_array(a, count, sizeof(*set.words)),
		.bytes = count * sizeof(*set.words),
		.list = list,
	};
	for (const char *p = list; num_range(&p, &first, &last);)
		for (uint64_t i = first; i <= last; i++)
			set.words[i / WORD_BITS] |= 1UL << i % WORD_BITS;
	return set;
}

/* The kernel takes no notice of bits beyond the processors that it was built for. sched_setaffinity(2). */
static struct attrs_set all_cpus(struct arena *a)
{
	struct attrs_set set = { .words = arena_alloc(a, ALL_CPUS_BITS / CHAR_BIT), .bytes = ALL_CPUS_BITS / CHAR_BIT };
	memset(set.words, 0xff, set.bytes);
	return set;
}

static void plan_cpus(const struct spec_process *p, const struct spec_linux *l, bool is_exec, struct arena *a,
		      struct attrs *ret)
{
	const struct spec_cpu_affinity *f = is_exec ? p->exec_cpu_affinity : NULL;
	const struct spec_cpu *c = l && l->resources ? l->resources->cpu : NULL;
	if (f && f->initial) {
		ret->first_cpus = make_set(f->initial, a);
		ret->need |= ATTRS_FIRST_CPUS;
	}
	if (f && f->final)
		ret->cpus = make_set(f->final, a);
	else if (is_exec ? !(f && f->initial) : c && c->cpus)
		ret->cpus = all_cpus(a);
	ret->need |= ret->cpus.words ? ATTRS_CPUS : 0;
}

void attrs_plan(const struct spec_process *p, const struct spec_linux *l, bool is_exec, struct arena *a,
		struct attrs *ret)
{
	*ret = (struct attrs){
		.scheduler = p->scheduler,
		.io_priority = p->io_priority,
		.memory = l ? l->memory_policy : NULL,
		.personality = l && l->personality ? (unsigned long)l->personality->domain : 0,
	};
	ret->need |= p->scheduler ? ATTRS_SCHEDULER : 0;
	ret->need |= p->io_priority ? ATTRS_IO_PRIORITY : 0;
	ret->need |= l && l->personality ? ATTRS_PERSONALITY : 0;
	ret->need |= ret->memory ? ATTRS_MEMORY : 0;
	if (ret->memory && ret->memory->nodes)
		ret->nodes = make_set(ret->memory->nodes, a);
	plan_cpus(p, l, is_exec, a, ret);
}

/* ---- the parent's share ---- */

static int give_scheduler(const struct spec_scheduler *s, pid_t pid, struct err *e)
{
	/* As the kernel has it since 5.3, linux/sched/types.h; later C libraries declare it under its own name. */
	const struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attr = {
		.size = sizeof(attr),
		.policy = (uint32_t)s->policy,
		.flags = s->flags.v,
		.nice = s->nice.v,
		.priority = (uint32_t)s->priority.v,
		.runtime = s->runtime.v,
		.deadline = s->deadline.v,
		.period = s->period.v,
	};
	if (syscall(SYS_sched_setattr, pid, &attr, 0) == 0)
		return 0;
	const char *policy = jx_word_name(spec_sched_policy_words, s->policy);
	if (errno == EPERM && s->policy == SCHED_DEADLINE)
		return err_sys(
			e, "process.scheduler: SCHED_DEADLINE needs CAP_SYS_NICE, and a process that may run on all "
			   "processors");
	if (errno == EPERM)
		return err_sys(e,
			       "process.scheduler: %s of priority %d and nice %d needs CAP_SYS_NICE, which kist does "
			       "not have",
			       policy, s->priority.v, s->nice.v);
	if (errno == EBUSY)
		return err_sys(e,
			       "process.scheduler: the processors have not that much time left for SCHED_DEADLINE");
	return err_sys(e, "process.scheduler: %s", policy);
}

/* The process leads a group of its own (setsid), which is all of the container now. */
static int give_io_priority(const struct spec_io_priority *p, pid_t pid, struct err *e)
{
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, pid, IOPRIO_PRIO_VALUE(p->io_class, p->priority.v)) == 0)
		return 0;
	const char *name = jx_word_name(spec_io_class_words, p->io_class);
	return errno == EPERM
		       ? err_sys(e, "process.ioPriority: %s needs CAP_SYS_NICE, which kist does not have", name)
		       : err_sys(e, "process.ioPriority: %s, %d", name, p->priority.v);
}

int attrs_give(const struct attrs *at, pid_t pid, struct err *e)
{
	int r = at->need & ATTRS_SCHEDULER ? give_scheduler(at->scheduler, pid, e) : 0;
	return r == 0 && (at->need & ATTRS_IO_PRIORITY) ? give_io_priority(at->io_priority, pid, e) : r;
}

/* ---- the child's share ---- */

static int set_cpus(const struct attrs_set *set, const char *path, struct err *e)
{
	if (syscall(SYS_sched_setaffinity, 0, set->bytes, set->words) == 0)
		return 0;
	if (errno == EINVAL)
		return err_sys(e, "%s: none of the processors %s may be used here", path,
			       set->list ? set->list : "there are");
	return err_sys(e, "%s", path);
}

static int set_memory(const struct attrs *at, struct err *e)
{
	const struct spec_memory_policy *m = at->memory;
	int mode = m->mode | (int)m->flags.v;
	/* The kernel reads one bit less than it is told. set_mempolicy(2), BUGS of get_nodes. */
	if (syscall(SYS_set_mempolicy, mode, at->nodes.words, at->nodes.words ? at->nodes.bytes * CHAR_BIT + 1 : 0) ==
	    0)
		return 0;
	const char *name = jx_word_name(spec_policy_mode_words, m->mode);
	if (errno == EINVAL && m->nodes)
		return err_sys(e,
			       "linux.memoryPolicy: %s: unknown to this kernel, or nodes %s are not all there or not "
			       "in the container's cpuset",
			       name, m->nodes);
	return err_sys(e, "linux.memoryPolicy: %s", name);
}

int attrs_take(const struct attrs *at, struct err *e)
{
	int r = at->need & ATTRS_CPUS
			? set_cpus(&at->cpus, at->cpus.list ? "process.execCPUAffinity.final" : "processors", e)
			: 0;
	if (r == 0 && (at->need & ATTRS_MEMORY))
		r = set_memory(at, e);
	if (r == 0 && (at->need & ATTRS_PERSONALITY) && personality(at->personality) < 0)
		r = err_sys(e, "linux.personality");
	return r;
}

/* ---- around a clone ---- */

int attrs_bind(const struct attrs *at, struct attrs_cpus_kept *ret, struct err *e)
{
	long n = syscall(SYS_sched_getaffinity, 0, sizeof(ret->words), ret->words);
	if (n < 0)
		return err_sys(e, "own processors");
	ret->bytes = (size_t)n;
	return set_cpus(&at->first_cpus, "process.execCPUAffinity.initial", e);
}

int attrs_unbind(const struct attrs_cpus_kept *kept, struct err *e)
{
	if (syscall(SYS_sched_setaffinity, 0, kept->bytes, kept->words) < 0)
		return err_sys(e, "own processors");
	return 0;
}
