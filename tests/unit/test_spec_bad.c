/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/data/bad-configs.json: each row is the default config with changes ("set": path to value, "delete":
 * paths), or a text ("raw"), and the exact error that it must be refused with. Runs at the top of the source
 * tree.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/check.h"
#include "spec/default.h"
#include "spec/load.h"
#include "util/mem.h"

enum { ROWS_MIN = 150 };

/* Takes "key" or "[3]" off a path; the rest is left in *path. Gives the child, which `parent` holds. */
static json_t *step(json_t *parent, const char **path, char key[static 64], size_t *ret_index)
{
	bool is_index = **path == '[';
	const char *start = *path + is_index;
	size_t len = strcspn(start, is_index ? "]" : ".[");
	assert_true(len < 64);
	memcpy(key, start, len);
	key[len] = '\0';
	*path = start + len + is_index;
	*path += **path == '.';
	*ret_index = is_index ? strtoul(key, NULL, 10) : SIZE_MAX;
	return is_index ? json_array_get(parent, *ret_index) : json_object_get(parent, key);
}

/* Puts a value at a path (which it takes over), or with NULL removes what is there. */
static void patch(json_t *config, const char *path, json_t *value)
{
	char key[64];
	size_t index;
	json_t *parent = config, *child = step(parent, &path, key, &index);
	while (*path) {
		assert_non_null(child);
		parent = child;
		child = step(parent, &path, key, &index);
	}
	if (index != SIZE_MAX)
		assert_int_equal(json_array_set_new(parent, index, value), 0);
	else if (value)
		assert_int_equal(json_object_set_new(parent, key, value), 0);
	else
		assert_int_equal(json_object_del(parent, key), 0);
}

static char *row_text(json_t *row)
{
	const char *raw = json_string_value(json_object_get(row, "raw"));
	if (raw)
		return mem_str(raw);
	free_auto char *text = spec_default_json(false);
	json_t *config = json_loads(text, 0, NULL);
	const char *path;
	json_t *value;
	size_t i;
	assert_non_null(config);
	json_object_foreach(json_object_get(row, "set"), path, value)
		patch(config, path, json_deep_copy(value));
	json_array_foreach(json_object_get(row, "delete"), i, value)
		patch(config, json_string_value(value), NULL);
	char *out = json_dumps(config, 0);
	json_decref(config);
	return out;
}

static void bad_configs(void **state)
{
	size_t i, failures = 0;
	json_t *table = json_load_file("tests/data/bad-configs.json", 0, NULL), *row;
	(void)state;
	assert_true(json_array_size(table) >= ROWS_MIN);
	json_array_foreach(table, i, row)
	{
		const char *want = json_string_value(json_object_get(row, "error"));
		free_auto char *text = row_text(row);
		struct err e = { 0 };
		struct spec s = { 0 };
		int r = spec_load_bytes(text, strlen(text), "config.json", &s, &e);
		if (r < 0)
			assert_null(s.arena.top);
		else
			r = spec_check(&s, &e);
		spec_done(&s);
		if (r < 0 && want && !strcmp(e.text, want))
			continue;
		failures++;
		print_error("%s:\n  expected: %s\n  got:      %s\n",
			    json_string_value(json_object_get(row, "name")),
			    want ? want : "(no error in the table)", r < 0 ? e.text : "(accepted)");
	}
	json_decref(table);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bad_configs) };
	return cmocka_run_group_tests_name("bad configs", tests, NULL, NULL);
}
