/* SPDX-License-Identifier: Apache-2.0 */
/* Configs that must pass, rows against the list of keys, the default, refusals and features. Runs at the top. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "spec/check.h"
#include "spec/default.h"
#include "spec/features.h"
#include "spec/fields.h"
#include "spec/load.h"
#include "spec/merge.h"
#include "util/fd.h"
#include "util/mem.h"

static void load_good(const char *name, struct spec *s)
{
	struct err e = { 0 };
	char path[512];
	snprintf(path, sizeof(path), "tests/data/good-configs/%s", name);
	if (spec_load_file(AT_FDCWD, path, s, &e) < 0 || spec_check(s, &e) < 0)
		fail_msg("%s: %s", name, e.text);
}

static void load_text(const char *text, struct spec *s)
{
	struct err e = { 0 };
	if (spec_load_bytes(text, strlen(text), "text", s, &e) < 0)
		fail_msg("%s", e.text);
}

static void good_configs(void **state)
{
	size_t count = 0;
	DIR *dir = opendir("tests/data/good-configs");
	(void)state;
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));) {
		if (d->d_name[0] == '.')
			continue;
		spec_auto struct spec s = { 0 };
		load_good(d->d_name, &s);
		count++;
	}
	closedir(dir);
	assert_true(count >= 6);
}

static void exact_values(void **state)
{
	(void)state;
	spec_auto struct spec s = { 0 };
	load_good("docker.json", &s);
	assert_true(s.process->rlimits.v[1].hard.v == UINT64_MAX);
	assert_null(s.process->apparmor_profile);
	assert_int_equal(s.process->user->additional_gids.n, 2);
	assert_false(s.linux_->resources->memory->swappiness.has);
	assert_false(s.linux_->resources->devices.v[0].major.has);
	assert_int_equal(s.linux_->resources->devices.v[1].type, 'c');
	assert_int_equal(s.linux_->seccomp->default_action, SPEC_ACT_ERRNO);
	assert_false(s.linux_->seccomp->flags.has);
	assert_true(spec_namespace_find(&s, CLONE_NEWNS));
	assert_null(spec_namespace_find(&s, CLONE_NEWUSER));
	spec_done(&s);
	load_good("podman.json", &s);
	assert_string_equal(spec_namespace_find(&s, CLONE_NEWNET)->path, "/run/netns/netns-1");
	assert_string_equal(spec_annotation(&s, "io.container.manager"), "libpod");
	assert_null(spec_annotation(&s, "none"));
	assert_int_equal(s.linux_->rootfs_propagation, MS_SLAVE | MS_REC);
	assert_false(s.linux_->seccomp->flags.has);
	spec_done(&s);
	load_good("containerd.json", &s);
	assert_null(spec_namespace_find(&s, CLONE_NEWCGROUP)->path);
	spec_done(&s);
	load_good("everything.json", &s);
	assert_true(s.linux_->seccomp->flags.has);
	assert_true(s.linux_->seccomp->syscalls.v[0].args.v[0].value.v == UINT64_MAX);
	assert_int_equal(s.linux_->time_offsets.v[0].secs.v, -5);
	assert_string_equal(s.linux_->net_devices.v[0].key, "eth0");
}

static void printed_again(void **state)
{
	(void)state;
	spec_auto struct spec s = { 0 }, again = { 0 };
	str_auto struct str first = STR_MAX(1 << 20), second = STR_MAX(1 << 20);
	load_good("everything.json", &s);
	spec_print(&first, &s, 4);
	load_text(first.p, &again);
	spec_print(&second, &again, 4);
	assert_string_equal(first.p, second.p);
	assert_non_null(strstr(first.p, "\"rate\": 18446744073709551615"));
	assert_null(strstr(first.p, "unknownKey"));
}

/* ---- rows against the list of keys ---- */

