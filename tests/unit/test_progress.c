/* SPDX-License-Identifier: Apache-2.0 */
/* Bars of progress: what they say, and that they never are wider than the terminal. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/progress.h"
#include "util/mem.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct progress_row row_at(uint64_t bytes, uint64_t total, int state)
{
	struct progress_row row = { .done = "unpacked" };
	progress_name(&row, "pulling", DIGEST, total);
	row.bytes = bytes;
	row.state = state;
	return row;
}

static void draws(void **state)
{
	static const struct {
		uint64_t bytes, total;
		int state;
		const char *line;
	} rows[] = {
		{ 0, 1000, PROGRESS_WAITS, "0123456789ab  [>         ]  waiting" },
		{ 0, 1000, PROGRESS_MOVES, "0123456789ab  [>         ]  0B / 1.0kB" },
		{ 500, 1000, PROGRESS_MOVES, "0123456789ab  [=====>    ]  500B / 1.0kB" },
		{ 29100000, 58200000, PROGRESS_MOVES, "0123456789ab  [=====>    ]  29.1MB / 58.2MB" },
		{ 1000, 1000, PROGRESS_MOVES, "0123456789ab  [==========]  1.0kB  finishing" },
		{ 1000, 1000, PROGRESS_ENDED, "0123456789ab  [==========]  unpacked" },
		{ 1234567, UINT64_MAX, PROGRESS_MOVES, "0123456789ab  1.2MB" },
	};
	char line[300];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct progress_row row = row_at(rows[i].bytes, rows[i].total, rows[i].state);
		size_t len = progress_draw_row(&row, 51, line, sizeof(line));
		assert_string_equal(line, rows[i].line);
		assert_int_equal(len, strlen(line));
	}
}

static void fits_any_width(void **state)
{
	char line[300];
	(void)state;
	for (unsigned int width = 1; width <= 200; width++) {
		struct progress_row row = row_at(123456789, 999999999, PROGRESS_MOVES);
		assert_true(progress_draw_row(&row, width, line, sizeof(line)) < width);
	}
}

static void knows_its_terminal(void **state)
{
	(void)state;
	int own = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(own >= 0 && null >= 0 && dup2(null, STDERR_FILENO) >= 0);
	setenv("TERM", "xterm", 1);
	assert_int_equal(progress_style(true, true), PROGRESS_NONE);
	assert_int_equal(progress_style(false, true), PROGRESS_LINES);
	assert_int_equal(progress_style(false, false), PROGRESS_NONE);
	dup2(own, STDERR_FILENO);
	close(own);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws),
		cmocka_unit_test(fits_any_width),
		cmocka_unit_test(knows_its_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
