/* SPDX-License-Identifier: Apache-2.0 */
/* See jx_breach.h. */
#include "util/jx_breach.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "util/jx_text.h"

enum { MESSAGE_MAX = 800 };

static bool is_plain_key(const char *key)
{
	return *key &&
	       strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(key);
}

void jx_path_put(struct str *out, const struct where *w)
{
	if (w->up)
		jx_path_put(out, w->up);
	if (!w->key) {
		str_fmt(out, "[%zu]", w->index);
	} else if (is_plain_key(w->key)) {
		str_fmt(out, "%s%s", out->len ? "." : "", w->key);
	} else {
		str_puts(out, "[");
		jx_print_string(out, w->key);
		str_puts(out, "]");
	}
}

int jx_breach(struct reader *r, const struct where *w, const char *text)
{
	str_auto struct str message = STR_MAX(MESSAGE_MAX);
	if (w)
		jx_path_put(&message, w);
	else
		str_puts(&message, r->origin);
	str_fmt(&message, ": %s", text);
	if (r->breaches++ == 0)
		err_new(r->e, EINVAL, "%s", message.p);
	if (!r->listener || !r->listener->breach)
		return -EINVAL;
	r->listener->breach(r->listener->ctx, message.p);
	return 0;
}

static const char *type_name(const json_t *v)
{
	if (jx_text_big(v))
		return "integer";
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "integer";
	case JSON_REAL:
		return "real number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "boolean";
	case JSON_NULL:
		break;
	}
	return "null";
}

int jx_wrong_type(struct reader *r, const struct where *w, const char *expected, const json_t *v)
{
	str_auto struct str text = STR_MAX(MESSAGE_MAX);
	str_fmt(&text, "expected %s, got %s", expected, type_name(v));
	return jx_breach(r, w, text.p);
}

int jx_wrong_word(struct reader *r, const struct where *w, const struct jx_word *words, const char *word)
{
	str_auto struct str text = STR_MAX(MESSAGE_MAX);
	str_puts(&text, "unknown value ");
	jx_print_string(&text, word);
	const char *near = jx_nearest(words, word);
	if (near)
		str_fmt(&text, " (did you mean \"%s\"?)", near);
	return jx_breach(r, w, text.p);
}

int jx_wrong_range(struct reader *r, const struct where *w, int64_t min, uint64_t max, const json_t *v)
{
	str_auto struct str text = STR_MAX(MESSAGE_MAX);
	str_fmt(&text, "expected integer from %" PRId64 " to %" PRIu64 ", got ", min, max);
	if (jx_text_big(v))
		str_puts(&text, jx_text_big(v));
	else
		str_fmt(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return jx_breach(r, w, text.p);
}
