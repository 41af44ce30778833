/* SPDX-License-Identifier: Apache-2.0 */
/* See subid.h. */
#include "ns/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

enum { FILE_MAX = 4 << 20 };

static bool is_word(const char *field, size_t len, const char *word)
{
	return word && strlen(word) == len && strncmp(field, word, len) == 0;
}

/* "name:first:count", to the end of the line. False: it is for somebody else, or makes no sense. */
static bool take_line(const char *line, const char *name, uid_t uid, uint32_t *ret_first, uint32_t *ret_count)
{
	char number[16];
	uint64_t first, count;
	size_t len = strcspn(line, ":\n");
	const char *p = line + len;
	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	if (*p++ != ':' || (!is_word(line, len, name) && !is_word(line, len, number)))
		return false;
	if (!num_take(&p, &first) || *p++ != ':' || !num_take(&p, &count) || (*p && *p != '\n'))
		return false;
	if (count == 0 || first > UINT32_MAX - 1 || count > UINT32_MAX - first)
		return false;
	*ret_first = (uint32_t)first;
	*ret_count = (uint32_t)count;
	return true;
}

static struct spec_id_map row(uint32_t inside, uint32_t outside, uint32_t size)
{
	return (struct spec_id_map){ { true, inside }, { true, outside }, { true, size } };
}

uint32_t subid_parse(const char *text, const char *name, uid_t uid, uint32_t own, struct arena *a,
		     struct spec_id_maps *ret)
{
	*ret = (struct spec_id_maps){ .v = arena_array(a, SUBID_RANGES_MAX + 1, sizeof(*ret->v)) };
	ret->v[ret->n++] = row(0, own, 1);
	uint32_t next = 1, first, count;
	for (const char *line = text; *line && ret->n <= SUBID_RANGES_MAX; line = *line ? line + 1 : line) {
		/* More ids than there are numbers cannot be told apart inside. */
		if (take_line(line, name, uid, &first, &count) && count <= UINT32_MAX - 1 - next) {
			ret->v[ret->n++] = row(next, first, count);
			next += count;
		}
		line += strcspn(line, "\n");
	}
	return next - 1;
}

const char *subid_user_name(uid_t uid, struct arena *a)
{
	free_auto char *text = NULL;
	uint64_t id;
	/* name:password:uid: passwd(5) */
	if (file_read(AT_FDCWD, "/etc/passwd", FILE_MAX, true, &text, NULL) == 0)
		for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
			size_t len = strcspn(line, ":\n");
			const char *p = line + len + (line[len] == ':');
			p += strcspn(p, ":\n");
			if (len && *p++ == ':' && num_take(&p, &id) && *p == ':' && id == uid)
				return arena_strn(a, line, len);
		}
	const char *user = getenv("USER");
	return user && *user ? arena_str(a, user) : NULL;
}

static int read_maps(const char *file, const char *tool, const char *name, uint32_t own, struct arena *a,
		     struct spec_id_maps *ret, struct err *e)
{
	free_auto char *text = NULL;
	const char *who = name ? name : arena_fmt(a, "%u", (unsigned)getuid());
	int r = file_read(AT_FDCWD, file, FILE_MAX, true, &text, NULL);
	if (r < 0 && r != -ENOENT)
		return err_ret(e, r, "%s", file);
	if (r == 0 && subid_parse(text, name, getuid(), own, a, ret) > 0)
		return 0;
	return err_new(e, ENOENT,
		       "%s has no ids for the user %s: as root, usermod --add-%s 100000-165535 %s (or another "
		       "range that is free)",
		       file, who, tool, who);
}

int subid_maps(struct arena *a, struct spec_id_maps *ret_uids, struct spec_id_maps *ret_gids, struct err *e)
{
	const char *name = subid_user_name(getuid(), a);
	int r = read_maps("/etc/subuid", "subuids", name, geteuid(), a, ret_uids, e);
	return r < 0 ? r : read_maps("/etc/subgid", "subgids", name, getegid(), a, ret_gids, e);
}
