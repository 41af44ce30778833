/* SPDX-License-Identifier: Apache-2.0 */
/* See out.h. */
#include "cli/out.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/template.h"
#include "util/fd.h"
#include "util/jx.h"

enum { OUT_BYTES_MAX = 64 << 20, COLUMN_GAP = 3, OUT_COLUMNS_MAX = 32 };

/* ---- one value ---- */

static const char *str_of(const struct out_field *f, const void *row)
{
	const char *text = *(const char *const *)((const char *)row + f->off);

	return text ? text : "";
}

/* For people: strings without quotes, without bytes that would move a terminal's cursor. */
static void add_text(struct str *out, const struct out_field *f, const void *row)
{
	const char *at = (const char *)row + f->off;

	switch (f->kind) {
	case OUT_STR:
	case OUT_JSON:
		for (const char *p = str_of(f, row); *p; p++)
			str_add(out, (unsigned char)*p < 0x20 || *p == 0x7f ? "?" : p, 1);
		break;
	case OUT_I64:
		str_fmt(out, "%" PRId64, *(const int64_t *)at);
		break;
	case OUT_BOOL:
		str_puts(out, *(const bool *)at ? "true" : "false");
		break;
	}
}

static void add_json(struct str *out, const struct out_field *f, const void *row)
{
	if (f->kind == OUT_STR)
		jx_print_string(out, str_of(f, row));
	else if (f->kind == OUT_JSON && !*str_of(f, row))
		str_puts(out, "null");
	else if (f->kind == OUT_JSON)
		str_puts(out, str_of(f, row));
	else
		add_text(out, f, row);
}

static void add_object(struct str *out, const struct out_list *list, const void *row)
{
	str_puts(out, "{");
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			str_puts(out, ",");
		jx_print_string(out, list->fields[i].key);
		str_puts(out, ":");
		add_json(out, &list->fields[i], row);
	}
	str_puts(out, "}");
}

/* ---- whole lists ---- */

static const void *row_at(const struct out_list *list, const void *rows, size_t i)
{
	return (const char *)rows + i * list->row_size;
}

/* Columns on a terminal: bytes of UTF-8 sequences after the first take no room. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; text && *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void add_cell(struct str *out, const char *text, size_t width, bool is_last)
{
	str_puts(out, text ? text : "");
	if (!is_last)
		str_fmt(out, "%*s", (int)(width - width_of(text) + COLUMN_GAP), "");
}

static void add_table(struct str *out, const struct out_list *list, const void *rows, size_t row_count)
{
	const struct out_field *columns[OUT_COLUMNS_MAX];
	size_t width[OUT_COLUMNS_MAX], n = 0;

	for (size_t i = 0; i < list->count && n < OUT_COLUMNS_MAX; i++)
		if (list->fields[i].header)
			columns[n++] = &list->fields[i];
	struct str *cells = mem_zero(n * row_count + 1, sizeof(*cells));
	for (size_t c = 0; c < n; c++) {
		width[c] = width_of(columns[c]->header);
		for (size_t r = 0; r < row_count; r++) {
			struct str *cell = &cells[r * n + c];
			cell->max = OUT_BYTES_MAX;
			add_text(cell, columns[c], row_at(list, rows, r));
			size_t w = width_of(cell->p);
			width[c] = w > width[c] ? w : width[c];
		}
	}
	for (size_t c = 0; c < n && !list->has_no_heading; c++)
		add_cell(out, columns[c]->header, width[c], c + 1 == n);
	if (!list->has_no_heading)
		str_puts(out, "\n");
	for (size_t i = 0; i < n * row_count; i++) {
		add_cell(out, cells[i].p, width[i % n], (i + 1) % n == 0);
		if ((i + 1) % n == 0)
			str_puts(out, "\n");
		str_done(&cells[i]);
	}
	free(cells);
}

static void add_array(struct str *out, const struct out_list *list, const void *rows, size_t row_count)
{
	str_puts(out, "[");
	for (size_t i = 0; i < row_count; i++) {
		if (i)
			str_puts(out, ",");
		add_object(out, list, row_at(list, rows, i));
	}
	str_puts(out, "]\n");
}

/* ---- templates ---- */

/* A word that names no field would be printed once per row: -f has another meaning elsewhere ("ps -f status=exited"). */
static int check_format(const char *format, struct err *e)
{
	if (!format || !strcmp(format, "table") || !strcmp(format, "json") || strstr(format, "{{"))
		return 0;
	return err_new(e, EINVAL, "format \"%s\": neither table, nor json, nor a template such as '{{.ID}}'", format);
}

