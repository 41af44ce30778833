/* SPDX-License-Identifier: Apache-2.0 */
/* Users by name, records with their lock, the log's writer and the composition of configurations. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/compose.h"
#include "engine/logfile.h"
#include "engine/record.h"
#include "engine/users.h"
#include "spec/check.h"
#include "spec/load.h"
#include "util/fd.h"

/* A directory of the test's own, removed at its end. */
struct place {
	char path[64];
	int fd;
};

static int make_place(void **state)
{
	static struct place p;

	snprintf(p.path, sizeof(p.path), "/tmp/kist-unit-XXXXXX");
	if (!mkdtemp(p.path))
		return -1;
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &p;
	return p.fd < 0 ? -1 : 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;

	close(p->fd);
	return file_remove_tree(AT_FDCWD, p->path);
}

static void put_file(int dir, const char *name, const char *text)
{
	assert_int_equal(file_replace(dir, name, text, strlen(text), 0644), 0);
}

/* ---- users ---- */

static void make_accounts(int dir)
{
	assert_int_equal(mkdirat(dir, "etc", 0755), 0);
	fd_auto int etc = openat(dir, "etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	put_file(etc, "passwd", "root:x:0:0::/:\nbroken line\napp:x:1000:1001:a:/:\nnum:x:notanumber:1:\n1234:x:55:56::/:\n");
	put_file(etc, "group", "root:x:0:\nwheel:x:10:app,other\nx:x:11:ap\ny:x:12:app\nvideo:x:44:\n");
}

static int resolve(int dir, const char *text, const struct strs *more, struct spec_user *ret)
{
	static struct arena a;
	struct err e = { 0 };

	arena_done(&a);
	return users_resolve(dir, text, more, &a, ret, &e);
}

static void test_users(void **state)
{
	struct place *p = *state;
	const struct strs none = { 0 };
	const char *words[] = { "video", "99", "video" };
	const struct strs more = { .v = words, .n = 3 };
	struct spec_user u;

	make_accounts(p->fd);
	assert_int_equal(resolve(p->fd, NULL, &none, &u), 0);
	assert_int_equal(u.uid.v, 0);
	assert_true(u.uid.has && u.gid.has);
	assert_int_equal(resolve(p->fd, "app", &none, &u), 0);
	assert_int_equal(u.uid.v, 1000);
	assert_int_equal(u.gid.v, 1001);
	assert_int_equal(u.additional_gids.n, 2);
	assert_int_equal(u.additional_gids.v[0], 10);
	assert_int_equal(u.additional_gids.v[1], 12);
	assert_int_equal(resolve(p->fd, "app:wheel", &none, &u), 0);
	assert_int_equal(u.gid.v, 10);
	assert_int_equal(u.additional_gids.n, 0);
	assert_int_equal(resolve(p->fd, "7:8", &more, &u), 0);
	assert_int_equal(u.uid.v, 7);
	assert_int_equal(u.gid.v, 8);
	assert_int_equal(u.additional_gids.n, 2);
	assert_int_equal(resolve(p->fd, "4294967294", &none, &u), 0);
	/* Digits are a number, whatever names there are (CVE-2026-30892). */
	assert_int_equal(resolve(p->fd, "1234", &none, &u), 0);
	assert_int_equal(u.uid.v, 1234);
	assert_int_equal(u.gid.v, 0);
}

static void test_users_refused(void **state)
{
	struct place *p = *state;
	const struct strs none = { 0 };
	struct spec_user u;

	make_accounts(p->fd);
	assert_int_equal(resolve(p->fd, "nobody", &none, &u), -ENOENT);
	assert_int_equal(resolve(p->fd, "num", &none, &u), -ENOENT);
	assert_int_equal(resolve(p->fd, "4294967295", &none, &u), -ERANGE);
	assert_int_equal(resolve(p->fd, "app:nogroup", &none, &u), -ENOENT);
	assert_int_equal(resolve(p->fd, "-1", &none, &u), -ENOENT);
	assert_int_equal(unlinkat(p->fd, "etc/passwd", 0), 0);
	assert_int_equal(mkfifoat(p->fd, "etc/passwd", 0644), 0);
	assert_int_equal(resolve(p->fd, "app", &none, &u), -EINVAL);
	assert_int_equal(unlinkat(p->fd, "etc/passwd", 0), 0);
	/* A link counts from the container's root: there is no such file below it. */
	assert_int_equal(symlinkat("/etc/hostname", p->fd, "etc/passwd"), 0);
	assert_int_equal(resolve(p->fd, "root", &none, &u), -ENOENT);
}

/* ---- records ---- */

static void test_record(void **state)
{
	struct place *p = *state;
	struct store s = { .dir = p->fd, .path = p->path };
	struct record_dir d = RECORD_DIR_NONE, other = RECORD_DIR_NONE;
	const struct record r = { .image = "x:1", .created = "2026-01-02T03:04:05.000000006Z" };
	const struct ending end = { .started = "a", .finished = "b", .exit_code = { true, 7 } };
	struct record back;
	struct ending x;
	struct err e = { 0 };

	assert_int_equal(record_make(&s, "one", &d, &e), 0);
	assert_int_equal(record_make(&s, "one", &other, &e), -EEXIST);
	assert_int_equal(record_make(&s, "../one", &other, &e), -EINVAL);
	assert_int_equal(record_open(&s, "one", &other, &e), 0);
	assert_int_equal(record_read(&other, &back, &e), -ENODATA);
	assert_int_equal(record_write(&d, &r, &e), 0);
	assert_int_equal(record_begin(&d, &e), 0);
	assert_int_equal(record_look(&other, &x), RECORD_RUNNING);
	assert_non_null(x.started);
	assert_null(x.finished);
	ending_done(&x);
	assert_int_equal(record_take(&other, &e), -EBUSY);
	assert_int_equal(record_wait(&other, 0, &x, &e), -EBUSY);
	assert_int_equal(record_end(&d, &end, &e), 0);
	record_close(&d);
	assert_int_equal(record_look(&other, &x), RECORD_ENDED);
	assert_int_equal(x.exit_code.v, 7);
	ending_done(&x);
	assert_int_equal(record_read(&other, &back, &e), 0);
	assert_string_equal(back.image, "x:1");
	record_done(&back);
	/* A second run keeps the first line. */
	assert_int_equal(record_take(&other, &e), 0);
	assert_int_equal(record_begin(&other, &e), 0);
	assert_int_equal(record_read(&other, &back, &e), 0);
	record_done(&back);
	record_close(&other);
	assert_int_equal(record_open(&s, "one", &d, &e), 0);
	assert_int_equal(record_look(&d, &x), RECORD_ORPHANED);
	ending_done(&x);
	assert_int_equal(record_remove(&d, &e), 0);
	assert_int_equal(record_remove(&d, &e), 0);
	record_close(&d);
	assert_int_equal(record_open(&s, "one", &d, &e), -ENOENT);
}

/* ---- the log ---- */

static char *text_of(int dir, const char *name)
{
	char *text = NULL;

	return file_read(dir, name, 1 << 20, false, &text, NULL) == 0 ? text : NULL;
}

static void test_log_lines(void **state)
{
	struct place *p = *state;
	struct logfile l;
	struct err e = { 0 };

	assert_int_equal(logfile_open(p->fd, 1 << 20, 2, &l, &e), 0);
	logfile_put(&l, LOG_STDOUT, "one\ntwo\nth", 10);
	logfile_put(&l, LOG_STDERR, "\n", 1);
	logfile_put(&l, LOG_STDOUT, "ree\n", 4);
	logfile_done(&l);
	char *text = text_of(p->fd, "log"), *rest = text;
	static const char *const wanted[] = { " stdout F one", " stdout F two", " stdout P th", " stderr F ", " stdout F ree" };
	for (size_t i = 0; i < 5; i++) {
		char *line = strsep(&rest, "\n");
		assert_true(strlen(line) > 30);
		assert_int_equal(line[29], 'Z');
		assert_string_equal(line + 30, wanted[i]);
	}
	assert_string_equal(rest, "");
	free(text);
}

static void test_log_rotation(void **state)
{
	struct place *p = *state;
	struct logfile l;
	struct err e = { 0 };

	assert_int_equal(logfile_open(p->fd, 100, 3, &l, &e), 0);
	for (char c = 'a'; c <= 'j'; c++) {
		char line[] = { c, '\n' };
		logfile_put(&l, LOG_STDOUT, line, 2);
	}
	logfile_done(&l);
	/* 41 bytes each, so two a file */
	char *newest = text_of(p->fd, "log"), *middle = text_of(p->fd, "log.1"), *oldest = text_of(p->fd, "log.2");
	assert_non_null(strstr(newest, " F j\n"));
	assert_non_null(strstr(middle, " F g\n"));
	assert_non_null(strstr(oldest, " F e\n"));
	assert_null(text_of(p->fd, "log.3"));
	free(newest);
	free(middle);
	free(oldest);
}

/* ---- compositions ---- */

static int compose_text(const struct compose_options *o, const struct image_process *image, const char *file,
			struct spec *ret, struct err *e)
{
	struct image im = { .process = image };
	struct spec spec = { 0 };
	struct store s = STORE_NONE;
	const struct compose_place place = { .name = "name", .store = &s, .tree = -1, .dir = -1,
					     .dir_path = "/s/containers/name", .store_path = "/s" };

	if (file)
		assert_int_equal(spec_load_bytes(file, strlen(file), "file", &spec, e), 0);
	return compose(o, image ? &im : NULL, &spec, &place, ret, e);
}

static void test_compose_image(void **state)
{
	const char *entry[] = { "/entry", NULL }, *cmd[] = { "cmd", NULL }, *env[] = { "A=1", "PATH=/bin" };
	const struct image_process image = {
		.entrypoint = { entry, 1 }, .cmd = { cmd, 1 }, .env = { env, 2 }, .workdir = "srv", .user = "5:6",
	};
	const char *set[] = { "A=2" };
	const struct compose_options o = { .env = { set, 1 } };
	struct spec s;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(compose_text(&o, &image, NULL, &s, &e), 0);
	assert_int_equal(spec_check(&s, &e), 0);
	assert_int_equal(s.process->args.n, 2);
	assert_string_equal(s.process->args.v[1], "cmd");
	assert_string_equal(s.process->cwd, "/srv");
	assert_int_equal(s.process->user->gid.v, 6);
	assert_string_equal(s.process->env.v[0], "PATH=/bin");
	assert_string_equal(s.process->env.v[2], "A=2");
	assert_string_equal(s.hostname, "name");
	assert_false(s.process->terminal.v);
	assert_int_equal(s.process->capabilities->bounding.n, 11);
	spec_done(&s);
}

static void test_compose_file_and_options(void **state)
{
	static const char file[] =
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"hostname\":\"h\","
		"\"process\":{\"args\":[\"x\"],\"cwd\":\"/c\",\"user\":{\"uid\":1,\"gid\":2}},"
		"\"linux\":{\"maskedPaths\":[],\"resources\":{\"pids\":{\"limit\":9}}}}";
	const char *volumes[] = { "/a:/b/c:ro", "/x:/b/", "/y:/proc" }, *drop[] = { "all" };
	const struct compose_options o = {
		.volumes = { volumes, 3 }, .cap_drop = { drop, 1 }, .memory_bytes = { true, 1 << 20 },
		.nano_cpus = { true, 1500000000 }, .read_only = { true, true },
	};
	struct spec s;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(compose_text(&o, NULL, file, &s, &e), 0);
	assert_string_equal(s.process->args.v[0], "x");
	assert_string_equal(s.hostname, "h");
	assert_int_equal(s.linux_->masked_paths.n, 0);
	assert_true(s.linux_->readonly_paths.n > 0);
	assert_int_equal(s.linux_->resources->pids->limit.v, 9);
	assert_int_equal(s.linux_->resources->memory->limit.v, 1 << 20);
	assert_int_equal(s.linux_->resources->cpu->quota.v, 150000);
	assert_int_equal(s.process->capabilities->bounding.n, 0);
	assert_true(s.root->readonly.v);
	/* /b comes before /b/c, and /proc is replaced in its place. */
	const struct spec_mount *last = &s.mounts.v[s.mounts.n - 1];
	assert_string_equal(last[0].destination, "/b/c");
	assert_string_equal(last[0].options.v[2], "rro");
	assert_string_equal(last[-1].destination, "/b");
	assert_string_equal(s.mounts.v[0].source, "/y");
	spec_done(&s);
}

static void test_compose_refuses(void **state)
{
	static const struct {
		const char *volume, *device, *cap, *ulimit, *security, *words;
	} bad[] = {
		{ .volume = "rel/ative:/x", .words = "absolute path" },
		{ .volume = "/a:rel", .words = "absolute path" },
		{ .volume = "/a:/b:ro:x", .words = "[SOURCE:]DIR[:OPTIONS]" },
		{ .volume = ":/b", .words = "empty" },
		{ .volume = "/a:/", .words = "root" },
		{ .volume = "-bad:/x", .words = "letters" },
		{ .device = "/dev/null:/x:q", .words = "--device" },
		{ .device = "/no/such/device", .words = "No such file" },
		{ .cap = "NET_ADMINN", .words = "did you mean CAP_NET_ADMIN" },
		{ .ulimit = "nofile", .words = "NAME=SOFT" },
		{ .ulimit = "nofile=x", .words = "numbers" },
		{ .security = "apparmor=mine", .words = "--security-opt" },
	};
	const char *command[] = { "true" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *words[] = { bad[i].volume, bad[i].device, bad[i].cap, bad[i].ulimit, bad[i].security };
		const struct compose_options o = {
			.command = { command, 1 },
			.volumes = { &words[0], bad[i].volume != NULL }, .devices = { &words[1], bad[i].device != NULL },
			.cap_add = { &words[2], bad[i].cap != NULL }, .ulimits = { &words[3], bad[i].ulimit != NULL },
			.security = { &words[4], bad[i].security != NULL },
		};
		struct spec s;
		struct err e = { 0 };
		assert_true(compose_text(&o, NULL, NULL, &s, &e) < 0);
		if (!strstr(e.text, bad[i].words))
			fail_msg("%s: expected \"%s\"", e.text, bad[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_users, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_users_refused, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_record, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_log_lines, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_log_rotation, make_place, remove_place),
		cmocka_unit_test(test_compose_image),
		cmocka_unit_test(test_compose_file_and_options),
		cmocka_unit_test(test_compose_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
