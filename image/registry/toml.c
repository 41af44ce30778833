/* SPDX-License-Identifier: Apache-2.0 */
/* See toml.h. The tree is jansson's while it grows. */
#include "image/registry/toml.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "image/registry/toml_scan.h"

enum { KEY_PARTS_MAX = 16, TABLES_MAX = 8192 };

/* How a table came to be, which says who may add to it. toml.io "Table". */
enum origin {
	BY_PATH,   /* on the way to another: a header may still define it */
	BY_HEADER, /* [a]: not a second time */
	BY_KEY,	   /* a.b = 1: by keys of the same table only */
	CLOSED,	   /* { } and [ ]: as they are */
};

struct known {
	const json_t *node;
	enum origin how;
};

struct key {
	char *part[KEY_PARTS_MAX];
	size_t len[KEY_PARTS_MAX];
	size_t n;
};

struct reader {
	struct toml_scan scan;
	json_t *root;
	json_t *table; /* of the last header */
	struct known *known;
	size_t known_count;
};

#define key_auto __attribute__((cleanup(key_done)))
static void key_done(struct key *k)
{
	while (k->n)
		free(k->part[--k->n]);
}

/* ---- what is known of tables ---- */

static struct known *find_known(const struct reader *r, const json_t *node)
{
	for (size_t i = 0; i < r->known_count; i++)
		if (r->known[i].node == node)
			return &r->known[i];
	return NULL;
}

static int know(struct reader *r, const json_t *node, enum origin how, struct err *e)
{
	struct known *k = find_known(r, node);
	if (k) {
		k->how = how;
		return 0;
	}
	if (r->known_count == TABLES_MAX)
		return toml_wrong(&r->scan, e, "more than %d tables", TABLES_MAX);
	if (!(r->known_count & (r->known_count - 1)))
		r->known = mem_grow(r->known, (r->known_count ? r->known_count * 2 : 1) * sizeof(*r->known));
	r->known[r->known_count++] = (struct known){ node, how };
	return 0;
}

/* Puts a new node under a key. The tree owns it, also when this fails. */
static int put(struct reader *r, json_t *table, const char *key, size_t len, json_t *own_value, struct err *e)
{
	if (!own_value || json_object_setn_new(table, key, len, own_value) < 0)
		return toml_wrong(&r->scan, e, "%.80s: not UTF-8", key);
	return 0;
}

/* ---- keys ---- */

static int read_part(struct reader *r, struct key *k, struct err *e)
{
	if (k->n == KEY_PARTS_MAX)
		return toml_wrong(&r->scan, e, "a key of more than %d parts", KEY_PARTS_MAX);
	int n = toml_key(&r->scan, &k->part[k->n], &k->len[k->n], e);
	if (n < 0)
		return n;
	k->n++;
	return 0;
}

static int read_key(struct reader *r, struct key *k, struct err *e)
{
	for (;;) {
		toml_blank(&r->scan);
		int n = read_part(r, k, e);
		if (n < 0)
			return n;
		toml_blank(&r->scan);
		if (!toml_take(&r->scan, '.'))
			return 0;
	}
}

/* One step down to a table that has to be there or to be made. `how` is what it becomes if it is new. */
static int step(struct reader *r, json_t **at, const char *key, size_t len, enum origin how, struct err *e)
{
	json_t *next = json_object_getn(*at, key, len);
	if (!next) {
		next = json_object();
		int n = put(r, *at, key, len, next, e);
		*at = next;
		return n < 0 ? n : know(r, next, how, e);
	}
	const struct known *k = find_known(r, next);
	if (json_is_array(next) && how == BY_PATH && !(k && k->how == CLOSED)) /* of tables: the last one */
		next = json_array_get(next, json_array_size(next) - 1);
	k = find_known(r, next);
	if (!json_is_object(next) || !k || k->how == CLOSED)
		return toml_wrong(&r->scan, e, "%.80s: has a value already", key);
	if (how == BY_KEY && k->how != BY_KEY)
		return toml_wrong(&r->scan, e, "%.80s: a table of its own", key);
	*at = next;
	return 0;
}