static void list_keys(const struct jx_field *row, const char *base, struct str *out)
{
	for (; row->kind != JXK_END; row++) {
		char path[256];
		if (row->kind == JXK_SKIP)
			continue;
		str_fmt(out, "%s%s\n", base, row->key);
		snprintf(path, sizeof(path), "%s%s%s.", base, row->key,
			 row->kind == JXK_LIST	? "[]"
			 : row->kind == JXK_MAP ? "{}"
						: "");
		if (row->sub)
			list_keys(row->sub, path, out);
	}
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (strcspn(p, "\n") == len && !memcmp(p, line, len))
			return true;
	return false;
}

static size_t count_missing(const char *from, const char *in, const char *what)
{
	size_t missing = 0;
	for (const char *p = from; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n");
		if (*p == '#' || has_line(in, p, len))
			continue;
		print_error("%.*s: %s\n", (int)len, p, what);
		missing++;
	}
	return missing;
}

static void every_key_has_a_row(void **state)
{
	(void)state;
	free_auto char *keys = NULL;
	str_auto struct str rows = STR_MAX(1 << 20);
	size_t len;
	assert_int_equal(file_read(AT_FDCWD, "tests/data/spec-keys.txt", 1 << 20, false, &keys, &len), 0);
	list_keys(spec_fields, "", &rows);
	assert_int_equal(count_missing(keys, rows.p, "has no row"), 0);
	assert_int_equal(count_missing(rows.p, keys, "is not in tests/data/spec-keys.txt"), 0);
}

/* ---- the rest ---- */

static void default_configs(void **state)
{
	(void)state;
	for (int rootless = 0; rootless < 2; rootless++) {
		struct err e = { 0 };
		spec_auto struct spec s = { 0 };
		free_auto char *text = spec_default_json(rootless);
		load_text(text, &s);
		if (spec_check(&s, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(s.mounts.n, 7);
		assert_int_equal(!!spec_namespace_find(&s, CLONE_NEWUSER), rootless);
		assert_true(s.process->terminal.v && s.process->no_new_privileges.v && s.root->readonly.v);
	}
}

static void count_call(void *ctx, const char *message)
{
	(void)message;
	++*(size_t *)ctx;
}

static void all_breaches(void **state)
{
	(void)state;
	spec_auto struct spec s = { 0 };
	size_t calls = 0;
	load_text("{\"ociVersion\":\"x\",\"root\":{\"path\":\"\"},\"hostname\":\"h\",\"process\":"
		  "{\"cwd\":\"a\",\"args\":[],\"user\":{\"uid\":0,\"gid\":0}}}",
		  &s);
	assert_int_equal(spec_check_all(&s, count_call, &calls), 5);
	assert_int_equal(calls, 5);
}

static void process_alone(void **state)
{
	(void)state;
	struct err e = { 0 };
	arena_auto struct arena a = { 0 };
	struct spec_process *p = NULL;
	static const char good[] = "{\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"uid\":1,\"gid\":2}}";
	static const char bad[] = "{\"cwd\":\"x\",\"args\":[\"a\"],\"user\":{\"uid\":1,\"gid\":2}}";
	assert_int_equal(spec_load_process(good, sizeof(good) - 1, "p", &a, &p, &e), 0);
	assert_int_equal(p->user->gid.v, 2);
	assert_int_equal(spec_load_process(bad, sizeof(bad) - 1, "p", &a, &p, &e), -EINVAL);
	assert_string_equal(e.text, "cwd: expected an absolute path, got \"x\"");
}

static void resources_alone(void **state)
{
	(void)state;
	struct err e = { 0 };
	arena_auto struct arena a = { 0 };
	struct spec_resources *r = NULL;
	const char *good = "{\"memory\":{\"limit\":1000}}", *bad = "{\"memory\":{\"limit\":5,\"swap\":1}}";
	assert_int_equal(spec_load_resources(good, strlen(good), "-", &a, &r, &e), 0);
	assert_int_equal(r->memory->limit.v, 1000);
	assert_int_equal(spec_load_resources(bad, strlen(bad), "-", &a, &r, &e), 0);
	assert_int_equal(spec_check_resources(r, &e), -EINVAL);
	assert_string_equal(e.text, "memory.swap: 1 is less than memory.limit, 5");
}

static void resources_joined(void **state)
{
	(void)state;
	struct err e = { 0 };
	arena_auto struct arena a = { 0 };
	struct spec_resources *base = NULL, *over = NULL;
	struct spec s = { .linux_ = arena_new(&a, struct spec_linux) };
	struct spec_resources joined;
	const char *first = "{\"devices\":[{\"allow\":false}],\"memory\":{\"limit\":5,\"swap\":9},"
			    "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},{\"pageSize\":\"1GB\",\"limit\":2}],"
			    "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1}]},"
			    "\"rdma\":{\"m0\":{\"hcaHandles\":1,\"hcaObjects\":2}},\"unified\":{\"a.b\":\"1\",\"a.c\":\"2\"}}";
	const char *second = "{\"devices\":[{\"allow\":true,\"type\":\"c\"}],\"memory\":{\"limit\":6},\"pids\":{\"limit\":0},"
			     "\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":3}],"
			     "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":16,\"rate\":4},"
			     "{\"major\":8,\"minor\":0,\"rate\":7}]},"
			     "\"rdma\":{\"m0\":{\"hcaObjects\":5},\"m1\":{\"hcaHandles\":6}},\"unified\":{\"a.c\":\"3\"}}";
	assert_int_equal(spec_load_resources(first, strlen(first), "-", &a, &base, &e), 0);
	assert_int_equal(spec_load_resources(second, strlen(second), "-", &a, &over, &e), 0);
	spec_merge_resources(base, over, &a, &joined);
	s.linux_->resources = &joined;
	str_auto struct str text = STR_MAX(4096);
	spec_print(&text, &s, 0);
	assert_string_equal(text.p,
			    "{\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,\"type\":\"c\"}],"
			    "\"memory\":{\"limit\":6,\"swap\":9},\"pids\":{\"limit\":0},"
			    "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":7},"
			    "{\"major\":8,\"minor\":16,\"rate\":4}]},"
			    "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},{\"pageSize\":\"1GB\",\"limit\":3}],"
			    "\"rdma\":{\"m0\":{\"hcaHandles\":1,\"hcaObjects\":5},\"m1\":{\"hcaHandles\":6}},"
			    "\"unified\":{\"a.b\":\"1\",\"a.c\":\"3\"}}}}");
	/* The sources stay as they were. */
	assert_int_equal(base->memory->limit.v, 5);
	assert_int_equal(base->rdma.v[0].hca_objects.v, 2);
	spec_merge_resources(NULL, NULL, &a, &joined);
	assert_null(joined.memory);
}

