/* SPDX-License-Identifier: Apache-2.0 */
/* See source.h. */
#include "image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/dirstack.h"
#include "image/intake.h"
#include "image/tar.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

/* ---- an archive's list of members ---- */

/* Reads headers and steps over data without reading it. */
struct seeker {
	struct flow flow;
	int fd;
	uint64_t offset, end;
	uint8_t buf[4096];
};

static int seek_pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct seeker *s = (struct seeker *)f;
	ssize_t n = pread(s->fd, s->buf, sizeof(s->buf), (off_t)s->offset);
	if (n < 0)
		return err_sys(e, "read");
	if (n == 0)
		return 0;
	s->offset += (uint64_t)n;
	*ret_bytes = s->buf;
	*ret_len = (size_t)n;
	return 1;
}

static int seek_skip(struct flow *f, uint64_t len, struct err *e)
{
	struct seeker *s = (struct seeker *)f;
	if (s->offset > s->end || len > s->end - s->offset)
		return err_new(e, EINVAL, "tar ends in the middle, at byte %llu", (unsigned long long)s->end);
	s->offset += len;
	return 0;
}

/*
 * A link's target, joined to its directory; ".." at its front goes up inside the archive. False: it leads
 * out.
 */
static bool join(const char *from, const char *to, char out[static TAR_PATH_MAX + 1])
{
	size_t len = 0, ignored;
	char rest[TAR_PATH_MAX + 1];
	struct err no;
	const char *slash = *to == '/' ? NULL : strrchr(from, '/');
	if (slash)
		len = (size_t)(slash - from);
	memcpy(out, from, len);
	for (; strncmp(to, "../", 3) == 0; to += 3) {
		if (!len)
			return false;
		while (len && out[--len] != '/')
			;
	}
	if (path_plain(to, rest, &ignored, &no) < 0 || len + strlen(rest) + 1 > TAR_PATH_MAX)
		return false;
	if (len)
		out[len++] = '/';
	memcpy(out + len, rest, strlen(rest) + 1);
	return true;
}

static int add_member(struct source *s, const struct tar_entry *en, uint64_t offset, struct err *e)
{
	char name[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
	size_t ignored;
	bool is_link = en->type == TAR_SYMLINK || en->type == TAR_HARDLINK;
	if (!is_link && en->type != TAR_FILE)
		return 0;
	int r = path_plain(en->path, name, &ignored, e);
	if (r == 0 && en->is_sparse)
		r = err_new(e, EINVAL, "a sparse file");
	if (r < 0)
		return r;
	if (is_link && !join(en->type == TAR_SYMLINK ? name : "", en->link, link))
		return err_new(e, EINVAL, "link to \"%.200s\", outside of the archive", en->link);
	if (s->count == SOURCE_MEMBERS_MAX)
		return err_new(e, E2BIG, "more than %d members", SOURCE_MEMBERS_MAX);
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->members = mem_grow(s->members, s->room * sizeof(*s->members));
	}
	s->members[s->count++] = (struct member){
		.name = arena_str(&s->arena, name),
		.link = is_link ? arena_str(&s->arena, link) : NULL,
		.offset = offset,
		.size_bytes = en->data_bytes,
	};
	return 0;
}

static int list_members(struct source *s, struct err *e)
{
	struct stat st;
	if (fstat(s->fd, &st) < 0)
		return err_sys(e, "stat");
	struct seeker in = {
		.flow = { .pull = seek_pull, .skip = seek_skip },
		.fd = s->fd,
		.end = (uint64_t)st.st_size,
	};
	struct tar *tar = mem_alloc(sizeof(*tar));
	tar_open(tar, &in.flow);
	const struct tar_entry *en;
	int r;
	while ((r = tar_next(tar, &en, e)) == 1)
		if ((r = add_member(s, en, tar->offset, e)) < 0) {
			err_at(e, r, "member \"%.200s\"", en->path);
			break;
		}
	tar_done(tar);
	free(tar);
	return r;
}

/* The last of a name counts, as if the archive had been unpacked. */
static const struct member *find(const struct source *s, const char *name)
{
	for (int hops = 0; hops < 8; hops++) {
		const struct member *found = NULL;
		for (size_t i = s->count; i-- > 0 && !found;)
			if (strcmp(s->members[i].name, name) == 0)
				found = &s->members[i];
		if (!found || !found->link)
			return found;
		name = found->link;
	}
	return NULL;
}

/* ---- opening ---- */

