/* SPDX-License-Identifier: Apache-2.0 */
/* See etc.h. */
#include "engine/etc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/root.h"
#include "ns/userns.h"
#include "runtime/state.h"
#include "util/fd.h"
#include "util/mem.h"

enum { HOST_FILE_MAX = 1 << 20, FILE_NAME_MAX = 256 };

static const char *const files[] = { "hostname", "hosts", "resolv.conf" };

struct making {
	struct spec *s;
	const char *state_root;
	struct etc etc;
	struct spec_mount mounts[ARRAY_LEN(files)];
	size_t n;
};

/* Hidden, so that it is no container's directory. */
static char *file_name(const char *container, const char *file, char out[static FILE_NAME_MAX])
{
	snprintf(out, FILE_NAME_MAX, ".etc.%.230s.%s", container, file);
	return out;
}

void etc_sweep(int root, const char *name)
{
	char file[FILE_NAME_MAX];

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (unlinkat(root, file_name(name, files[i], file), 0) < 0 && errno != ENOENT)
			unlinkat(root, file, 0);
}

void etc_done(struct etc *t)
{
	if (t->root >= 0)
		etc_sweep(t->root, t->name);
	fd_drop(&t->root);
}

void etc_keep(struct etc *t)
{
	fd_drop(&t->root);
}

static bool has_mount(const struct spec *s, const char *destination)
{
	for (size_t i = 0; i < s->mounts.n; i++)
		if (!strcmp(s->mounts.v[i].destination, destination))
			return true;
	return false;
}

/* Of a container whose ids are others on the host, it is root's. */
static int give_to_root(const struct spec *s, int fd)
{
	if (!root_is_mapped(s))
		return 0;
	int64_t uid = userns_to_host(&s->linux_->uid_mappings, 0), gid = userns_to_host(&s->linux_->gid_mappings, 0);
	return uid < 0 || gid < 0 || fchown(fd, (uid_t)uid, (gid_t)gid) == 0 ? 0 : -errno;
}

static int add_file(struct making *t, const char *name, const char *text, size_t len, struct err *e)
{
	static const char *options[] = { "bind", "rprivate", NULL };
	struct arena *a = &t->s->arena;
	const char *destination = arena_fmt(a, "/etc/%s", name);
	char file[FILE_NAME_MAX];

	if (has_mount(t->s, destination))
		return 0;
	fd_auto int fd = openat(t->etc.root, file_name(t->etc.name, name, file), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
				O_CLOEXEC, 0644);
	/* The mode is Docker's, whatever our umask. */
	int r = fd < 0 || fchmod(fd, 0644) < 0 ? -errno : give_to_root(t->s, fd);
	if (r == 0)
		r = fd_write_all(fd, text, len);
	if (r < 0)
		return err_ret(e, r, "%s for the container", destination);
	t->mounts[t->n++] = (struct spec_mount){
		.destination = destination, .type = "bind", .source = arena_fmt(a, "%s/%s", t->state_root, file),
		.options = { .v = options, .n = 2 },
	};
	return 0;
}

static int add_host_file(struct making *t, const char *name, struct err *e)
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

static int add_files(struct making *t, struct err *e)
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
static void put_mounts(struct making *t)
{
	struct spec_mounts *list = &t->s->mounts;
	struct spec_mount *v = arena_array(&t->s->arena, list->n + t->n, sizeof(*v));

	memcpy(v, t->mounts, t->n * sizeof(*v));
	if (list->n)
		memcpy(v + t->n, list->v, list->n * sizeof(*v));
	*list = (struct spec_mounts){ .v = v, .n = list->n + t->n };
}

int etc_add(const char *state_root, const char *name, struct spec *s, struct etc *ret, struct err *e)
{
	struct etc etc etc_auto = { .root = state_open_root(state_root, true, e), .name = name };
	struct making t = { .s = s, .state_root = state_root, .etc = etc };

	if (etc.root < 0)
		return etc.root;
	int r = add_files(&t, e);
	if (r < 0)
		return r;
	put_mounts(&t);
	*ret = etc;
	etc.root = -1;
	return 0;
}

const char *etc_destination(size_t n)
{
	static const char *const paths[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf" };

	return n < ARRAY_LEN(paths) ? paths[n] : NULL;
}
