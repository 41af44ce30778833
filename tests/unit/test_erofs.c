/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as EROFS files and back, the tar archive of both, and the heads of packed images. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/erofsread.h"
#include "image/erofswrite.h"
#include "image/packhead.h"
#include "image/treetar.h"
#include "util/mem.h"

static const char data[] = "some bytes of a file";

/* A child of a directory of a tree that is made by hand; names must come sorted. */
static struct tree_node *add(struct tree *t, struct tree_node *dir, const char *name, mode_t mode)
{
	struct tree_node *node = tree_node_new(t, dir, name, strlen(name));
	node->inode = arena_new(&t->arena, struct tree_inode);
	node->inode->mode = mode;
	node->inode->origin = node;
	node->inode->mtime = (struct timespec){ 1700000000, 123456789 };
	struct tree_node **kids = arena_array(&t->arena, dir->kid_count + 1, sizeof(*kids));
	if (dir->kid_count)
		memcpy(kids, dir->kids, dir->kid_count * sizeof(*kids));
	kids[dir->kid_count++] = node;
	dir->kids = kids;
	return node;
}

static void begin(struct tree *t)
{
	*t = TREE_NONE;
	t->root = tree_node_new(t, NULL, "", 0);
	t->root->inode = arena_new(&t->arena, struct tree_inode);
	t->root->inode->mode = S_IFDIR | 0755;
}

static int write_tree(struct tree *t, uint64_t *size)
{
	struct err e = { .num = 0 };
	int fd = memfd_create("erofs", MFD_CLOEXEC);
	assert_true(fd >= 0);
	tree_count_links(t);
	assert_int_equal(erofs_write(t, fd, size, &e), 0);
	return fd;
}

