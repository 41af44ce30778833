/* SPDX-License-Identifier: Apache-2.0 */
/* See volumes.h. */
#include "image/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/du.h"
#include "image/holders.h"
#include "util/fd.h"
#include "util/mem.h"

enum { CONFIG_MAX = 16 << 20 };

/* By its inode, however its path is written; or by its path, while it has none. */
static bool is_source(const char *source, const char *name, const struct stat *volume)
{
	char path[NAME_MAX + 16];
	struct stat st;
	if (fstatat(AT_FDCWD, source, &st, 0) == 0)
		return st.st_dev == volume->st_dev && st.st_ino == volume->st_ino;
	snprintf(path, sizeof(path), "/volumes/%s", name);
	size_t len = strlen(source), end = strlen(path);
	return len > end && strcmp(source + len - end, path) == 0;
}

bool volume_is_mounted_by(const struct store *s, const char *id, const char *name, const struct stat *volume)
{
	char path[NAME_MAX + 32];
	free_auto char *text = NULL;
	size_t len, i;
	bool is_found = false;
	snprintf(path, sizeof(path), "containers/%s/config.json", id);
	if (file_read(s->dir, path, CONFIG_MAX, false, &text, &len) < 0)
		return holder_is_running(s, id);
	json_t *doc = json_loadb(text, len, JSON_ALLOW_NUL, NULL), *mount;
	json_array_foreach(json_object_get(doc, "mounts"), i, mount)
	{
		const char *source = json_string_value(json_object_get(mount, "source"));
		is_found |= source && *source == '/' && is_source(source, name, volume);
	}
	json_decref(doc);
	return is_found;
}

/* 1, 0, or -errno when it cannot be known. */
static int is_held(const struct store *s, const char *name, const struct stat *volume, struct err *e)
{
	int fd = openat(s->dir, "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	if (fd < 0 && errno == ENOENT)
		return 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		r = err_sys(e, "store %s: containers", s->path);
		fd_close(fd);
		return r;
	}
	int end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(list, &end));)
		r = de->d_name[0] != '.' && volume_is_mounted_by(s, de->d_name, name, volume);
	closedir(list);
	return r == 0 && end < 0 ? err_ret(e, end, "store %s: containers", s->path) : r;
}

/* Out of sight first, so that no container gets it any more; then those who got it just before are looked for. */
static int remove_one(struct ingest *in, const char *name, const struct stat *volume, struct err *e)
{
	const struct store *s = in->store;
	du_auto struct du du = { .is_whole = true };
	char path[NAME_MAX + 16], away[32];
	snprintf(path, sizeof(path), "volumes/%s", name);
	snprintf(away, sizeof(away), "volume-%zu", in->made++);
	if (renameat(s->dir, path, in->dir, away) < 0)
		return errno == ENOENT ? 1 : err_sys(e, "volume %s", name);
	int r = is_held(s, name, volume, e);
	if (r != 0) {
		/* Another one by now has its name: that is the container's. */
		if (renameat2(in->dir, away, s->dir, path, RENAME_NOREPLACE) < 0 && errno != EEXIST)
			return err_sys(e, "volume %s", name);
		return r;
	}
	du_add(&du, in->dir, away);
	r = file_remove_tree(in->dir, away);
	if (r < 0)
		return err_ret(e, r, "volume %s", name);
	in->freed_bytes += du.bytes;
	return 0;
}

int volumes_prune(struct ingest *in, void (*gone)(void *ctx, const char *name), void *ctx, struct err *e)
{
	const struct store *s = in->store;
	int fd = openat(s->dir, "volumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	if (fd < 0 && errno == ENOENT)
		return 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		r = err_sys(e, "store %s: volumes", s->path);
		fd_close(fd);
		return r;
	}
	int end = 0;
	for (struct dirent *de; r >= 0 && (de = fd_next(list, &end));) {
		struct stat st;
		if (de->d_name[0] == '.' || fstatat(dirfd(list), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		r = is_held(s, de->d_name, &st, e);
		if (r == 0 && (r = remove_one(in, de->d_name, &st, e)) == 0)
			gone(ctx, de->d_name);
	}
	closedir(list);
	if (r >= 0 && end < 0)
		return err_ret(e, end, "store %s: volumes", s->path);
	return r < 0 ? r : 0;
}