static int copy_plain(struct source *s, int to, const struct inflate_limits *limits, struct err *e)
{
	struct intake intake;
	struct inflate z;
	const uint8_t *p;
	size_t n;
	intake_stream(&intake, s->fd, -1);
	int r = inflate_open(&z, &intake.flow, limits, to, e);
	while (r == 0 && (r = flow_pull(&z.flow, &p, &n, e)) == 1)
		if ((r = fd_write_all(to, p, n)) < 0)
			err_ret(e, r, "write to the store");
	inflate_done(&z);
	intake_done(&intake);
	return r;
}

/* An unnamed file goes with its last descriptor, also after a kill. */
static int spool(struct source *s, struct ingest *in, const struct inflate_limits *limits, struct err *e)
{
	fd_auto int to = openat(in->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (to < 0)
		return err_sys(e, "store %s: tmp", in->store->path);
	int r = copy_plain(s, to, limits, e);
	if (r < 0)
		return r;
	fd_drop(&s->fd);
	s->fd = fd_take(&to);
	return 0;
}

static int open_archive(struct source *s, bool is_file, struct ingest *in,
			const struct inflate_limits *limits, struct err *e)
{
	int r = 0;
	if (!is_file || packing_at(s->fd, 0) != PACKING_NONE)
		r = spool(s, in, limits, e);
	if (r == 0)
		r = list_members(s, e);
	return r;
}

int source_open(const char *path, struct ingest *in, const struct inflate_limits *limits,
		struct source *ret_source, struct err *e)
{
	source_auto struct source s = { .path = path, .fd = -1 };
	bool is_input = strcmp(path, "-") == 0;
	s.fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
			  openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	if (s.fd < 0 || fstat(s.fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (is_input && isatty(s.fd))
		return err_new(e, EINVAL, "standard input is a terminal: name a file, or pipe an archive in");
	s.is_dir = S_ISDIR(st.st_mode);
	int r = s.is_dir ? 0 : open_archive(&s, S_ISREG(st.st_mode) && !is_input, in, limits, e);
	if (r < 0)
		return err_at(e, r, "%s", path);
	*ret_source = s;
	s = SOURCE_NONE;
	return 0;
}

void source_done(struct source *s)
{
	fd_drop(&s->fd);
	arena_done(&s->arena);
	free(s->members);
	s->members = NULL;
}

/* ---- members ---- */

int source_part(const struct source *s, const char *name, struct part *ret_part, struct err *e)
{
	if (!s->is_dir) {
		const struct member *m = find(s, name);
		if (!m)
			return err_new(e, ENOENT, "%s: not in the archive", name);
		*ret_part = (struct part){
			.fd = s->fd, .own_fd = -1, .offset = m->offset, .size_bytes = m->size_bytes
		};
		return 0;
	}
	/* O_NONBLOCK: a FIFO in a blob's place must not stop us. */
	fd_auto int fd = path_open(s->fd, name, PATH_IN_ROOT, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;
	if (fd < 0)
		return err_ret(e, fd, "%s", name);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", name);
	if (!S_ISREG(st.st_mode))
		return err_new(e, EINVAL, "%s: not a regular file", name);
	int own = fd_take(&fd);
	*ret_part = (struct part){ .fd = own, .own_fd = own, .size_bytes = (uint64_t)st.st_size };
	return 0;
}

bool source_has(const struct source *s, const char *name)
{
	struct part part;
	struct err ignored;
	if (source_part(s, name, &part, &ignored) < 0)
		return false;
	fd_drop(&part.own_fd);
	return true;
}

static int read_part(const struct part *part, const char *name, char **ret_bytes, size_t *ret_len,
		     struct err *e)
{
	size_t len = (size_t)part->size_bytes;
	free_auto char *bytes = mem_alloc(len + 1);
	ssize_t n = fd_read_at(part->fd, bytes, len, part->offset);
	if (n < 0 || (size_t)n < len)
		return n < 0 ? err_ret(e, (int)n, "%s", name) : err_new(e, EINVAL, "%s: cut off", name);
	bytes[len] = '\0';
	*ret_bytes = ptr_take(bytes);
	*ret_len = len;
	return 0;
}

int source_read(const struct source *s, const char *name, size_t max_bytes, char **ret_bytes, size_t *ret_len,
		struct err *e)
{
	struct part part;
	int r = source_part(s, name, &part, e);
	if (r < 0)
		return r;
	r = part.size_bytes > max_bytes ? err_new(e, EFBIG, "%s: %llu bytes, at most %zu", name,
						  (unsigned long long)part.size_bytes, max_bytes) :
					  read_part(&part, name, ret_bytes, ret_len, e);
	fd_close(part.own_fd);
	return r;
}
