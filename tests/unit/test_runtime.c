/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/ without containers: ids, records and locks, signals, users of an image, plans, filters, messages. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/caps.h"
#include "runtime/control.h"
#include "runtime/plan.h"
#include "runtime/rootless.h"
#include "runtime/state.h"
#include "runtime/sync.h"
#include "runtime/user.h"
#include "spec/check.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/mem.h"

static char top[] = "/tmp/kist-runtime.XXXXXX";
static int root = -1;

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0 || mkdirat(root, "etc", 0755) < 0 ? -1 : 0;
}

static int remove_root(void **state)
{
	(void)state;
	close(root);
	return file_remove_tree(AT_FDCWD, top);
}

/* ---- ids and records ---- */

static void ids_are_names(void **state)
{
	(void)state;
	struct err e;
	char long_id[300];
	memset(long_id, 'a', sizeof(long_id));
	long_id[299] = '\0';
	static const char *const good[] = { "a", "_", "0", "A-b_c.d+e", "0123456789abcdef" };
	static const char *const bad[] = { "", ".", "..", ".a", "-a", "+a", "a/b", "/", "a b",
					   "a\n", "\xc3\xa4", "a:b", "a\\b", "*" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(state_check_id(good[i], &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (state_check_id(bad[i], &e) != -EINVAL || !strstr(e.text, "container id"))
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(state_check_id(long_id, &e), -EINVAL);
}

static void an_id_is_taken_once(void **state)
{
	(void)state;
	struct err e;
	struct state_dir a = STATE_DIR_NONE, b = STATE_DIR_NONE;
	assert_int_equal(state_open(root, "one", false, &a, &e), -ENOENT);
	assert_string_equal(e.text, "container one does not exist");
	assert_int_equal(state_create(dup(root), "one", &a, &e), 0);
	assert_int_equal(state_create(dup(root), "one", &b, &e), -EEXIST);
	struct state s = { .id = "one", .bundle = "/b" };
	assert_int_equal(state_read(&a, &s, &e), -ENODATA);
	s = (struct state){ .id = "one", .bundle = "/b" };
	assert_int_equal(state_write_first(&a, &s, &e), 0);
	assert_int_equal(state_write_first(&a, &s, &e), -EEXIST);
	s.pid = (struct opt_i32){ .has = true, .v = 77 };
	s.pid_start = (struct opt_u64){ .has = true, .v = UINT64_MAX };
	s.boot_id = "boot";
	assert_int_equal(state_write(&a, &s, &e), 0);
	struct state back;
	assert_int_equal(state_read(&a, &back, &e), 0);
	assert_string_equal(back.id, "one");
	assert_int_equal(back.pid.v, 77);
	assert_true(back.pid_start.v == UINT64_MAX);
	state_done(&back);
	assert_int_equal(state_remove(&a, &e), 0);
	assert_int_equal(state_remove(&a, &e), 0);
	state_close(&a);
}

static void torn_records_are_none(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "{", "{\"id\":\"torn\"", "{\"id\":\"torn\",\"bundle\":\"/b\",\"pid\":12" };
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct state_dir d = STATE_DIR_NONE;
		struct state s;
		assert_int_equal(state_create(dup(root), "torn", &d, &e), 0);
		assert_int_equal(file_replace(d.fd, "state.json", texts[i], strlen(texts[i]), 0600), 0);
		assert_int_equal(state_read(&d, &s, &e), -ENODATA);
		assert_int_equal(state_remove(&d, &e), 0);
		state_close(&d);
	}
}

static void removal_takes_leftovers_of_a_killed_kist(void **state)
{
	(void)state;
	struct err e;
	struct state_dir d = STATE_DIR_NONE;
	assert_int_equal(state_create(dup(root), "left", &d, &e), 0);
	assert_int_equal(file_replace(d.fd, ".state.json.new1234", "x", 1, 0600), 0);
	assert_int_equal(mknodat(d.fd, "gate", S_IFSOCK | 0600, 0), 0);
	assert_int_equal(state_remove(&d, &e), 0);
	assert_int_equal(faccessat(root, "left", F_OK, 0), -1);
	state_close(&d);
}

/* ---- signals ---- */

static void signals_have_numbers(void **state)
{
	(void)state;
	struct err e;
	const struct {
		const char *word;
		int number;
	} rows[] = {
		{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "term", SIGTERM }, { "sigkill", SIGKILL },
		{ "9", 9 }, { "IOT", SIGABRT },
		{ "64", 64 }, { "RTMIN", SIGRTMIN }, { "SIGRTMIN+3", SIGRTMIN + 3 }, { "RTMAX-1", SIGRTMAX - 1 },
		{ "RTMAX", SIGRTMAX },
		{ "", -EINVAL }, { "0", -EINVAL }, { "65", -EINVAL }, { "-1", -EINVAL }, { "SIG", -EINVAL }, { "TERMX", -EINVAL },
		{ "9x", -EINVAL }, { "RTMIN+40", -EINVAL }, { "RTMIN-1", -EINVAL }, { "RTMAX+1", -EINVAL }, { "RTMIN+", -EINVAL },
		{ "4294967305", -EINVAL }, { "SIGSIGTERM", -EINVAL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (signal_number(rows[i].word, &e) != rows[i].number)
			fail_msg("%s: %d", rows[i].word, signal_number(rows[i].word, &e));
}

/* ---- users of an image ---- */

static void put(const char *path, const char *text)
{
	unlinkat(root, path, 0);
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void users_are_those_of_the_tree(void **state)
{
	(void)state;
	put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1001::/:\n1000x:x:5:5::/:\nbig:x:4294967296:0::/:\n"
			  "neg:x:-1:0::/:\nlast:x:77:78::/:");
	put("etc/group", "root:x:0:\nstaff:x:50:app,other\nwheel:x:10:other\nmore:x:51:other,app\nbad:x:9999999999:app\n");
	struct arena a arena_auto = { 0 };
	struct user u;
	struct err e;
	assert_int_equal(user_find(root, "app", &a, &u, &e), 0);
	assert_true(u.uid == 1000 && u.gid == 1001 && u.has_gid && u.group_count == 2);
	assert_true(u.groups[0] == 50 && u.groups[1] == 51);
	assert_int_equal(user_find(root, "1000", &a, &u, &e), 0);
	assert_true(u.uid == 1000 && u.gid == 1001 && u.group_count == 2);
	assert_int_equal(user_find(root, "1000:7", &a, &u, &e), 0);
	assert_true(u.gid == 7);
	assert_int_equal(user_find(root, "app:wheel", &a, &u, &e), 0);
	assert_true(u.gid == 10);
	assert_int_equal(user_find(root, "4242", &a, &u, &e), 0);
	assert_true(u.uid == 4242 && u.gid == 0 && !u.has_gid && u.group_count == 0);
	assert_int_equal(user_find(root, "last", &a, &u, &e), 0);
	assert_true(u.uid == 77 && u.gid == 78);
	assert_int_equal(user_find(root, "4294967294", &a, &u, &e), 0);
	assert_true(u.uid == 4294967294u);
	static const struct {
		const char *text;
		int r;
	} bad[] = {
		{ "nobody", -ENOENT }, { "app:nogroup", -ENOENT }, { "4294967295", -ERANGE }, { "4294967296", -ERANGE },
		{ "18446744073709551616", -ERANGE }, { "0:4294967295", -ERANGE }, { "", -EINVAL }, { ":0", -EINVAL },
		{ "-1", -ENOENT },
		{ "+0", -ENOENT }, { " 0", -ENOENT }, { "0 ", -ENOENT }, { "0x0", -ENOENT },
		{ "big", -ENOENT }, { "neg", -ENOENT },
		{ "0:", -ENOENT }, { "0:-1", -ENOENT }, { "app\n", -ENOENT },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (user_find(root, bad[i].text, &a, &u, &e) != bad[i].r)
			fail_msg("%s: %d", bad[i].text, user_find(root, bad[i].text, &a, &u, &e));
}

static void hostile_databases_do_no_harm(void **state)
{
	(void)state;
	struct arena a arena_auto = { 0 };
	struct user u;
	struct err e;
	unlinkat(root, "etc/passwd", 0);
	assert_int_equal(user_find(root, "0", &a, &u, &e), 0);
	assert_int_equal(user_find(root, "app", &a, &u, &e), -ENOENT);
	assert_int_equal(mkfifoat(root, "etc/passwd", 0644), 0);
	assert_int_equal(user_find(root, "app", &a, &u, &e), -EINVAL);
	unlinkat(root, "etc/passwd", 0);
	assert_int_equal(symlinkat("/dev/zero", root, "etc/passwd"), 0); /* counts from the tree: there is none */
	assert_int_equal(user_find(root, "app", &a, &u, &e), -ENOENT);
	unlinkat(root, "etc/passwd", 0);
	put("etc/passwd", "x");
	int fd = openat(root, "etc/passwd", O_WRONLY);
	assert_int_equal(ftruncate(fd, 2 << 20), 0);
	close(fd);
	assert_int_equal(user_find(root, "app", &a, &u, &e), -EFBIG);
	/* bytes that are no text, and lines without end */
	char *junk = calloc(1, 100000);
	for (int i = 0; i < 99999; i++)
		junk[i] = (char)(i * 7 % 250 + 1);
	put("etc/passwd", junk);
	assert_int_equal(user_find(root, "app", &a, &u, &e), -ENOENT);
	free(junk);
}

/* ---- plans ---- */

#define HEAD "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\"," \
	"\"args\":[\"x\"],\"user\":{\"uid\":0,\"gid\":0}"
#define MOUNTNS "{\"type\":\"mount\"}"

/* Plans a config; the spec lives in `s`. */
static int plan(const char *json, struct spec *s, struct arena *a, struct plan *p, struct err *e)
{
	static const struct plan_options o = { .id = "c", .bundle = "/bundle" };
	*s = (struct spec){ 0 };
	int r = spec_load_bytes(json, strlen(json), "config.json", s, e);
	if (r == 0)
		r = spec_check(s, e);
	return r < 0 ? r : plan_make(s, &o, a, p, e);
}

static void plans_say_what_is_needed(void **state)
{
	(void)state;
	static const struct {
		const char *linux_part;
		unsigned has, has_not;
	} rows[] = {
		{ "\"namespaces\":[" MOUNTNS "]", NEED_MOUNTNS | NEED_DEV | NEED_PROCESS | NEED_KEYRING,
		  NEED_CHROOT | NEED_STAGE },
		{ "\"namespaces\":[]", NEED_CHROOT, NEED_MOUNTNS | NEED_DEV | NEED_NETWORK },
		{ "\"namespaces\":[" MOUNTNS ",{\"type\":\"network\"}]", NEED_NETWORK, NEED_STAGE | NEED_JOINS },
		{ "\"namespaces\":[" MOUNTNS ",{\"type\":\"network\",\"path\":\"/n\"}]", NEED_JOINS, NEED_NETWORK | NEED_STAGE },
		{ "\"namespaces\":[" MOUNTNS ",{\"type\":\"pid\",\"path\":\"/n\"}]", NEED_STAGE, NEED_JOINS },
		{ "\"namespaces\":[" MOUNTNS ",{\"type\":\"time\"}]", NEED_STAGE, NEED_JOINS },
		{ "\"namespaces\":[" MOUNTNS ",{\"type\":\"cgroup\"}]", NEED_CGROUPNS, NEED_STAGE },
		{ "\"namespaces\":[" MOUNTNS ",{\"type\":\"user\"}],"
		  "\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":1}],"
		  "\"gidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":1}]", NEED_USERNS | NEED_USERNS_ID, NEED_STAGE },
		{ "\"namespaces\":[" MOUNTNS "],\"maskedPaths\":[\"/x\"]", NEED_MASK, NEED_READONLY },
		{ "\"namespaces\":[" MOUNTNS "],\"rootfsPropagation\":\"slave\"", NEED_PROPAGATE, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a arena_auto = { 0 };
		struct spec s;
		struct plan p;
		struct err e;
		char *json = mem_fmt(HEAD "},\"linux\":{%s}}", rows[i].linux_part);
		if (plan(json, &s, &a, &p, &e) < 0)
			fail_msg("%s: %s", rows[i].linux_part, e.text);
		if ((p.need & rows[i].has) != rows[i].has || (p.need & rows[i].has_not))
			fail_msg("%s: needs %#x", rows[i].linux_part, p.need);
		assert_string_equal(p.rootfs, "/bundle/rootfs");
		spec_done(&s);
		free(json);
	}
}

static void plans_hold_mounts_in_order(void **state)
{
	(void)state;
	struct arena a arena_auto = { 0 };
	struct spec s;
	struct plan p;
	struct err e;
	assert_int_equal(plan(HEAD "},\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"},"
			      "{\"destination\":\"/b\",\"source\":\"s\",\"options\":[\"rbind\",\"ro\"]},"
			      "{\"destination\":\"/c\",\"type\":\"cgroup\"},"
			      "{\"destination\":\"/d\",\"type\":\"none\",\"options\":[\"remount\",\"ro\"]}],"
			      "\"linux\":{\"namespaces\":[" MOUNTNS "]}}", &s, &a, &p, &e), 0);
	assert_int_equal(p.mount_count, 4);
	static const enum plan_mount_kind kinds[] = { PLAN_NEW, PLAN_BIND, PLAN_CGROUP, PLAN_REMOUNT };
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(p.mounts[i].kind, kinds[i]);
	assert_string_equal(p.mounts[1].where, "mounts[1] /b");
	assert_true(p.mounts[1].options.attr_set & MOUNT_ATTR_RDONLY);
	spec_done(&s);
}

static void plans_make_each_device_once(void **state)
{
	(void)state;
	struct arena a arena_auto = { 0 };
	struct spec s;
	struct plan p;
	struct err e;
	assert_int_equal(plan(HEAD "},\"linux\":{\"namespaces\":[" MOUNTNS "],\"devices\":["
			      "{\"path\":\"/dev/null\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":33152}]}}",
			      &s, &a, &p, &e), 0);
	assert_int_equal(p.node_count, dev_defaults_count);
	assert_string_equal(p.nodes[0].path, "/dev/null");
	assert_int_equal(p.nodes[0].mode, S_IFCHR | 0600);
	for (size_t i = 1; i < p.node_count; i++)
		assert_string_not_equal(p.nodes[i].path, "/dev/null");
	spec_done(&s);
}

