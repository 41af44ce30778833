/* SPDX-License-Identifier: Apache-2.0 */
/* See sigstore.h. Source: containers-policy.json(5), "sigstoreSigned". */
#include "image/trust/sigstore.h"

#include <errno.h>
#include <string.h>

#include "image/trust/attach.h"
#include "image/trust/identity.h"
#include "image/trust/payload.h"
#include "util/base64.h"

/* How far a signature got: the error of the one that got farthest is told. */
enum stage { STAGE_NONE, STAGE_KEY, STAGE_PAYLOAD, STAGE_DIGEST, STAGE_IDENTITY, STAGE_GOOD };

struct search {
	const struct pubkeys *keys;
	const struct identity *id;
	const struct pairs *annotations; /* NULL: none are asked for */
	const struct named *image;
	sigstore_found_fn *found;
	void *ctx;
	size_t tried, good;
	enum stage stage;
	struct err nearest;
};

static void note(struct search *s, enum stage stage, const struct err *why)
{
	if (stage <= s->stage)
		return;
	s->stage = stage;
	s->nearest = *why;
}

static int check_annotations(const struct search *s, const char *bytes, size_t len, struct err *e)
{
	for (size_t i = 0; s->annotations && i < s->annotations->n; i++)
		if (payload_has(bytes, len, s->annotations->v[i].key, s->annotations->v[i].value) < 0)
			return err_new(e, EPERM, "the signed annotations have no %.100s=%.200s",
				       s->annotations->v[i].key, s->annotations->v[i].value);
	return 0;
}

/* A payload is parsed only when its signature is right. */
static void try_one(struct search *s, const char *digest, const char *bytes, size_t len, const char *signature)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto uint8_t *raw = NULL;
	size_t raw_len;
	struct payload p;
	struct err e = { .num = 0 };
	if (base64_decode(signature, strlen(signature), &raw, &raw_len) < 0 ||
	    !pubkeys_verify(s->keys, bytes, len, raw, raw_len)) {
		err_new(&e, EPERM, "not signed by the key");
		note(s, STAGE_KEY, &e);
	} else if (payload_load(bytes, len, PAYLOAD_COSIGN, &arena, &p, &e) < 0) {
		note(s, STAGE_PAYLOAD, &e);
	} else if (strcmp(p.digest, digest) != 0) {
		err_new(&e, EPERM, "signed is the digest %s", p.digest);
		note(s, STAGE_DIGEST, &e);
	} else if (identity_check(s->id, s->image, p.reference, &e) < 0 || check_annotations(s, bytes, len, &e) < 0) {
		note(s, STAGE_IDENTITY, &e);
	} else {
		s->good++;
		s->stage = STAGE_GOOD;
		if (s->found)
			s->found(s->ctx, bytes, len);
	}
}

static int try_all(struct search *s, const struct trust_fetch *fetch, const char *digest, struct err *e)
{
	attached_auto struct attached a = ATTACHED_NONE;
	int r = attached_read(fetch, digest, &a, e);
	for (size_t i = 0; r == 0 && a.manifest && i < a.doc.layers.n && s->tried < TRUST_SIGNATURES_MAX; i++) {
		free_auto char *bytes = NULL;
		size_t len;
		const char *signature = attached_signature(&a, i);
		if (!signature || (s->good && !s->found))
			continue;
		s->tried++;
		struct err why = { .num = 0 };
		if (attached_payload(fetch, &a, i, &bytes, &len, &why) == 0)
			try_one(s, digest, bytes, len, signature);
		else
			note(s, STAGE_NONE + 1, &why);
	}
	return r;
}

int sigstore_check_keys(const struct pubkeys *keys, const struct identity *id, const struct pairs *annotations,
			const struct trust_subject *s, const struct named *image, sigstore_found_fn *found, void *ctx,
			struct err *e)
{
	struct search search = {
		.keys = keys, .id = id, .annotations = annotations, .image = image, .found = found, .ctx = ctx
	};
	int r = 0;
	for (size_t i = 0; r == 0 && s->fetch && i < s->digest_count; i++)
		r = try_all(&search, s->fetch, s->digests[i], e);
	if (search.good)
		return 0;
	if (r < 0)
		return r;
	if (!search.tried)
		return err_new(e, EPERM, "no signature of %s", s->digests[0]);
	*e = search.nearest;
	return err_at(e, -EPERM, "none of %zu signature%s of %s is good", search.tried, search.tried == 1 ? "" : "s",
		      s->digests[0]);
}

int sigstore_check(const struct requirement *q, const struct trust_subject *s, const struct named *image,
		   struct err *e)
{
	pubkeys_auto struct pubkeys keys = { .n = 0 };
	int r = pubkeys_of(q, &keys, e);
	if (r < 0)
		return r;
	return sigstore_check_keys(&keys, q->identity, NULL, s, image, NULL, NULL, e);
}
