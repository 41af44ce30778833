/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the process object (see check.h). Source: runtime-spec config.md "Process". */
#include <inttypes.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>

#include "spec/verdict.h"
#include "spec/words.h"

enum { POLICY_ISO = 4 }; /* linux/sched.h, "reserved but not implemented yet" */

static void check_user(struct verdict *v, const struct spec_user *u)
{
	/* 4294967295 is (uid_t)-1, "no change" for setresuid(2). */
	if (u->uid.v == UINT32_MAX)
		breach(v, "user.uid: expected at most 4294967294, got 4294967295");
	if (u->gid.v == UINT32_MAX)
		breach(v, "user.gid: expected at most 4294967294, got 4294967295");
	for (size_t i = 0; i < u->additional_gids.n; i++)
		if (u->additional_gids.v[i] == UINT32_MAX)
			breach(v, "user.additionalGids[%zu]: expected at most 4294967294, got 4294967295", i);
	if (u->umask.v > 0777)
		breach(v, "user.umask: expected at most 511 (0777 octal), got %" PRIu32, u->umask.v);
}

static void check_rlimits(struct verdict *v, const struct spec_rlimits *list)
{
	uint64_t seen = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_rlimit *l = &list->v[i];
		uint64_t bit = UINT64_C(1) << l->type;
		if (seen & bit)
			breach(v, "rlimits[%zu].type: %s is there twice", i,
			       jx_word_name(spec_rlimit_words, l->type));
		seen |= bit;
		if (l->soft.v > l->hard.v)
			breach(v, "rlimits[%zu].soft: %" PRIu64 " is more than hard, %" PRIu64, i, l->soft.v,
			       l->hard.v);
	}
}

/* sched(7), SCHED_DEADLINE: 1024 <= runtime <= deadline <= period < 2^63; a period of 0 is the deadline. */
static void check_deadline(struct verdict *v, const struct spec_scheduler *s)
{
	if (s->runtime.v == 0)
		breach(v, "scheduler.runtime: required for SCHED_DEADLINE");
	else if (s->runtime.v < 1024)
		breach(v, "scheduler.runtime: expected at least 1024 nanoseconds, got %" PRIu64, s->runtime.v);
	if (s->runtime.v > s->deadline.v)
		breach(v, "scheduler.deadline: less than runtime");
	if (s->period.v != 0 && s->deadline.v > s->period.v)
		breach(v, "scheduler.period: less than deadline");
	if (s->deadline.v > INT64_MAX || s->period.v > INT64_MAX)
		breach(v, "scheduler.%s: expected at most 9223372036854775807, got %" PRIu64,
		       s->deadline.v > INT64_MAX ? "deadline" : "period",
		       s->deadline.v > INT64_MAX ? s->deadline.v : s->period.v);
}

static void check_scheduler(struct verdict *v, const struct spec_scheduler *s)
{
	bool is_real_time = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	const char *name = jx_word_name(spec_sched_policy_words, s->policy);
	if (s->policy == POLICY_ISO)
		breach(v, "scheduler.policy: SCHED_ISO is reserved, and no Linux has it");
	if (s->nice.v < -20 || s->nice.v > 19)
		breach(v, "scheduler.nice: expected -20 to 19, got %" PRId32, s->nice.v);
	if (is_real_time && (s->priority.v < 1 || s->priority.v > 99))
		breach(v, "scheduler.priority: expected 1 to 99 for %s, got %" PRId32, name, s->priority.v);
	if (!is_real_time && s->priority.v != 0)
		breach(v, "scheduler.priority: only for SCHED_FIFO and SCHED_RR, not for %s", name);
	if (s->policy == SCHED_DEADLINE)
		check_deadline(v, s);
	else if (s->runtime.v || s->deadline.v || s->period.v)
		breach(v, "scheduler.%s: only for SCHED_DEADLINE, not for %s",
		       s->runtime.v    ? "runtime"
		       : s->deadline.v ? "deadline"
				       : "period",
		       name);
}

static void check_affinity(struct verdict *v, const char *key, const char *list)
{
	struct quoted q;
	if (list && !is_number_list(list))
		breach(v, "execCPUAffinity.%s: expected a list such as 0-3,7, got %s", key, quote(&q, list));
}

/* config.md "Process": the size counts only with a terminal. struct winsize has 16 bits for each. */
static void check_console(struct verdict *v, const struct spec_process *p)
{
	if (!p->console_size || !p->terminal.v)
		return;
	if (p->console_size->height.v > UINT16_MAX)
		breach(v, "consoleSize.height: expected at most 65535, got %" PRIu32, p->console_size->height.v);
	if (p->console_size->width.v > UINT16_MAX)
		breach(v, "consoleSize.width: expected at most 65535, got %" PRIu32, p->console_size->width.v);
}

void check_process(struct verdict *v, const struct spec_process *p)
{
	check_console(v, p);
	check_absolute(v, p->cwd, "cwd");
	if (p->args.n == 0)
		breach(v, "args: expected at least one string");
	else if (!*p->args.v[0])
		breach(v, "args[0]: expected a program, got \"\"");
	check_env(v, "env", &p->env);
	if (p->user)
		check_user(v, p->user);
	check_rlimits(v, &p->rlimits);
	if (p->oom_score_adj.v < -1000 || p->oom_score_adj.v > 1000) /* proc(5), oom_score_adj */
		breach(v, "oomScoreAdj: expected -1000 to 1000, got %" PRId32, p->oom_score_adj.v);
	if (p->scheduler)
		check_scheduler(v, p->scheduler);
	if (p->io_priority && (p->io_priority->priority.v < 0 || p->io_priority->priority.v > 7))
		breach(v, "ioPriority.priority: expected 0 to 7, got %" PRId32, p->io_priority->priority.v);
	if (p->exec_cpu_affinity) {
		check_affinity(v, "initial", p->exec_cpu_affinity->initial);
		check_affinity(v, "final", p->exec_cpu_affinity->final);
	}
}
