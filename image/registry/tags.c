/* SPDX-License-Identifier: Apache-2.0 */
/* See registry.h: which tags there are. Source: distribution-spec "Content Discovery". */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "image/registry/client.h"

enum { TAGS_PAGE_MAX = 4 << 20, TAGS_PAGES_MAX = 10000 };

void registry_tags_done(struct registry_tags *tags)
{
	while (tags->n)
		free(tags->v[--tags->n]);
	free(tags->v);
	tags->v = NULL;
}

static int add_tags(const struct session *s, const struct http_answer *a, struct registry_tags *tags, struct err *e)
{
	json_t *root = json_loadb(a->text.p ? a->text.p : "", a->text.len, 0, NULL);
	const json_t *list = json_object_get(root, "tags"), *one;
	size_t i;
	int r = 0;
	if (!json_is_object(root) || (list && !json_is_array(list) && !json_is_null(list)))
		r = err_new(e, EBADMSG, "%s answers with something else than tags", s->endpoint.host);
	json_array_foreach(list, i, one)
	{
		const char *tag = json_string_value(one);
		if (r < 0 || !tag || registry_check_what(tag, e) < 0)
			continue;
		if (tags->n == REGISTRY_TAGS_MAX) {
			r = err_new(e, EFBIG, "%s has more than %d tags", s->endpoint.host, REGISTRY_TAGS_MAX);
			continue;
		}
		if (!(tags->n & (tags->n - 1)))
			tags->v = mem_grow(tags->v, (tags->n ? tags->n * 2 : 1) * sizeof(*tags->v));
		tags->v[tags->n++] = mem_str(tag);
	}
	json_decref(root);
	return r;
}

/* Link: </v2/a/tags/list?last=x>; rel="next" (RFC 8288). NULL: this was the last page. */
static char *next_page(const struct http_answer *a, const char *url)
{
	const char *link = a->header[HTTP_LINK], *end = link ? strchr(link, '>') : NULL;
	if (!link || link[0] != '<' || !end || !strstr(end, "next"))
		return NULL;
	free_auto char *target = mem_fmt("%.*s", (int)(end - link - 1), link + 1);
	return http_resolve(url, target);
}

static int ask_tags(struct session *s, void *ctx, struct err *e)
{
	struct registry_tags *tags = ctx;
	free_auto char *path = registry_url_path(s, "tags/list"), *scope = registry_scope(s, false), *url = NULL;
	for (int i = 0; i < TAGS_PAGES_MAX; i++) {
		http_answer_auto struct http_answer a = { .status = 0 };
		const struct session_call call = {
			.path = path,
			.url = url,
			.scope = scope,
			.request = { .method = "GET",
				     .fields = { "Accept: application/json" },
				     .max_bytes = TAGS_PAGE_MAX },
		};
		int r = session_call(s, &call, &a, e);
		if (r == 0)
			r = a.status == 200 ? add_tags(s, &a, tags, e) : session_refusal(s, &a, e);
		if (r < 0)
			return err_at(e, r, "%s: tags", s->endpoint.path);
		free_auto char *base = url ? ptr_take(url) : session_url(s, path);
		url = next_page(&a, base);
		if (!url)
			return 0;
	}
	return err_new(e, EFBIG, "%s: more than %d pages of tags", s->endpoint.path, TAGS_PAGES_MAX);
}

int registry_list_tags(struct registry *r, struct registry_tags *ret_tags, struct err *e)
{
	struct registry_tags tags = { .n = 0 };
	int n = registry_ask(r, ask_tags, &tags, e);
	if (n < 0)
		registry_tags_done(&tags);
	else
		*ret_tags = tags;
	return n;
}
