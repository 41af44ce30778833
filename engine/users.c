/* SPDX-License-Identifier: Apache-2.0 */
/* See users.h. Sources of the formats: passwd(5), group(5). */
#include "engine/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { FILE_MAX = 1 << 20, GROUPS_MAX = 1024, FIELDS = 8 };

/* One line, cut at its colons. */
struct line {
	char *field[FIELDS];
	size_t n;
};

/* A whole number from 0 to 2^32 - 2; the last is "no id" of chown(2). */
static bool to_id(const char *text, uint32_t *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (errno || *end || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* Reads a file of the tree. One that is not there is empty. */
static int read_file(int tree, const char *path, char **ret_text, struct err *e)
{
	fd_auto int fd = tree < 0 ? -ENOENT : path_open(tree, path, PATH_IN_ROOT, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR) {
		*ret_text = mem_str("");
		return 0;
	}
	if (fd < 0)
		return err_ret(e, fd, "%s of the container", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s of the container", path);
	if (!S_ISREG(st.st_mode))
		return err_new(e, EINVAL, "%s of the container: not a regular file", path);
	if (st.st_size > FILE_MAX)
		return err_new(e, EFBIG, "%s of the container: over %d bytes", path, FILE_MAX);
	free_auto char *text = mem_alloc(FILE_MAX + 1);
	ssize_t n = fd_read_all(fd, text, FILE_MAX);
	if (n < 0)
		return err_ret(e, (int)n, "%s of the container", path);
	text[n] = '\0';
	*ret_text = ptr_take(text);
	return 0;
}

/* Takes the next line off a text and cuts it. False: there is none. */
static bool next_line(char **text, struct line *ret)
{
	char *p = strsep(text, "\n");

	if (!p)
		return false;
	ret->n = 0;
	for (char *f; ret->n < FIELDS && (f = strsep(&p, ":"));)
		ret->field[ret->n++] = f;
	return true;
}

/* What a look-up in passwd gave. */
struct found_user {
	const char *name;   /* in the arena; NULL: passwd does not know the number */
	uint32_t uid, gid;
};

static int find_user(int tree, const char *word, struct arena *a, struct found_user *ret, struct err *e)
{
	free_auto char *text = NULL;
	uint32_t number = 0, uid, gid;
	bool is_number = to_id(word, &number);
	struct line l;
	int r = read_file(tree, "/etc/passwd", &text, e);

	if (r < 0)
		return r;
	for (char *at = text; next_line(&at, &l);) {
		if (l.n < 4 || !to_id(l.field[2], &uid) || !to_id(l.field[3], &gid))
			continue;
		if (strcmp(l.field[0], word) != 0 && !(is_number && uid == number))
			continue;
		*ret = (struct found_user){ arena_str(a, l.field[0]), uid, gid };
		return 0;
	}
	if (!is_number)
		return err_new(e, ENOENT, "user %s: not in /etc/passwd of the container", word);
	*ret = (struct found_user){ .uid = number };
	return 0;
}

static bool is_listed(const char *members, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = members; *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncmp(p, name, len) && (p[len] == ',' || !p[len]))
			return true;
	return false;
}

static int find_group(const char *groups, const char *word, uint32_t *ret, struct err *e)
{
	free_auto char *copy = mem_str(groups);
	struct line l;
	uint32_t gid;

	if (to_id(word, ret))
		return 0;
	for (char *at = copy; next_line(&at, &l);) {
		if (l.n < 3 || strcmp(l.field[0], word) != 0 || !to_id(l.field[2], &gid))
			continue;
		*ret = gid;
		return 0;
	}
	return err_new(e, ENOENT, "group %s: not in /etc/group of the container", word);
}

static void add_gid(struct u32s *list, uint32_t gid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i] == gid)
			return;
	if (list->n < GROUPS_MAX)
		list->v[list->n++] = gid;
}

static void add_memberships(const char *groups, const char *name, struct u32s *list)
{
	free_auto char *copy = mem_str(groups);
	struct line l;
	uint32_t gid;

	for (char *at = copy; next_line(&at, &l);)
		if (l.n >= 4 && is_listed(l.field[3], name) && to_id(l.field[2], &gid))
			add_gid(list, gid);
}

int users_resolve(int tree, const char *text, const struct strs *more_groups, struct arena *a, struct spec_user *ret,
		  struct err *e)
{
	struct found_user user = { 0 };
	struct u32s list = { 0 };
	free_auto char *groups = NULL;
	const char *word = text ? text : "";
	const char *colon = strchr(word, ':');
	const char *user_word = colon ? arena_strn(a, word, (size_t)(colon - word)) : word;
	uint32_t gid;
	int r = 0;

	*ret = (struct spec_user){ .uid = { .has = true }, .gid = { .has = true } };
	if (!*word && !more_groups->n)
		return 0;
	list.v = arena_array(a, GROUPS_MAX, sizeof(*list.v));
	if (*user_word)
		r = find_user(tree, user_word, a, &user, e);
	if (r == 0)
		r = read_file(tree, "/etc/group", &groups, e);
	if (r < 0)
		return r;
	if (colon && (r = find_group(groups, colon + 1, &user.gid, e)) < 0)
		return r;
	if (!colon && user.name)
		add_memberships(groups, user.name, &list);
	for (size_t i = 0; i < more_groups->n; i++) {
		r = find_group(groups, more_groups->v[i], &gid, e);
		if (r < 0)
			return r;
		add_gid(&list, gid);
	}
	ret->uid.v = user.uid;
	ret->gid.v = user.gid;
	ret->additional_gids = list;
	return 0;
}
