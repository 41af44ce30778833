/* SPDX-License-Identifier: Apache-2.0 */
/* See list.h. inspect is in inspect.c. */
#include "engine/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/look.h"
#include "image/store.h"
#include "runtime/control.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/mem.h"

enum { COMMAND_WIDTH = 32, LABELS_MAX = 1 << 20 };

/* ---- a container as it is now ---- */

static const char *const look_words[] = {
	[LOOK_CREATED] = "created", [LOOK_RUNNING] = "running", [LOOK_PAUSED] = "paused",
	[LOOK_EXITED] = "exited", [LOOK_DEAD] = "dead",
};

const char *look_word(enum look_state state)
{
	return look_words[state];
}

void look_done(struct look *l)
{
	record_done(&l->record);
	ending_done(&l->ending);
}

void look_at(int root, const struct record_dir *d, struct look *ret)
{
	struct state state state_done_auto = { 0 };
	enum state_status status = STATUS_STOPPED;
	struct err ignored = { 0 };

	*ret = (struct look){ 0 };
	if (record_read(d, &ret->record, &ignored) < 0)
		ret->record = (struct record){ 0 };
	enum record_state known = record_look(d, &ret->ending);
	if (known == RECORD_ENDED) {
		ret->state = LOOK_EXITED;
		return;
	}
	bool is_there = root >= 0 && container_state(root, d->name, &state, &status, &ignored) == 0;
	if (is_there && (status == STATUS_RUNNING || status == STATUS_PAUSED)) {
		ret->pid = state.pid.v;
		ret->state = status == STATUS_PAUSED ? LOOK_PAUSED : LOOK_RUNNING;
	} else if (known == RECORD_RUNNING) {
		ret->state = ret->ending.started ? LOOK_RUNNING : LOOK_CREATED;
	} else {
		ret->state = known == RECORD_NEW && ret->record.created ? LOOK_CREATED : LOOK_DEAD;
	}
}

/* ---- words for people ---- */

static const char *span(struct arena *a, const char *since)
{
	static const struct {
		long seconds;
		const char *word;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	struct timespec then, now;

	if (!since || clock_parse(since, &then) < 0)
		return "";
	clock_gettime(CLOCK_REALTIME, &now);
	long passed = now.tv_sec > then.tv_sec ? now.tv_sec - then.tv_sec : 0;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (passed >= units[i].seconds)
			return arena_fmt(a, "%ld %s%s", passed / units[i].seconds, units[i].word,
					 passed / units[i].seconds == 1 ? "" : "s");
	return "0 seconds";
}

static const char *status_of(struct arena *a, const struct look *l)
{
	switch (l->state) {
	case LOOK_RUNNING:
		return arena_fmt(a, "Up %s", span(a, l->ending.started));
	case LOOK_PAUSED:
		return arena_fmt(a, "Up %s (Paused)", span(a, l->ending.started));
	case LOOK_EXITED:
		return arena_fmt(a, "Exited (%d) %s ago", l->ending.exit_code.v, span(a, l->ending.finished));
	case LOOK_CREATED:
		return "Created";
	case LOOK_DEAD:
		break;
	}
	return "Dead";
}

static const char *command_of(struct arena *a, const struct strs *args)
{
	str_auto struct str out = STR_MAX(4096);

	for (size_t i = 0; i < args->n; i++)
		str_fmt(&out, "%s%s", i ? " " : "", args->v[i]);
	if (!out.p)
		return "";
	return out.len > COMMAND_WIDTH ? arena_fmt(a, "\"%.*s...\"", COMMAND_WIDTH - 3, out.p)
				       : arena_fmt(a, "\"%s\"", out.p);
}

static const char *labels_of(struct arena *a, const struct pairs *labels)
{
	str_auto struct str out = STR_MAX(LABELS_MAX);

	str_puts(&out, "{");
	for (size_t i = 0; i < labels->n; i++) {
		str_puts(&out, i ? "," : "");
		jx_print_string(&out, labels->v[i].key);
		str_puts(&out, ":");
		jx_print_string(&out, labels->v[i].value);
	}
	str_puts(&out, "}");
	return arena_str(a, out.p);
}

/* ---- the list ---- */

struct listing {
	const struct store *store;
	int root;
	bool all;
	struct arena *a;
	struct engine_row *rows;
	size_t n, room;
};

static int add_row(void *ctx, const char *name)
{
	struct listing *l = ctx;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct look look look_auto = { 0 };
	struct err ignored;

	if (record_open(l->store, name, &d, &ignored) < 0)
		return 0;
	look_at(l->root, &d, &look);
	if (!l->all && look.state != LOOK_RUNNING && look.state != LOOK_PAUSED)
		return 0;
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->rows = mem_grow(l->rows, l->room * sizeof(*l->rows));
	}
	struct arena *a = l->a;
	l->rows[l->n++] = (struct engine_row){
		.name = arena_str(a, name), .image = look.record.image ? arena_str(a, look.record.image) : NULL,
		.command = command_of(a, &look.record.command),
		.created = arena_str(a, look.record.created ? look.record.created : ""),
		.age = arena_fmt(a, "%s ago", span(a, look.record.created)), .status = status_of(a, &look),
		.state = look_word(look.state), .labels = labels_of(a, &look.record.labels), .pid = look.pid,
		.exit_code = look.ending.exit_code.v,
	};
	return 0;
}

static int by_age(const void *one, const void *two)
{
	const struct engine_row *a = one, *b = two;
	int order = strcmp(a->created, b->created);

	return order ? order : strcmp(a->name, b->name);
}

int engine_list(const struct engine *g, bool all, struct arena *a, struct engine_row **ret_rows, size_t *ret_count,
		struct err *e)
{
	struct store s store_auto = STORE_NONE;
	int r = store_open(g->store, false, &s, e);

	if (r < 0)
		return r;
	fd_auto int root = state_open_root(g->state_root, true, e);
	if (root < 0)
		return root;
	struct listing l = { .store = &s, .root = root, .all = all, .a = a };
	r = record_each(&s, add_row, &l, e);
	if (r < 0) {
		free(l.rows);
		return r;
	}
	if (l.n)
		qsort(l.rows, l.n, sizeof(*l.rows), by_age);
	*ret_rows = l.rows;
	*ret_count = l.n;
	return 0;
}
