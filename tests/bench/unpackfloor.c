/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpackfloor: what unpacking an image costs at the least. It verifies both digests of each layer, inflates and
 * writes the files, on all processors, and does nothing else: it trusts the archive, follows what symlinks it
 * finds, limits nothing, keeps no blobs and makes no overlay of the layers. tests/bench/image compares with it.
 *
 *   unpackfloor DIR [BLOB DIFFID]...
 *
 * Unpacks each layer (a file whose name is its sha256) into DIR/N. Reads what umoci writes: pax headers, no
 * sparse files, no xattrs.
 *
 * Build: cc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -o unpackfloor unpackfloor.c -lisal -lzstd -lcrypto
 */
#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define LAYERS_MAX 128
enum { BLOCK = 512, PIECE = 256 << 10 };

struct dir_time {
	char *path;
	struct timespec mtime;
	mode_t mode;
};

struct layer {
	const char *blob, *diff_id;
	const uint8_t *bytes;
	size_t len;
	int root;

	/* the archive, as it comes out of the blob piece by piece */
	EVP_MD_CTX *sum;
	uint8_t block[BLOCK]; /* a header that is not complete yet */
	size_t block_len;
	char *body; /* of a pax header */
	size_t body_len, body_size;
	uint64_t data_left, pad_left;
	int fd; /* of the file that is written; -1: none */
	struct timespec mtime;
	char path[4096], link[4096];
	char pax_path[4096], pax_link[4096];
	bool has_mtime;
	struct timespec pax_mtime;
	struct dir_time *dirs;
	size_t dir_count;
};

static const char *base_dir;
static struct layer layers[LAYERS_MAX];
static size_t layer_count;
static atomic_size_t next_layer;

