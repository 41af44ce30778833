/* SPDX-License-Identifier: Apache-2.0 */
/* Words of mount options: each of the spec is known, the last one wins, and a bind mount takes no strangers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "spec/mountopt.h"
#include "util/mem.h"

static struct arena arena;

/* Splits words at spaces. */
static struct strs split(const char *text)
{
	struct strs list = { .v = arena_array(&arena, strlen(text) + 1, sizeof(char *)) };
	while (*text) {
		size_t len = strcspn(text, " ");
		list.v[list.n++] = arena_strn(&arena, text, len);
		text += len + (text[len] == ' ');
	}
	return list;
}

static struct mount_options parse(const char *text)
{
	struct strs words = split(text);
	struct mount_options o = { 0 };
	struct err e = { 0 };
	if (mount_options_parse(&words, &arena, &o, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return o;
}

static void in_order(void **state)
{
	(void)state;
	for (size_t i = 1; mount_option_word(i); i++)
		assert_true(strcmp(mount_option_word(i - 1), mount_option_word(i)) < 0);
}

/* runtime-spec config.md "Linux mount options": all of MUST, SHOULD and MAY. */
static void words_of_the_spec(void **state)
{
	(void)state;
	struct mount_options o = parse("async atime defaults dev diratime dirsync exec iversion lazytime "
				       "loud mand noatime nodev nodiratime "
				       "noexec noiversion nolazytime nomand norelatime nostrictatime nosuid "
				       "nosymfollow relatime remount ro rw "
				       "silent strictatime suid symfollow sync tmpcopyup ratime rdev "
				       "rdiratime rexec rnoatime rnodev rnodiratime "
				       "rnoexec rnorelatime rnostrictatime rnosuid rrelatime rro rrw "
				       "rstrictatime rsuid rnosymfollow rsymfollow "
				       "bind rbind idmap ridmap");
	assert_string_equal(o.data, "");
	o = parse("private rprivate shared rshared slave rslave unbindable runbindable");
	assert_string_equal(o.data, "");
	assert_int_equal(o.propagation_count, 8);
	assert_int_equal(o.propagation[1].type, MS_PRIVATE);
	assert_true(o.propagation[1].is_recursive && !o.propagation[0].is_recursive);
	assert_int_equal(o.propagation[7].type, MS_UNBINDABLE);
}

static void last_word_wins(void **state)
{
	(void)state;
	struct mount_options o = parse("ro nosuid nodev rw suid");
	assert_int_equal(o.attr_set, MOUNT_ATTR_NODEV);
	assert_int_equal(o.attr_clr, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	assert_int_equal(o.super_set, 0);
	assert_int_equal(o.super_clr, MS_RDONLY);
	o = parse("rw ro sync async silent");
	assert_int_equal(o.attr_set, MOUNT_ATTR_RDONLY);
	assert_int_equal(o.super_set, MS_RDONLY | MS_SILENT);
	assert_int_equal(o.super_clr, MS_SYNCHRONOUS);
	o = parse("rro rrw rnoexec");
	assert_int_equal(o.rec_set, MOUNT_ATTR_NOEXEC);
	assert_int_equal(o.rec_clr, MOUNT_ATTR_RDONLY);
	assert_int_equal(o.attr_set | o.attr_clr, 0);
}

static void access_time_is_one_field(void **state)
{
	static const struct {
		const char *words;
		uint64_t set;
	} rows[] = {
		{ "noatime", MOUNT_ATTR_NOATIME },
		{ "strictatime", MOUNT_ATTR_STRICTATIME },
		{ "relatime", 0 },
		{ "noatime strictatime", MOUNT_ATTR_STRICTATIME },
		{ "noatime relatime", 0 },
		{ "noatime atime", 0 },
		{ "noatime nostrictatime", MOUNT_ATTR_NOATIME },
		{ "strictatime norelatime", MOUNT_ATTR_STRICTATIME },
		{ "strictatime nostrictatime", 0 },
		{ "noatime nodiratime", MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mount_options o = parse(rows[i].words);
		assert_int_equal(o.attr_set, rows[i].set);
		assert_int_equal(o.attr_clr & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME);
	}
	assert_int_equal(parse("rstrictatime rnoatime").rec_set, MOUNT_ATTR_NOATIME);
	assert_int_equal(parse("nosuid").attr_clr, 0);
}

static void file_system_data(void **state)
{
	(void)state;
	struct mount_options o = parse("nosuid mode=755 strictatime size=65536k");
	assert_string_equal(o.data, "mode=755,size=65536k");
	assert_false(o.is_bind);
	assert_string_equal(parse("ro").data, "");
	assert_string_equal(parse("lowerdir=a:b,upperdir=c").data, "lowerdir=a:b,upperdir=c");
}

static void switches(void **state)
{
	(void)state;
	struct mount_options o = parse("rbind ridmap copy-symlink src-nofollow dest-nofollow");
	assert_true(o.is_bind && o.is_rbind && o.is_idmap && o.is_ridmap);
	assert_true(o.is_copy_symlink && o.is_src_nofollow && o.is_dest_nofollow);
	o = parse("bind idmap");
	assert_true(o.is_bind && !o.is_rbind && o.is_idmap && !o.is_ridmap && !o.is_remount &&
		    !o.is_tmpcopyup);
	o = parse("bind size=5 ro mode=700");
	assert_string_equal(o.data, "size=5,mode=700");
}

static void refusals(void **state)
{
	static const struct {
		const char *words, *message;
	} rows[] = {
		{ "bind nosiud", "unknown option \"nosiud\" for a bind mount (did you mean \"nosuid\"?)" },
		{ "size=5 noswap rbind",
		  "unknown option \"noswap\" for a bind mount, which takes no file system options" },
		{ "shared shared shared shared shared shared shared shared slave",
		  "more than 8 propagation words" },
		{ "ro  rw", "an empty option" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strs words = split(rows[i].words);
		struct mount_options o = { .data = "untouched" };
		struct err e = { 0 };
		assert_int_equal(mount_options_parse(&words, &arena, &o, &e), -EINVAL);
		assert_string_equal(e.text, rows[i].message);
		assert_string_equal(o.data, "untouched");
	}
}

static int release(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),	    cmocka_unit_test(words_of_the_spec),
		cmocka_unit_test(last_word_wins),   cmocka_unit_test(access_time_is_one_field),
		cmocka_unit_test(file_system_data), cmocka_unit_test(switches),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests_name("mount options", tests, NULL, release);
}
