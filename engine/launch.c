/* SPDX-License-Identifier: Apache-2.0 */
/* See launch.h. What is here lies on the path that the benchmark measures: each call counts. */
#include "engine/launch.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cgroup/stat.h"
#include "engine/keeper.h"
#include "engine/root.h"
#include "image/erofsmount.h"
#include "runtime/notify.h"
#include "runtime/tty.h"
#include "runtime/wait.h"
#include "util/clock.h"
#include "util/fd.h"

enum { SIGNALLED = 128 };

/* The size is there before the program looks at it. */
static void give_size(const struct launch *l)
{
	unsigned short rows, columns;
	struct spec_process *p = l->spec->process;

	if (!p || !p->terminal.v || p->console_size || l->request->console_socket)
		return;
	tty_size(&rows, &columns);
	if (!rows || !columns)
		return;
	p->console_size = arena_new(&l->spec->arena, struct spec_console_size);
	p->console_size->height = (struct opt_u32){ .has = true, .v = rows };
	p->console_size->width = (struct opt_u32){ .has = true, .v = columns };
}

static int note_ending(const struct launch *l, const struct container *c, const char *started, int status,
		       struct err *e)
{
	char now[CLOCK_TEXT_MAX];
	uint64_t kills = 0;

	if (c->cgroup >= 0)
		cgroup_oom_count(c->cgroup, &kills);
	const struct ending x = {
		.started = started, .finished = clock_text(now),
		.exit_code = { .has = true, .v = status },
		.signal = { .has = status > SIGNALLED, .v = status - SIGNALLED },
		.is_oom = { .has = true, .v = kills > 0 },
	};
	return record_end(l->dir, &x, e);
}

static int run_to_end(const struct launch *l, struct container *c, int *ret_status, struct err *e)
{
	char started[CLOCK_TEXT_MAX];
	int r = l->dir ? record_begin(l->dir, e) : 0;

	if (r < 0) {
		struct err ignored;
		container_destroy(c, &ignored);
		return r;
	}
	if (l->dir)
		clock_text(started);
	struct notify notify notify_auto = { .socket = -1, .host = l->request->service.notify_socket };
	if (notify.host && (r = notify_open(&notify, &c->dir, e)) < 0) {
		struct err ignored;
		container_destroy(c, &ignored);
		return r;
	}
	if (l->is_oci && c->master >= 0)
		tty_plain_lines(c->master);
	r = container_go(c, e);
	if (r < 0)
		return r;
	if (l->dir && l->is_rm)
		root_unmark(l->dir);
	const struct wait_request w = { .pidfd = c->pidfd, .master = c->master, .is_input = l->is_input,
					.notify = notify.socket >= 0 ? &notify : NULL };
	r = wait_program(&w, ret_status, e);
	if (r < 0)
		err_at(e, r, "run %s", c->dir.id);
	else
		c->pid = 0;   /* reaped: the number is somebody else's now */
	if (r == 0 && l->dir)
		r = note_ending(l, c, started, *ret_status, e);
	if (l->is_keep)
		return r;
	int d = container_destroy(c, e);
	return r < 0 ? r : d;
}

static int run_foreground(const struct launch *l, int *ret_status, struct err *e)
{
	if (l->dir && l->dir->meet >= 0)
		erofs_offer(l->dir->meet, l->dir->mount);
	struct container c container_auto = CONTAINER_NONE;
	fd_auto int null = -1;

	wait_block_signals();
	give_size(l);
	if (!l->is_input && l->spec->process && !l->spec->process->terminal.v)
		l->request->stdio[0] = null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	l->request->is_run = true;
	int r = container_create(l->request, &c, e);
	return r < 0 ? r : run_to_end(l, &c, ret_status, e);
}

int launch(const struct launch *l, int *ret_status, struct err *e)
{
	const struct keeper_job job = {
		.request = l->request, .dir = l->dir, .is_rm = l->is_rm, .is_input = l->is_input,
		.log_max_bytes = l->log_max_bytes, .log_max_files = l->log_max_files,
	};

	if (!l->is_detached)
		return run_foreground(l, ret_status, e);
	*ret_status = 0;
	int r = keeper_start(&job, e);
	if (r == 0 && l->etc)
		etc_keep(l->etc);
	return r;
}
