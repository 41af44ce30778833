/* SPDX-License-Identifier: Apache-2.0 */
/* Lists as tables, JSON and templates: what is written to standard output, byte by byte. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/out.h"

struct row {
	const char *id, *status, *labels;
	int64_t pid;
	bool is_up;
};

static const struct out_field fields[] = {
	OUT_STR(struct row, id, "id", .header = "ID", .docker = "ID"),
	OUT_I64(struct row, pid, "pid", .header = "PID"),
	OUT_STR(struct row, status, "status", .header = "STATUS", .docker = "Status"),
	OUT_BOOL(struct row, is_up, "up"),
	OUT_JSON(struct row, labels, "labels", .docker = "Labels"),
};

static const struct out_list list = {
	.fields = fields, .count = ARRAY_LEN(fields), .row_size = sizeof(struct row),
};

static const struct row two[] = {
	{ "a", "running", "{\"k\":\"v\"}", 7, true },
	{ "l\303\266ng\n", NULL, NULL, -1, false },
};

static char printed[4096];

/* Runs out_rows with standard output in a pipe, which is large enough for the samples. */
static int rows_of(const char *format, bool is_quiet, size_t count, struct err *e)
{
	int fds[2], saved = dup(STDOUT_FILENO);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fflush(stdout);
	dup2(fds[1], STDOUT_FILENO);
	int r = out_rows(&list, format, is_quiet, two, count, e);
	dup2(saved, STDOUT_FILENO);
	close(fds[1]);
	close(saved);
	ssize_t n = read(fds[0], printed, sizeof(printed) - 1);
	printed[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	return r;
}

static void prints(const char *format, bool is_quiet, size_t count, const char *want)
{
	struct err e = { 0 };

	assert_int_equal(rows_of(format, is_quiet, count, &e), 0);
	assert_string_equal(printed, want);
}

static void refuses(const char *format, size_t count, const char *message)
{
	struct err e = { 0 };

	assert_int_equal(rows_of(format, false, count, &e), -EINVAL);
	assert_string_equal(e.text, message);
	assert_string_equal(printed, "");
}

static void tables(void **state)
{
	(void)state;
	prints(NULL, false, 2, "ID      PID   STATUS\n"
			       "a       7     running\n"
			       "l\303\266ng?   -1    \n");
	prints("table", false, 0, "ID   PID   STATUS\n");
}

static void json(void **state)
{
	(void)state;
	prints("json", false, 2,
	       "[{\"id\":\"a\",\"pid\":7,\"status\":\"running\",\"up\":true,\"labels\":{\"k\":\"v\"}},"
	       "{\"id\":\"l\303\266ng\\n\",\"pid\":-1,\"status\":\"\",\"up\":false,\"labels\":null}]\n");
	prints("json", false, 0, "[]\n");
}

static void keys_only(void **state)
{
	(void)state;
	prints("json", true, 1, "a\n");
	prints(NULL, true, 0, "");
}

static void templates(void **state)
{
	(void)state;
	prints("{{.ID}} {{.Status}}", false, 1, "a running\n");
	prints("{{.id}}\\t{{ .pid }}x", false, 2, "a\t7x\nl\303\266ng?\t-1x\n");
	prints("table {{.ID}}", false, 1, "a\n");
	prints("{{json .ID}}{{json .up}}", false, 1, "\"a\"true\n");
	prints("{{json .}}", false, 1,
	       "{\"id\":\"a\",\"pid\":7,\"status\":\"running\",\"up\":true,\"labels\":{\"k\":\"v\"}}\n");
	prints("table plain {{.ID}}", false, 1, "plain a\n");
	prints("{{.ID}}", false, 0, "");
}

static void wrong_templates(void **state)
{
	(void)state;
	refuses("{{.Nope}}", 1, "format: no field .Nope");
	refuses("{{.Nope}}", 0, "format: no field .Nope");
	refuses("status=exited", 1, "format \"status=exited\": neither table, nor json, nor a template such as '{{.ID}}'");
	refuses("{{.ID", 1, "format: \"{{\" without \"}}\"");
	refuses("{{if .ID}}", 1, "format: {{if .ID}}: only {{.Field}} and {{json .Field}} are understood");
	refuses("{{}}", 1, "format: {{}}: only {{.Field}} and {{json .Field}} are understood");
	refuses("{{.ID .ID}}", 1, "format: {{.ID .ID}}: only {{.Field}} and {{json .Field}} are understood");
}

static void objects(void **state)
{
	json_t *array = json_pack("[{s:{s:i,s:s}}]", "state", "pid", 12, "status", "running");
	struct err e = { 0 };
	int fds[2], saved = dup(STDOUT_FILENO);

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fflush(stdout);
	dup2(fds[1], STDOUT_FILENO);
	int r = out_objects(array, "{{.State.Pid}} {{.state.status}} {{json .State.Status}}", &e);
	int missing = out_objects(array, "{{.State.Nope}}", &e);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fds[1]);
	ssize_t n = read(fds[0], printed, sizeof(printed) - 1);
	close(fds[0]);
	json_decref(array);
	assert_int_equal(r, 0);
	assert_int_equal(missing, -EINVAL);
	assert_string_equal(e.text, "format: no field .State.Nope");
	assert_true(n > 0);
	printed[n] = '\0';
	assert_string_equal(printed, "12 running \"running\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),    cmocka_unit_test(json),            cmocka_unit_test(keys_only),
		cmocka_unit_test(templates), cmocka_unit_test(wrong_templates), cmocka_unit_test(objects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
