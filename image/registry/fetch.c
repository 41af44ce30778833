/* SPDX-License-Identifier: Apache-2.0 */
/* See registry.h: manifests and blobs out of the registry. Source: distribution-spec "Pull". */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "image/digest.h"
#include "image/registry/client.h"
#include "image/registry/text.h"
#include "image/store.h"
#include "util/num.h"

static const char accept_manifests[] = "Accept: application/vnd.oci.image.index.v1+json, "
				       "application/vnd.oci.image.manifest.v1+json, "
				       "application/vnd.docker.distribution.manifest.list.v2+json, "
				       "application/vnd.docker.distribution.manifest.v2+json";

/* ---- manifests ---- */

struct manifest_call {
	const char *what;
	struct registry_document *out;
};

int registry_check_what(const char *what, struct err *e)
{
	size_t len = strlen(what);
	if (digest_is_valid(what))
		return 0;
	if (!len || len >= REF_TAG_MAX || what[0] == '.' || what[0] == '-' ||
	    strspn(what, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != len)
		return err_new(e, EINVAL, "\"%.140s\": neither a tag nor a digest", what);
	return 0;
}

bool registry_is_type(const char *text, size_t len)
{
	static const char others[] = "/!#$&-^_.+"; /* RFC 6838 "Naming Requirements" */
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && (!text[i] || !strchr(others, text[i])))
			return false;
	return len > 0;
}

static void set_media_type(const struct http_answer *a, struct registry_document *d)
{
	const char *type = a->header[HTTP_CONTENT_TYPE];
	size_t len = type ? strcspn(type, "; \t") : 0;
	d->media_type[0] = '\0';
	if (len && len < sizeof(d->media_type) && registry_is_type(type, len))
		snprintf(d->media_type, sizeof(d->media_type), "%.*s", (int)len, type);
}

/* The bytes are what was asked for; or, of a tag, what the registry says it is. */
static int check_digest(const struct session *s, const char *what, const struct http_answer *a,
			const struct registry_document *d, struct err *e)
{
	const char *said = a->header[HTTP_DIGEST];
	const char *wanted = digest_is_valid(what) ? what : said && digest_is_valid(said) ? said : NULL;
	if (wanted && strcmp(wanted, d->digest) != 0)
		return err_new(e, EBADMSG, "%s gives bytes with digest %s for %s", s->endpoint.host, d->digest,
			       wanted);
	return 0;
}

static int take_manifest(const struct session *s, const struct manifest_call *m, struct http_answer *a, struct err *e)
{
	struct registry_document d = { .len = a->text.len };
	digest_of(a->text.p ? a->text.p : "", a->text.len, d.digest);
	set_media_type(a, &d);
	int r = check_digest(s, m->what, a, &d, e);
	if (r < 0)
		return r;
	d.bytes = a->text.p ? ptr_take(a->text.p) : mem_str("");
	*m->out = d;
	return 0;
}

static int ask_manifest(struct session *s, void *ctx, struct err *e)
{
	const struct manifest_call *m = ctx;
	free_auto char *rest = mem_fmt("manifests/%s", m->what), *path = registry_url_path(s, rest);
	free_auto char *scope = registry_scope(s, false);
	http_answer_auto struct http_answer a = { .status = 0 };
	const struct session_call call = {
		.path = path,
		.scope = scope,
		.request = { .method = "GET",
			     .fields = { accept_manifests },
			     .max_bytes = STORE_MANIFEST_MAX },
	};
	int r = session_call(s, &call, &a, e);
	if (r == 0 && a.status != 200)
		r = session_refusal(s, &a, e);
	if (r == 0)
		r = take_manifest(s, m, &a, e);
	return r < 0 ? err_at(e, r, "%s%s%s", s->endpoint.path, digest_is_valid(m->what) ? "@" : ":", m->what) : 0;
}

int registry_get_manifest(struct registry *r, const char *what, struct registry_document *ret_document, struct err *e)
{
	struct manifest_call m = { .what = what, .out = ret_document };
	int n = registry_check_what(what, e);
	return n < 0 ? n : registry_ask(r, ask_manifest, &m, e);
}

void registry_document_done(struct registry_document *d)
{
	free(d->bytes);
	*d = (struct registry_document){ .bytes = NULL };
}

/* ---- blobs ---- */

struct blob {
	const struct session *session;
	uint64_t size_bytes;
	uint64_t at;   /* next byte that the sink wants */
	bool is_full;  /* the sink has failed */
	uint64_t skip; /* bytes before it, from a server that knows no ranges */
	const struct registry_sink *sink;
	struct registry_sink own; /* what libcurl's bytes go to: counts, and passes on */
};

static int blob_write(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct blob *b = ctx;
	const char *p = bytes;
	size_t skip = b->skip < len ? (size_t)b->skip : len;
	b->skip -= skip;
	p += skip;
	len -= skip;
	if (len > b->size_bytes - b->at)
		return err_new(e, EBADMSG, "%s sends more than the %" PRIu64 " bytes that the manifest says",
			       b->session->endpoint.host, b->size_bytes);
	int r = len ? b->sink->write(b->sink->ctx, p, len, e) : 0;
	b->is_full = r < 0;
	if (r == 0)
		b->at += len;
	return r;
}

