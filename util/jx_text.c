/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See jx_text.h. jansson allocates from the arena while it parses and releases nothing, so a spec costs no
 * free() and its strings need no copy.
 */
#include "util/jx_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/auxv.h>

#include "util/jx.h"
#include "util/mem.h"

/* ---- memory ---- */

/* jansson's hooks have no argument to carry this; set only while a parse runs. */
static _Thread_local struct arena *parse_arena;

static void *tree_alloc(size_t size)
{
	return arena_alloc(parse_arena, size);
}

static void tree_free(void *p)
{
	(void)p;
}

/* jansson would open /dev/urandom for the seed of its hash tables; the kernel has put random bytes into each
 * process. */
static void seed_hashes(void)
{
	uint32_t seed = 1;
	unsigned long at = getauxval(AT_RANDOM);
	if (at)
		memcpy(&seed, (const void *)at, sizeof(seed));
	json_object_seed(seed ? seed : 1);
}

static json_t *parse_once(const char *bytes, size_t len, size_t flags, struct arena *arena,
			  json_error_t *error)
{
	json_malloc_t old_alloc;
	json_free_t old_free;
	json_get_alloc_funcs(&old_alloc, &old_free);
	parse_arena = arena;
	json_set_alloc_funcs(tree_alloc, tree_free);
	seed_hashes();
	json_t *tree = json_loadb(bytes, len, flags | JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, error);
	json_set_alloc_funcs(old_alloc, old_free);
	parse_arena = NULL;
	return tree;
}

/* ---- integers beyond int64_t ---- */

/* The index behind the string literal that starts at `i`, or `len`. */
static size_t skip_string(const char *s, size_t len, size_t i)
{
	for (i++; i < len && s[i] != '"'; i++)
		if (s[i] == '\\')
			i++;
	return i < len ? i + 1 : len;
}

static bool is_number_byte(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

/* Whether a number literal is a well-formed integer (RFC 8259, section 6) that int64_t does not hold. */
static bool is_big_integer(const char *s, size_t len)
{
	char digits[32];
	size_t sign = len > 0 && s[0] == '-';
	for (size_t i = sign; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	if (len - sign < 19 || s[sign] == '0')
		return false;
	if (len >= sizeof(digits))
		return true;
	memcpy(digits, s, len);
	digits[len] = '\0';
	errno = 0;
	(void)strtoimax(digits, NULL, 10);
	return errno == ERANGE;
}

static bool has_nul_escape(const char *s, size_t len)
{
	for (size_t i = 0; i + 6 <= len; i++) {
		if (s[i] != '\\')
			continue;
		if (!memcmp(s + i, "\\u0000", 6))
			return true;
		i++;
	}
	return false;
}

/* Writes the text with each big integer N as "\u0000N". False: a string has a NUL of its own, which would be
 * mistaken. */
static bool quote_big(const char *s, size_t len, struct str *out)
{
	for (size_t i = 0; i < len;) {
		size_t end = i + 1;
		if (s[i] == '"') {
			end = skip_string(s, len, i);
			if (has_nul_escape(s + i, end - i))
				return false;
		} else if (s[i] == '-' || (s[i] >= '0' && s[i] <= '9')) {
			while (end < len && is_number_byte(s[end]))
				end++;
			if (is_big_integer(s + i, end - i)) {
				str_puts(out, "\"\\u0000");
				str_add(out, s + i, end - i);
				str_puts(out, "\"");
				i = end;
				continue;
			}
		}
		str_add(out, s + i, end - i);
		i = end;
	}
	return !out->is_full;
}

/* jansson #154: an integer above INT64_MAX is no value for it at all, though Docker writes
 * 18446744073709551615. */
static json_t *parse_quoted(const char *bytes, size_t len, struct arena *arena, json_error_t *error)
{
	str_auto struct str quoted = STR_MAX(2 * (size_t)JX_BYTES_MAX);
	if (!quote_big(bytes, len, &quoted))
		return NULL;
	return parse_once(quoted.p, quoted.len, JSON_ALLOW_NUL, arena, error);
}

const char *jx_text_big(const json_t *value)
{
	if (!json_is_string(value) || json_string_length(value) == 0 || json_string_value(value)[0] != '\0')
		return NULL;
	return json_string_value(value) + 1;
}

/* ---- */

int jx_text_parse(const char *bytes, size_t len, const char *origin, struct arena *arena, json_t **ret_tree,
		  struct err *e)
{
	if (len > JX_BYTES_MAX)
		return err_new(e, EFBIG, "%s: larger than %d MiB", origin, JX_BYTES_MAX >> 20);
	json_error_t error;
	json_t *tree = parse_once(bytes, len, 0, arena, &error);
	if (!tree && json_error_code(&error) == json_error_numeric_overflow)
		tree = parse_quoted(bytes, len, arena, &error);
	if (!tree)
		return err_new(e, EINVAL, "%s:%d:%d: %s", origin, error.line, error.column, error.text);
	*ret_tree = tree;
	return 0;
}
