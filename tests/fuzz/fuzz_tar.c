/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a tar archive, in pieces of sizes that the first byte chooses. The reader
 * must neither crash nor read what it was not given; what it accepts keeps its promises.
 */
#include <stdlib.h>
#include <string.h>

#include "image/dirstack.h"
#include "image/tar.h"
#include "image/whiteout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	struct flow flow;
	const uint8_t *p;
	size_t left, piece;
	uint8_t *last; /* a copy of the last piece, freed at the next pull: use after that is found out */
};

static int pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct pieces *in = (struct pieces *)f;
	(void)e;
	free(in->last);
	in->last = NULL;
	size_t n = in->left < in->piece ? in->left : in->piece;
	if (!n)
		return 0;
	in->last = malloc(n);
	if (!in->last)
		abort();
	memcpy(in->last, in->p, n);
	in->p += n;
	in->left -= n;
	*ret_bytes = in->last;
	*ret_len = n;
	return 1;
}

static void need(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_entry(const struct tar_entry *en)
{
	char plain[TAR_PATH_MAX + 1];
	const char *target = NULL;
	size_t name;
	struct err e;
	uint64_t end = 0, sum = 0;
	need(*en->path && strlen(en->path) <= TAR_PATH_MAX && strlen(en->link) <= TAR_PATH_MAX);
	need(en->uid != UINT32_MAX && en->gid != UINT32_MAX && en->mode <= 07777);
	for (size_t i = 0; i < en->part_count; i++) {
		need(en->parts[i].offset >= end);
		end = en->parts[i].offset + en->parts[i].len;
		sum += en->parts[i].len;
	}
	need(end <= en->size && (!en->is_sparse || sum == en->data_bytes));
	for (size_t i = 0; i < en->xattr_count; i++)
		need(strlen(en->xattrs[i].name) <= 255 && en->xattrs[i].len <= PAX_XATTR_MAX);
	if (path_plain(en->path, plain, &name, &e) == 0) {
		need(!strstr(plain, "//") && plain[0] != '/' && strcmp(plain, "..") != 0 &&
		     name <= strlen(plain));
		whiteout_kind(plain + name, &target);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = { 1, 7, 511, 512, 513, 4096, 1 << 20 };
	if (!size)
		return 0;
	struct pieces in = {
		.flow = { .pull = pull },
		.p = data + 1,
		.left = size - 1,
		.piece = sizes[data[0] % (sizeof(sizes) / sizeof(*sizes))],
	};
	struct tar *t = malloc(sizeof(*t));
	if (!t)
		abort();
	struct err e = { .num = 0 };
	const struct tar_entry *en;
	const uint8_t *p;
	size_t n;
	int r;
	tar_open(t, &in.flow);
	while ((r = tar_next(t, &en, &e)) == 1) {
		check_entry(en);
		uint64_t got = 0, want = en->data_bytes;
		bool is_file = en->type == TAR_FILE;
		while ((r = tar_data(t, &p, &n, &e)) == 1)
			got += n;
		if (r < 0)
			break;
		need(!is_file || got == want);
	}
	need(r <= 0 && (r == 0 || e.text[0]));
	if (r == 0)
		tar_drain(t, &e);
	tar_done(t);
	free(t);
	free(in.last);
	return 0;
}