/* "bytes 100-199/200" */
static bool range_begins_at(const char *range, uint64_t at)
{
	const char *p = range ? text_after(range, "bytes ") : NULL;
	uint64_t first;
	return p && num_take(&p, &first) && *p == '-' && first == at;
}

static int blob_headers(void *ctx, const struct http_answer *a, struct err *e)
{
	struct blob *b = ctx;
	uint64_t length = http_length(a), left = b->size_bytes - b->at;
	if (a->status == 206 && !range_begins_at(a->header[HTTP_CONTENT_RANGE], b->at))
		return err_new(e, EBADMSG, "%s sends another range than it was asked for", b->session->endpoint.host);
	b->skip = a->status == 206 ? 0 : b->at;
	if (length != UINT64_MAX && length > left + b->skip)
		return err_new(e, EBADMSG,
			       "%s has %" PRIu64 " bytes in the place of the %" PRIu64 " that the manifest says",
			       b->session->endpoint.host, length - b->skip + b->at, b->size_bytes);
	return 0;
}

static int blob_try(struct session *s, const char *path, const char *scope, struct blob *b, struct http_answer *a,
		    struct err *e)
{
	free_auto char *range = mem_fmt("Range: bytes=%" PRIu64 "-", b->at);
	const struct session_call call = {
		.path = path,
		.scope = scope,
		.request = { .method = "GET",
			     .fields = { b->at ? range : NULL },
			     .sink = &b->own,
			     .headers = blob_headers,
			     .ctx = b },
	};
	int r = session_try(s, &call, a, e);
	if (r < 0)
		return r;
	if (a->status != 200 && a->status != 206)
		return 0;
	if (b->at == b->size_bytes)
		return 0;
	/* It says that this was all. It may be a proxy that lost its own server: the rest may come at another time. */
	a->failure = HTTP_CUT;
	return err_new(e, EBADMSG, "%s ended after %" PRIu64 " of %" PRIu64 " bytes", s->endpoint.host, b->at,
		       b->size_bytes);
}

static int blob_run(struct session *s, const char *digest, struct blob *b, struct err *e)
{
	free_auto char *rest = mem_fmt("blobs/%s", digest), *path = registry_url_path(s, rest);
	free_auto char *scope = registry_scope(s, false);
	struct retry retry = { .tries = 0 };
	while (b->at < b->size_bytes) {
		http_answer_auto struct http_answer a = { .status = 0 };
		uint64_t before = b->at;
		int r = blob_try(s, path, scope, b, &a, e);
		if (b->at > before)
			retry_progress(&retry);
		if (session_again(s, &retry, &r, &a, e)) {
			err_clear(e);
			continue;
		}
		if (r < 0)
			return r;
		if (a.status == 416)
			return err_new(e, EBADMSG,
				       "%s has only %" PRIu64 " of the %" PRIu64 " bytes that the manifest says",
				       s->endpoint.host, b->at, b->size_bytes);
		if (a.status != 200 && a.status != 206)
			return session_refusal(s, &a, e);
	}
	return 0;
}

int registry_get_blob(struct registry *r, const char *digest, uint64_t from, uint64_t size_bytes,
		      const struct registry_sink *sink, struct err *e)
{
	struct session *s = registry_session(r, e);
	struct blob b = { .size_bytes = size_bytes, .at = from, .sink = sink };
	b.own = (struct registry_sink){ blob_write, &b };
	if (!s)
		return -e->num;
	if (!digest_is_valid(digest))
		return err_new(e, EINVAL, "\"%.80s\": no digest of kind sha256", digest);
	for (;;) {
		b.session = s;
		int n = blob_run(s, digest, &b, e);
		if (n == 0)
			return 0;
		/* A mirror may have the manifest and not the blob. It is the same blob elsewhere: the rest comes from there. */
		s = n == -ECANCELED || b.is_full ? NULL : registry_next(r, s);
		if (!s)
			return err_at(e, n, "blob %.19s", digest);
		http_tell(&r->http, "%s; asking %s", e->text, hosts_canonical(s->endpoint.host));
		err_clear(e);
	}
}

/* ---- small blobs ---- */

static int add_bytes(void *ctx, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	str_add(ctx, bytes, len);
	return 0;
}

int registry_get_document(struct registry *r, const char *digest, uint64_t size_bytes, size_t max_bytes,
			  char **ret_bytes, size_t *ret_len, struct err *e)
{
	char found[DIGEST_TEXT_MAX];
	str_auto struct str text = STR_MAX(max_bytes + 1);
	const struct registry_sink sink = { add_bytes, &text };
	if (size_bytes > max_bytes)
		return err_new(e, EFBIG, "blob %.19s: %" PRIu64 " bytes, more than %zu", digest, size_bytes,
			       max_bytes);
	int n = registry_get_blob(r, digest, 0, size_bytes, &sink, e);
	if (n < 0)
		return n;
	digest_of(text.p ? text.p : "", text.len, found);
	if (strcmp(found, digest) != 0)
		return err_new(e, EBADMSG, "blob %s: %s gives bytes with digest %s", digest, registry_host(r), found);
	*ret_len = text.len;
	*ret_bytes = text.p ? ptr_take(text.p) : mem_str("");
	return 0;
}
