/* SPDX-License-Identifier: Apache-2.0 */
/* See named.h. Source: containers-policy.json(5), "docker:"; docker's rules for names without a host. */
#include "image/trust/named.h"

#include <stdio.h>
#include <string.h>

static const char hub[] = "docker.io";

static void expand(const char *name, char out[static NAMED_NAME_MAX])
{
	const char *path = ref_path(name);
	size_t host_len = path > name ? (size_t)(path - name - 1) : 0;
	bool is_hub = !host_len || (host_len == strlen(hub) && memcmp(name, hub, host_len) == 0) ||
		      (host_len == 15 && memcmp(name, "index.docker.io", 15) == 0);
	if (is_hub)
		snprintf(out, NAMED_NAME_MAX, "%s/%s%s", hub, strchr(path, '/') ? "" : "library/", path);
	else
		snprintf(out, NAMED_NAME_MAX, "%s", name);
}

int named_parse(const char *text, struct named *ret_named, struct err *e)
{
	struct ref ref;
	int r = ref_parse(text, &ref, e);
	if (r < 0)
		return r;
	expand(ref.name, ret_named->name);
	memcpy(ret_named->tag, ref.tag, sizeof(ref.tag));
	memcpy(ret_named->digest, ref.digest, sizeof(ref.digest));
	return 0;
}

void named_of(const struct ref *ref, struct named *ret_named)
{
	expand(ref->name, ret_named->name);
	memcpy(ret_named->digest, ref->digest, sizeof(ref->digest));
	snprintf(ret_named->tag, sizeof(ret_named->tag), "%s",
		 ref->digest[0] ? ""
		 : ref->tag[0]	? ref->tag
				: "latest");
}

char *named_text(const struct named *n, char out[static NAMED_TEXT_MAX])
{
	snprintf(out, NAMED_TEXT_MAX, "%s%s%s%s%s", n->name, n->tag[0] ? ":" : "", n->tag, n->digest[0] ? "@" : "",
		 n->digest);
	return out;
}

bool named_is_bare(const struct named *n)
{
	return !n->tag[0] && !n->digest[0];
}

bool named_is_same(const struct named *a, const struct named *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->tag, b->tag) == 0 && strcmp(a->digest, b->digest) == 0;
}

/* With one more component, it must be a name that is expanded already. */
bool named_is_prefix(const char *text)
{
	char longer[REF_TEXT_MAX];
	struct named n;
	struct err ignored;
	size_t len = strlen(text);
	if (!len || len + 3 > sizeof(longer))
		return false;
	snprintf(longer, sizeof(longer), "%s/x", text);
	return named_parse(longer, &n, &ignored) == 0 && strncmp(n.name, text, len) == 0 && n.name[len] == '/';
}
