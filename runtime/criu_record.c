/* SPDX-License-Identifier: Apache-2.0 */
/* See criu_record.h. */
#include "runtime/criu_record.h"

#include <errno.h>
#include <string.h>

#include "util/fd.h"
#include "util/mem.h"

#define RECORD_FILE "kist.json"

static const struct jx_word sources[] = {
	{ "bind", CRIU_BIND }, { "null", CRIU_NULL }, { "device", CRIU_NODE }, { "cgroup", CRIU_CGROUP }, { 0 },
};

static const struct jx_field mount_rows[] = {
	JX_STR(struct criu_mount, mountpoint, "mountpoint", .must = true),
	JX_ENUM(struct criu_mount, source, "source", sources, .must = true),
	JX_STR(struct criu_mount, destination, "destination"),
	JX_STR(struct criu_mount, below, "below"),
	JX_END,
};

static const struct jx_field target_rows[] = {
	JX_STR(struct criu_target, path, "path", .must = true),
	JX_BOOL(struct criu_target, is_file, "file"),
	JX_END,
};

static const struct jx_field stream_rows[] = {
	JX_U32(struct criu_stream, fd, "fd", .must = true),
	JX_STR(struct criu_stream, resource, "resource", .must = true),
	JX_BOOL(struct criu_stream, is_null, "null"),
	JX_U64(struct criu_stream, size, "size"),
	JX_END,
};

static const struct jx_field record_rows[] = {
	JX_U32(struct criu_record, version, "version", .must = true),
	JX_BOOL(struct criu_record, is_terminal, "terminal"),
	JX_LIST(struct criu_record, mounts, "mounts", struct criu_mount, mount_rows),
	JX_LIST(struct criu_record, targets, "targets", struct criu_target, target_rows),
	JX_LIST(struct criu_record, streams, "streams", struct criu_stream, stream_rows),
	JX_STRS(struct criu_record, namespaces, "namespaces"),
	JX_END,
};

const char *criu_namespace_key(const char *word)
{
	return strcmp(word, "network") == 0 ? "extRootNetNS" : strcmp(word, "pid") == 0 ? "extRootPidNS" : NULL;
}

int criu_record_write(int images, const struct criu_record *r, struct err *e)
{
	str_auto struct str text = STR_MAX(JX_BYTES_MAX);
	jx_print(&text, record_rows, r, 2);
	str_puts(&text, "\n");
	int n = file_replace(images, RECORD_FILE, text.p, text.len, 0600);
	return n < 0 ? err_ret(e, n, "image path: %s", RECORD_FILE) : 0;
}

/* In CRIU's words a bracket ends a name, and a mount point is absolute. */
static bool is_name(const char *path)
{
	return path[0] == '/' && !strpbrk(path, "[]\n");
}

/* "pipe:[12]", "file[1d:2f]", "socket:[7]": nothing else is to be handed to criu under this name. */
static bool is_resource(const char *text)
{
	static const char *const starts[] = { "pipe:[", "socket:[", "file[" };
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		size_t len = strlen(starts[i]);
		if (strncmp(text, starts[i], len) == 0)
			return strcmp(text + len + strspn(text + len, "0123456789abcdef:"), "]") == 0;
	}
	return false;
}

/* Each of the three standard streams at most once: restore has room for no more. */
static int check_streams(const struct criu_streams *list, struct err *e)
{
	bool is_there[3] = { false };
	for (size_t i = 0; i < list->n; i++) {
		const struct criu_stream *s = &list->v[i];
		if (s->fd.v > 2 || is_there[s->fd.v])
			return err_new(e, EINVAL, RECORD_FILE ": streams[%zu].fd: %s", i,
				       s->fd.v > 2 ? "no standard stream" : "named twice");
		if (!is_resource(s->resource))
			return err_new(e, EINVAL, RECORD_FILE ": streams[%zu].resource: no pipe, socket or file", i);
		is_there[s->fd.v] = true;
	}
	return 0;
}

static int check(const struct criu_record *r, struct err *e)
{
	if (r->version.v != CRIU_RECORD_VERSION)
		return err_new(e, EINVAL, RECORD_FILE ": version: %u, and this kist reads %d", r->version.v,
			       CRIU_RECORD_VERSION);
	for (size_t i = 0; i < r->mounts.n; i++) {
		const struct criu_mount *m = &r->mounts.v[i];
		if (!is_name(m->mountpoint))
			return err_new(e, EINVAL, RECORD_FILE ": mounts[%zu].mountpoint: no path of a container", i);
		if ((m->source == CRIU_BIND || m->source == CRIU_NODE) && !m->destination)
			return err_new(e, EINVAL, RECORD_FILE ": mounts[%zu].destination: missing", i);
	}
	for (size_t i = 0; i < r->targets.n; i++)
		if (!is_name(r->targets.v[i].path))
			return err_new(e, EINVAL, RECORD_FILE ": targets[%zu].path: no path of a container", i);
	for (size_t i = 0; i < r->namespaces.n; i++)
		if (!criu_namespace_key(r->namespaces.v[i]))
			return err_new(e, EINVAL, RECORD_FILE ": namespaces[%zu]: %s", i, r->namespaces.v[i]);
	return check_streams(&r->streams, e);
}

int criu_record_read(int images, struct criu_record *ret, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len = 0;
	*ret = (struct criu_record){ 0 };
	int r = file_read(images, RECORD_FILE, JX_BYTES_MAX, false, &bytes, &len);
	if (r == -ENOENT)
		return err_new(e, ENOENT, "no " RECORD_FILE " in it: not the images of a kist checkpoint");
	if (r < 0)
		return err_ret(e, r, RECORD_FILE);
	r = jx_load(bytes, len, RECORD_FILE, record_rows, ret, &ret->arena, NULL, e);
	return r < 0 ? r : check(ret, e);
}

void criu_record_done(struct criu_record *r)
{
	arena_done(&r->arena);
}
