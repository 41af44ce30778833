/* SPDX-License-Identifier: Apache-2.0 */
/* See identity.h. Source: containers-policy.json(5), "signedBy". */
#include "image/trust/identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

static bool is_exact(const struct named *wanted, const struct named *has)
{
	return !named_is_bare(wanted) && !named_is_bare(has) && named_is_same(wanted, has);
}

static bool is_same_repository(const struct named *wanted, const struct named *has)
{
	return strcmp(wanted->name, has->name) == 0;
}

/* A tag must be the same; an image that is named by its digest must be of the same repository. */
static bool is_repo_digest_or_exact(const struct named *wanted, const struct named *has)
{
	if (wanted->tag[0])
		return is_exact(wanted, has);
	return wanted->digest[0] && is_same_repository(wanted, has);
}

/* Puts `to` in the place of `from` at the front of the name; another name stays as it is. */
static int remap(struct named *n, const char *from, const char *to, struct err *e)
{
	char name[2 * NAMED_NAME_MAX];
	struct named again;
	size_t len = strlen(from);
	if (strncmp(n->name, from, len) != 0 || (n->name[len] && n->name[len] != '/'))
		return 0;
	if ((size_t)snprintf(name, sizeof(name), "%s%s", to, n->name + len) >= NAMED_NAME_MAX ||
	    named_parse(name, &again, e) < 0 || strcmp(again.name, name) != 0 || !named_is_bare(&again))
		return err_new(e, EPERM, "remapIdentity makes \"%.300s\" of %.300s, which is no image's name", name,
			       n->name);
	memcpy(n->name, again.name, sizeof(n->name));
	return 0;
}

/* What the signature's name is compared with. */
static int find_wanted(const struct identity *id, const struct named *image, struct named *ret_wanted, struct err *e)
{
	const char *text = id->type == IDENTITY_EXACT_REFERENCE	   ? id->reference
			   : id->type == IDENTITY_EXACT_REPOSITORY ? id->repository
								   : NULL;
	if (text)
		return named_parse(text, ret_wanted, e);
	if (!image)
		return err_new(e, EPERM,
			       "an image from a directory or archive has no name that %s could compare: use "
			       "exactReference or exactRepository",
			       identity_name(id->type));
	*ret_wanted = *image;
	return id->type == IDENTITY_REMAP ? remap(ret_wanted, id->prefix, id->signed_prefix, e) : 0;
}

int identity_check(const struct identity *id, const struct named *image, const char *signed_name, struct err *e)
{
	static bool (*const rules[])(const struct named *wanted, const struct named *has) = {
		[IDENTITY_EXACT] = is_exact,
		[IDENTITY_REPO_DIGEST_OR_EXACT] = is_repo_digest_or_exact,
		[IDENTITY_REPOSITORY] = is_same_repository,
		[IDENTITY_EXACT_REFERENCE] = is_exact,
		[IDENTITY_EXACT_REPOSITORY] = is_same_repository,
		[IDENTITY_REMAP] = is_repo_digest_or_exact,
	};
	struct named wanted, has;
	char wanted_text[NAMED_TEXT_MAX], has_text[NAMED_TEXT_MAX];
	struct err why;
	int r = find_wanted(id, image, &wanted, e);
	if (r < 0)
		return r;
	if (named_parse(signed_name, &has, &why) < 0)
		return err_new(e, EPERM, "signed is \"%.200s\", which is no image's name", signed_name);
	if (id->type > IDENTITY_NONE && (size_t)id->type < ARRAY_LEN(rules) && rules[id->type](&wanted, &has))
		return 0;
	return err_new(e, EPERM, "signed is %.300s, not %.300s (%s)", named_text(&has, has_text),
		       named_text(&wanted, wanted_text), identity_name(id->type));
}