static void die(const char *what)
{
	fprintf(stderr, "unpackfloor: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- tar ---- */

static uint64_t octal(const uint8_t *field, size_t len)
{
	uint64_t n = 0;
	for (size_t i = 0; i < len; i++)
		if (field[i] >= '0' && field[i] <= '7')
			n = n * 8 + (uint64_t)(field[i] - '0');
	return n;
}

static void read_pax(struct layer *l)
{
	for (char *p = l->body, *end = l->body + l->body_size; p < end;) {
		char *key;
		size_t len = strtoul(p, &key, 10);
		char *value = memchr(++key, '=', len);
		if (!value || !len)
			break;
		*value++ = '\0';
		p[len - 1] = '\0';
		if (strcmp(key, "path") == 0)
			snprintf(l->pax_path, sizeof(l->pax_path), "%s", value);
		else if (strcmp(key, "linkpath") == 0)
			snprintf(l->pax_link, sizeof(l->pax_link), "%s", value);
		else if (strcmp(key, "mtime") == 0) {
			l->has_mtime = true;
			l->pax_mtime.tv_sec = strtoll(value, &value, 10);
			char nsec[10] = "000000000";
			if (*value == '.')
				memcpy(nsec, value + 1, strnlen(value + 1, 9));
			l->pax_mtime.tv_nsec = strtol(nsec, NULL, 10);
		}
		p += len;
	}
}

static int begin_file(struct layer *l, uid_t uid, gid_t gid, mode_t mode)
{
	l->fd = openat(l->root, l->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
	if (l->fd < 0)
		return -1;
	if ((uid || gid) && fchown(l->fd, uid, gid) < 0)
		return -1;
	return (mode & 07000) ? fchmod(l->fd, mode) : 0;
}

static void end_file(struct layer *l)
{
	struct timespec times[2] = { l->mtime, l->mtime };
	if (futimens(l->fd, times) < 0 || close(l->fd) < 0)
		die(l->path);
	l->fd = -1;
}

static int make_dir(struct layer *l, uid_t uid, gid_t gid, mode_t mode)
{
	if (mkdirat(l->root, l->path, mode & 0777) < 0 && errno != EEXIST)
		return -1;
	if ((uid || gid) && fchownat(l->root, l->path, uid, gid, 0) < 0)
		return -1;
	if (l->dir_count % 256 == 0)
		l->dirs = realloc(l->dirs, (l->dir_count + 256) * sizeof(*l->dirs));
	l->dirs[l->dir_count++] = (struct dir_time){ strdup(l->path), l->mtime, mode };
	return 0;
}

static void set_dirs(struct layer *l)
{
	for (size_t i = 0; i < l->dir_count; i++) {
		struct dir_time *d = &l->dirs[i];
		struct timespec times[2] = { d->mtime, d->mtime };
		if (((d->mode & 07000) && fchmodat(l->root, d->path, d->mode, 0) < 0) ||
		    utimensat(l->root, d->path, times, 0) < 0)
			die(d->path);
		free(d->path);
	}
	free(l->dirs);
}

/* A directory that an entry needs and none has described. */
static void make_parents(struct layer *l)
{
	for (char *p = strchr(l->path, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdirat(l->root, l->path, 0755);
		*p = '/';
	}
}

static int make_symlink(struct layer *l, uid_t uid, gid_t gid)
{
	struct timespec times[2] = { l->mtime, l->mtime };
	if (symlinkat(l->link, l->root, l->path) < 0)
		return -1;
	if ((uid || gid) && fchownat(l->root, l->path, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return utimensat(l->root, l->path, times, AT_SYMLINK_NOFOLLOW);
}

static int make_entry(struct layer *l, const uint8_t *h)
{
	uid_t uid = (uid_t)octal(h + 108, 8);
	gid_t gid = (gid_t)octal(h + 116, 8);
	mode_t mode = (mode_t)octal(h + 100, 8);
	char *name = strrchr(l->path, '/');
	name = name ? name + 1 : l->path;
	if (strncmp(name, ".wh.", 4) == 0) {
		char path[sizeof(l->path)];
		snprintf(path, sizeof(path), "%.*s%s", (int)(name - l->path), l->path, name + 4);
		return mknodat(l->root, path, S_IFCHR, 0);
	}
	switch (h[156]) {
	case '5':
		return make_dir(l, uid, gid, mode);
	case '2':
		return make_symlink(l, uid, gid);
	case '1':
		return linkat(l->root, l->link, l->root, l->path, 0);
	default:
		return begin_file(l, uid, gid, mode);
	}
}

static void take_names(struct layer *l, const uint8_t *h)
{
	if (l->pax_path[0])
		memcpy(l->path, l->pax_path, sizeof(l->path));
	else if (h[345])
		snprintf(l->path, sizeof(l->path), "%.155s/%.100s", (const char *)h + 345, (const char *)h);
	else
		snprintf(l->path, sizeof(l->path), "%.100s", (const char *)h);
	if (l->pax_link[0])
		memcpy(l->link, l->pax_link, sizeof(l->link));
	else
		snprintf(l->link, sizeof(l->link), "%.100s", (const char *)h + 157);
	l->mtime = l->has_mtime ? l->pax_mtime : (struct timespec){ (time_t)octal(h + 136, 12), 0 };
	l->pax_path[0] = l->pax_link[0] = '\0';
	l->has_mtime = false;
	size_t len = strlen(l->path);
	while (len > 1 && l->path[len - 1] == '/')
		l->path[--len] = '\0';
}

static void take_header(struct layer *l, const uint8_t *h)
{
	if (!h[0])
		return;
	uint64_t size = octal(h + 124, 12);
	l->data_left = size;
	l->pad_left = -size & (BLOCK - 1);
	if (h[156] == 'x') {
		l->body_size = size;
		l->body_len = 0;
		l->body = malloc(size + 1);
		return;
	}
	take_names(l, h);
	int r = make_entry(l, h);
	if (r < 0 && errno == ENOENT) {
		make_parents(l);
		r = make_entry(l, h);
	}
	if (r < 0)
		die(l->path);
	if (l->fd >= 0 && !size)
		end_file(l);
}

static void take_data(struct layer *l, const uint8_t *p, size_t n)
{
	if (l->body) {
		memcpy(l->body + l->body_len, p, n);
		l->body_len += n;
		if (l->body_len < l->body_size)
			return;
		read_pax(l);
		free(l->body);
		l->body = NULL;
	} else if (l->fd >= 0) {
		for (size_t done = 0; done < n;) {
			ssize_t put = write(l->fd, p + done, n - done);
			if (put < 0)
				die(l->path);
			done += (size_t)put;
		}
		if (l->data_left == n)
			end_file(l);
	}
}

static void take_piece(struct layer *l, const uint8_t *p, size_t n)
{
	EVP_DigestUpdate(l->sum, p, n);
	while (n) {
		size_t len;
		if (l->data_left) {
			len = n < l->data_left ? n : (size_t)l->data_left;
			take_data(l, p, len);
			l->data_left -= len;
		} else if (l->pad_left) {
			len = n < l->pad_left ? n : (size_t)l->pad_left;
			l->pad_left -= len;
		} else if (!l->block_len && n >= BLOCK) {
			take_header(l, p);
			len = BLOCK;
		} else {
			len = n < BLOCK - l->block_len ? n : BLOCK - l->block_len;
			memcpy(l->block + l->block_len, p, len);
			l->block_len += len;
			if (l->block_len == BLOCK) {
				l->block_len = 0;
				take_header(l, l->block);
			}
		}
		p += len;
		n -= len;
	}
}

/* ---- compression ---- */

static void inflate_gzip(struct layer *l, uint8_t *out)
{
	struct inflate_state *s = malloc(sizeof(*s));
	isal_inflate_init(s);
	s->crc_flag = ISAL_GZIP;
	s->next_in = (uint8_t *)(uintptr_t)l->bytes;
	s->avail_in = (uint32_t)l->len;
	do {
		s->next_out = out;
		s->avail_out = PIECE;
		if (isal_inflate(s) != ISAL_DECOMP_OK)
			die("gzip");
		take_piece(l, out, PIECE - s->avail_out);
	} while (s->block_state != ISAL_BLOCK_FINISH);
	free(s);
}

static void inflate_zstd(struct layer *l, uint8_t *out)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = { l->bytes, l->len, 0 };
	while (in.pos < in.size) {
		ZSTD_outBuffer to = { out, PIECE, 0 };
		if (ZSTD_isError(ZSTD_decompressStream(z, &to, &in)))
			die("zstd");
		take_piece(l, out, to.pos);
	}
	ZSTD_freeDCtx(z);
}

/* ---- layers ---- */

static bool is_sum(EVP_MD_CTX *ctx, const char *hex)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char text[65];
	EVP_DigestFinal_ex(ctx, sum, NULL);
	for (int i = 0; i < 32; i++)
		snprintf(text + 2L * i, 3, "%02x", sum[i]);
	EVP_MD_CTX_free(ctx);
	return strcmp(text, hex) == 0;
}

static EVP_MD_CTX *begin_sum(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	return ctx;
}

static void unpack(struct layer *l)
{
	const char *name = strrchr(l->blob, '/');
	EVP_MD_CTX *blob_sum = begin_sum();
	uint8_t *out = malloc(PIECE);
	EVP_DigestUpdate(blob_sum, l->bytes, l->len);
	l->fd = -1;
	l->sum = begin_sum();
	if (l->bytes[0] == 0x1f)
		inflate_gzip(l, out);
	else
		inflate_zstd(l, out);
	set_dirs(l);
	free(out);
	if (!is_sum(blob_sum, name ? name + 1 : l->blob) || !is_sum(l->sum, l->diff_id))
		die("digest");
}

static void *work(void *arg)
{
	(void)arg;
	for (size_t i; (i = atomic_fetch_add(&next_layer, 1)) < layer_count;)
		unpack(&layers[i]);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	const struct layer *x = a, *y = b;
	return x->len < y->len ? 1 : x->len > y->len ? -1 : 0;
}

static void open_layer(struct layer *l, size_t number)
{
	char name[16];
	struct stat st;
	int fd = open(l->blob, O_RDONLY | O_CLOEXEC);
	snprintf(name, sizeof(name), "%zu", number);
	int dir = open(base_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || dir < 0 || mkdirat(dir, name, 0755) < 0)
		die(l->blob);
	l->root = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	l->len = (size_t)st.st_size;
	l->bytes = mmap(NULL, l->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (l->root < 0 || l->bytes == MAP_FAILED)
		die(l->blob);
	close(fd);
	close(dir);
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[64];
	size_t count = cpus < 1 ? 1 : cpus > 64 ? 64 : (size_t)cpus;
	if (argc < 4 || argc % 2 || argc / 2 - 1 > LAYERS_MAX) {
		fprintf(stderr, "usage: unpackfloor DIR BLOB DIFFID [BLOB DIFFID]...\n");
		return 2;
	}
	base_dir = argv[1];
	umask(0);
	for (int i = 2; i < argc; i += 2) {
		layers[layer_count] = (struct layer){ .blob = argv[i], .diff_id = argv[i + 1] };
		open_layer(&layers[layer_count], layer_count);
		layer_count++;
	}
	qsort(layers, layer_count, sizeof(layers[0]), by_size);
	for (size_t i = 1; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			die("thread");
	work(NULL);
	for (size_t i = 1; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