struct row_ref {
	const struct out_list *list;
	const void *row;
};

static int row_field(void *ctx, const char *path, bool is_json, struct str *out)
{
	const struct row_ref *ref = ctx;

	if (!*path) {
		add_object(out, ref->list, ref->row);
		return 0;
	}
	for (size_t i = 0; i < ref->list->count; i++) {
		const struct out_field *f = &ref->list->fields[i];
		if (strcmp(f->key, path) != 0 && (!f->docker || strcmp(f->docker, path) != 0))
			continue;
		if (is_json)
			add_json(out, f, ref->row);
		else
			add_text(out, f, ref->row);
		return 0;
	}
	return -ENOENT;
}

/* A wrong template is wrong for an empty list too. */
static int try_template(const struct out_list *list, const char *format, struct err *e)
{
	free_auto void *row = mem_zero(1, list->row_size);
	struct row_ref ref = { .list = list, .row = row };
	str_auto struct str scratch = STR_MAX(OUT_BYTES_MAX);

	return template_expand(format, row_field, &ref, &scratch, e);
}

static int add_templates(struct str *out, const struct out_list *list, const char *format, const void *rows,
			 size_t row_count, struct err *e)
{
	for (size_t i = 0; i < row_count; i++) {
		struct row_ref ref = { .list = list, .row = row_at(list, rows, i) };
		int r = template_expand(format, row_field, &ref, out, e);
		if (r < 0)
			return r;
	}
	return row_count ? 0 : try_template(list, format, e);
}

/* ---- JSON objects ---- */

static json_t *key_any_case(json_t *object, const char *name, size_t len)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value)
		if (strlen(key) == len && !strncasecmp(key, name, len))
			return value;
	return NULL;
}

static void add_dump(struct str *out, const json_t *value, size_t flags)
{
	free_auto char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

	if (!text)
		mem_out();
	str_puts(out, text);
}

static int object_field(void *ctx, const char *path, bool is_json, struct str *out)
{
	json_t *value = ctx;

	while (value && *path) {
		size_t len = strcspn(path, ".");
		value = key_any_case(value, path, len);
		path += len + (path[len] == '.');
	}
	if (!value)
		return -ENOENT;
	if (json_is_string(value) && !is_json)
		str_puts(out, json_string_value(value));
	else
		add_dump(out, value, JSON_COMPACT);
	return 0;
}

static int flush(const struct str *out, struct err *e)
{
	int r = out->is_full ? -EFBIG : fd_write_all(STDOUT_FILENO, out->p, out->len);

	return r < 0 ? err_ret(e, r, "standard output") : 0;
}

int out_objects(json_t *array, const char *format, struct err *e)
{
	str_auto struct str out = STR_MAX(OUT_BYTES_MAX);
	json_t *object;
	size_t i;

	if (!format || !strcmp(format, "json")) {
		add_dump(&out, array, JSON_INDENT(2));
		str_puts(&out, "\n");
		return flush(&out, e);
	}
	int r = check_format(format, e);
	if (r < 0)
		return r;
	json_array_foreach (array, i, object) {
		r = template_expand(format, object_field, object, &out, e);
		if (r < 0)
			return r;
	}
	return flush(&out, e);
}

int out_rows(const struct out_list *list, const char *format, bool is_quiet, const void *rows,
	     size_t row_count, struct err *e)
{
	str_auto struct str out = STR_MAX(OUT_BYTES_MAX);
	int r = check_format(format, e);

	if (r < 0)
		return r;
	if (is_quiet) {
		for (size_t i = 0; i < row_count; i++) {
			add_text(&out, &list->fields[list->key], row_at(list, rows, i));
			str_puts(&out, "\n");
		}
	} else if (!format || !strcmp(format, "table")) {
		add_table(&out, list, rows, row_count);
	} else if (!strcmp(format, "json")) {
		add_array(&out, list, rows, row_count);
	} else {
		r = add_templates(&out, list, format, rows, row_count, e);
	}
	return r < 0 ? r : flush(&out, e);
}

const char *out_size(struct arena *a, int64_t bytes)
{
	static const char units[][3] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t unit = 0;

	for (; v >= 999.5 && unit + 1 < ARRAY_LEN(units); unit++)
		v /= 1000;
	return arena_fmt(a, unit && v < 9.95 ? "%.1f%s" : "%.0f%s", v, units[unit]);
}
