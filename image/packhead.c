/* SPDX-License-Identifier: Apache-2.0 */
/* See packhead.h. */
#include "image/packhead.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "util/mem.h"
#include "util/proc.h"

enum { BLOCK = 4096 };

bool pack_is_word(const char *word)
{
	size_t len = strlen(word);
	return *word == '/' || !strncmp(word, "./", 2) || !strncmp(word, "../", 3) ||
	       (len > 5 && !strcmp(word + len - 5, ".kist"));
}

bool pack_head_is(const char *bytes)
{
	return memcmp(bytes, PACK_MAGIC, sizeof(PACK_MAGIC) - 1) == 0;
}

/* ---- writing ---- */

static bool add(char *out, size_t *len, const char *text)
{
	size_t n = strlen(text);
	if (*len + n >= PACK_HEAD_SIZE)
		return false;
	memcpy(out + *len, text, n);
	*len += n;
	return true;
}

static bool add_part(char *out, size_t *len, const char *key, const struct pack_part *p)
{
	char line[192];
	if (!p->size)
		return true;
	snprintf(line, sizeof(line), "%s %" PRIu64 " %" PRIu64 " %s\n", key, p->offset, p->size, p->digest);
	return add(out, len, line);
}

size_t pack_head_lines(const struct pack_head *head, char out[static PACK_HEAD_SIZE])
{
	char line[REF_TEXT_MAX + 16];
	size_t len = 0;
	memset(out, 0, PACK_HEAD_SIZE);
	bool fits = add(out, &len, PACK_MAGIC);
	snprintf(line, sizeof(line), "tree %s\nerofs %" PRIu64 "\n", head->tree, head->erofs_size);
	fits = fits && add(out, &len, line) && add_part(out, &len, "zstd", &head->zstd) &&
	       add_part(out, &len, "manifest", &head->manifest) && add_part(out, &len, "config", &head->config);
	snprintf(line, sizeof(line), "name %s\n", head->name);
	fits = fits && (!head->name[0] || add(out, &len, line));
	return fits ? len : 0;
}

bool pack_head_end(const struct pack_head *head, size_t len, char out[static PACK_HEAD_SIZE])
{
	char line[DIGEST_TEXT_MAX + 8];
	snprintf(line, sizeof(line), "sum %s\n", head->sum);
	return add(out, &len, line);
}

/* ---- reading ---- */

/* Takes a line "KEY VALUE" if it is the next one. */
static bool take_line(const char **p, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);
	const char *end = strchr(*p, '\n');
	if (!end || strncmp(*p, key, n) != 0 || (*p)[n] != ' ' || (size_t)(end - *p) - n > size)
		return false;
	memcpy(out, *p + n + 1, (size_t)(end - *p) - n - 1);
	out[(size_t)(end - *p) - n - 1] = '\0';
	*p = end + 1;
	return true;
}

static bool read_part(const char *text, struct pack_part *ret)
{
	char digest[DIGEST_TEXT_MAX];
	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %71s", &ret->offset, &ret->size, digest) != 3)
		return false;
	memcpy(ret->digest, digest, sizeof(digest));
	return ret->size && digest_is_valid(ret->digest);
}

static bool take_part(const char **p, const char *key, struct pack_part *ret)
{
	char text[160];
	return !take_line(p, key, text, sizeof(text)) || read_part(text, ret);
}

static bool read_lines(const char *p, struct pack_head *h)
{
	char number[32];
	p += sizeof(PACK_MAGIC) - 1;
	if (!take_line(&p, "tree", h->tree, sizeof(h->tree)) || !digest_is_valid(h->tree) ||
	    !take_line(&p, "erofs", number, sizeof(number)) || sscanf(number, "%" SCNu64, &h->erofs_size) != 1 ||
	    !take_part(&p, "zstd", &h->zstd) || !take_part(&p, "manifest", &h->manifest) ||
	    !take_part(&p, "config", &h->config))
		return false;
	take_line(&p, "name", h->name, sizeof(h->name));
	return take_line(&p, "sum", h->sum, sizeof(h->sum)) && digest_is_valid(h->sum);
}

/* Parts lie one behind the other, so that no byte of the file belongs to two, or to none. */
static bool has_order(const struct pack_head *h)
{
	const struct pack_part *parts[] = { &h->zstd, &h->manifest, &h->config };
	uint64_t at = h->zstd.size ? BLOCK : h->erofs_size;
	if (h->erofs_size % BLOCK || !h->erofs_size || h->erofs_size > INT64_MAX / 2 || !h->manifest.size != !h->config.size)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (!parts[i]->size)
			continue;
		if (parts[i]->offset != at || parts[i]->size > INT64_MAX / 4)
			return false;
		at += parts[i]->size;
	}
	return true;
}

int pack_head_parse(const char bytes[static PACK_HEAD_SIZE], struct pack_head *ret_head, struct err *e)
{
	struct pack_head h = { .tree = "" };
	char text[PACK_HEAD_SIZE + 1], again[PACK_HEAD_SIZE];
	if (!pack_head_is(bytes))
		return err_new(e, EBADMSG, "not a packed image of kist, or of a later version");
	memcpy(text, bytes, PACK_HEAD_SIZE);
	text[PACK_HEAD_SIZE] = '\0';
	/* One way to write each head: what is left over, or written otherwise, is not ours. */
	size_t len = read_lines(text, &h) && has_order(&h) ? pack_head_lines(&h, again) : 0;
	if (!len || !pack_head_end(&h, len, again) || memcmp(bytes, again, PACK_HEAD_SIZE) != 0)
		return err_new(e, EBADMSG, "damaged: its first lines are not as kist writes them");
	*ret_head = h;
	return 0;
}

uint64_t pack_head_file_size(const struct pack_head *head)
{
	const struct pack_part *last = head->config.size ? &head->config : head->zstd.size ? &head->zstd : NULL;
	return last ? last->offset + last->size : head->erofs_size;
}

void pack_note(const struct stat *st, const char *digest, char name[static PACK_NOTE_MAX],
	       char text[static PACK_NOTE_MAX])
{
	snprintf(name, PACK_NOTE_MAX, "erofs/packs/%llx-%llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
	snprintf(text, PACK_NOTE_MAX, "%lld %lld.%09ld %lld.%09ld %s\n", (long long)st->st_size,
		 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec,
		 st->st_ctim.tv_nsec, digest);
}

/* There, what owner and mode say holds for this machine at most. */
static bool is_served_by_others(int fd)
{
	static const unsigned magics[] = { FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
					   V9FS_MAGIC,	     CEPH_SUPER_MAGIC };
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if ((unsigned)fs.f_type == magics[i])
			return true;
	return false;
}

/*
 * Who has opened a file for writing, or mapped it so, keeps that when it becomes root's; and what is written through a
 * mapping need not change its times. fcntl(2), "Leases": a read lease is refused then. It is given back at once; a signal
 * for its end, should somebody open the file just now, is one that is ignored.
 */
static bool may_be_written(int fd)
{
	if (fcntl(fd, F_SETSIG, SIGURG) < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return true;
	return fcntl(fd, F_SETLEASE, F_UNLCK) < 0;
}

const char *pack_unmountable(const struct pack_head *head, int fd, const struct stat *st)
{
	if (head->zstd.size)
		return "it is compressed";
	if (geteuid() != 0 || proc_is_in_userns())
		return "only root of the host may mount it";
	if (st->st_uid != 0)
		return "it does not belong to root";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others than root may write to it";
	if (is_served_by_others(fd))
		return "it lies on a file system that others serve";
	return may_be_written(fd) ? "somebody has it open for writing" : NULL;
}
