/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes out: gzip streams, files that take their place when they are whole, archives and directories of image/sink, and
 * a container's changes as a layer. Whole commands are tested by 54-archives.bats.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/deflate.h"
#include "image/inflate.h"
#include "image/layertar.h"
#include "image/sink.h"
#include "image/upper.h"
#include "util/fd.h"
#include "util/mem.h"

static int enter_dir(void **state)
{
	char *dir = mem_str("/tmp/kist-unit.XXXXXX");
	*state = dir;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave_dir(void **state)
{
	char *dir = *state;
	int r = chdir("/") < 0 ? -1 : file_remove_tree(AT_FDCWD, dir);
	free(dir);
	return r;
}

static void put_file(const char *name, const char *text)
{
	fd_auto int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void assert_file(const char *name, const char *want)
{
	free_auto char *text = NULL;
	size_t len;
	assert_int_equal(file_read(AT_FDCWD, name, 1 << 20, false, &text, &len), 0);
	assert_string_equal(text, want);
}

/* How many names a directory has. */
static size_t count_names(const char *dir)
{
	char **names = NULL;
	size_t n = 0;
	fd_auto int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(treeout_list(fd, &names, &n), 0);
	treeout_unlist(names, n);
	return n;
}

/* ---- gzip ---- */

static int to_str(void *ctx, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	str_add(ctx, bytes, len);
	return 0;
}

struct feed {
	struct flow flow;
	const struct str *text;
	size_t at;
};

static int feed_pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct feed *x = (struct feed *)f;
	(void)e;
	*ret_bytes = (const uint8_t *)x->text->p + x->at;
	*ret_len = x->text->len - x->at;
	x->at = x->text->len;
	return *ret_len ? 1 : 0;
}

static void pack(const char *bytes, size_t len, size_t piece, unsigned int workers, struct str *out)
{
	struct deflate d;
	struct err e = { 0 };
	deflate_open(&d, to_str, out, workers);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(deflate_write(&d, bytes + at, len - at < piece ? len - at : piece, &e), 0);
	assert_int_equal(deflate_finish(&d, &e), 0);
	deflate_done(&d);
}

static void assert_unpacks(const struct str *packed, const char *want, size_t len)
{
	struct feed feed = { .flow = { .pull = feed_pull }, .text = packed };
	struct inflate z;
	struct err e = { 0 };
	str_auto struct str got = STR_MAX(64 << 20);
	const uint8_t *p;
	size_t n;
	int r;
	assert_int_equal(inflate_open(&z, &feed.flow, &inflate_limits_default, -1, &e), 0);
	assert_int_equal(z.packing, PACKING_GZIP);
	while ((r = flow_pull(&z.flow, &p, &n, &e)) == 1)
		str_add(&got, (const char *)p, n);
	inflate_done(&z);
	assert_int_equal(r, 0);
	assert_int_equal(got.len, len);
	assert_true(len == 0 || memcmp(got.p, want, len) == 0);
}

static void gzip_comes_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 511, 65536, 512 << 10, (512 << 10) + 1, 9 << 20 };
	static const unsigned int workers[] = { 2, 5, 8, 0, 100 };
	free_auto char *bytes = mem_alloc(9 << 20);
	uint32_t x = 1;
	(void)state;
	/* one half noise, one half zeros */
	for (size_t i = 0; i < 9 << 20; i++)
		bytes[i] = i & (1 << 16) ? (char)((x = x * 1103515245 + 12345) >> 16) : 0;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		str_auto struct str packed = STR_MAX(64 << 20), again = STR_MAX(64 << 20);
		pack(bytes, sizes[i], 300000, 1, &packed);
		assert_unpacks(&packed, bytes, sizes[i]);
		/* the same bytes for any number of processors, and however they are given */
		for (size_t k = 0; k < ARRAY_LEN(workers); k++) {
			again.len = 0;
			pack(bytes, sizes[i], 1 + 77777 * (k + 1), workers[k], &again);
			assert_int_equal(packed.len, again.len);
			assert_memory_equal(packed.p, again.p, packed.len);
		}
	}
}

static int to_nowhere(void *ctx, const void *bytes, size_t len, struct err *e)
{
	(void)ctx;
	(void)bytes;
	(void)len;
	return err_new(e, ENOSPC, "full");
}

static void gzip_tells_a_failed_write(void **state)
{
	struct deflate d;
	struct err e = { 0 };
	(void)state;
	deflate_open(&d, to_nowhere, NULL, 0);
	assert_int_equal(deflate_write(&d, "x", 1, &e), 0);
	assert_int_equal(deflate_finish(&d, &e), -ENOSPC);
	deflate_done(&d);
}

