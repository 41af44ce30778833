/* SPDX-License-Identifier: Apache-2.0 */
/* kist doctor: what this host offers and what is missing. Status 1 when nothing could run. */
#include "cli/cmd.h"
#include "cli/out.h"
#include "engine/doctor.h"

struct row {
	const char *name, *state, *found, *remedy;
};

static const struct out_field fields[] = {
	OUT_STR(struct row, name, "check", .header = "CHECK"),
	OUT_STR(struct row, state, "state", .header = "STATE"),
	OUT_STR(struct row, found, "found", .header = "FOUND"),
	OUT_STR(struct row, remedy, "remedy", .header = "REMEDY"),
};

static const struct out_list list = {
	.fields = fields, .count = ARRAY_LEN(fields), .row_size = sizeof(struct row), .key = 0,
};

int cmd_doctor(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct doctor_options *o = options;
	struct arena arena_auto a = { 0 };
	struct doctor_check *checks;
	size_t count;
	bool is_failed = false;

	(void)cli, (void)argc, (void)argv;
	doctor(&a, &checks, &count);
	struct row *rows = arena_array(&a, count, sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		rows[i] = (struct row){ checks[i].name, doctor_word(checks[i].state), checks[i].found, checks[i].remedy };
		is_failed |= checks[i].state == DOCTOR_FAILED;
	}
	int r = out_rows(&list, o->format, false, rows, count, e);
	return r < 0 ? r : is_failed ? 1 : 0;
}
