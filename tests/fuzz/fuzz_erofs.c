/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a packed image: head, documents, and file system. The reader must neither crash nor go
 * on for ever, and a file system that it takes for kist's own is written again with just the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/erofsread.h"
#include "image/erofswrite.h"
#include "image/packcheck.h"
#include "image/treetar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool is_true)
{
	if (!is_true)
		abort();
}

static int memory_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	need(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	return fd;
}

static void write_again(struct tree *t, const uint8_t *data, size_t size)
{
	struct err e;
	uint64_t have = 0;
	int fd = memory_file(data, 0);
	need(erofs_write(t, fd, &have, &e) == 0 && have == size);
	uint8_t *again = malloc(size);
	need(again && pread(fd, again, size, 0) == (ssize_t)size);
	need(memcmp(again + 1024, data + 1024, size - 1024) == 0);
	free(again);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct packed packed;
	struct tree t = TREE_NONE;
	char digest[DIGEST_TEXT_MAX];
	uint64_t bytes;
	int fd = memory_file(data, size);
	if (packed_open(fd, &packed, &e) == 0)
		packed_done(&packed);
	if (tree_from_erofs(&t, fd, size, &e) == 0 && tree_tar_digest(&t, digest, &bytes, &e) == 0)
		write_again(&t, data, size);
	tree_done(&t);
	close(fd);
	return 0;
}
