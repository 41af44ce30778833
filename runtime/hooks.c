/* SPDX-License-Identifier: Apache-2.0 */
/* See hooks.h. */
#include "runtime/hooks.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <string.h>
#include <unistd.h>

#include "runtime/hook.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"

enum { DOCUMENT_MAX = JX_BYTES_MAX };

bool hooks_are_later(const struct spec_hooks *h)
{
	return h && (h->poststart.n || h->poststop.n);
}

/* ---- the parent's ---- */

/* One list that is run: what all of its hooks share. */
struct round {
	const char *kind;
	const struct spec_hook_list *list;
	const struct state *state;
	enum state_status status;
	bool is_all;    /* a failure is warned of, and the next one runs */
};

static int run_round(const struct round *d, struct err *e)
{
	if (!d->list->n)
		return 0;
	str_auto struct str document = STR_MAX(DOCUMENT_MAX);
	state_print_hook(&document, d->state, d->status);
	/* A bundle may be gone by the time of poststop. */
	fd_auto int bundle = open(d->state->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_auto int cwd = bundle >= 0 ? fd_take(&bundle) : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = 0;
	for (size_t i = 0; r == 0 && i < d->list->n; i++) {
		const struct hook_call c = {
			.kind = d->kind, .index = i, .hook = &d->list->v[i], .state = document.p,
			.pid = d->status == STATUS_STOPPED ? 0 : d->state->pid.v, .cwd = cwd, .launcher = -1,
			.is_stoppable = !d->is_all,
		};
		r = hook_run(&c, e);
		if (r < 0 && d->is_all) {
			log_warn("container %s: %s", d->state->id, e->text);
			err_clear(e);
			r = 0;
		}
	}
	return r;
}

int hooks_create_runtime(const struct spec_hooks *h, const struct state *s, struct err *e)
{
	const struct round first = { "prestart", &h->prestart, s, STATUS_CREATING, false };
	const struct round second = { "createRuntime", &h->create_runtime, s, STATUS_CREATING, false };
	int r = run_round(&first, e);
	return r < 0 ? r : run_round(&second, e);
}

int hooks_poststart(const struct spec_hooks *h, const struct state *s, struct err *e)
{
	const struct round d = { "poststart", &h->poststart, s, STATUS_RUNNING, false };
	return run_round(&d, e);
}

void hooks_poststop(const struct spec_hooks *h, const struct state *s)
{
	const struct round d = { "poststop", &h->poststop, s, STATUS_STOPPED, true };
	struct err e;
	err_clear(&e);
	run_round(&d, &e);
}

/* ---- the child's ---- */

/*
 * A filter without no_new_privs takes CAP_SYS_ADMIN, and so the process that waits for the hooks still has it, and no
 * filter, when the program will not. A hook that may trace would have that too: then it may not.
 */
static bool is_tempting(const struct process_plan *p)
{
	return p->filter && !p->no_new_privileges && !(p->caps.permitted & 1ULL << CAP_SYS_ADMIN) &&
	       ((p->caps.permitted | p->caps.bounding) & 1ULL << CAP_SYS_PTRACE);
}

static void drop_ptrace(struct caps *c)
{
	const uint64_t others = ~(1ULL << CAP_SYS_PTRACE);
	c->bounding &= others;
	c->permitted &= others;
	c->effective &= others;
	c->inheritable &= others;
	c->ambient &= others;
}

/* The launcher's words for each, and how the program itself is started: user, capabilities, filter, limits. */
void hooks_plan(const struct spec_hooks *h, struct arena *a, struct plan *p)
{
	const struct spec_hook_list *list = &h->start_container;
	p->start_hooks = arena_array(a, list->n, sizeof(*p->start_hooks));
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_hook *hook = &list->v[i];
		struct process_plan *x = &p->start_hooks[i];
		size_t n = hook->args.n ? hook->args.n : 1;
		const char **args = arena_array(a, n + 3, sizeof(*args));
		args[0] = "kist-launcher";
		args[2] = hook->path;
		for (size_t k = 0; k < hook->args.n; k++)
			args[2 + k] = hook->args.v[k];
		*x = p->process;
		x->args = args + 2;
		x->launch = p->process.launch ? args : NULL;
		x->is_launch_reported = false;
		/* Not given it is the program's own; [] is none. */
		if (hook->env.v)
			x->env = hook->env.n ? hook->env.v : arena_array(a, 1, sizeof(*x->env));
		x->preserve_fds = 0;
		if (is_tempting(&p->process))
			drop_ptrace(&x->caps);
		/* The agent is there for the program: calls that the filter hands to it fail with ENOSYS. seccomp(2). */
		x->filter_flags &= ~(unsigned)(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	}
}

static const char *document(const struct state *s, enum state_status status, struct arena *a)
{
	str_auto struct str text = STR_MAX(DOCUMENT_MAX);
	state_print_hook(&text, s, status);
	return arena_str(a, text.p);
}

struct hooks_child hooks_child_make(const struct plan *p, const struct state *s, struct arena *a)
{
	const struct spec_hooks *h = p->spec->hooks;
	struct hooks_child ret = { NULL, NULL };
	if (h && h->create_container.n)
		ret.creating = document(s, STATUS_CREATING, a);
	if (p->need & NEED_START_HOOKS)
		ret.created = document(s, STATUS_CREATED, a);
	return ret;
}

int hooks_create_container(const struct plan *p, const struct hooks_child *h, int root, struct err *e)
{
	const struct spec_hook_list *list = &p->spec->hooks->create_container;
	int r = 0;
	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const struct hook_call c = {
			.kind = "createContainer", .index = i, .hook = &list->v[i], .state = h->creating,
			.pid = getpid(), .cwd = root, .launcher = -1,
		};
		r = hook_run(&c, e);
	}
	return r;
}

int hooks_start_container(const struct plan *p, const struct hooks_child *h, int launcher, struct err *e)
{
	const struct spec_hook_list *list = &p->spec->hooks->start_container;
	fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = root < 0 ? err_sys(e, "hooks.startContainer: /") : 0;
	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const struct hook_call c = {
			.kind = "startContainer", .index = i, .hook = &list->v[i], .state = h->created,
			.pid = getpid(), .cwd = root, .process = &p->start_hooks[i], .launcher = launcher,
			.is_tamed = p->start_hooks[i].caps.bounding != p->process.caps.bounding ||
				    p->start_hooks[i].caps.permitted != p->process.caps.permitted,
		};
		r = hook_run(&c, e);
	}
	return r;
}
