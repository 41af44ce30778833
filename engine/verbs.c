/* SPDX-License-Identifier: Apache-2.0 */
/* See verbs.h. */
#include "engine/verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "engine/etc.h"
#include "image/store.h"
#include "util/fd.h"
#include "util/proc.h"

enum { GRACE_MS = 10000, KEEPER_MS = 10000, STEP_MS = 100 };

/* "SIGTERM", "SIGRTMIN+3" */
static void signal_text(int sig, char out[static 32])
{
	const char *word = sigabbrev_np(sig);

	if (word)
		snprintf(out, 32, "SIG%s", word);
	else if (sig >= SIGRTMIN && sig <= SIGRTMAX)
		snprintf(out, 32, "SIGRTMIN+%d", sig - SIGRTMIN);
	else
		snprintf(out, 32, "signal %d", sig);
}

/* ---- stop ---- */

/* Fills in what the record says where the caller said nothing. */
static int stop_terms(const struct record *r, const char *signal, struct opt_i64 timeout_ms, int *ret_signal,
		      struct stop_report *ret, struct err *e)
{
	const char *word = signal ? signal : r->stop_signal ? r->stop_signal : "TERM";
	int sig = signal_number(word, e);

	if (sig < 0)
		return sig;
	*ret_signal = sig;
	signal_text(sig, ret->signal);
	ret->grace_ms = timeout_ms.has ? timeout_ms.v : r->stop_timeout_ms.has ? r->stop_timeout_ms.v : GRACE_MS;
	if (ret->grace_ms > INT32_MAX)
		ret->grace_ms = INT32_MAX;
	return 0;
}

/* The keeper notes the end and cleans up; then `ps`, `rm` and `start` see a stopped container. */
static int let_keeper_finish(const struct record_dir *d, struct err *e)
{
	struct ending x ending_auto = { 0 };
	int r = record_wait(d, KEEPER_MS, &x, e);

	return r == -EBUSY ? err_new(e, ETIMEDOUT, "container %s: its keeper does not end", d->name) : r;
}

/*
 * Stops what runs. A container that is still being made has no process yet: then its maker is given time, a step after
 * the other, until it has one or has given up. `d`: NULL without a record.
 */
static int stop_running(int root, const char *name, const struct record_dir *d, int sig, struct stop_report *ret,
			struct err *e)
{
	for (int waited_ms = 0;; waited_ms += STEP_MS) {
		struct ending x ending_auto = { 0 };
		int r = container_stop(root, name, sig, (int)ret->grace_ms, &ret->outcome, e);
		if (r != -ENOENT || !d)
			return r;
		err_clear(e);
		r = record_wait(d, STEP_MS, &x, e);
		if (r != -EBUSY)
			return r;
		if (waited_ms >= KEEPER_MS)
			return err_new(e, ETIMEDOUT, "container %s: is still being made", name);
	}
}

static int stop_recorded(int root, const struct record_dir *d, int sig, struct stop_report *ret, struct err *e)
{
	struct ending x ending_auto = { 0 };
	enum record_state state = record_look(d, &x);

	ret->outcome = STOP_ALREADY;
	if (state == RECORD_ENDED || state == RECORD_NEW)
		return 0;
	int r = stop_running(root, d->name, state == RECORD_RUNNING ? d : NULL, sig, ret, e);
	if (r < 0 && r != -ENOENT)
		return r;
	err_clear(e);
	if (state == RECORD_ORPHANED)
		return container_delete(root, d->name, true, e);
	return let_keeper_finish(d, e);
}

int engine_stop(const struct engine *g, const char *name, const char *signal, struct opt_i64 timeout_ms,
		struct stop_report *ret, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct record record record_done_auto = { 0 };
	struct err absent = { 0 };
	int sig;
	int r = store_open(g->store, false, &s, e);

	if (r < 0)
		return r;
	int found = record_open(&s, name, &d, &absent);
	if (found == 0 && record_read(&d, &record, e) < 0)
		err_clear(e);
	r = stop_terms(&record, signal, timeout_ms, &sig, ret, e);
	fd_auto int root = r < 0 ? -1 : state_open_root(g->state_root, true, e);
	if (r < 0 || root < 0)
		return r < 0 ? r : root;
	if (found == 0)
		return stop_recorded(root, &d, sig, ret, e);
	r = found == -ENOENT ? stop_running(root, name, NULL, sig, ret, e) : found;
	if (r == -ENOENT || found != -ENOENT)
		*e = absent;
	return r;
}

