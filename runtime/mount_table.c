/* SPDX-License-Identifier: Apache-2.0 */
/* See mount_table.h. */
#include "runtime/mount_table.h"

#include <string.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/mountinfo.h"

enum { TEXT_MAX = 64 << 20 };

static bool take_line(char *line, struct arena *a, struct mount_row *ret)
{
	struct mountinfo_line m;
	if (!mountinfo_cut(line, &m))
		return false;
	*ret = (struct mount_row){
		.id = m.id,
		.parent = m.parent,
		.device = arena_str(a, m.device),
		.root = arena_str(a, m.root),
		.point = arena_str(a, m.point),
		.type = arena_str(a, m.type),
	};
	return true;
}

void mount_table_parse(char *text, struct arena *a, struct mount_table *ret)
{
	size_t lines = 1;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	*ret = (struct mount_table){ .v = arena_array(a, lines, sizeof(struct mount_row)) };
	for (char *line; (line = strsep(&text, "\n"));)
		ret->n += take_line(line, a, &ret->v[ret->n]);
}

int mount_table_read(int proc, struct arena *a, struct mount_table *ret, struct err *e)
{
	free_auto char *text = NULL;
	size_t len;
	int r = file_read(proc, "mountinfo", TEXT_MAX, false, &text, &len);
	if (r < 0)
		return err_ret(e, r, "mountinfo");
	mount_table_parse(text, a, ret);
	return 0;
}

struct mount_row *mount_table_find(const struct mount_table *m, uint64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].id == id)
			return &m->v[i];
	return NULL;
}
