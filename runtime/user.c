/* SPDX-License-Identifier: Apache-2.0 */
/* See user.h. Source of the formats: passwd(5), group(5). */
#include "runtime/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { DATABASE_MAX = 1 << 20, FIELDS_MAX = 7, GROUPS_MAX = 1024 };

/* Reads a whole small database of the tree; a missing one, or no tree at all, is empty. */
static int read_database(int root, const char *path, char **ret, struct err *e)
{
	fd_auto int fd = root < 0 ? -ENOENT : path_open(root, path, PATH_IN_ROOT, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;
	if (fd == -ENOENT || fd == -ENOTDIR) {
		*ret = mem_str("");
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_ret(e, fd < 0 ? fd : -errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_new(e, EINVAL, "%s: not a regular file", path);
	if (st.st_size > DATABASE_MAX)
		return err_new(e, EFBIG, "%s: larger than 1 MiB", path);
	free_auto char *text = mem_alloc((size_t)st.st_size + 1);
	ssize_t n = fd_read_all(fd, text, (size_t)st.st_size);
	if (n < 0)
		return err_ret(e, (int)n, "%s", path);
	text[n] = '\0';
	*ret = ptr_take(text);
	return 0;
}

/* Cuts the next line into fields. Returns their number, -1 at the end. */
static int next_line(char **rest, char *fields[static FIELDS_MAX])
{
	if (!*rest || !**rest)
		return -1;
	char *line = *rest;
	char *end = strchrnul(line, '\n');
	*rest = *end ? end + 1 : end;
	*end = '\0';
	int n = 0;
	while (line && n < FIELDS_MAX) {
		fields[n++] = line;
		line = strchr(line, ':');
		if (line)
			*line++ = '\0';
	}
	return n;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* user.h: one parser for all ids. */
static int number(const char *text, const char *what, uint32_t *ret, struct err *e)
{
	unsigned long long v = 0;
	for (const char *p = text; *p && v <= UINT32_MAX; p++)
		v = v * 10 + (unsigned)(*p - '0');
	if (v >= UINT32_MAX)
		return err_new(e, ERANGE, "%s %s: larger than 4294967294", what, text);
	*ret = (uint32_t)v;
	return 0;
}

static int field_number(const char *text, uint32_t *ret)
{
	struct err ignored;
	return is_number(text) ? number(text, "", ret, &ignored) : -EINVAL;
}

/* Finds the passwd line of a name, or of an id when name is NULL. */
static int find_passwd(int root, const char *name, struct user *u, char **ret_name, struct err *e)
{
	free_auto char *text = NULL;
	int r = read_database(root, "/etc/passwd", &text, e);
	if (r < 0)
		return r;
	char *rest = text, *f[FIELDS_MAX] = { 0 };
	for (int n; (n = next_line(&rest, f)) >= 0;) {
		uint32_t uid, gid;
		if (n < 4 || field_number(f[2], &uid) < 0 || field_number(f[3], &gid) < 0)
			continue;
		if (name ? strcmp(f[0], name) != 0 : uid != u->uid)
			continue;
		u->uid = uid;
		u->gid = gid;
		u->has_gid = true;
		*ret_name = mem_str(f[0]);
		return 1;
	}
	return 0;
}

static bool lists_member(char *members, const char *name)
{
	char *rest = members;
	for (char *m; (m = strsep(&rest, ","));)
		if (strcmp(m, name) == 0)
			return true;
	return false;
}

static int find_groups(int root, const char *member, struct arena *a, struct user *u, struct err *e)
{
	free_auto char *text = NULL;
	int r = read_database(root, "/etc/group", &text, e);
	if (r < 0)
		return r;
	gid_t *groups = arena_array(a, GROUPS_MAX, sizeof(*groups));
	char *rest = text, *f[FIELDS_MAX] = { 0 };
	for (int n; (n = next_line(&rest, f)) >= 0;) {
		uint32_t gid;
		if (n < 4 || field_number(f[2], &gid) < 0 || !lists_member(f[3], member))
			continue;
		if (u->group_count < GROUPS_MAX)
			groups[u->group_count++] = gid;
	}
	u->groups = groups;
	return 0;
}

int user_find_group(int root, const char *name, gid_t *ret, struct err *e)
{
	if (is_number(name))
		return number(name, "group", ret, e);
	free_auto char *text = NULL;
	int r = read_database(root, "/etc/group", &text, e);
	if (r < 0)
		return r;
	char *rest = text, *f[FIELDS_MAX] = { 0 };
	for (int n; (n = next_line(&rest, f)) >= 0;) {
		uint32_t gid;
		if (n >= 3 && strcmp(f[0], name) == 0 && field_number(f[2], &gid) == 0) {
			*ret = gid;
			return 0;
		}
	}
	return err_new(e, ENOENT, "group %s: not in /etc/group of the container", name);
}

int user_find(int root, const char *text, struct arena *a, struct user *ret, struct err *e)
{
	char name[256];
	size_t len = strcspn(text, ":");
	if (len == 0 || len >= sizeof(name))
		return err_new(e, EINVAL, "user %.64s: expected USER or USER:GROUP", text);
	memcpy(name, text, len);
	name[len] = '\0';
	struct user u = { 0 };
	free_auto char *known = NULL;
	int r = is_number(name) ? number(name, "user", &u.uid, e) : 0;
	if (r == 0)
		r = find_passwd(root, is_number(name) ? NULL : name, &u, &known, e);
	if (r < 0)
		return r;
	if (r == 0 && !is_number(name))
		return err_new(e, ENOENT, "user %s: not in /etc/passwd of the container", name);
	/* A group that is named takes the place of those that list the user. */
	r = known && !text[len] ? find_groups(root, known, a, &u, e) : 0;
	if (r == 0 && text[len]) {
		r = user_find_group(root, text + len + 1, &u.gid, e);
		u.has_gid = true;
	}
	if (r == 0)
		*ret = u;
	return r;
}