/* ---- values ---- */

static int read_value(struct reader *r, unsigned int depth, json_t **ret, struct err *e);

static int read_pair(struct reader *r, json_t *table, unsigned int depth, struct err *e)
{
	key_auto struct key k = { .n = 0 };
	json_t *value = NULL;
	int n = read_key(r, &k, e);
	if (n < 0)
		return n;
	if (!toml_take(&r->scan, '='))
		return toml_wrong(&r->scan, e, "%.80s: expected = behind the key", k.part[k.n - 1]);
	toml_blank(&r->scan);
	for (size_t i = 0; n == 0 && i + 1 < k.n; i++)
		n = step(r, &table, k.part[i], k.len[i], BY_KEY, e);
	if (n == 0 && json_object_getn(table, k.part[k.n - 1], k.len[k.n - 1]))
		return toml_wrong(&r->scan, e, "%.80s: has a value already", k.part[k.n - 1]);
	if (n == 0)
		n = read_value(r, depth + 1, &value, e);
	return n < 0 ? n : put(r, table, k.part[k.n - 1], k.len[k.n - 1], value, e);
}

/* { a = 1, b = 2 }: in one line, no comma at its end. */
static int read_inline(struct reader *r, unsigned int depth, json_t *table, struct err *e)
{
	toml_blank(&r->scan);
	if (toml_take(&r->scan, '}'))
		return 0;
	for (;;) {
		int n = read_pair(r, table, depth, e);
		if (n < 0)
			return n;
		toml_blank(&r->scan);
		if (toml_take(&r->scan, '}'))
			return 0;
		if (!toml_take(&r->scan, ','))
			return toml_wrong(&r->scan, e, "expected , or } in an inline table");
	}
}

/* [ 1, 2, ]: over lines, with comments. */
static int read_array(struct reader *r, unsigned int depth, json_t *array, struct err *e)
{
	for (;;) {
		json_t *value = NULL;
		int n = toml_lines(&r->scan, e);
		if (n < 0)
			return n;
		if (toml_take(&r->scan, ']'))
			return 0;
		n = read_value(r, depth + 1, &value, e);
		if (n < 0)
			return n;
		json_array_append_new(array, value);
		n = toml_lines(&r->scan, e);
		if (n < 0)
			return n;
		if (toml_take(&r->scan, ']'))
			return 0;
		if (!toml_take(&r->scan, ','))
			return toml_wrong(&r->scan, e, "expected , or ] in an array");
	}
}

static int read_string(struct reader *r, json_t **ret, struct err *e)
{
	free_auto char *text = NULL;
	size_t len;
	int n = toml_string(&r->scan, true, &text, &len, e);
	if (n < 0)
		return n;
	*ret = json_stringn(text, len);
	return *ret ? 0 : toml_wrong(&r->scan, e, "a string that is not UTF-8");
}

static int read_word(struct reader *r, json_t **ret, struct err *e)
{
	int64_t number;
	bool is_true;
	if (toml_bool(&r->scan, &is_true)) {
		*ret = json_boolean(is_true);
		return 0;
	}
	int n = toml_integer(&r->scan, &number, e);
	if (n == 0)
		*ret = json_integer(number);
	return n;
}

