/* SPDX-License-Identifier: Apache-2.0 */
/* kist list: the containers below the state root, as runc lists them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "runtime/control.h"
#include "util/arena.h"
#include "util/fd.h"

struct row {
	const char *id, *status, *bundle, *rootfs, *created, *owner, *annotations, *version;
	int64_t pid;
};

static const struct out_field fields[] = {
	OUT_STR(struct row, version, "ociVersion"),
	OUT_STR(struct row, id, "id", .header = "ID", .docker = "ID"),
	OUT_I64(struct row, pid, "pid", .header = "PID"),
	OUT_STR(struct row, status, "status", .header = "STATUS", .docker = "Status"),
	OUT_STR(struct row, bundle, "bundle", .header = "BUNDLE"),
	OUT_STR(struct row, rootfs, "rootfs"),
	OUT_STR(struct row, created, "created", .header = "CREATED", .docker = "CreatedAt"),
	OUT_JSON(struct row, annotations, "annotations"),
	OUT_STR(struct row, owner, "owner", .header = "OWNER"),
};

static const struct out_list list = {
	.fields = fields, .count = ARRAY_LEN(fields), .row_size = sizeof(struct row), .key = 1,
};

struct gather {
	int root;
	struct arena arena;
	struct row *rows;
	size_t count, room;
	const char *owner;
};

static const char *annotations_of(struct arena *a, const struct pairs *list_of)
{
	str_auto struct str s = STR_MAX(JX_BYTES_MAX);

	str_puts(&s, "{");
	for (size_t i = 0; i < list_of->n; i++) {
		str_puts(&s, i ? "," : "");
		jx_print_string(&s, list_of->v[i].key);
		str_puts(&s, ":");
		jx_print_string(&s, list_of->v[i].value);
	}
	str_puts(&s, "}");
	return arena_str(a, s.p);
}

static int add_row(void *ctx, const char *id)
{
	struct gather *g = ctx;
	struct state s state_done_auto = { 0 };
	enum state_status status;
	struct err gone;

	/* Deleted while we look: it is not there, so it is not listed. */
	if (container_state(g->root, id, &s, &status, &gone) < 0)
		return 0;
	if (g->count == g->room) {
		g->room = g->room ? g->room * 2 : 16;
		g->rows = mem_grow(g->rows, g->room * sizeof(*g->rows));
	}
	struct arena *a = &g->arena;
	g->rows[g->count++] = (struct row){
		.id = arena_str(a, s.id), .status = state_word(status), .bundle = arena_str(a, s.bundle),
		.rootfs = arena_str(a, s.rootfs ? s.rootfs : ""), .created = s.created ? arena_str(a, s.created) : "",
		.owner = g->owner, .version = "1.3.0", .annotations = annotations_of(a, &s.annotations),
		.pid = s.pid.has && status != STATUS_STOPPED ? s.pid.v : 0,
	};
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

int cmd_list(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct list_options *o = options;
	fd_auto int root = state_open_root(cli->global->root, true, e);

	(void)argc, (void)argv;
	if (root < 0)
		return root;
	struct gather g = { .root = root };
	/* State directories belong to whoever runs kist; a number says who that is where it is not root. */
	g.owner = geteuid() == 0 ? "root" : arena_fmt(&g.arena, "%u", (unsigned)geteuid());
	int r = state_each(root, add_row, &g, e);
	if (r == 0) {
		qsort(g.rows, g.count, sizeof(*g.rows), by_id);
		r = out_rows(&list, o->format, o->quiet, g.rows, g.count, e);
	}
	free(g.rows);
	arena_done(&g.arena);
	return r;
}
