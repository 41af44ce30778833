/* SPDX-License-Identifier: Apache-2.0 */
/* See signatures.h. Sources: cosign's SIGNATURE_SPEC, "Storage"; containers-registries.d(5), "lookaside". */
#include "image/registry/signatures.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/digest.h"
#include "image/registry/http.h"
#include "image/trust/attach.h"
#include "image/trust/carry.h"

enum { REDIRECTS_MAX = 5 };

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

/* Where signatures are read from. */
struct remote {
	struct registry *registry;
	const struct registry_options *options;
};

/* ---- reading ---- */

static int get_manifest(void *ctx, const char *tag, size_t max, char **ret_bytes, size_t *ret_len, struct err *e)
{
	const struct remote *from = ctx;
	registry_document_auto struct registry_document doc = { .bytes = NULL };
	int r = registry_get_manifest(from->registry, tag, &doc, e);
	if (r < 0)
		return r;
	if (doc.len > max)
		return err_new(e, EFBIG, "%s: more than %zu bytes", tag, max);
	*ret_bytes = ptr_take(doc.bytes);
	*ret_len = doc.len;
	return 0;
}

static int get_blob(void *ctx, const char *digest, uint64_t size_bytes, size_t max, char **ret_bytes, size_t *ret_len,
		    struct err *e)
{
	const struct remote *from = ctx;
	return registry_get_document(from->registry, digest, size_bytes, max, ret_bytes, ret_len, e);
}

/* One exchange without credentials. *ret_next: where it says to go on. */
static int get_once(struct http *http, const char *url, size_t max, char **ret_bytes, size_t *ret_len,
		    char **ret_next, struct err *e)
{
	const struct certs certs = { .client = NULL };
	const struct http_tls tls = { .is_foreign = true, .certs = &certs };
	const struct http_request request = { .method = "GET", .url = url, .tls = &tls, .max_bytes = max };
	http_answer_auto struct http_answer answer = { .status = 0 };
	int r = http_exchange(http, &request, &answer, e);
	if (r < 0)
		return err_at(e, r, "%s", url);
	if (answer.status == 404 || answer.status == 410)
		return err_new(e, ENOENT, "%s: there is none", url);
	if (answer.status >= 300 && answer.status < 400 && answer.header[HTTP_LOCATION]) {
		*ret_next = http_resolve(url, answer.header[HTTP_LOCATION]);
		if (*ret_next && (http_is_https(*ret_next) || !http_is_https(url)))
			return 0;
		free(ptr_take(*ret_next));
	}
	if (answer.status != 200)
		return err_new(e, EIO, "%s: status %d", url, answer.status);
	*ret_len = answer.text.len;
	*ret_bytes = answer.text.p ? ptr_take(answer.text.p) : mem_str("");
	return 0;
}

static int get_url(void *ctx, const char *url, size_t max, char **ret_bytes, size_t *ret_len, struct err *e)
{
	const struct remote *from = ctx;
	struct http http;
	free_auto char *at = mem_str(url);
	int r = http_open(&http, from->options, e);
	if (r < 0)
		return r;
	r = err_new(e, ELOOP, "%s: redirects, more than %d", url, REDIRECTS_MAX);
	for (int i = 0; i <= REDIRECTS_MAX; i++) {
		char *next = NULL;
		r = get_once(&http, at, max, ret_bytes, ret_len, &next, e);
		if (r < 0 || !next)
			break;
		free(at);
		at = next;
		r = err_new(e, ELOOP, "%s: redirects, more than %d", url, REDIRECTS_MAX);
	}
	http_done(&http);
	return r;
}

