/* SPDX-License-Identifier: Apache-2.0 */
/* See mountinfo.h. */
#include "runtime/mountinfo.h"

#include <string.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

enum { TEXT_MAX = 64 << 20 };

/* Space, tab, newline and backslash are written as \ooo. */
static void unescape(char *text)
{
	char *out = text;
	for (const char *p = text; *p; out++) {
		bool is_octal = p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
				p[3] >= '0' && p[3] <= '7';
		*out = is_octal ? (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')) : *p;
		p += is_octal ? 4 : 1;
	}
	*out = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static bool parse_line(char *line, struct arena *a, struct mount_row *ret)
{
	enum { ID, PARENT, DEVICE, ROOT, POINT, FIELDS };
	char *field[FIELDS] = {0};
	char *rest = line;
	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	const char *id = field[ID], *parent = field[PARENT];
	char *dash = strstr(rest, " - ");
	if (!num_take(&id, &ret->id) || !num_take(&parent, &ret->parent) || !dash)
		return false;
	unescape(field[ROOT]);
	unescape(field[POINT]);
	ret->device = arena_str(a, field[DEVICE]);
	ret->root = arena_str(a, field[ROOT]);
	ret->point = arena_str(a, field[POINT]);
	ret->type = arena_strn(a, dash + 3, strcspn(dash + 3, " "));
	ret->is_known = false;
	return true;
}

void mountinfo_parse(char *text, struct arena *a, struct mountinfo *ret)
{
	size_t lines = 1;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	*ret = (struct mountinfo){.v = arena_array(a, lines, sizeof(struct mount_row))};
	for (char *line; (line = strsep(&text, "\n"));)
		ret->n += parse_line(line, a, &ret->v[ret->n]);
}

int mountinfo_read(int proc, struct arena *a, struct mountinfo *ret, struct err *e)
{
	free_auto char *text = NULL;
	size_t len;
	int r = file_read(proc, "mountinfo", TEXT_MAX, false, &text, &len);
	if (r < 0)
		return err_ret(e, r, "mountinfo");
	mountinfo_parse(text, a, ret);
	return 0;
}

struct mount_row *mountinfo_find(const struct mountinfo *m, uint64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].id == id)
			return &m->v[i];
	return NULL;
}