/* ---- wait ---- */

/* Nobody notes how an orphan ends, but its end can be waited for. */
static int wait_orphan(const struct engine *g, const char *name, struct err *e)
{
	struct state_dir dir state_auto = STATE_DIR_NONE;
	struct state state state_done_auto = { 0 };
	struct err ignored;
	int pidfd = -1;
	fd_auto int root = state_open_root(g->state_root, true, e);

	if (root < 0)
		return root;
	if (state_open(root, name, false, &dir, &ignored) == 0 && state_read(&dir, &state, &ignored) == 0)
		state_status(&dir, &state, &pidfd);
	if (pidfd >= 0)
		proc_wait_end(pidfd, -1);
	fd_close(pidfd);
	return err_new(e, ENODATA, "container %s: its keeper was killed, so nobody saw how it ended", name);
}

int engine_wait(const struct engine *g, const char *name, int *ret_status, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct ending x ending_auto = { 0 };
	int r = store_open(g->store, false, &s, e);

	if (r == 0)
		r = record_open(&s, name, &d, e);
	if (r == 0)
		r = record_wait(&d, -1, &x, e);
	if (r < 0)
		return r;
	if (!x.finished)
		return wait_orphan(g, name, e);
	*ret_status = x.exit_code.v;
	return 0;
}

/* ---- rm ---- */

/*
 * Kills and lets the keeper clean up, as far as there is one. Again and again: a container that is still being made
 * may have nothing to kill yet.
 */
static int end_by_force(int root, const struct record_dir *d, struct err *e)
{
	int r = -EBUSY;

	for (int waited_ms = 0; r == -EBUSY && waited_ms < KEEPER_MS; waited_ms += STEP_MS) {
		struct ending x ending_auto = { 0 };
		/* What cannot be killed so is removed under the keeper's eyes. */
		if (container_kill(root, d->name, SIGKILL, true, e) < 0) {
			err_clear(e);
			container_delete(root, d->name, true, e);
			err_clear(e);
		}
		r = record_wait(d, STEP_MS, &x, e);
	}
	if (r == -EBUSY)
		return err_new(e, ETIMEDOUT, "container %s: its keeper does not end", d->name);
	return r < 0 ? r : container_delete(root, d->name, true, e);
}

/* When the container of the state directory is gone: `deleted` says how that went. */
static int remove_rest(int root, struct record_dir *d, int deleted, struct err *e)
{
	if (deleted == -ENOENT)
		err_clear(e);
	else if (deleted < 0)
		return deleted;
	etc_sweep(root, d->name);
	return record_remove(d, e);
}

static int remove_recorded(int root, struct record_dir *d, bool force, struct err *e)
{
	struct ending x ending_auto = { 0 };
	enum record_state state = record_look(d, &x);
	int r;

	if (state == RECORD_RUNNING && !force)
		return err_new(e, EBUSY, "container %s: is running (kist stop ends it, rm -f kills it)", d->name);
	if (state == RECORD_RUNNING)
		r = end_by_force(root, d, e);
	else
		r = container_delete(root, d->name, force, e);
	return remove_rest(root, d, r, e);
}

int engine_remove(const struct engine *g, const char *name, bool force, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct err absent = { 0 };
	int r = store_open(g->store, false, &s, e);
	fd_auto int root = r < 0 ? -1 : state_open_root(g->state_root, true, e);

	if (r < 0 || root < 0)
		return r < 0 ? r : root;
	r = record_open(&s, name, &d, &absent);
	if (r == 0)
		return remove_recorded(root, &d, force, e);
	if (r != -ENOENT) {
		*e = absent;
		return r;
	}
	if (force)
		etc_sweep(root, name);
	r = container_delete(root, name, force, e);
	if (r == -ENOENT)
		*e = absent;
	return r;
}

int engine_remove_ended(const struct engine *g, const char *name, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	int r = store_open(g->store, false, &s, e);
	fd_auto int root = r < 0 ? -1 : state_open_root(g->state_root, true, e);

	if (r < 0 || root < 0)
		return r < 0 ? r : root;
	r = record_open(&s, name, &d, e);
	if (r == 0)
		r = record_take(&d, e);
	return r < 0 ? r : remove_rest(root, &d, container_delete(root, name, false, e), e);
}
