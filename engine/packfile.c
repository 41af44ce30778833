/* SPDX-License-Identifier: Apache-2.0 */
/* See packfile.h. */
#include "engine/packfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/unpack.h"
#include "image/erofsmount.h"
#include "image/packhead.h"
#include "util/fd.h"
#include "util/mem.h"

static int open_file(const char *path, struct pack_head *head, struct stat *st, struct err *e)
{
	char bytes[PACK_HEAD_SIZE];
	fd_auto int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st->st_mode))
		return err_new(e, EINVAL, "%s: not a regular file", path);
	if (fd_read_at(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) || !pack_head_is(bytes))
		return err_new(e, EINVAL, "%s: not a packed image (make one with \"kist pack\")", path);
	int r = pack_head_parse(bytes, head, e);
	if (r == 0 && !head->manifest.size)
		r = err_new(e, EINVAL, "%s: a file of a store, without an image's configuration", path);
	return r < 0 ? err_at(e, r, "%s", path) : fd_take(&fd);
}

/* The note of kist-image that this file, as it is now, was verified and can be mounted; -1: there is none. */
static int open_note(const struct store *s, const struct stat *st, const char *digest)
{
	char name[PACK_NOTE_MAX], text[PACK_NOTE_MAX], have[PACK_NOTE_MAX];

	pack_note(st, digest, name, text);
	fd_auto int fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, have, sizeof(have));
	return n == (ssize_t)strlen(text) && !memcmp(have, text, (size_t)n) ? fd_take(&fd) : -1;
}

static int read_part(int fd, const struct pack_part *part, size_t max, char **ret, struct err *e)
{
	free_auto char *bytes = part->size <= max ? mem_alloc(part->size + 1) : NULL;

	if (!bytes || fd_read_at(fd, bytes, part->size, part->offset) != (ssize_t)part->size)
		return err_new(e, EBADMSG, "manifest and config cannot be read");
	bytes[part->size] = '\0';
	*ret = ptr_take(bytes);
	return 0;
}

/* The image's documents out of a file that was verified. */
static int read_image(int fd, const struct pack_head *head, const char *path, struct image *ret, struct err *e)
{
	image_auto struct image im = { .name = NULL };
	free_auto char *manifest = NULL, *config = NULL;
	int r = read_part(fd, &head->manifest, STORE_MANIFEST_MAX, &manifest, e);

	if (r == 0)
		r = read_part(fd, &head->config, STORE_CONFIG_MAX, &config, e);
	if (r == 0)
		r = document_load(manifest, head->manifest.size, "manifest", NULL, &im.arena, &im.manifest, e);
	if (r == 0)
		r = config_load(config, head->config.size, "config", (ptrdiff_t)im.manifest.layers.n, &im.arena, &im.config,
				e);
	if (r < 0)
		return r;
	memcpy(im.digest, head->manifest.digest, DIGEST_TEXT_MAX);
	im.name = arena_str(&im.arena, path);
	im.process = im.config.process;
	im.layers = im.config.rootfs->diff_ids;
	*ret = im;
	im.arena = (struct arena){ .top = NULL };
	return 0;
}

/* The image as the store has it, unpacked from the file if need be. */
static int stored_image(const struct store *s, const char *path, const struct pack_head *head, bool may_take,
			struct image *ret, struct err *e)
{
	int r = image_open_to_run(s, head->manifest.digest, ret, e);

	if (r != -ENOENT)
		return r;
	err_clear(e);
	if (!may_take)
		return err_new(e, ENOENT, "%s: not verified and in the store yet (kist load does it)", path);
	r = unpack_image(s, path, e);
	return r < 0 ? r : image_open_to_run(s, head->manifest.digest, ret, e);
}

int packfile_image(const struct store *s, const char *path, bool may_take, struct image *ret_image, struct err *e)
{
	struct pack_head head;
	struct stat st;
	enum erofs_wish wish;
	int r = erofs_wish(&wish, e);
	fd_auto int fd = r < 0 ? r : open_file(path, &head, &st, e);

	if (fd < 0)
		return fd_take(&fd);
	const char *why = wish == EROFS_NEVER ? "KIST_EROFS says never" : pack_unmountable(&head, fd, &st);
	if (why && wish == EROFS_ALWAYS)
		return err_new(e, EPERM, "%s: cannot be mounted as it is: %s", path, why);
	fd_auto int note = why ? -1 : open_note(s, &st, head.manifest.digest);
	if (!why && note < 0 && may_take && (r = unpack_image(s, path, e)) < 0)
		return r;
	if (!why && note < 0)
		note = open_note(s, &st, head.manifest.digest);
	if (note < 0)
		return stored_image(s, path, &head, may_take, ret_image, e);
	if ((r = read_image(fd, &head, path, ret_image, e)) < 0)
		return err_at(e, r, "%s", path);
	ret_image->has_pack = true;
	ret_image->pack = fd_take(&fd);
	ret_image->pack_note = fd_take(&note);
	return 0;
}

int packfile_again(const struct store *s, const char *path, const char *digest, int *ret_fd, int *ret_note,
		   struct err *e)
{
	struct image image;
	int r = packfile_image(s, path, true, &image, e);

	/* To the caller, -ENOENT is a container that is not there. */
	if (r < 0)
		return r == -ENOENT ? err_at(e, -ESTALE, "its image's file") : r;
	*ret_fd = image.has_pack ? image.pack : -1;
	*ret_note = image.has_pack ? image.pack_note : -1;
	if (strcmp(image.digest, digest) != 0)
		r = err_new(e, ESTALE, "%s: holds another image now than the container was made from", path);
	image_done(&image);
	return r;
}
