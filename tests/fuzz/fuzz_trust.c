/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a policy, a payload, a file of registries.d, base64, and a manifest of signatures beside
 * an image, by the first byte. What is taken must be what the readers promise.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/trust/identity.h"
#include "image/trust/payload.h"
#include "image/trust/policy.h"
#include "image/trust/registriesd.h"
#include "image/trust/scope.h"
#include "image/trust/sigstore.h"
#include "util/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_list(const struct requirements *list)
{
	struct ref ref = { .name = "h.test/x", .tag = "1" };
	struct named image;
	struct err e;
	named_of(&ref, &image);
	if (!list->n)
		abort();
	for (size_t i = 0; i < list->n; i++) {
		const struct requirement *q = &list->v[i];
		if (q->fulcio || q->pki || q->rekor_path || q->rekor_data)
			abort();
		if ((q->type == REQUIRE_GPG || q->type == REQUIRE_SIGSTORE) != (q->identity != NULL))
			abort();
		if (!q->identity)
			continue;
		identity_check(q->identity, &image, "h.test/x:1", &e);
		/* Nothing without a tag or digest is ever exact. */
		if (q->identity->type == IDENTITY_EXACT && identity_check(q->identity, &image, "h.test/x", &e) == 0)
			abort();
	}
}

static void try_policy(const char *bytes, size_t len)
{
	arena_auto struct arena arena = { .top = NULL };
	struct policy p;
	struct err e;
	if (policy_load(bytes, len, "policy.json", &arena, &p, &e) < 0)
		return;
	try_list(&p.fallback);
	for (size_t i = 0; i < p.transports.n; i++)
		for (size_t j = 0; j < p.transports.v[i].scopes.n; j++)
			try_list(&p.transports.v[i].scopes.v[j].all);
}

static void try_payload(const char *bytes, size_t len)
{
	arena_auto struct arena arena = { .top = NULL };
	struct payload p;
	struct err e;
	if (payload_load(bytes, len, PAYLOAD_COSIGN, &arena, &p, &e) < 0)
		return;
	if (strcmp(p.type, PAYLOAD_COSIGN) != 0 || !digest_is_valid(p.digest) || !p.reference)
		abort();
	payload_has(bytes, len, "creator", "x");
}

static void try_registriesd(const char *bytes, size_t len)
{
	struct registriesd rd = { .v = NULL };
	struct ref ref = { .name = "h.test/x", .tag = "1" };
	struct named image;
	struct err e;
	named_of(&ref, &image);
	registriesd_add(&rd, bytes, len, "a.yaml", &e);
	registriesd_find(&rd, &image);
	registriesd_done(&rd);
}

/* What is decoded is encoded to the same text, but for newlines. */
static void try_base64(const char *bytes, size_t len)
{
	uint8_t *raw;
	size_t raw_len;
	if (base64_decode(bytes, len, &raw, &raw_len) < 0)
		return;
	char *again = base64_encode(raw, raw_len);
	if (!memchr(bytes, '\n', len) && !memchr(bytes, '\r', len) &&
	    (strlen(again) != len || memcmp(again, bytes, len) != 0))
		abort();
	free(again);
	free(raw);
}

struct text {
	const char *bytes;
	size_t len;
};

static int give(const struct text *t, size_t max, char **ret_bytes, size_t *ret_len)
{
	if (t->len > max)
		return -E2BIG;
	char *copy = malloc(t->len + 1);
	if (!copy)
		abort();
	memcpy(copy, t->bytes, t->len);
	copy[t->len] = '\0';
	*ret_bytes = copy;
	*ret_len = t->len;
	return 0;
}

static int give_manifest(void *ctx, const char *tag, size_t max, char **ret_bytes, size_t *ret_len, struct err *e)
{
	(void)tag;
	e->num = E2BIG;
	return give(ctx, max, ret_bytes, ret_len);
}

/* The payload is empty: its digest is known. */
static int give_blob(void *ctx, const char *digest, uint64_t size, size_t max, char **ret_bytes, size_t *ret_len,
		     struct err *e)
{
	const struct text empty = { "", 0 };
	(void)ctx;
	(void)digest;
	(void)size;
	e->num = E2BIG;
	return give(&empty, max, ret_bytes, ret_len);
}

/* Nothing is signed by no key. */
static void try_manifest(const char *bytes, size_t len)
{
	static const char digest[] = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	const char *const digests[] = { digest };
	struct text text = { bytes, len };
	const struct trust_fetch fetch = { .manifest = give_manifest, .blob = give_blob, .ctx = &text };
	const struct trust_subject subject = {
		.transport = "oci", .digests = digests, .digest_count = 1, .fetch = &fetch
	};
	const struct identity id = { .type = IDENTITY_EXACT_REPOSITORY, .repository = "h.test/x" };
	const struct pubkeys keys = { .n = 0 };
	struct err e = { .num = 0 };
	if (sigstore_check_keys(&keys, &id, NULL, &subject, NULL, NULL, NULL, &e) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *bytes, size_t len) = { try_policy, try_payload, try_registriesd,
									try_base64, try_manifest };
	if (!size)
		return 0;
	/* The readers want memory that ends where the text does. */
	char *copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	tries[data[0] % 5](copy, size - 1);
	free(copy);
	return 0;
}