/* On failure nothing is left to free. */
static int read_value(struct reader *r, unsigned int depth, json_t **ret, struct err *e)
{
	json_t *value = NULL;
	char c = toml_peek(&r->scan);
	int n;
	if (depth > TOML_DEPTH_MAX)
		return toml_wrong(&r->scan, e, "more than %d levels", TOML_DEPTH_MAX);
	if (c == '"' || c == '\'') {
		n = read_string(r, &value, e);
	} else if (toml_take(&r->scan, '[')) {
		value = json_array();
		n = read_array(r, depth, value, e);
	} else if (toml_take(&r->scan, '{')) {
		value = json_object();
		n = know(r, value, BY_KEY, e);
		if (n == 0)
			n = read_inline(r, depth, value, e);
	} else {
		n = read_word(r, &value, e);
	}
	if (n == 0 && (json_is_object(value) || json_is_array(value)))
		n = know(r, value, CLOSED, e);
	if (n < 0)
		json_decref(value);
	else
		*ret = value;
	return n;
}

/* ---- headers ---- */

static int open_table(struct reader *r, json_t *at, const struct key *k, struct err *e)
{
	const char *name = k->part[k->n - 1];
	json_t *old = json_object_getn(at, name, k->len[k->n - 1]);
	const struct known *known = old ? find_known(r, old) : NULL;
	if (!old) {
		r->table = json_object();
		int n = put(r, at, name, k->len[k->n - 1], r->table, e);
		return n < 0 ? n : know(r, r->table, BY_HEADER, e);
	}
	if (!known || known->how != BY_PATH || !json_is_object(old))
		return toml_wrong(&r->scan, e, "[%.80s]: is there already", name);
	r->table = old;
	return know(r, old, BY_HEADER, e);
}

static int open_element(struct reader *r, json_t *at, const struct key *k, struct err *e)
{
	const char *name = k->part[k->n - 1];
	json_t *array = json_object_getn(at, name, k->len[k->n - 1]);
	if (!array) {
		array = json_array();
		int n = put(r, at, name, k->len[k->n - 1], array, e);
		if (n < 0)
			return n;
	} else if (!json_is_array(array) || find_known(r, array)) {
		return toml_wrong(&r->scan, e, "[[%.80s]]: is something else already", name);
	}
	r->table = json_object();
	json_array_append_new(array, r->table);
	return know(r, r->table, BY_HEADER, e);
}

static int read_header(struct reader *r, struct err *e)
{
	key_auto struct key k = { .n = 0 };
	json_t *at = r->root;
	bool is_array = toml_take(&r->scan, '[');
	int n = read_key(r, &k, e);
	if (n < 0)
		return n;
	if (!toml_take(&r->scan, ']') || (is_array && !toml_take(&r->scan, ']')))
		return toml_wrong(&r->scan, e, "[%.80s: expected %s", k.part[k.n - 1], is_array ? "]]" : "]");
	for (size_t i = 0; n == 0 && i + 1 < k.n; i++)
		n = step(r, &at, k.part[i], k.len[i], BY_PATH, e);
	if (n < 0)
		return n;
	return is_array ? open_element(r, at, &k, e) : open_table(r, at, &k, e);
}

static int read_all(struct reader *r, struct err *e)
{
	for (;;) {
		int n = toml_lines(&r->scan, e);
		if (n < 0 || toml_is_end(&r->scan))
			return n;
		n = toml_take(&r->scan, '[') ? read_header(r, e) : read_pair(r, r->table, 0, e);
		if (n == 0)
			n = toml_line_end(&r->scan, e);
		if (n < 0)
			return n;
	}
}

int toml_to_json(const char *bytes, size_t len, const char *origin, char **ret_json, struct err *e)
{
	if (len > TOML_BYTES_MAX)
		return err_new(e, EFBIG, "%s: more than %d bytes", origin, TOML_BYTES_MAX);
	struct reader r = { .scan = { bytes, bytes + len, 1, origin }, .root = json_object() };
	r.table = r.root;
	int n = know(&r, r.root, BY_HEADER, e);
	if (n == 0)
		n = read_all(&r, e);
	if (n == 0) {
		char *json = json_dumps(r.root, JSON_COMPACT);
		if (!json)
			mem_out();
		*ret_json = json;
	}
	json_decref(r.root);
	free(r.known);
	return n;
}
