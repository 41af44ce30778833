/* SPDX-License-Identifier: Apache-2.0 */
/* See registry.h: into the registry. Source: distribution-spec "Push". */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "image/registry/client.h"
#include "image/registry/refusal.h"
#include "image/registry/text.h"
#include "util/num.h"

static int check_digest(const char *digest, struct err *e)
{
	return digest_is_valid(digest) ? 0 : err_new(e, EINVAL, "\"%.80s\": no digest of kind sha256", digest);
}

static int blob_is_there(struct session *s, const char *digest, struct err *e)
{
	free_auto char *rest = mem_fmt("blobs/%s", digest), *path = registry_url_path(s, rest);
	free_auto char *scope = registry_scope(s, true);
	http_answer_auto struct http_answer a = { .status = 0 };
	const struct session_call call = { .path = path, .scope = scope, .request = { .method = "HEAD" } };
	int r = session_call(s, &call, &a, e);
	if (r < 0)
		return r;
	return a.status == 200 ? 1 : a.status == 404 ? 0 : session_refusal(s, &a, e);
}

int registry_has_blob(struct registry *r, const char *digest, struct err *e)
{
	struct session *s = registry_session(r, e);
	if (!s)
		return -e->num;
	int n = check_digest(digest, e);
	if (n == 0)
		n = blob_is_there(s, digest, e);
	return n < 0 ? err_at(e, n, "%s: blob %.19s", s->endpoint.path, digest) : n;
}

/* ---- uploads ---- */

/* Where the registry wants the next bytes. */
static char *location_of(struct session *s, const char *base, const struct http_answer *a, struct err *e)
{
	const char *location = a->header[HTTP_LOCATION];
	char *url = location ? http_resolve(base, location) : NULL;
	if (!url)
		err_new(e, EBADMSG, "%s does not say where to upload", s->endpoint.host);
	return url;
}

/* Opens an upload, or mounts. *ret_location is NULL when the blob is there now. */
static int begin(struct session *s, const char *query, const char *scope, char **ret_location, struct err *e)
{
	free_auto char *rest = mem_fmt("blobs/uploads/%s", query), *path = registry_url_path(s, rest);
	http_answer_auto struct http_answer a = { .status = 0 };
	const struct session_call call = { .path = path,
					   .scope = scope,
					   .request = { .method = "POST", .has_body = true } };
	*ret_location = NULL;
	int r = session_call(s, &call, &a, e);
	if (r < 0 || a.status == 201)
		return r;
	if (a.status != 202)
		return session_refusal(s, &a, e);
	free_auto char *base = session_url(s, path);
	*ret_location = location_of(s, base, &a, e);
	return *ret_location ? 0 : -e->num;
}

/* An upload that nobody goes on with takes room in the registry until it cleans up. */
static void abandon(struct session *s, const char *location, const char *scope)
{
	struct err ignored = { .num = 0 };
	http_answer_auto struct http_answer a = { .status = 0 };
	const struct session_call call = { .url = location, .scope = scope, .request = { .method = "DELETE" } };
	session_try(s, &call, &a, &ignored);
}

int registry_mount_blob(struct registry *r, const char *digest, const char *from, struct err *e)
{
	struct session *s = registry_session(r, e);
	int n = s ? check_digest(digest, e) : -e->num;
	if (n < 0)
		return n;
	free_auto char *own = registry_scope(s, true), *scope = mem_fmt("%s repository:%s:pull", own, from);
	free_auto char *name = http_escape(from), *query = mem_fmt("?mount=%s&from=%s", digest, name),
		       *location = NULL;
	n = begin(s, query, scope, &location, e);
	if (n == 0 && location)
		abandon(s, location, scope);
	if (n == 0)
		return location == NULL;
	/* Not to be allowed to look into the other repository is no failure of this one. */
	if (n == -EACCES || n == -ENOENT) {
		err_clear(e);
		return 0;
	}
	return err_at(e, n, "%s: blob %.19s from %s", s->endpoint.path, digest, from);
}

struct upload {
	struct session *session;
	const char *digest;
	const char *scope;
	uint64_t size_bytes;
	const struct registry_source *source;
	char *location; /* NULL: not begun */
	uint64_t at;	/* bytes that the registry has */
	struct retry retry;
};

static int set_location(struct upload *u, const char *base, const struct http_answer *a, struct err *e)
{
	char *next = location_of(u->session, base, a, e);
	if (!next)
		return -e->num;
	free(u->location);
	u->location = next;
	return 0;
}

static void start_over(struct upload *u)
{
	free(u->location);
	u->location = NULL;
	u->at = 0;
}

/* How much of an upload has arrived, as its "Range: 0-N" says. "0-0" may mean nothing, or one byte. */
static uint64_t arrived(const struct http_answer *a)
{
	const char *p = a->header[HTTP_RANGE];
	uint64_t first, last;
	if (!p)
		return 0;
	if (text_after(p, "bytes="))
		p = text_after(p, "bytes=");
	bool is_range = num_take(&p, &first) && *p == '-' && (p++, num_take(&p, &last)) && !*p;
	return is_range && first == 0 && last > 0 && last < UINT64_MAX ? last + 1 : 0;
}