static void environments_keep_the_last(void **state)
{
	(void)state;
	struct arena a arena_auto = { 0 };
	struct spec s;
	struct plan p;
	struct err e;
	assert_int_equal(plan(HEAD ",\"env\":[\"A=1\",\"PATH=/x\",\"AB=2\",\"A=3\",\"HOME=\"]},"
			      "\"linux\":{\"namespaces\":[" MOUNTNS "]}}", &s, &a, &p, &e), 0);
	/* the child finds a HOME in the place of an empty one */
	assert_int_equal(p.process.env_count, 3);
	assert_false(p.process.has_home);
	assert_string_equal(p.process.env[0], "PATH=/x");
	assert_string_equal(p.process.env[1], "AB=2");
	assert_string_equal(p.process.env[2], "A=3");
	assert_string_equal(p.process.path, "/x");
	assert_int_equal(p.process.umask, 0022);
	spec_done(&s);
}

static void capabilities_have_numbers(void **state)
{
	(void)state;
	assert_int_equal(caps_number("CAP_CHOWN"), 0);
	assert_int_equal(caps_number("cap_sys_admin"), 21);
	assert_int_equal(caps_number("CAP_NOT_SO"), -1);
	assert_int_equal(caps_number(""), -1);
	str_auto struct str text = STR_MAX(1000);
	caps_print(&text, 1ULL << 0 | 1ULL << 5);
	assert_string_equal(text.p, "CAP_CHOWN,CAP_KILL");
}

