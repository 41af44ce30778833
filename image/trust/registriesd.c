/* SPDX-License-Identifier: Apache-2.0 */
/* See registriesd.h. Source: containers-registries.d(5), whose older keys "sigstore" and "sigstore-staging" count too. */
#include "image/trust/registriesd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <yaml.h>

#include "util/fd.h"

enum { FILE_BYTES_MAX = 1 << 20, SECTIONS_MAX = 10000 };

void registriesd_done(struct registriesd *rd)
{
	arena_done(&rd->arena);
	free(rd->v);
	*rd = (struct registriesd){ .v = NULL };
}

/* ---- one file ---- */

struct reading {
	struct registriesd *rd;
	yaml_document_t *doc;
	const char *origin;
	struct err *e;
};

static const char *text_of(const struct reading *in, int node)
{
	const yaml_node_t *n = yaml_document_get_node(in->doc, node);
	if (!n || n->type != YAML_SCALAR_NODE || strlen((const char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (const char *)n->data.scalar.value;
}

/* Calls `take` for each key of a mapping. */
typedef int take_fn(const struct reading *in, void *ctx, const char *at, const char *key, int value);

static int each_key(const struct reading *in, int node, const char *at, take_fn *take, void *ctx)
{
	const yaml_node_t *n = yaml_document_get_node(in->doc, node);
	if (!n || n->type != YAML_MAPPING_NODE)
		return err_new(in->e, EINVAL, "%s: %s: not a mapping", in->origin, *at ? at : "the file");
	int r = 0;
	const yaml_node_pair_t *end = n->data.mapping.pairs.top;
	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start; r == 0 && p < end; p++) {
		const char *key = text_of(in, p->key);
		if (!key)
			return err_new(in->e, EINVAL, "%s: %s: a key that is no text", in->origin,
				       *at ? at : "the file");
		for (const yaml_node_pair_t *q = n->data.mapping.pairs.start; q < p; q++)
			if (strcmp(text_of(in, q->key), key) == 0)
				return err_new(in->e, EINVAL, "%s: %s%s%.200s: duplicate key", in->origin, at,
					       *at ? "." : "", key);
		r = take(in, ctx, at, key, p->value);
	}
	return r;
}

static int take_flag(const struct reading *in, const char *at, const char *text, struct opt_bool *ret)
{
	bool is_true = text && (!strcmp(text, "true") || !strcmp(text, "True") || !strcmp(text, "TRUE"));
	bool is_false = text && (!strcmp(text, "false") || !strcmp(text, "False") || !strcmp(text, "FALSE"));
	if (!is_true && !is_false)
		return err_new(in->e, EINVAL, "%s: %s.use-sigstore-attachments: neither true nor false", in->origin,
			       at);
	*ret = (struct opt_bool){ .has = true, .v = is_true };
	return 0;
}

static int take_url(const struct reading *in, const char *at, const char *key, const char *text, const char **ret)
{
	if (!text || (strncmp(text, "file:///", 8) && strncmp(text, "http://", 7) && strncmp(text, "https://", 8)))
		return err_new(in->e, EINVAL, "%s: %s.%s: not a URL of file, http or https", in->origin, at, key);
	if (*ret)
		return err_new(in->e, EINVAL, "%s: %s.%s: lookaside is there too", in->origin, at, key);
	*ret = arena_str(&in->rd->arena, text);
	return 0;
}

static int take_setting(const struct reading *in, void *ctx, const char *at, const char *key, int value)
{
	struct registriesd_section *s = ctx;
	const char *text = text_of(in, value), *staging = NULL;
	if (strcmp(key, "use-sigstore-attachments") == 0)
		return take_flag(in, at, text, &s->attachments);
	if (strcmp(key, "lookaside") == 0 || strcmp(key, "sigstore") == 0)
		return take_url(in, at, key, text, &s->lookaside);
	/* Where signatures are written; kist writes none there. */
	if (strcmp(key, "lookaside-staging") == 0 || strcmp(key, "sigstore-staging") == 0)
		return take_url(in, at, key, text, &staging);
	return err_new(in->e, EINVAL, "%s: %s.%.100s: unknown key", in->origin, at, key);
}

static int take_section(const struct reading *in, const char *scope, const char *at, int node)
{
	struct registriesd *rd = in->rd;
	struct registriesd_section s = { .scope = arena_str(&rd->arena, scope),
					 .file = arena_str(&rd->arena, in->origin) };
	for (size_t i = 0; i < rd->n; i++)
		if (strcmp(rd->v[i].scope, scope) == 0)
			return err_new(in->e, EINVAL, "%s: %s: is in %s too", in->origin, at, rd->v[i].file);
	if (rd->n == SECTIONS_MAX)
		return err_new(in->e, E2BIG, "%s: more than %d sections", in->origin, SECTIONS_MAX);
	int r = each_key(in, node, at, take_setting, &s);
	if (r < 0)
		return r;
	if (rd->n == rd->room) {
		rd->room = rd->room ? rd->room * 2 : 16;
		rd->v = mem_grow(rd->v, rd->room * sizeof(*rd->v));
	}
	rd->v[rd->n++] = s;
	return 0;
}

static int take_scope(const struct reading *in, void *ctx, const char *at, const char *key, int value)
{
	(void)ctx;
	(void)at;
	if (!*key)
		return err_new(in->e, EINVAL, "%s: docker: an empty name", in->origin);
	return take_section(in, key, arena_fmt(&in->rd->arena, "docker[\"%.200s\"]", key), value);
}

static int take_top(const struct reading *in, void *ctx, const char *at, const char *key, int value)
{
	(void)at;
	if (strcmp(key, "default-docker") == 0)
		return take_section(in, "", key, value);
	if (strcmp(key, "docker") == 0)
		return each_key(in, value, key, take_scope, ctx);
	return err_new(in->e, EINVAL, "%s: %.100s: unknown key", in->origin, key);
}

int registriesd_add(struct registriesd *rd, const char *bytes, size_t len, const char *origin, struct err *e)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	struct reading in = { .rd = rd, .doc = &doc, .origin = origin, .e = e };
	int r = 0;
	if (!yaml_parser_initialize(&parser))
		mem_out();
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
	if (!yaml_parser_load(&parser, &doc)) {
		r = err_new(e, EINVAL, "%s:%zu: not YAML: %s", origin, parser.problem_mark.line + 1,
			    parser.problem ? parser.problem : "cannot be read");
	} else {
		if (yaml_document_get_root_node(&doc))
			r = each_key(&in, 1, "", take_top, NULL);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return r;
}

/* ---- the directory ---- */

static int add_file(struct registriesd *rd, int dir, const char *path, const char *name, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	const char *origin = arena_fmt(&rd->arena, "%s/%s", path, name);
	int r = file_read(dir, name, FILE_BYTES_MAX, true, &bytes, &len);
	return r < 0 ? err_ret(e, r, "%s", origin) : registriesd_add(rd, bytes, len, origin, e);
}

static bool is_yaml(const char *name)
{
	size_t len = strlen(name);
	return len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

static int add_dir(struct registriesd *rd, const char *path, struct err *e)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_sys(e, "%s", path);
	int r = 0, end = 0;
	for (struct dirent *de; r >= 0 && (de = fd_next(d, &end));)
		if (is_yaml(de->d_name))
			r = add_file(rd, fd, path, de->d_name, e);
	closedir(d);
	return r >= 0 && end < 0 ? err_ret(e, end, "%s", path) : r;
}

int registriesd_load(struct registriesd *ret_rd, struct err *e)
{
	struct registriesd rd = { .v = NULL };
	const char *home = getenv("HOME");
	int r = -ENOENT;
	if (home && *home)
		r = add_dir(&rd, arena_fmt(&rd.arena, "%s/.config/containers/registries.d", home), e);
	if (r == -ENOENT)
		r = add_dir(&rd, "/etc/containers/registries.d", e);
	if (r < 0 && r != -ENOENT) {
		registriesd_done(&rd);
		return r;
	}
	*ret_rd = rd;
	return 0;
}

/* ---- finding ---- */

static const struct registriesd_section *find(const struct registriesd *rd, const char *scope, size_t len)
{
	for (size_t i = 0; i < rd->n; i++)
		if (strlen(rd->v[i].scope) == len && memcmp(rd->v[i].scope, scope, len) == 0)
			return &rd->v[i];
	return NULL;
}

const struct registriesd_section *registriesd_find(const struct registriesd *rd, const struct named *image)
{
	char text[NAMED_TEXT_MAX];
	named_text(image, text);
	const struct registriesd_section *s = find(rd, text, strlen(text));
	for (size_t len = strlen(image->name); !s && len; len--)
		if (image->name[len] == '\0' || image->name[len] == '/')
			s = find(rd, image->name, len);
	return s ? s : find(rd, "", 0);
}
