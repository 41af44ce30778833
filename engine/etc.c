/* SPDX-License-Identifier: Apache-2.0 */
/* See etc.h. */
#include "engine/etc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "ns/mount.h"
#include "util/fd.h"
#include "util/mem.h"

enum { HOST_FILE_MAX = 1 << 20, FILES = 3 };

struct etc {
	struct spec *s;
	int dir;                      /* the tmpfs */
	struct spec_mount mounts[FILES];
	size_t n;
};

static bool has_mount(const struct spec *s, const char *destination)
{
	for (size_t i = 0; i < s->mounts.n; i++)
		if (!strcmp(s->mounts.v[i].destination, destination))
			return true;
	return false;
}

static int add_file(struct etc *t, const char *name, const char *text, size_t len, struct err *e)
{
	struct arena *a = &t->s->arena;
	const char *destination = arena_fmt(a, "/etc/%s", name);

	if (has_mount(t->s, destination))
		return 0;
	fd_auto int fd = openat(t->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, len);
	if (r < 0)
		return err_ret(e, r, "%s for the container", destination);
	static const char *options[] = { "bind", "rprivate", NULL };
	t->mounts[t->n++] = (struct spec_mount){
		.destination = destination, .type = "bind", .source = arena_fmt(a, "/proc/self/fd/%d/%s", t->dir, name),
		.options = { .v = options, .n = 2 },
	};
	return 0;
}

static int add_host_file(struct etc *t, const char *name, struct err *e)
{
	free_auto char *text = NULL;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/etc/%s", name);
	int r = file_read(AT_FDCWD, path, HOST_FILE_MAX, true, &text, &len);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? err_ret(e, r, "%s of the host", path) : add_file(t, name, text, len, e);
}

static int add_files(struct etc *t, struct err *e)
{
	const char *name = t->s->hostname;
	str_auto struct str text = STR_MAX(4096);
	int r = 0;

	if (name) {
		str_fmt(&text, "%s\n", name);
		r = add_file(t, "hostname", text.p, text.len, e);
	}
	if (r == 0 && !spec_namespace_find(t->s, CLONE_NEWNET)) {
		r = add_host_file(t, "hosts", e);
		return r < 0 ? r : add_host_file(t, "resolv.conf", e);
	}
	text.len = 0;
	str_fmt(&text, "127.0.0.1\tlocalhost%s%s\n::1\tlocalhost ip6-localhost ip6-loopback\n", name ? " " : "",
		name ? name : "");
	return r < 0 ? r : add_file(t, "hosts", text.p, text.len, e);
}

/* First of all, as Docker has it: a volume on /etc hides them. */
static void put_mounts(struct etc *t)
{
	struct spec_mounts *list = &t->s->mounts;
	struct spec_mount *v = arena_array(&t->s->arena, list->n + t->n, sizeof(*v));

	memcpy(v, t->mounts, t->n * sizeof(*v));
	if (list->n)
		memcpy(v + t->n, list->v, list->n * sizeof(*v));
	*list = (struct spec_mounts){ .v = v, .n = list->n + t->n };
}

int etc_add(struct spec *s, struct err *e)
{
	const struct mount_options o = { .data = "mode=755,size=4m,nr_inodes=16" };
	fd_auto int dir = mount_new("tmpfs", NULL, &o, e);
	struct etc t = { .s = s, .dir = dir };

	if (dir < 0)
		return err_at(e, dir, "/etc/hosts");
	int r = add_files(&t, e);
	if (r < 0)
		return r;
	put_mounts(&t);
	return fd_take(&dir);
}