/* ---- files ---- */

static void outfile_is_whole_or_not_there(void **state)
{
	struct outfile o;
	struct err e = { 0 };
	(void)state;
	put_file("old", "old");
	for (int is_finished = 0; is_finished < 2; is_finished++) {
		assert_int_equal(outfile_open("old", &o, &e), 0);
		assert_int_equal(fd_write_all(o.fd, "new", 3), 0);
		assert_file("old", "old");
		if (is_finished)
			assert_int_equal(outfile_finish(&o, &e), 0);
		outfile_done(&o);
		assert_file("old", is_finished ? "new" : "old");
		assert_int_equal(count_names("."), 1);
	}
	assert_int_equal(outfile_open("no/dir", &o, &e), -ENOENT);
	assert_int_equal(outfile_open("dir/", &o, &e), -EISDIR);
	assert_int_equal(mkdir("dir", 0755), 0);
	assert_int_equal(outfile_open("dir", &o, &e), -EISDIR);
}

static void outfile_keeps_what_is_no_file(void **state)
{
	struct outfile o;
	struct err e = { 0 };
	struct stat st;
	(void)state;
	put_file("target", "old");
	assert_int_equal(symlink("target", "link"), 0);
	assert_int_equal(outfile_open("link", &o, &e), 0);
	assert_int_equal(fd_write_all(o.fd, "new", 3), 0);
	assert_int_equal(outfile_finish(&o, &e), 0);
	outfile_done(&o);
	assert_file("target", "new");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void outfile_has_the_users_mode(void **state)
{
	struct outfile o;
	struct err e = { 0 };
	struct stat st;
	(void)state;
	outfile_mask(027);
	umask(0);
	assert_int_equal(outfile_open("f", &o, &e), 0);
	assert_int_equal(outfile_finish(&o, &e), 0);
	outfile_done(&o);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	outfile_mask(022);
	umask(022);
}

/* ---- sinks ---- */

static void fill(struct sink *s, struct err *e)
{
	assert_int_equal(sink_mkdir(s, "d", e), 0);
	assert_int_equal(sink_text(s, "d/a", "text", 4, e), 0);
}

static void sink_directory_is_whole_or_not_there(void **state)
{
	struct err e = { 0 };
	(void)state;
	for (int is_finished = 0; is_finished < 2; is_finished++) {
		struct sink s sink_auto = SINK_NONE;
		assert_int_equal(sink_directory(&s, "out/", &e), 0);
		fill(&s, &e);
		assert_int_equal(access("out", F_OK), -1);
		if (is_finished)
			assert_int_equal(sink_finish(&s, &e), 0);
		sink_done(&s);
		assert_int_equal(count_names("."), is_finished);
	}
	assert_file("out/d/a", "text");
	struct sink s sink_auto = SINK_NONE;
	assert_int_equal(sink_directory(&s, "out", &e), -EEXIST);
}

static void sink_wants_as_many_bytes_as_were_said(void **state)
{
	struct sink s sink_auto = SINK_NONE;
	struct err e = { 0 };
	(void)state;
	assert_int_equal(sink_archive(&s, "a.tar", &e), 0);
	assert_int_equal(sink_file(&s, "f", 3, &e), 0);
	assert_int_equal(sink_write(&s, "ab", 2, &e), 0);
	assert_int_equal(sink_close(&s, &e), -EIO);
	assert_int_equal(sink_write(&s, "cd", 2, &e), -EIO);
	assert_int_equal(sink_write(&s, "c", 1, &e), 0);
	assert_int_equal(sink_close(&s, &e), 0);
	sink_done(&s);
	assert_int_equal(count_names("."), 0);
}

/* ---- changes ---- */

/* lower: d/1, d/2, gone, kept. upper: d opaque with 2 and 3, a whiteout of gone and one of nothing, a mount point */
static void make_trees(void)
{
	assert_int_equal(mkdir("l", 0755) | mkdir("l/d", 0755) | mkdir("u", 0755) | mkdir("u/d", 0755) |
				 mkdir("u/etc", 0755) | mkdir("u/mnt", 0755),
			 0);
	put_file("l/d/1", "1");
	put_file("l/d/2", "2");
	put_file("l/gone", "");
	put_file("l/kept", "");
	put_file("u/d/2", "two");
	put_file("u/d/3", "3");
	put_file("u/etc/hosts", "");
	assert_int_equal(mknod("u/gone", S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(mknod("u/never", S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(setxattr("u/d", "user.overlay.opaque", "y", 1, 0), 0);
}

static const char *const mounts[] = { "/etc/hosts", "/mnt/deep/er" };

static struct upper open_upper(void)
{
	return (struct upper){
		.dir = open("u", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.lower = open("l", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.is_user = true,
		.mounts = mounts,
		.mount_count = ARRAY_LEN(mounts),
	};
}

static void close_upper(const struct upper *u)
{
	fd_close(u->dir);
	fd_close(u->lower);
}

static int note(void *ctx, const struct upper_entry *en, struct err *e)
{
	static const char letters[] = { [CHANGE_ADDED] = 'A', [CHANGE_MODIFIED] = 'C', [CHANGE_DELETED] = 'D' };
	(void)e;
	str_fmt(ctx, "%c %s%s\n", letters[en->change], en->path, en->is_opaque ? " opaque" : en->is_hidden ? " hidden" : "");
	return 0;
}

static void walk_tells_changes_and_no_mount_points(void **state)
{
	str_auto struct str got = STR_MAX(4096);
	struct err e = { 0 };
	(void)state;
	make_trees();
	struct upper u = open_upper();
	assert_int_equal(upper_walk(&u, note, &got, &e), 0);
	assert_string_equal(got.p, "C .\nC d opaque\nC d/2\nA d/3\nD d/1 hidden\nD gone\n");
	close_upper(&u);
}

static void walk_tells_what_lies_in_a_mount_point(void **state)
{
	str_auto struct str got = STR_MAX(4096);
	struct err e = { 0 };
	(void)state;
	make_trees();
	assert_int_equal(file_remove_tree(AT_FDCWD, "u/d"), 0);
	put_file("u/etc/hosts", "mine");
	put_file("u/mnt/file", "");
	struct upper u = open_upper();
	assert_int_equal(upper_walk(&u, note, &got, &e), 0);
	assert_string_equal(got.p, "C .\nA etc\nA etc/hosts\nD gone\nA mnt\nA mnt/file\n");
	close_upper(&u);
}

static void walk_refuses_what_lies_elsewhere(void **state)
{
	str_auto struct str got = STR_MAX(4096);
	struct err e = { 0 };
	(void)state;
	make_trees();
	struct upper u = open_upper();
	assert_int_equal(setxattr("u/d", "user.overlay.redirect", "x", 1, 0), 0);
	assert_int_equal(upper_walk(&u, note, &got, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "redirect_dir"));
	/* a program's own attribute of that name says nothing where overlayfs uses the other */
	u.is_user = false;
	err_clear(&e);
	assert_int_equal(upper_walk(&u, note, &got, &e), 0);
	close_upper(&u);
}

static void layer_has_the_names_of_deletions(void **state)
{
	str_auto struct str bytes = STR_MAX(1 << 20);
	struct tarout out;
	struct err e = { 0 };
	(void)state;
	make_trees();
	struct upper u = open_upper();
	tarout_open(&out, to_str, &bytes);
	assert_int_equal(layer_tar(&u, &out, &e), 0);
	tarout_done(&out);
	close_upper(&u);
	struct feed feed = { .flow = { .pull = feed_pull }, .text = &bytes };
	str_auto struct str got = STR_MAX(4096);
	const struct tar_entry *en;
	struct tar t;
	int r;
	tar_open(&t, &feed.flow);
	while ((r = tar_next(&t, &en, &e)) == 1) {
		str_fmt(&got, "%s %llu\n", en->path, (unsigned long long)en->size);
		assert_int_equal(en->xattr_count, 0);
	}
	tar_done(&t);
	assert_int_equal(r, 0);
	assert_string_equal(got.p, "./ 0\nd/ 0\nd/.wh..wh..opq 0\nd/2 3\nd/3 1\n.wh.gone 0\n");
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, enter_dir, leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_comes_back),
		cmocka_unit_test(gzip_tells_a_failed_write),
		IN_DIR(outfile_is_whole_or_not_there),
		IN_DIR(outfile_keeps_what_is_no_file),
		IN_DIR(outfile_has_the_users_mode),
		IN_DIR(sink_directory_is_whole_or_not_there),
		IN_DIR(sink_wants_as_many_bytes_as_were_said),
		IN_DIR(walk_tells_changes_and_no_mount_points),
		IN_DIR(walk_tells_what_lies_in_a_mount_point),
		IN_DIR(walk_refuses_what_lies_elsewhere),
		IN_DIR(layer_has_the_names_of_deletions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
