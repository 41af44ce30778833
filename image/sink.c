/* SPDX-License-Identifier: Apache-2.0 */
/* See sink.h. */
#include "image/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"

int sink_archive(struct sink *s, const char *path, struct err *e)
{
	int r = outfile_open(path, &s->file, e);
	if (r == 0)
		tarout_open(&s->tar, tarout_to_fd, &s->file.fd);
	return r;
}

/* Splits a directory's path, with or without a slash at its end, and opens what it lies in. */
static int open_parent(struct sink *s, const char *path, struct err *e)
{
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	free_auto char *plain = mem_fmt("%.*s", (int)len, path);
	char *slash = strrchr(plain, '/');
	s->name = mem_str(slash ? slash + 1 : plain);
	if (slash)
		slash[1] = '\0';
	s->own_parent = openat(AT_FDCWD, slash ? plain : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->own_parent < 0 ? err_sys(e, "%s", path) : 0;
}

int sink_directory(struct sink *s, const char *path, struct err *e)
{
	s->is_dir = true;
	int r = open_parent(s, path, e);
	if (r < 0)
		return r;
	if (faccessat(s->own_parent, s->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_new(e, EEXIST, "%s: is there already", path);
	free_auto char *temporary = mem_fmt(".%.200s.%d.tmp", s->name, (int)getpid());
	if (mkdirat(s->own_parent, temporary, 0755) < 0)
		return err_sys(e, "%s", path);
	s->temporary = ptr_take(temporary);
	s->own_dir = openat(s->own_parent, s->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->own_dir < 0 ? err_sys(e, "%s", path) : 0;
}

int sink_mkdir(struct sink *s, const char *name, struct err *e)
{
	if (s->is_dir)
		return mkdirat(s->own_dir, name, 0755) < 0 ? err_sys(e, "%s", name) : 0;
	free_auto char *path = mem_fmt("%s/", name);
	const struct tar_entry en = { .type = TAR_DIR, .path = path, .mode = 0755 };
	return tarout_entry(&s->tar, &en, e);
}

int sink_file(struct sink *s, const char *name, uint64_t size, struct err *e)
{
	s->size = s->left = size;
	if (s->is_dir) {
		s->own_fd = openat(s->own_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		return s->own_fd < 0 ? err_sys(e, "%s", name) : 0;
	}
	const struct tar_entry en = { .type = TAR_FILE, .path = name, .mode = 0644, .size = size };
	return tarout_entry(&s->tar, &en, e);
}

int sink_write(struct sink *s, const void *bytes, size_t len, struct err *e)
{
	if (len > s->left)
		return err_new(e, EIO, "became longer while it was read");
	s->left -= len;
	if (!s->is_dir)
		return tarout_data(&s->tar, bytes, len, e);
	int r = fd_write_all(s->own_fd, bytes, len);
	return r < 0 ? err_ret(e, r, "write") : 0;
}

int sink_close(struct sink *s, struct err *e)
{
	if (s->left)
		return err_new(e, EIO, "became shorter while it was read");
	if (!s->is_dir)
		return tarout_pad(&s->tar, s->size, e);
	int r = fsync(s->own_fd) < 0 ? err_sys(e, "write") : 0;
	fd_drop(&s->own_fd);
	return r;
}

int sink_text(struct sink *s, const char *name, const char *text, size_t len, struct err *e)
{
	int r = sink_file(s, name, len, e);
	if (r == 0)
		r = sink_write(s, text, len, e);
	return r < 0 ? r : sink_close(s, e);
}

int sink_finish(struct sink *s, struct err *e)
{
	if (!s->is_dir) {
		int r = tarout_end(&s->tar, e);
		return r < 0 ? r : outfile_finish(&s->file, e);
	}
	if (renameat2(s->own_parent, s->temporary, s->own_parent, s->name, RENAME_NOREPLACE) < 0)
		return err_sys(e, "%s", s->name);
	free(s->temporary);
	s->temporary = NULL;
	return fsync(s->own_parent) < 0 ? err_sys(e, "%s", s->name) : 0;
}

void sink_done(struct sink *s)
{
	if (s->temporary)
		file_remove_tree(s->own_parent, s->temporary);
	tarout_done(&s->tar);
	outfile_done(&s->file);
	fd_drop(&s->own_fd);
	fd_drop(&s->own_dir);
	fd_drop(&s->own_parent);
	free(s->name);
	free(s->temporary);
	*s = SINK_NONE;
}
