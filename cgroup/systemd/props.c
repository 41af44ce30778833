/* SPDX-License-Identifier: Apache-2.0 */
/* See props.h. */
#include "cgroup/systemd/props.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/systemd/variant.h"
#include "util/mem.h"

enum { BYTES_MAX = 1024, SECOND_USEC = 1000000 };

/* ---- values ---- */

static int append_variant(sd_bus_message *m, const struct variant *v);

static int append_items(sd_bus_message *m, const struct variant *v)
{
	str_auto struct str type = STR_MAX(VARIANT_TYPE_MAX);
	variant_type(&type, v);
	char *inner = type.p + 1;
	if (v->type == '(')
		inner[strlen(inner) - 1] = '\0';
	int r = sd_bus_message_open_container(m, v->type == 'a' ? 'a' : 'r', inner);
	for (size_t i = 0; i < v->n && r >= 0; i++)
		r = append_variant(m, &v->v[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_variant(sd_bus_message *m, const struct variant *v)
{
	const int b = v->b;
	const uint8_t y = (uint8_t)v->u;
	const int16_t n = (int16_t)v->i;
	const uint16_t q = (uint16_t)v->u;
	const int32_t i = (int32_t)v->i;
	const uint32_t u = (uint32_t)v->u;
	switch (v->type) {
	case 'a':
	case '(':
		return append_items(m, v);
	case 's':
	case 'o':
	case 'g':
		return sd_bus_message_append_basic(m, v->type, v->s);
	case 'b':
		return sd_bus_message_append_basic(m, 'b', &b);
	case 'y':
		return sd_bus_message_append_basic(m, 'y', &y);
	case 'n':
		return sd_bus_message_append_basic(m, 'n', &n);
	case 'q':
		return sd_bus_message_append_basic(m, 'q', &q);
	case 'i':
		return sd_bus_message_append_basic(m, 'i', &i);
	case 'u':
		return sd_bus_message_append_basic(m, 'u', &u);
	case 'x':
		return sd_bus_message_append_basic(m, 'x', &v->i);
	case 't':
		return sd_bus_message_append_basic(m, 't', &v->u);
	default:
		return sd_bus_message_append_basic(m, 'd', &v->d);
	}
}

/* ---- properties ---- */

static int append_one(sd_bus_message *m, const char *name, const struct variant *v)
{
	str_auto struct str type = STR_MAX(VARIANT_TYPE_MAX);
	variant_type(&type, v);
	int r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', type.p);
	if (r >= 0)
		r = append_variant(m, v);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Files of units say "TimeoutStopSec=5"; over D-Bus it is TimeoutStopUSec, in microseconds. */
static const char *convert_seconds(const char *name, struct variant *v, struct arena *a)
{
	size_t n = strlen(name);
	double seconds;
	if (n < 4 || strcmp(name + n - 3, "Sec") != 0 || name[n - 4] == 'U' || !variant_number(v, &seconds))
		return name;
	*v = (struct variant){ .type = 't', .u = seconds < 0 ? UINT64_MAX : (uint64_t)(seconds * SECOND_USEC) };
	return arena_fmt(a, "%.*sUSec", (int)n - 3, name);
}

static int read_bytes(const char *hex, struct arena *a, struct variant *ret)
{
	size_t n = strlen(hex) / 2;
	if (n > BYTES_MAX)
		return -EINVAL;
	*ret = (struct variant){ .type = 'a', .element = "y", .v = arena_array(a, n, sizeof(*ret->v)), .n = n };
	for (size_t i = 0; i < n; i++) {
		const char byte[] = { hex[2 * i], hex[2 * i + 1], '\0' };
		ret->v[i] = (struct variant){ .type = 'y', .u = strtoul(byte, NULL, 16) };
	}
	return 0;
}

static int read_value(const char *type, const char *value, struct arena *a, struct variant *ret, struct err *e)
{
	if (strcmp(type, "t") == 0)
		*ret = (struct variant){ .type = 't', .u = strtoull(value, NULL, 10) };
	else if (strcmp(type, "ay") == 0)
		return read_bytes(value, a, ret);
	else if (strcmp(type, "v") == 0)
		return variant_parse(value, a, ret, e);
	else
		return err_new(e, EINVAL, "unknown type %s", type);
	return 0;
}

static int append_word(sd_bus_message *m, const char *word, struct err *e)
{
	arena_auto struct arena a = { 0 };
	char *type = arena_str(&a, word);
	const char *name = strsep(&type, "=");
	char *value = type;
	struct variant v;
	strsep(&value, ":");
	if (!value)
		return err_new(e, EINVAL, "%s: no property", word);
	int r = read_value(type, value, &a, &v, e);
	if (r < 0)
		return err_at(e, r, "property %s", name);
	name = convert_seconds(name, &v, &a);
	r = append_one(m, name, &v);
	return r < 0 ? err_ret(e, r, "property %s", name) : 0;
}

int props_append(sd_bus_message *m, char *const *words, size_t n, struct err *e)
{
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = append_word(m, words[i], e);
	return r;
}

bool props_have(char *const *words, size_t n, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < n; i++)
		if (strncmp(words[i], name, len) == 0 && words[i][len] == '=')
			return true;
	return false;
}
