/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as one of the texts that kist-registry reads. The first byte chooses: WWW-Authenticate,
 * registries.conf with a name to resolve, TOML alone, an error's body and Retry-After, an index with a platform to pick.
 */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/platform.h"
#include "image/registry/challenge.h"
#include "image/registry/hosts.h"
#include "image/registry/refusal.h"
#include "image/registry/toml.h"
#include "image/registry/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool is_true)
{
	if (!is_true)
		abort();
}

/* Nothing that goes on into a request has a control character in it. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

static void challenge(const char *text)
{
	struct challenge c;
	if (!challenge_parse(text, &c))
		return;
	need(c.kind == CHALLENGE_BASIC || c.realm[0]);
	need(is_plain(c.realm) && is_plain(c.service) && is_plain(c.scope));
	char *all = token_scopes("repository:a/b:pull,push", c.scope);
	need(strncmp(all, "repository:a/b:pull,push", 24) == 0);
	free(all);
}

static void toml(const char *text, size_t len)
{
	struct err e = { .num = 0 };
	char *json = NULL;
	if (toml_to_json(text, len, "fuzz", &json, &e) < 0)
		return;
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	need(json_is_object(root));
	json_decref(root);
	free(json);
}

/* The first line is a name, the rest the file. */
static void conf(char *text)
{
	struct err e = { .num = 0 };
	struct conf c = { .search_from = NULL };
	struct candidates list;
	struct ref ref;
	char *rest = strchr(text, '\n');
	if (!rest)
		return;
	*rest++ = '\0';
	if (ref_parse(text, &ref, &e) == 0 && conf_add(&c, rest, strlen(rest), "fuzz", &e) == 0 &&
	    hosts_resolve(&c, &ref, false, &list, &e) == 0) {
		need(list.n > 0);
		for (size_t i = 0; i < list.n; i++)
			for (size_t j = 0; j < list.v[i].count; j++) {
				const struct endpoint *ep = &list.v[i].endpoints[j];
				/* What becomes part of a URL cannot be more than a host and a path of it. */
				need(ep->host[0] && !strpbrk(ep->host, "/@?#% ") && is_plain(ep->host));
				need(ep->path[0] && ep->path[0] != '/' && !strpbrk(ep->path, ":@?#% ") &&
				     !strstr(ep->path, ".."));
			}
		candidates_done(&list);
	}
	conf_done(&c);
}

static void refusal(char *text, size_t len)
{
	struct err e = { .num = 0 };
	struct http_answer a = { .status = 404, .text = STR_MAX(HTTP_TEXT_MAX) };
	str_add(&a.text, text, len);
	a.header[HTTP_RETRY_AFTER] = text;
	need(refusal_of(&a, "a.test", true, &e) == -ENOENT && is_plain(e.text));
	need(refusal_retry_ms(&a) >= -1);
	str_done(&a.text);
}

/* The first line is a platform, the rest an index. */
static void platform(char *text)
{
	struct err e = { .num = 0 };
	struct arena arena_auto a = { .top = NULL };
	struct platform_want want;
	struct document index;
	char word[PLATFORM_TEXT_MAX];
	char *rest = strchr(text, '\n');
	if (!rest)
		return;
	*rest++ = '\0';
	if (platform_parse(text, &want, &e) < 0)
		return;
	platform_text(&want, word);
	need(is_plain(word) && strchr(word, '/'));
	need(platform_fits(&want, want.os, want.arch, want.variant));
	if (document_load(rest, strlen(rest), "fuzz", NULL, &a, &index, &e) < 0)
		return;
	const struct descriptor *d = platform_pick(&index, &want, "fuzz", &e);
	need(!d || (d >= index.manifests.v && d < index.manifests.v + index.manifests.n));
	need(d || e.num == ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	char *text = malloc(size);
	need(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 8) {
	case 0:
		challenge(text);
		break;
	case 1:
		conf(text);
		break;
	case 2:
		toml(text, size - 1);
		break;
	case 3:
		refusal(text, size - 1);
		break;
	default:
		platform(text);
	}
	free(text);
	return 0;
}
