/* SPDX-License-Identifier: Apache-2.0 */
/* See root.h. Source: overlayfs.rst. */
#include "engine/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/packfile.h"
#include "engine/unpack.h"
#include "image/flat.h"
#include "ns/idmapped.h"
#include "ns/mount.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/proc.h"

enum { LAYERS_FILE_MAX = 64 << 10 };

static int open_dir(const struct record_dir *d, const char *name, struct err *e)
{
	int fd = openat(d->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "container %s: %s", d->name, name) : fd;
}

/* The list comes first: from then on `image rm` leaves the layers alone. image/layers.h */
static int hold_layers(const struct record_dir *d, const struct image *image, struct err *e)
{
	str_auto struct str text = STR_MAX(LAYERS_FILE_MAX);
	fd_auto int fd = openat(d->fd, "layers", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (image->has_pack)
		str_fmt(&text, "pack %s %s\n", image->digest, image->name);
	if (image->has_erofs)
		str_fmt(&text, "erofs %s\n", image->digest);
	if (flat_is_for(image))
		str_fmt(&text, "flat %s\n", image->digest);
	for (size_t i = 0; i < image->layers.n; i++)
		str_fmt(&text, "%s\n", image->layers.v[i]);
	if (fd < 0)
		return err_sys(e, "container %s: layers", d->name);
	int r = fd_write_all(fd, text.p, text.len);
	return r < 0 ? err_ret(e, r, "container %s: layers", d->name) : 0;
}

/* An EROFS file that stood for layers that were gone, though index.json does not tell of it: it is held from now on. */
static int hold_erofs(const struct record_dir *d, const struct image *image, struct err *e)
{
	char line[DIGEST_TEXT_MAX + 16];
	fd_auto int fd = openat(d->fd, "layers", O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "container %s: layers", d->name);
	snprintf(line, sizeof(line), "erofs %s\n", image->digest);
	int r = fd_write_all(fd, line, strlen(line));
	return r < 0 ? err_ret(e, r, "container %s: layers", d->name) : 0;
}

/* The root of an overlay shows mode and owner of its upper directory; they are to be the image's. */
static int make_upper(const struct record_dir *d, int top, struct err *e)
{
	struct stat st = { .st_mode = 0755 };

	if (top >= 0 && fstat(top, &st) < 0)
		return err_sys(e, "container %s: top layer", d->name);
	if (mkdirat(d->fd, "upper", 0700) < 0 || mkdirat(d->fd, "work", 0700) < 0)
		return err_sys(e, "container %s: upper and work directories", d->name);
	if ((st.st_uid || st.st_gid) && fchownat(d->fd, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "container %s: owner of upper", d->name);
	if (fchmodat(d->fd, "upper", st.st_mode & 07777, 0) < 0)
		return err_sys(e, "container %s: mode of upper", d->name);
	return 0;
}

/* Root of the host alone may read trusted.* attributes; for others overlayfs takes user.*: "userxattr". */
static bool is_user(void)
{
	return geteuid() != 0 || proc_is_in_userns();
}

static unsigned overlay_flags(const struct layers *l)
{
	return (is_user() ? OVERLAY_USERXATTR : 0) | (l->is_erofs ? OVERLAY_UNATTACHED : 0);
}

static bool moves_ids(const struct spec_id_maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->v[i].container_id.v != maps->v[i].host_id.v)
			return true;
	return false;
}

bool root_is_mapped(const struct spec *spec)
{
	const struct spec_namespace *user = spec_namespace_find(spec, CLONE_NEWUSER);

	return user && !user->path && (moves_ids(&spec->linux_->uid_mappings) || moves_ids(&spec->linux_->gid_mappings)) &&
	       !is_user();
}

/* `maps`: of the container's user namespace, or NULL. */
static int stack(const struct record_dir *d, const struct layers *l, bool is_volatile, const struct spec_linux *maps,
		 struct err *e)
{
	const unsigned flags = overlay_flags(l) | (is_volatile ? OVERLAY_VOLATILE : 0);
	fd_auto int upper = open_dir(d, "upper", e);
	fd_auto int work = upper < 0 ? -1 : open_dir(d, "work", e);
	fd_auto int empty = -1;   /* what overlayfs gets below an image without layers */

	if (upper < 0 || work < 0)
		return upper < 0 ? upper : work;
	if (l->n == 0 && mkdirat(d->fd, "empty", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "container %s: empty layer", d->name);
	if (l->n == 0 && (empty = open_dir(d, "empty", e)) < 0)
		return empty;
	const int *lower = l->n ? l->fd : &empty;
	const size_t n = l->n ? l->n : 1;
	int fd = maps ? idmapped_overlay(lower, n, d->fd, &maps->uid_mappings, &maps->gid_mappings, flags, e) :
			mount_overlay(lower, n, upper, work, flags, e);
	return fd < 0 ? err_at(e, fd, "container %s", d->name) : fd;
}

/* Others may have a copy of the mount while this container runs: launch and keeper offer it. */
static void keep_mount(struct record_dir *d, struct layers *l)
{
	if (!l->is_erofs)
		return;
	fd_drop(&d->meet);
	fd_drop(&d->mount);
	d->meet = l->own_meet >= 0 ? fd_take(&l->own_meet) : fcntl(l->meet, F_DUPFD_CLOEXEC, 3);
	d->mount = fd_take(&l->fd[0]);
	l->n = 0;
}

int root_make(const struct store *s, struct record_dir *d, const struct image *image, const char *word,
	      bool is_volatile, struct err *e)
{
	struct layers l layers_auto = { .n = 0 };
	int r = hold_layers(d, image, e);

	if (r == 0)
		r = layers_open(s, image, &l, e);
	/* Another tool wrote the image into the store, and nobody has run it yet. */
	if (r == -ENOENT && (r = unpack_image(s, word, e)) == 0)
		r = layers_open(s, image, &l, e);
	if (r == 0 && l.is_erofs && !image->has_erofs && !image->has_pack)
		r = hold_erofs(d, image, e);
	if (r == 0)
		r = make_upper(d, l.n ? l.fd[0] : -1, e);
	fd_auto int tree = r < 0 ? r : stack(d, &l, is_volatile, NULL, e);
	if (tree >= 0)
		keep_mount(d, &l);
	return fd_take(&tree);
}

void root_unmark(const struct record_dir *d)
{
	unlinkat(d->fd, "work/work/incompat/volatile/dirty", 0);
	unlinkat(d->fd, "work/work/incompat/volatile", AT_REMOVEDIR);
	unlinkat(d->fd, "work/work/incompat", AT_REMOVEDIR);
}

/* One line of `layers`: "pack DIGEST PATH", "erofs DIGEST", "flat DIGEST", or a diffID. */
static int take_line(char *line, struct image *image, const char **ids, const char **ret_pack)
{
	const bool is_pack = strncmp(line, "pack ", 5) == 0, is_erofs = strncmp(line, "erofs ", 6) == 0;
	const bool is_flat = strncmp(line, "flat ", 5) == 0;
	char *digest = is_pack || is_flat ? line + 5 : is_erofs ? line + 6 : line, *path = is_pack ? strchr(digest, ' ') : NULL;

	if (path)
		*path++ = '\0';
	if (!digest_is_valid(digest) || (is_pack && !path) || image->layers.n == IMAGE_LAYERS_MAX)
		return -EINVAL;
	if (!is_pack && !is_erofs && !is_flat) {
		ids[image->layers.n++] = digest;
		return 0;
	}
	memcpy(image->digest, digest, DIGEST_TEXT_MAX);
	image->has_erofs |= is_erofs;
	if (is_pack)
		*ret_pack = path;
	return 0;
}

/* An image as far as its layers go, by the list in the container's directory. `own_text` holds the digests. *ret_pack: the
 * packed image that it came from. */
static int held_layers(const struct record_dir *d, char **own_text, const char *ids[static IMAGE_LAYERS_MAX],
		       struct image *image, const char **ret_pack, struct err *e)
{
	int r = file_read(d->fd, "layers", LAYERS_FILE_MAX, false, own_text, NULL);

	if (r < 0)
		return r == -ENOENT ? -ENODATA : err_ret(e, r, "container %s: layers", d->name);
	char *rest = *own_text;
	*image = (struct image){ .name = d->name, .layers.v = ids };
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line && take_line(line, image, ids, ret_pack) < 0)
			return err_new(e, EINVAL, "container %s: layers: \"%.80s\" is no digest", d->name, line);
	return 0;
}

static int open_held(const struct store *s, const struct record_dir *d, struct layers *ret, struct err *e)
{
	free_auto char *text = NULL;
	fd_auto int pack = -1, note = -1;
	const char *ids[IMAGE_LAYERS_MAX], *path = NULL;
	struct image image;
	int r = held_layers(d, &text, ids, &image, &path, e);

	if (r < 0)
		return r;
	if (path && (r = packfile_again(s, path, image.digest, &pack, &note, e)) < 0)
		return err_at(e, r, "container %s", d->name);
	image.has_pack = pack >= 0;
	image.pack = pack;
	image.pack_note = note;
	r = layers_open(s, &image, ret, e);
	/* They may be gone since an EROFS file stood for them, or never have been there. */
	if (r == -ENOENT && image.digest[0] && (r = unpack_image(s, path ? path : image.digest, e)) == 0)
		r = layers_open(s, &image, ret, e);
	if (r == 0 && ret->is_erofs && ret->own_meet < 0)
		ret->meet = ret->own_meet = fd_take(&note);
	return r;
}

int root_again(const struct store *s, struct record_dir *d, const struct spec *spec, bool is_volatile, struct err *e)
{
	struct layers l layers_auto = { .n = 0 };
	int r = open_held(s, d, &l, e);
	fd_auto int tree = r < 0 ? r : stack(d, &l, is_volatile, root_is_mapped(spec) ? spec->linux_ : NULL, e);

	if (tree >= 0)
		keep_mount(d, &l);
	return fd_take(&tree);
}

/* overlayfs takes a single layer only under an upper one: alone it is the tree itself. */
static int view(struct layers *l, struct err *e)
{
	if (l->n == 1)
		return fd_take(&l->fd[0]);
	return mount_overlay(l->fd, l->n, -1, -1, overlay_flags(l), e);
}

int root_parts(const struct store *s, const struct record_dir *d, int *ret_upper, int *ret_lower, struct err *e)
{
	struct layers l layers_auto = { .n = 0 };
	int r = open_held(s, d, &l, e);

	if (r < 0)
		return r;
	fd_auto int upper = open_dir(d, "upper", e);
	fd_auto int lower = upper < 0 || l.n == 0 ? -1 : view(&l, e);
	if (upper < 0 || (lower < 0 && l.n))
		return upper < 0 ? upper : lower;
	*ret_upper = fd_take(&upper);
	*ret_lower = fd_take(&lower);
	return 0;
}

/* The upper directory on top of the others, all of them to be read only: so it does not matter whether it is in use. */
int root_whole(const struct store *s, const struct record_dir *d, struct err *e)
{
	struct layers l layers_auto = { .n = 0 };
	int all[IMAGE_LAYERS_MAX + 2];
	int r = open_held(s, d, &l, e);

	if (r < 0)
		return r;
	fd_auto int upper = open_dir(d, "upper", e);
	fd_auto int empty = upper >= 0 && l.n == 0 ? open_dir(d, "empty", e) : -1;
	if (upper < 0 || (l.n == 0 && empty < 0))
		return upper < 0 ? upper : empty;
	size_t n = 0;
	all[n++] = upper;
	if (l.n == 0)
		all[n++] = empty;
	for (size_t i = 0; i < l.n; i++)
		all[n++] = l.fd[i];
	return mount_overlay(all, n, -1, -1, overlay_flags(&l), e);
}

int root_view(const struct store *s, const struct image *image, struct err *e)
{
	struct layers l layers_auto = { .n = 0 };
	int r = layers_open(s, image, &l, e);

	if (r == -ENOENT)
		return err_at(e, r, "unpack it with \"kist image unpack\" first");
	if (r < 0)
		return r;
	if (l.n == 0)
		return err_new(e, ENODATA, "image %s: has no layers", image->name ? image->name : image->digest);
	return view(&l, e);
}