/* After a cut: asks where to go on. A registry that cannot tell gets it all again. */
static int look_up(struct upload *u, struct err *e)
{
	http_answer_auto struct http_answer a = { .status = 0 };
	const struct session_call call = { .url = u->location, .scope = u->scope, .request = { .method = "GET" } };
	int r = session_try(u->session, &call, &a, e);
	uint64_t had = u->at, has = r == 0 && a.status == 204 ? arrived(&a) : 0;
	if (r == -ECANCELED)
		return r;
	if (has <= had || has > u->size_bytes) {
		start_over(u);
		return 0;
	}
	u->at = has;
	retry_progress(&u->retry);
	if (!a.header[HTTP_LOCATION])
		return 0;
	free_auto char *base = mem_str(u->location);
	return set_location(u, base, &a, e);
}

/* Sends what is left in one request. */
static int send_rest(struct upload *u, struct http_answer *a, struct err *e)
{
	free_auto char *range = mem_fmt("Content-Range: %" PRIu64 "-%" PRIu64, u->at, u->size_bytes - 1);
	const struct session_call call = {
		.url = u->location,
		.scope = u->scope,
		.request = { .method = "PATCH",
			     .fields = { "Content-Type: application/octet-stream", u->at ? range : NULL },
			     .source = u->source,
			     .offset = u->at,
			     .length = u->size_bytes - u->at,
			     .has_body = true },
	};
	int r = session_try(u->session, &call, a, e);
	if (r < 0 || a->status < 200 || a->status > 299)
		return r;
	u->at = u->size_bytes;
	free_auto char *base = mem_str(u->location);
	return set_location(u, base, a, e);
}

static int finish(struct upload *u, struct http_answer *a, struct err *e)
{
	free_auto char *url = mem_fmt("%s%cdigest=%s", u->location, strchr(u->location, '?') ? '&' : '?', u->digest);
	const struct session_call call = {
		.url = url,
		.scope = u->scope,
		.request = { .method = "PUT", .has_body = true, .is_commit = true },
	};
	return session_try(u->session, &call, a, e);
}

/* A registry that does not go on with an upload that was cut, though it told how much it has of it. */
static bool is_lost(const struct http_answer *a)
{
	return a->status == 404 || a->status == 416;
}

/* One request of an upload. Returns 1 when the blob is there, 0 when more is to be done. */
static int step(struct upload *u, struct err *e)
{
	http_answer_auto struct http_answer a = { .status = 0 };
	if (!u->location) {
		int r = begin(u->session, "", u->scope, &u->location, e);
		return r < 0 ? r : u->location == NULL;
	}
	bool is_last = u->at == u->size_bytes;
	int r = is_last ? finish(u, &a, e) : send_rest(u, &a, e);
	if (r == 0 && a.status >= 200 && a.status <= 299)
		return is_last;
	bool was_cut = r < 0 || refusal_is_passing(a.status);
	if (session_again(u->session, &u->retry, &r, &a, e)) {
		err_clear(e);
		/* The last answer may have been lost on a way that the blob has gone. */
		r = is_last ? blob_is_there(u->session, u->digest, e) : look_up(u, e);
		if (is_last && r == 0)
			start_over(u);
		return r;
	}
	if (r < 0)
		return r;
	if (!was_cut && is_lost(&a) && u->retry.all > 0 && ++u->retry.tries < RETRY_TRIES) {
		start_over(u);
		return 0;
	}
	return session_refusal(u->session, &a, e);
}

int registry_put_blob(struct registry *r, const char *digest, uint64_t size_bytes,
		      const struct registry_source *source, struct err *e)
{
	struct session *s = registry_session(r, e);
	int n = s ? check_digest(digest, e) : -e->num;
	if (n < 0)
		return n;
	free_auto char *scope = registry_scope(s, true);
	struct upload u = {
		.session = s,
		.digest = digest,
		.scope = scope,
		.size_bytes = size_bytes,
		.source = source,
	};
	do
		n = step(&u, e);
	while (n == 0);
	if (n < 0 && u.location && n != -ECANCELED)
		abandon(s, u.location, scope);
	free(u.location);
	return n < 0 ? err_at(e, n, "%s: blob %.19s", s->endpoint.path, digest) : 0;
}

/* ---- manifests ---- */

int registry_put_manifest(struct registry *r, const char *what, const char *media_type, const char *bytes, size_t len,
			  struct err *e)
{
	struct session *s = registry_session(r, e);
	int n = s ? registry_check_what(what, e) : -e->num;
	if (n < 0)
		return n;
	if (!registry_is_type(media_type, strlen(media_type)))
		return err_new(e, EINVAL, "a manifest of a type that is no media type");
	free_auto char *rest = mem_fmt("manifests/%s", what), *path = registry_url_path(s, rest);
	free_auto char *scope = registry_scope(s, true), *type = mem_fmt("Content-Type: %s", media_type);
	http_answer_auto struct http_answer a = { .status = 0 };
	const struct session_call call = {
		.path = path,
		.scope = scope,
		.request = { .method = "PUT",
			     .fields = { type },
			     .bytes = bytes,
			     .length = len,
			     .has_body = true,
			     .is_commit = true },
	};
	n = session_call(s, &call, &a, e);
	if (n == 0 && (a.status < 200 || a.status > 299))
		n = session_refusal(s, &a, e);
	const char *said = a.header[HTTP_DIGEST];
	if (n == 0 && digest_is_valid(what) && said && digest_is_valid(said) && strcmp(said, what) != 0)
		n = err_new(e, EBADMSG, "%s took it for %s", s->endpoint.host, said);
	return n < 0 ? err_at(e, n, "%s%s%s", s->endpoint.path, digest_is_valid(what) ? "@" : ":", what) : 0;
}
