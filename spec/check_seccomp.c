/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of linux.seccomp (see check.h). Source: runtime-spec config-linux.md "Seccomp". */
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>

#include "spec/verdict.h"
#include "spec/words.h"

/* "errnoRet": only for actions that take a number: 12 bits of errno, or 16 bits for a tracer (seccomp(2)). */
static void check_errno(struct verdict *v, const char *path, int action, uint32_t number)
{
	uint32_t max = action == SPEC_ACT_TRACE ? 65535 : 4095;
	if (action != SPEC_ACT_ERRNO && action != SPEC_ACT_TRACE)
		breach(v, "%s: not for %s, which returns no number", path,
		       jx_word_name(spec_action_words, action));
	else if (number > max)
		breach(v, "%s: expected at most %" PRIu32 ", got %" PRIu32, path, max, number);
}

static void check_syscall(struct verdict *v, size_t i, const struct spec_syscall *c)
{
	char path[64];
	if (c->names.n == 0)
		breach(v, "linux.seccomp.syscalls[%zu].names: expected at least one string", i);
	for (size_t j = 0; j < c->names.n; j++)
		if (!*c->names.v[j])
			breach(v, "linux.seccomp.syscalls[%zu].names[%zu]: expected a system call, got \"\"",
			       i, j);
	if (c->errno_ret.has) {
		snprintf(path, sizeof(path), "linux.seccomp.syscalls[%zu].errnoRet", i);
		check_errno(v, path, c->action, c->errno_ret.v);
	}
	for (size_t j = 0; j < c->args.n; j++)
		if (c->args.v[j].index.v > 5)
			breach(v,
			       "linux.seccomp.syscalls[%zu].args[%zu].index: expected 0 to 5, got %" PRIu32,
			       i, j, c->args.v[j].index.v);
}

static void check_archs(struct verdict *v, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct quoted q;
		const char *near = NULL;
		if (jx_word_find(spec_arch_words, list->v[i]))
			continue;
		near = jx_nearest(spec_arch_words, list->v[i]);
		breach(v, "linux.seccomp.architectures[%zu]: unknown value %s%s%s%s", i,
		       quote(&q, list->v[i]), near ? " (did you mean \"" : "", near ? near : "",
		       near ? "\"?)" : "");
	}
}

static bool has_notify(const struct spec_seccomp *f)
{
	if (f->default_action == SPEC_ACT_NOTIFY)
		return true;
	for (size_t i = 0; i < f->syscalls.n; i++)
		if (f->syscalls.v[i].action == SPEC_ACT_NOTIFY)
			return true;
	return false;
}

void check_seccomp(struct verdict *v, const struct spec_seccomp *f)
{
	if (f->default_errno_ret.has)
		check_errno(v, "linux.seccomp.defaultErrnoRet", f->default_action, f->default_errno_ret.v);
	check_archs(v, &f->architectures);
	for (size_t i = 0; i < f->syscalls.n; i++)
		check_syscall(v, i, &f->syscalls.v[i]);
	/* seccomp(2) would say EINVAL, when the container is half made. */
	if ((f->flags.v & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) && !has_notify(f))
		breach(v, "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs SCMP_ACT_NOTIFY");
	check_absolute(v, f->listener_path, "linux.seccomp.listenerPath");
	if (!f->listener_path && has_notify(f))
		breach(v, "linux.seccomp.listenerPath: required for SCMP_ACT_NOTIFY");
	if (!f->listener_path && f->listener_metadata)
		breach(v, "linux.seccomp.listenerMetadata: needs listenerPath");
}