static bool has_word(json_t *list, const char *word)
{
	size_t i;
	json_t *v;
	json_array_foreach(list, i, v) if (!strcmp(json_string_value(v), word)) return true;
	return false;
}

static void features_document(void **state)
{
	(void)state;
	free_auto char *text = spec_features_json();
	json_t *f = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *l = json_object_get(f, "linux");
	assert_non_null(f);
	assert_string_equal(json_string_value(json_object_get(f, "ociVersionMin")), "1.0.0");
	assert_string_equal(json_string_value(json_object_get(f, "ociVersionMax")), "1.3.0");
	assert_true(has_word(json_object_get(f, "mountOptions"), "rro"));
	assert_int_equal(json_array_size(json_object_get(f, "hooks")), 6);
	assert_int_equal(json_array_size(json_object_get(l, "namespaces")), 8);
	assert_int_equal(json_array_size(json_object_get(l, "capabilities")), 41);
	assert_true(json_is_true(
		json_object_get(json_object_get(json_object_get(l, "mountExtensions"), "idmap"), "enabled")));
	assert_true(has_word(json_object_get(json_object_get(l, "seccomp"), "actions"), "SCMP_ACT_ERRNO"));
	json_decref(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_configs),	    cmocka_unit_test(exact_values),
		cmocka_unit_test(printed_again),    cmocka_unit_test(every_key_has_a_row),
		cmocka_unit_test(default_configs),  cmocka_unit_test(all_breaches),
		cmocka_unit_test(process_alone),
		cmocka_unit_test(resources_joined),
		cmocka_unit_test(resources_alone),  cmocka_unit_test(features_document),
	};
	return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