/* Writes a tree, reads it, and compares the archives of both. Returns the file. */
static int round_trip(struct tree *t, uint64_t *size)
{
	struct err e = { .num = 0 };
	tree_auto struct tree back = TREE_NONE;
	char one[DIGEST_TEXT_MAX], two[DIGEST_TEXT_MAX];
	uint64_t bytes;
	int fd = write_tree(t, size);
	if (tree_from_erofs(&back, fd, *size, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(tree_tar_digest(&back, one, &bytes, &e), 0);
	assert_int_equal(back.names, t->names);
	assert_int_equal(tree_tar_digest(t, two, &bytes, &e), 0);
	assert_string_equal(one, two);
	return fd;
}

static void empty_tree(void **state)
{
	tree_auto struct tree t = TREE_NONE;
	uint64_t size;
	(void)state;
	begin(&t);
	close(round_trip(&t, &size));
	assert_int_equal(size, 4096);
}

/* Many names need several blocks, with "." and ".." in the midst of them. */
static void wide_directory(void **state)
{
	tree_auto struct tree t = TREE_NONE;
	uint64_t size;
	char name[256];
	(void)state;
	begin(&t);
	struct tree_node *dir = add(&t, t.root, "dir", S_IFDIR | 0700);
	add(&t, dir, "!before the dots", S_IFIFO | 0600);
	for (int i = 0; i < 600; i++) {
		int len = snprintf(name, sizeof(name), "n%05d", i);
		memset(name + len, 'x', (size_t)(i % 200));
		name[len + i % 200] = '\0';
		add(&t, dir, name, S_IFCHR | 0600)->inode->dev_minor = (uint32_t)i + 1;
	}
	close(round_trip(&t, &size));
	assert_true(size > 15 * 4096);
}

static void links_owners_xattrs(void **state)
{
	tree_auto struct tree t = TREE_NONE;
	static char big[60000];
	const struct tar_xattr rows[] = { { "security.capability", "\1\0\0\2", 4 }, { "system.posix_acl_access", "acl", 3 },
					  { "trusted.a", "", 0 }, { "user.big", big, sizeof(big) } };
	uint64_t size;
	(void)state;
	begin(&t);
	struct tree_node *a = add(&t, t.root, "a", S_IFIFO | 04755);
	a->inode->uid = 4000000000u;
	a->inode->gid = 7;
	a->inode->xattrs = rows;
	a->inode->xattr_count = ARRAY_LEN(rows);
	struct tree_node *dev = add(&t, t.root, "b", S_IFBLK | 0600);
	dev->inode->dev_major = 4095;
	dev->inode->dev_minor = 1048575;
	dev->inode->mtime = (struct timespec){ -5, 999999999 };
	struct tree_node *again = add(&t, t.root, "c", S_IFIFO);
	again->inode = a->inode;
	struct tree_node *link = add(&t, t.root, "d", S_IFLNK | 0777);
	link->inode->target = "../some/where";
	link->inode->size = strlen(link->inode->target);
	close(round_trip(&t, &size));
	assert_int_equal(a->inode->links, 2);
	assert_int_equal(t.root->inode->links, 2);
}

/* Whatever byte of what is not a file's data is another one: it is found. */
static void every_byte_counts(void **state)
{
	tree_auto struct tree t = TREE_NONE;
	uint64_t size;
	(void)state;
	begin(&t);
	struct tree_node *dir = add(&t, t.root, "dir", S_IFDIR | 0711);
	add(&t, dir, "fifo", S_IFIFO | 0644);
	add(&t, dir, "null", S_IFCHR | 0666)->inode->dev_major = 1;
	int fd = write_tree(&t, &size);
	for (uint64_t at = 1024; at < size; at++) {
		uint8_t byte, other;
		struct err e = { .num = 0 };
		struct tree back = TREE_NONE;
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		for (int bit = 0; bit < 8; bit++) {
			other = byte ^ (uint8_t)(1 << bit);
			assert_int_equal(pwrite(fd, &other, 1, (off_t)at), 1);
			/* Another mode, owner or time is another tree, whose digest is another. */
			int r = tree_from_erofs(&back, fd, size, &e);
			if (r == 0) {
				char one[DIGEST_TEXT_MAX], two[DIGEST_TEXT_MAX];
				uint64_t bytes;
				assert_int_equal(tree_tar_digest(&back, one, &bytes, &e), 0);
				assert_int_equal(tree_tar_digest(&t, two, &bytes, &e), 0);
				assert_string_not_equal(one, two);
			}
			tree_done(&back);
		}
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	}
	close(fd);
}

static void file_bytes(void **state)
{
	char path[] = "/tmp/kist-unit-XXXXXX";
	tree_auto struct tree t = TREE_NONE;
	uint64_t size;
	char back[sizeof(data)];
	struct tree_data d;
	struct err e = { .num = 0 };
	(void)state;
	assert_non_null(mkdtemp(path));
	int layer = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(layer, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	assert_int_equal(ftruncate(fd, 3 * 4096 + 100), 0);
	close(fd);
	begin(&t);
	t.layers = &layer;
	add(&t, t.root, "f", S_IFREG | 0600)->inode->size = 3 * 4096 + 100;
	fd = round_trip(&t, &size);
	tree_auto struct tree read = TREE_NONE;
	assert_int_equal(tree_from_erofs(&read, fd, size, &e), 0);
	assert_int_equal(tree_data_open(&read, read.root->kids[0]->inode, &d, &e), 0);
	assert_int_equal(tree_data_read(&d, 0, back, sizeof(back), &e), 0);
	assert_memory_equal(back, data, sizeof(data));
	tree_data_done(&d);
	close(fd);
	unlinkat(layer, "f", 0);
	close(layer);
	rmdir(path);
}

static void heads(void **state)
{
	struct pack_head head = { .erofs_size = 8192, .name = "app:1", .manifest = { .offset = 8192, .size = 10 },
				  .config = { .offset = 8202, .size = 5 } }, back;
	struct err e = { .num = 0 };
	char bytes[PACK_HEAD_SIZE], bad[PACK_HEAD_SIZE];
	char digest[DIGEST_TEXT_MAX];
	(void)state;
	snprintf(digest, sizeof(digest), "sha256:%064d", 7);
	memcpy(head.tree, digest, sizeof(digest));
	memcpy(head.sum, digest, sizeof(digest));
	memcpy(head.manifest.digest, digest, sizeof(digest));
	memcpy(head.config.digest, digest, sizeof(digest));
	size_t len = pack_head_lines(&head, bytes);
	assert_true(len > 0 && pack_head_end(&head, len, bytes));
	assert_int_equal(pack_head_parse(bytes, &back, &e), 0);
	assert_string_equal(back.name, "app:1");
	assert_int_equal(pack_head_file_size(&back), 8207);
	/* What is left out, in another order, or behind the end. */
	memcpy(bad, bytes, sizeof(bad));
	bad[PACK_HEAD_SIZE - 1] = 1;
	assert_int_equal(pack_head_parse(bad, &back, &e), -EBADMSG);
	memcpy(bad, bytes, sizeof(bad));
	memset(strstr(bad, "erofs 8192"), ' ', 3);
	assert_int_equal(pack_head_parse(bad, &back, &e), -EBADMSG);
	head.config.offset++;
	len = pack_head_lines(&head, bad);
	assert_true(pack_head_end(&head, len, bad));
	assert_int_equal(pack_head_parse(bad, &back, &e), -EBADMSG);
	/* The longest name fits, but with everything else it need not: then it is said, and nothing cut. */
	head.config.offset--;
	memset(head.name, 'n', REF_TEXT_MAX - 1);
	len = pack_head_lines(&head, bytes);
	assert_true(len > 0 && pack_head_end(&head, len, bytes));
	assert_int_equal(pack_head_parse(bytes, &back, &e), 0);
	assert_string_equal(back.name, head.name);
}

static void words(void **state)
{
	(void)state;
	assert_true(pack_is_word("./a") && pack_is_word("/a") && pack_is_word("../a") && pack_is_word("a.kist"));
	assert_false(pack_is_word("debian") || pack_is_word("localhost/app:1") || pack_is_word(".kist") ||
		     pack_is_word("x.kist:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_tree), cmocka_unit_test(wide_directory), cmocka_unit_test(links_owners_xattrs),
		cmocka_unit_test(every_byte_counts), cmocka_unit_test(file_bytes), cmocka_unit_test(heads),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
