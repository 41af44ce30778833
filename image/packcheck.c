/* SPDX-License-Identifier: Apache-2.0 */
/* See packcheck.h. */
#include "image/packcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/erofsread.h"
#include "image/treetar.h"
#include "util/fd.h"

void packed_done(struct packed *p)
{
	free(p->manifest_bytes);
	free(p->config_bytes);
	arena_done(&p->arena);
	*p = (struct packed){ .config_bytes = NULL };
}

static int read_at(int fd, void *buf, size_t len, uint64_t at, struct err *e)
{
	ssize_t n = fd_read_at(fd, buf, len, at);
	if (n < 0)
		return err_ret(e, (int)n, "read");
	return (size_t)n < len ? err_new(e, EBADMSG, "damaged: ends early") : 0;
}

bool packed_is(const char *path)
{
	char head[PACK_HEAD_SIZE];
	struct stat st;
	struct err ignored;
	fd_auto int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > PACK_HEAD_SIZE &&
	       read_at(fd, head, sizeof(head), 0, &ignored) == 0 && pack_head_is(head);
}

static int read_head(int fd, struct pack_head *h, struct err *e)
{
	char bytes[PACK_HEAD_SIZE], lines[PACK_HEAD_SIZE], sum[DIGEST_TEXT_MAX];
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	int r = read_at(fd, bytes, sizeof(bytes), 0, e);
	if (r < 0 || (r = pack_head_parse(bytes, h, e)) < 0)
		return r;
	digest_of(bytes, pack_head_lines(h, lines), sum);
	if (strcmp(sum, h->sum) != 0)
		return err_new(e, EBADMSG, "damaged: its first lines have not the sum that they name");
	if ((uint64_t)st.st_size != pack_head_file_size(h))
		return err_new(e, EBADMSG, "damaged: has %lld bytes, expected %llu", (long long)st.st_size,
			       (unsigned long long)pack_head_file_size(h));
	return 0;
}

static int read_part(int fd, const struct pack_part *part, const char *what, size_t max_bytes, char **ret, struct err *e)
{
	char got[DIGEST_TEXT_MAX];
	if (part->size > max_bytes)
		return err_new(e, EFBIG, "%s: more than %zu bytes", what, max_bytes);
	free_auto char *bytes = mem_alloc(part->size + 1);
	int r = read_at(fd, bytes, part->size, part->offset, e);
	if (r < 0)
		return r;
	bytes[part->size] = '\0';
	digest_of(bytes, part->size, got);
	if (strcmp(got, part->digest) != 0)
		return err_new(e, EBADMSG, "%s: digest mismatch: expected %s, got %s", what, part->digest, got);
	*ret = ptr_take(bytes);
	return 0;
}

/* The documents are those of one image of one layer, the tree. */
static int check_documents(const struct packed *p, struct err *e)
{
	const struct document *m = &p->manifest;
	if (document_is_index(m) || m->layers.n != 1)
		return err_new(e, EBADMSG, "manifest: not one of one layer");
	if (strcmp(m->config->digest, p->head.config.digest) != 0)
		return err_new(e, EBADMSG, "manifest: names another config");
	if (strcmp(m->layers.v[0].digest, p->head.tree) != 0 ||
	    strcmp(p->config.rootfs->diff_ids.v[0], p->head.tree) != 0)
		return err_new(e, EBADMSG, "manifest and config name another layer");
	return 0;
}

int packed_open(int fd, struct packed *ret, struct err *e)
{
	packed_auto struct packed p = { .config_bytes = NULL };
	int r = read_head(fd, &p.head, e);
	if (r == 0 && p.head.manifest.size) {
		if ((r = read_part(fd, &p.head.manifest, "manifest", STORE_MANIFEST_MAX, &p.manifest_bytes, e)) < 0 ||
		    (r = read_part(fd, &p.head.config, "config", STORE_CONFIG_MAX, &p.config_bytes, e)) < 0 ||
		    (r = document_load(p.manifest_bytes, p.head.manifest.size, "manifest", NULL, &p.arena, &p.manifest,
				       e)) < 0 ||
		    (r = config_load(p.config_bytes, p.head.config.size, "config", (ptrdiff_t)p.manifest.layers.n,
				     &p.arena, &p.config, e)) < 0)
			return r;
		r = check_documents(&p, e);
	}
	if (r < 0)
		return r;
	*ret = p;
	p = (struct packed){ .config_bytes = NULL };
	return 0;
}

int packed_tree(const struct pack_head *head, int fd, bool is_form_only, struct tree *ret_tree, struct err *e)
{
	tree_auto struct tree t = TREE_NONE;
	char got[DIGEST_TEXT_MAX];
	uint64_t size;
	int r = tree_from_erofs(&t, fd, head->erofs_size, e);
	if (r == 0 && !is_form_only && (r = tree_tar_digest(&t, got, &size, e)) == 0 && strcmp(got, head->tree) != 0)
		r = err_new(e, EBADMSG, "damaged: its tree has digest %s, expected %s", got, head->tree);
	if (r < 0)
		return r;
	*ret_tree = t;
	t = TREE_NONE;
	return 0;
}

int packed_write_head(struct pack_head *head, int fd, struct err *e)
{
	char bytes[PACK_HEAD_SIZE];
	size_t len = pack_head_lines(head, bytes);
	digest_of(bytes, len, head->sum);
	if (!len || !pack_head_end(head, len, bytes))
		return err_new(e, ENAMETOOLONG, "the image's name is too long for a packed image");
	if (pwrite(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "write");
	return 0;
}
