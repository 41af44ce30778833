/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a composition: -v, --tmpfs, --shm-size, volumes of the image. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/compose_parts.h"
#include "engine/root.h"
#include "util/log.h"
#include "util/mem.h"

static struct spec_mount *find_mount(struct compose *c, const char *destination)
{
	struct spec_mounts *list = &c->s->mounts;

	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->v[i].destination, destination))
			return &list->v[i];
	return NULL;
}

/* "/a/b/" and "/a//b" are "/a/b": two words for one place must not become two mounts. */
static const char *clean_path(struct arena *a, const char *path)
{
	char *out = arena_str(a, path), *at = out;

	for (const char *p = path; *p; p++)
		if (*p != '/' || at == out || at[-1] != '/')
			*at++ = *p;
	if (at > out + 1 && at[-1] == '/')
		at--;
	*at = '\0';
	return out;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/*
 * Puts a mount in the place of one with the same destination, or before the first of ours that lies deeper, so that no
 * mount hides another. `first`: where ours begin.
 */
static void put_mount(struct compose *c, size_t first, const struct spec_mount *m)
{
	struct spec_mounts *list = &c->s->mounts;
	struct spec_mount *same = find_mount(c, m->destination);

	if (same) {
		*same = *m;
		return;
	}
	struct spec_mount *v = arena_array(c->a, list->n + 1, sizeof(*v));
	size_t at = first;
	while (at < list->n && depth_of(list->v[at].destination) <= depth_of(m->destination))
		at++;
	if (list->n)
		memcpy(v, list->v, at * sizeof(*v));
	v[at] = *m;
	if (at < list->n)
		memcpy(v + at + 1, list->v + at, (list->n - at) * sizeof(*v));
	*list = (struct spec_mounts){ .v = v, .n = list->n + 1 };
}

static void add_words(struct arena *a, struct strs *list, const char *words)
{
	for (const char *p = words; p && *p; p += *p == ',') {
		size_t len = strcspn(p, ",");
		if (len)
			compose_add_str(a, list, arena_strn(a, p, len));
		p += len;
	}
}

static struct spec_mount bind_of(struct compose *c, const char *source, const char *destination, const char *words)
{
	struct spec_mount m = { .destination = destination, .type = "bind", .source = source };

	compose_add_str(c->a, &m.options, "rbind");
	compose_add_str(c->a, &m.options, "rprivate");
	add_words(c->a, &m.options, words);
	return m;
}

/* What lies in the store has the image's ids: a container with a map sees it, as its layers, through that. */
static void map_volume(struct compose *c, struct spec_mount *m)
{
	if (root_is_mapped(c->s))
		compose_add_str(c->a, &m->options, "idmap");
}

/* ---- -v [SOURCE:]DIR[:OPTIONS] ---- */

struct volume_word {
	const char *source;      /* NULL: an anonymous volume */
	const char *destination;
	const char *words;       /* for the mount */
	bool is_copied;          /* a new volume gets what the image has there */
};

/* ro holds for what is mounted below, too; SELinux labels (z, Z) are nothing to us where SELinux is not. */
static int volume_words(struct compose *c, const char *words, struct volume_word *v, struct err *e)
{
	str_auto struct str out = STR_MAX(4096);

	for (const char *p = words; *p; p += *p == ',') {
		size_t len = strcspn(p, ",");
		const char *w = arena_strn(c->a, p, len);
		p += len;
		if (!strcmp(w, "nocopy"))
			v->is_copied = false;
		else if (!strcmp(w, "ro"))
			str_puts(&out, out.len ? ",rro" : "rro");
		else if ((!strcmp(w, "z") || !strcmp(w, "Z")) && access("/sys/fs/selinux/enforce", F_OK) == 0)
			return err_new(e, EOPNOTSUPP, "option %s: SELinux labels are not set by kist", w);
		else if (strcmp(w, "z") != 0 && strcmp(w, "Z") != 0 && strcmp(w, "rw") != 0 && *w)
			str_fmt(&out, "%s%s", out.len ? "," : "", w);
	}
	v->words = out.len ? arena_str(c->a, out.p) : NULL;
	return 0;
}

static int parse_volume(struct compose *c, const char *word, struct volume_word *v, struct err *e)
{
	char *copy = arena_str(c->a, word);
	const char *part[3] = { 0 };
	size_t n = 0;

	for (char *p; (p = strsep(&copy, ":")); n++) {
		if (n == ARRAY_LEN(part))
			return err_new(e, EINVAL, "expected [SOURCE:]DIR[:OPTIONS]");
		part[n] = p;
	}
	*v = (struct volume_word){ .source = n > 1 ? part[0] : NULL, .destination = n > 1 ? part[1] : part[0],
				   .is_copied = true };
	if (n > 1 && !*v->source)
		return err_new(e, EINVAL, "the source is empty");
	if (*v->destination != '/')
		return err_new(e, EINVAL, "%s: expected an absolute path in the container", v->destination);
	v->destination = clean_path(c->a, v->destination);
	if (!strcmp(v->destination, "/"))
		return err_new(e, EINVAL, "the root of the container cannot be a volume");
	return part[2] ? volume_words(c, part[2], v, e) : 0;
}

static int add_volume(struct compose *c, size_t first, const char *word, size_t number, struct err *e)
{
	struct volume_word v = { 0 };
	const char *source = NULL;
	int r = parse_volume(c, word, &v, e);

	if (r == 0 && !v.source)
		r = volume_anonymous(c, v.destination, number, &source, e);
	else if (r == 0 && *v.source == '/')
		source = v.source;
	else if (r == 0 && strchr(v.source, '/'))
		r = err_new(e, EINVAL, "%s: expected an absolute path or the name of a volume", v.source);
	else if (r == 0)
		r = volume_named(c, v.source, v.destination, v.is_copied, &source, e);
	if (r < 0)
		return err_at(e, r, "volume %s", word);
	struct spec_mount m = bind_of(c, source, v.destination, v.words);
	if (!v.source || *v.source != '/')
		map_volume(c, &m);
	put_mount(c, first, &m);
	return 0;
}

/* An image must not hide what the checks of procfs and sysfs writes rely on. */
static bool is_kernel_path(const char *path)
{
	static const char *const tops[] = { "/proc", "/sys", "/dev" };

	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		size_t len = strlen(tops[i]);
		if (!strncmp(path, tops[i], len) && (!path[len] || path[len] == '/'))
			return true;
	}
	return false;
}

