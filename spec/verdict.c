/* SPDX-License-Identifier: Apache-2.0 */
/* See verdict.h. */
#include "spec/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"
#include "util/num.h"

enum { QUOTE_BYTES = 100, NUMBER_MAX = 65536 };

void breach(struct verdict *v, const char *format, ...)
{
	char text[VERDICT_TEXT_MAX];
	int base = snprintf(text, sizeof(text), "%s", v->base);
	va_list ap;
	va_start(ap, format);
	vsnprintf(text + base, sizeof(text) - (size_t)base, format, ap);
	va_end(ap);
	if (v->count++ == 0)
		memcpy(v->first, text, sizeof(text));
	if (v->breach)
		v->breach(v->ctx, text);
}

const char *quote(struct quoted *q, const char *s)
{
	str_auto struct str text = STR_MAX(6 * QUOTE_BYTES + 8);
	char start[QUOTE_BYTES + 1];
	snprintf(start, sizeof(start), "%s", s);
	jx_print_string(&text, start);
	snprintf(q->text, sizeof(q->text), "%s%s", text.p, strlen(s) > QUOTE_BYTES ? "..." : "");
	return q->text;
}

void check_env(struct verdict *v, const char *path, const struct strs *env)
{
	struct quoted q;
	for (size_t i = 0; i < env->n; i++) {
		const char *sign = strchr(env->v[i], '=');
		if (!sign || sign == env->v[i])
			breach(v, "%s[%zu]: expected NAME=value, got %s", path, i, quote(&q, env->v[i]));
	}
}

void check_absolute(struct verdict *v, const char *value, const char *format, ...)
{
	char path[128];
	struct quoted q;
	va_list ap;
	if (!value || value[0] == '/')
		return;
	va_start(ap, format);
	vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	breach(v, "%s: expected an absolute path, got %s", path, quote(&q, value));
}

/* ---- id maps ---- */

static bool do_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static void check_id_overlap(struct verdict *v, const char *path, const struct spec_id_maps *maps, size_t i)
{
	const struct spec_id_map *m = &maps->v[i];
	for (size_t j = 0; j < i; j++) {
		const struct spec_id_map *o = &maps->v[j];
		if (do_overlap(m->container_id.v, m->size.v, o->container_id.v, o->size.v))
			breach(v, "%s[%zu].containerID: overlaps with %s[%zu]", path, i, path, j);
		if (do_overlap(m->host_id.v, m->size.v, o->host_id.v, o->size.v))
			breach(v, "%s[%zu].hostID: overlaps with %s[%zu]", path, i, path, j);
	}
}

/* user_namespaces(7), "User and group ID mappings": at most 340 rows; 4294967295 is not an id. */
void check_id_maps(struct verdict *v, const char *path, const struct spec_id_maps *maps)
{
	if (maps->n > 340) {
		breach(v, "%s: expected at most 340 mappings, got %zu", path, maps->n);
		return;
	}
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_id_map *m = &maps->v[i];
		if (m->size.v == 0)
			breach(v, "%s[%zu].size: expected at least 1, got 0", path, i);
		if ((uint64_t)m->container_id.v + m->size.v > UINT32_MAX)
			breach(v, "%s[%zu].containerID: the range ends beyond 4294967294", path, i);
		if ((uint64_t)m->host_id.v + m->size.v > UINT32_MAX)
			breach(v, "%s[%zu].hostID: the range ends beyond 4294967294", path, i);
		check_id_overlap(v, path, maps, i);
	}
}

/* ---- numbers ---- */

/* linux/kdev_t.h: dev_t of the kernel has 12 bits for major and 20 for minor. */
void check_device_number(struct verdict *v, const char *path, int64_t major, int64_t minor)
{
	if (major < 0 || major > 4095)
		breach(v, "%s.major: expected 0 to 4095, got %" PRId64, path, major);
	if (minor < 0 || minor > 1048575)
		breach(v, "%s.minor: expected 0 to 1048575, got %" PRId64, path, minor);
}

bool is_number_list(const char *text)
{
	uint64_t first, last;
	while (num_range(&text, &first, &last)) {
		if (last < first || last >= NUMBER_MAX)
			return false;
		if (!*text)
			return text[-1] != ',';
	}
	return false;
}