int signatures_ask(struct trust *trust, struct registry *registry, const struct registry_options *options,
		   const char *tag, const char *digest, const struct store *s, struct plan *plan, struct err *e)
{
	struct remote from = { .registry = registry, .options = options };
	const struct trust_fetch fetch = { .manifest = get_manifest, .blob = get_blob, .url = get_url, .ctx = &from };
	const char *digests[PLAN_VIA_MAX + 1] = { plan->digest };
	struct ref ref;
	struct trust_subject subject = {
		.transport = "docker", .ref = &ref, .digests = digests, .digest_count = 1, .fetch = &fetch
	};
	for (size_t i = plan->via_count; i-- > 0;)
		digests[subject.digest_count++] = plan->via[i];
	snprintf(ref.name, sizeof(ref.name), "%s", registry_name(registry));
	snprintf(ref.tag, sizeof(ref.tag), "%s", *digest ? "" : tag);
	snprintf(ref.digest, sizeof(ref.digest), "%s", digest);
	int r = trust_check(trust, &subject, e);
	if (r < 0)
		return r;
	int wants = trust_wants_signatures(trust, &subject, e);
	if (wants > 0)
		carry_plan(&fetch, s, plan);
	return wants < 0 ? wants : 0;
}

/* ---- sending ---- */

struct bytes {
	const char *p;
	size_t len;
};

static ptrdiff_t read_bytes(void *ctx, uint64_t offset, void *buf, size_t len, struct err *e)
{
	const struct bytes *b = ctx;
	(void)e;
	size_t n = offset >= b->len ? 0 : b->len - (size_t)offset;
	n = n < len ? n : len;
	memcpy(buf, b->p + (n ? offset : 0), n);
	return (ptrdiff_t)n;
}

static int put_bytes(struct registry *registry, const char *bytes, size_t len, struct err *e)
{
	char digest[DIGEST_TEXT_MAX];
	struct bytes b = { bytes, len };
	const struct registry_source source = { .read = read_bytes, .ctx = &b };
	digest_of(bytes, len, digest);
	int r = registry_has_blob(registry, digest, e);
	if (r == 0)
		r = registry_put_blob(registry, digest, len, &source, e);
	return r < 0 ? r : 0;
}

/* The payloads, and the config where the manifest goes out as it is. */
static int put_blobs(struct registry *registry, const struct store *s, const struct attached *mine, bool has_config,
		     struct err *e)
{
	size_t n = mine->doc.layers.n + has_config;
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct descriptor *d = i < mine->doc.layers.n ? &mine->doc.layers.v[i] : mine->doc.config;
		free_auto char *bytes = NULL;
		size_t len;
		r = store_read_blob(s, d->digest, TRUST_PAYLOAD_MAX, &bytes, &len, e);
		if (r == 0)
			r = put_bytes(registry, bytes, len, e);
	}
	return r;
}

int signatures_push(struct registry *registry, const struct store *s, const char *digest, struct err *e)
{
	attached_auto struct attached mine = ATTACHED_NONE, theirs = ATTACHED_NONE;
	free_auto char *joined = NULL, *config = NULL;
	struct remote from = { .registry = registry };
	const struct trust_fetch there = { .manifest = get_manifest, .blob = get_blob, .ctx = &from };
	struct trust_fetch here;
	char tag[REF_SIGNATURE_TAG_MAX];
	carry_from_store(s, &here);
	int r = attached_read(&here, digest, &mine, e);
	if (r < 0 || !mine.manifest)
		return r;
	if ((r = attached_read(&there, digest, &theirs, e)) < 0)
		return r;
	if (theirs.manifest && (r = carry_join(mine.manifest, mine.manifest_len, theirs.manifest, theirs.manifest_len,
					       &joined, &config, e)) < 0)
		return r;
	if (theirs.manifest && !joined)
		return 0;
	r = put_blobs(registry, s, &mine, !joined, e);
	if (r == 0 && joined)
		r = put_bytes(registry, config, strlen(config), e);
	if (r < 0)
		return r;
	const char *type = !joined && mine.doc.media_type ? mine.doc.media_type : MANIFEST_TYPE;
	r = registry_put_manifest(registry, ref_signature_tag(digest, tag), type, joined ? joined : mine.manifest,
				  joined ? strlen(joined) : mine.manifest_len, e);
	return r < 0 ? r : (int)(mine.doc.layers.n + theirs.doc.layers.n);
}