static bool has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/'))
			return true;
	return false;
}

static int add_image_volumes(struct compose *c, size_t first, size_t number, struct err *e)
{
	const struct image_keys *list = c->image ? &c->image->process->volumes : NULL;

	for (size_t i = 0; list && i < list->n; i++) {
		const char *path = list->v[i].key, *source;
		if (*path != '/' || has_dotdot(path) || is_kernel_path(path) || !path[strspn(path, "/")]) {
			log_warn("volume %s of the image: left out", path);
			continue;
		}
		path = clean_path(c->a, path);
		if (find_mount(c, path))
			continue;
		int r = volume_anonymous(c, path, number + i, &source, e);
		if (r < 0)
			return err_at(e, r, "volume %s of the image", path);
		struct spec_mount m = bind_of(c, source, path, NULL);
		map_volume(c, &m);
		put_mount(c, first, &m);
	}
	return 0;
}

/* ---- --tmpfs, --shm-size ---- */

static int add_tmpfs(struct compose *c, size_t first, const char *word, struct err *e)
{
	const char *colon = strchr(word, ':');
	const char *path = colon ? arena_strn(c->a, word, (size_t)(colon - word)) : word;
	struct spec_mount m = { .type = "tmpfs", .source = "tmpfs" };

	if (*path != '/' || !path[strspn(path, "/")])
		return err_new(e, EINVAL, "option --tmpfs %s: expected an absolute path in the container", word);
	m.destination = clean_path(c->a, path);
	add_words(c->a, &m.options, "nosuid,nodev,noexec");
	add_words(c->a, &m.options, colon ? colon + 1 : "");
	put_mount(c, first, &m);
	return 0;
}

static void set_shm(struct compose *c)
{
	struct spec_mount *shm = find_mount(c, "/dev/shm");
	struct strs options = { 0 };

	if (!shm || !c->o->shm_bytes.has)
		return;
	for (size_t i = 0; i < shm->options.n; i++)
		if (strncmp(shm->options.v[i], "size=", 5) != 0)
			compose_add_str(c->a, &options, shm->options.v[i]);
	compose_add_str(c->a, &options, arena_fmt(c->a, "size=%lld", (long long)c->o->shm_bytes.v));
	shm->options = options;
}

int compose_mounts(struct compose *c, struct err *e)
{
	size_t first = c->s->mounts.n;
	int r = 0;

	set_shm(c);
	for (size_t i = 0; r == 0 && i < c->o->tmpfs.n; i++)
		r = add_tmpfs(c, first, c->o->tmpfs.v[i], e);
	for (size_t i = 0; r == 0 && i < c->o->volumes.n; i++)
		r = add_volume(c, first, c->o->volumes.v[i], i, e);
	if (r == 0)
		r = add_image_volumes(c, first, c->o->volumes.n, e);
	return r;
}