/* ---- messages between the halves ---- */

static void messages_travel_whole(void **state)
{
	(void)state;
	int ends[2];
	struct err e = { 0 }, big = { 0 };
	struct sync_message m;
	assert_int_equal(sync_pair(ends, &e), 0);
	assert_int_equal(sync_send(ends[0], SYNC_CHILD, 1234, -1), 0);
	assert_int_equal(sync_send(ends[0], SYNC_READY, 0, STDIN_FILENO), 0);
	memset(big.text, 'x', sizeof(big.text) - 1);
	big.num = ENOSPC;
	big.exit = 126;
	assert_int_equal(sync_send_error(ends[0], &big), 0);
	close(ends[0]);
	assert_int_equal(sync_receive(ends[1], &m), 0);
	assert_true(m.type == SYNC_CHILD && m.value == 1234 && m.fd == -1);
	assert_int_equal(sync_receive(ends[1], &m), 0);
	assert_true(m.type == SYNC_READY && m.fd >= 0);
	assert_true(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
	close(m.fd);
	assert_int_equal(sync_receive(ends[1], &m), 0);
	assert_true(m.type == SYNC_ERROR && m.err.num == ENOSPC && m.err.exit == 126);
	assert_string_equal(m.err.text, big.text);
	assert_int_equal(sync_receive(ends[1], &m), 0);
	assert_int_equal(m.type, SYNC_EOF);
	assert_int_equal(sync_send(ends[1], SYNC_GO, 0, -1), -EPIPE);
	close(ends[1]);
}

static struct spec_id_map id_row(uint32_t inside, uint32_t outside, uint32_t size)
{
	return (struct spec_id_map){ { true, inside }, { true, outside }, { true, size } };
}

static void host_ids_become_those_of_the_namespace(void **state)
{
	(void)state;
	arena_auto struct arena a = { 0 };
	struct err e;
	struct spec_id_map outer_rows[] = { id_row(0, 1000, 1), id_row(1, 100000, 10), id_row(11, 100010, 90) };
	struct spec_id_map rows[] = { id_row(0, 100005, 20), id_row(50, 1000, 1) };
	const struct spec_id_maps outer = { outer_rows, 3 }, maps = { rows, 2 };
	struct spec_id_maps got;
	assert_int_equal(rootless_translate(&maps, &outer, "uidMappings", "/etc/subuid", &a, &got, &e), 0);
	const struct spec_id_map want[] = { id_row(0, 6, 5), id_row(5, 11, 15), id_row(50, 0, 1) };
	assert_int_equal(got.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(got.v[i].container_id.v, want[i].container_id.v);
		assert_int_equal(got.v[i].host_id.v, want[i].host_id.v);
		assert_int_equal(got.v[i].size.v, want[i].size.v);
	}
	rows[0].size.v = 96;
	assert_int_equal(rootless_translate(&maps, &outer, "uidMappings", "/etc/subuid", &a, &got, &e), -EINVAL);
	assert_string_equal(e.text, "linux.uidMappings[0]: host id 100100 is not among those that you may use: 1000, 100000 to "
				    "100009, 100010 to 100099 (/etc/subuid)");
	/* The last id of all: nothing may run over. */
	rows[0] = id_row(0, 4294967294U, 1);
	assert_int_equal(rootless_translate(&maps, &outer, "gidMappings", "/etc/subgid", &a, &got, &e), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_names),
		cmocka_unit_test(an_id_is_taken_once),
		cmocka_unit_test(torn_records_are_none),
		cmocka_unit_test(removal_takes_leftovers_of_a_killed_kist),
		cmocka_unit_test(signals_have_numbers),
		cmocka_unit_test(users_are_those_of_the_tree),
		cmocka_unit_test(hostile_databases_do_no_harm),
		cmocka_unit_test(plans_say_what_is_needed),
		cmocka_unit_test(plans_hold_mounts_in_order),
		cmocka_unit_test(plans_make_each_device_once),
		cmocka_unit_test(environments_keep_the_last),
		cmocka_unit_test(host_ids_become_those_of_the_namespace),
		cmocka_unit_test(capabilities_have_numbers),
		cmocka_unit_test(messages_travel_whole),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
