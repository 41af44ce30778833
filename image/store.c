/* SPDX-License-Identifier: Apache-2.0 */
/* See store.h. */
#include "image/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/ref.h"
#include "util/fd.h"
#include "util/mem.h"

/* What a store's root may hold: anything else, in a directory that is no store yet, means a wrong --store. */
static const char *const known[] = {
	"oci-layout", "index.json", "blobs", "layers", "erofs", "flat", "containers", "tmp", ".lock", "lost+found", ".", "..",
};

static int check_empty(int dir, const char *path, struct err *e)
{
	if (faccessat(dir, "oci-layout", F_OK, 0) == 0)
		return 0;
	fd_auto int list = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = list < 0 ? NULL : fdopendir(list);
	if (!d)
		return err_sys(e, "store %s", path);
	list = -1;
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));) {
		bool is_known = false;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			is_known |= strcmp(de->d_name, known[i]) == 0;
		if (!is_known)
			r = err_new(e, EEXIST, "store %s: holds \"%s\" and is not an image store", path,
				    de->d_name);
	}
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "store %s", path) : r;
}

/* Makes the root and its parents, as mkdir -p does; the path is the caller's own word, not a container's. */
static int make_root(const char *path, struct err *e)
{
	free_auto char *part = mem_str(path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdirat(AT_FDCWD, part, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "store %s: make %s", path, part);
		*p = '/';
	}
	if (mkdirat(AT_FDCWD, path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "store %s", path);
	return 0;
}

/*
 * Writes a file unless it is there: two first commands at once both find a whole one (link(2) does not
 * replace).
 */
static int make_file(int dir, const char *name, const char *text)
{
	if (faccessat(dir, name, F_OK, 0) == 0)
		return 0;
	fd_auto int fd = openat(dir, "tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	char from[32];
	int r = fd_write_all(fd, text, strlen(text));
	if (r == 0 && linkat(AT_FDCWD, fd_path(fd, from), dir, name, AT_SYMLINK_FOLLOW) < 0 &&
	    errno != EEXIST)
		r = -errno;
	return r;
}

static int fill_root(int dir, const char *path, struct err *e)
{
	static const char *const dirs[] = {
		"tmp", "blobs", "blobs/sha256", "layers", "layers/sha256", "containers",
	};
	struct stat st;
	if (fstat(dir, &st) < 0)
		return err_sys(e, "store %s", path);
	if (st.st_uid != geteuid())
		return err_new(e, EPERM, "store %s: belongs to uid %u", path, st.st_uid);
	int r = check_empty(dir, path, e);
	if (r < 0)
		return r;
	/* Layers hold set-user-ID programs and device nodes: nobody else may walk in. */
	if ((st.st_mode & 077) && fchmodat(dir, ".", 0700, 0) < 0)
		return err_sys(e, "store %s: chmod", path);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(dir, dirs[i], 0755) < 0 && errno != EEXIST)
			return err_sys(e, "store %s: %s", path, dirs[i]);
	if ((r = make_file(dir, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}")) < 0)
		return err_ret(e, r, "store %s: index.json", path);
	if ((r = make_file(dir, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}")) < 0)
		return err_ret(e, r, "store %s: oci-layout", path);
	return 0;
}

int store_open(const char *path, bool create, struct store *ret_store, struct err *e)
{
	if (!*path)
		return err_new(e, EINVAL, "store: neither --store nor $KIST_STORE, $XDG_DATA_HOME or $HOME names one");
	fd_auto int dir = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT && create) {
		int r = make_root(path, e);
		if (r < 0)
			return r;
		dir = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir < 0 && (errno != ENOENT || create))
		return err_sys(e, "store %s", path);
	int r = create ? fill_root(dir, path, e) : 0;
	if (r < 0)
		return r;
	*ret_store = (struct store){ .dir = fd_take(&dir), .path = mem_str(path) };
	return 0;
}

void store_done(struct store *s)
{
	fd_drop(&s->dir);
	free(s->path);
	s->path = NULL;
}

char *store_blob_path(const char *digest, char out[static STORE_PATH_MAX])
{
	snprintf(out, STORE_PATH_MAX, "blobs/sha256/%s", digest_hex(digest));
	return out;
}

char *store_layer_path(const char *diff_id, char out[static STORE_PATH_MAX])
{
	snprintf(out, STORE_PATH_MAX, "layers/sha256/%s", digest_hex(diff_id));
	return out;
}

int store_read_blob(const struct store *s, const char *digest, size_t max_bytes, char **ret_bytes,
		    size_t *ret_len, struct err *e)
{
	char path[STORE_PATH_MAX];
	if (!digest_is_valid(digest))
		return err_new(e, EINVAL, "digest \"%.80s\": not sha256: and 64 hex digits",
			       digest ? digest : "");
	int r = s->dir < 0 ? -ENOENT :
			     file_read(s->dir, store_blob_path(digest, path), max_bytes, false, ret_bytes,
				       ret_len);
	return r < 0 ? err_ret(e, r, "blob %s", digest) : 0;
}

bool store_has_blob(const struct store *s, const char *digest)
{
	char path[STORE_PATH_MAX];
	return s->dir >= 0 &&
	       faccessat(s->dir, store_blob_path(digest, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool store_has_layer(const struct store *s, const char *diff_id)
{
	char path[STORE_PATH_MAX];
	return s->dir >= 0 &&
	       faccessat(s->dir, store_layer_path(diff_id, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
