/* SPDX-License-Identifier: Apache-2.0 */
/* See http.h. */
#include "image/registry/http.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "image/registry/http_calls.h"
#include "image/registry/text.h"
#include "util/log.h"

enum {
	CONNECT_S = 30, /* to connect, TLS included */
	STALL_S = 60,	/* a transfer that is slower than STALL_BYTES a second for so long is given up */
	COMMIT_S = 600, /* the same where the server digests or copies a blob before it answers */
	STALL_BYTES = 64,
	BUFFER_BYTES = 256 << 10,
};

/* ---- the process, and handles ---- */

/*
 * libcurl reads HTTP_PROXY in lower case only, because a CGI program's visitors could set it (libcurl-env(3)). We are
 * none, and other tools for registries read both.
 */
static void take_proxy(void)
{
	const char *proxy = getenv("HTTP_PROXY");
	if (proxy && *proxy && !getenv("http_proxy"))
		setenv("http_proxy", proxy, 0);
}

static pthread_once_t started = PTHREAD_ONCE_INIT;
static CURLcode started_code;

static void start(void)
{
	take_proxy();
	started_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_open(struct http *h, const struct registry_options *options, struct err *e)
{
	pthread_once(&started, start);
	if (started_code != CURLE_OK)
		return err_new(e, EIO, "libcurl: %s", curl_easy_strerror(started_code));
	memset(h, 0, sizeof(*h));
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->cancelled, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&h->lock, NULL);
	h->options = options;
	return 0;
}

void http_done(struct http *h)
{
	while (h->idle_count)
		curl_easy_cleanup(h->idle[--h->idle_count]);
	for (size_t i = 0; i < HTTP_WARNINGS_MAX; i++)
		free(h->warnings[i]);
	pthread_cond_destroy(&h->cancelled);
	pthread_mutex_destroy(&h->lock);
}

void http_tell(struct http *h, const char *format, ...)
{
	char line[ERR_TEXT_MAX + 100];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (h->options->notice)
		h->options->notice(h->options->ctx, line);
	else
		log_warn("%s", line);
}

void http_cancel(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	atomic_store(&h->is_cancelled, true);
	pthread_cond_broadcast(&h->cancelled);
	pthread_mutex_unlock(&h->lock);
}

int http_pause(struct http *h, int64_t ms)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	int r = 0;
	pthread_mutex_lock(&h->lock);
	while (r == 0 && !atomic_load(&h->is_cancelled))
		r = pthread_cond_timedwait(&h->cancelled, &h->lock, &end);
	pthread_mutex_unlock(&h->lock);
	return atomic_load(&h->is_cancelled) ? -ECANCELED : 0;
}

static CURL *take_handle(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	CURL *c = h->idle_count ? h->idle[--h->idle_count] : NULL;
	pthread_mutex_unlock(&h->lock);
	if (!c)
		c = curl_easy_init();
	if (!c)
		mem_out();
	return c;
}

static void give_handle(struct http *h, CURL *c)
{
	curl_easy_reset(c); /* its connections stay */
	pthread_mutex_lock(&h->lock);
	if (h->idle_count < HTTP_POOL_MAX) {
		h->idle[h->idle_count++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	curl_easy_cleanup(c);
}

/* ---- one exchange ---- */

/* As Go's clients have it: what is on this machine is not asked for through a proxy. */
static bool is_loopback(const char *url)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	return text_is_loopback(host, strcspn(host, "/"));
}

/* OpenSSL's variables for the system's CAs, which Go's clients read as well, and libcurl does not. */
static void set_system(CURL *c)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	if (file && *file)
		curl_easy_setopt(c, CURLOPT_CAINFO, file);
	if (dir && *dir)
		curl_easy_setopt(c, CURLOPT_CAPATH, dir);
}

static void set_tls(CURL *c, const struct http_tls *tls)
{
	set_system(c);
	if (!tls)
		return;
	if (tls->is_unverified) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (!tls->certs)
		return;
	if (tls->certs->authorities.len) {
		/* In the place of the system's file; its directory of single certificates (CAPATH) stays. */
		struct curl_blob pem = { tls->certs->authorities.p, tls->certs->authorities.len, CURL_BLOB_NOCOPY };
		curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &pem);
	}
	if (tls->certs->client && !tls->is_foreign) {
		curl_easy_setopt(c, CURLOPT_SSLCERT, tls->certs->client);
		curl_easy_setopt(c, CURLOPT_SSLKEY, tls->certs->key);
	}
}

static void set_body(CURL *c, struct exchange *x)
{
	const struct http_request *q = x->request;
	if (strcmp(q->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	if (q->has_body) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, http_calls_upload);
		curl_easy_setopt(c, CURLOPT_READDATA, x);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->length);
		curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
}

static struct curl_slist *set_headers(CURL *c, const struct http_request *q)
{
	/* A server that does not know "Expect" would cost a second at each upload. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	for (size_t i = 0; i < HTTP_FIELDS_MAX && q->fields[i]; i++)
		list = curl_slist_append(list, q->fields[i]);
	if (q->authorization) {
		free_auto char *line = mem_fmt("Authorization: %s", q->authorization);
		list = curl_slist_append(list, line);
	}
	if (!list)
		mem_out();
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	return list;
}

/* How long silence is borne. A server that digests a blob before it answers has good reason for it. */
static long stall_s(const struct exchange *x)
{
	int64_t ms = x->http->options->stall_ms;
	long seconds = ms > 0 ? (long)((ms + 999) / 1000) : STALL_S;
	return x->request->is_commit && seconds < COMMIT_S ? COMMIT_S : seconds;
}

static void set_all(CURL *c, struct exchange *x, char error[static CURL_ERROR_SIZE])
{
	const struct http_request *q = x->request;
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(c, CURLOPT_URL, q->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_USERAGENT, "kist/" KIST_VERSION);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* One connection carries one blob at a time anyhow, and libcurl's HTTP/1.1 is the quicker. */
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, stall_s(x));
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, http_calls_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_calls_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, http_calls_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
	if (is_loopback(q->url))
		curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	set_tls(c, q->tls);
	set_body(c, x);
}

/* CURLcode to what callers decide by: libcurl-errors(3). */
static enum http_failure failure_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return HTTP_UNREACHABLE;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_NO_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return HTTP_BAD_CERT;
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_FAIL_REWIND:
		return HTTP_CUT;
	default:
		return HTTP_STOPPED;
	}
}

/* Fills in what went wrong. A callback's own words are better than libcurl's. */
static int failed(struct exchange *x, CURLcode code, const char *error)
{
	if (atomic_load(&x->http->is_cancelled)) {
		x->answer->failure = HTTP_STOPPED;
		return err_new(x->e, ECANCELED, "cancelled");
	}
	if (x->is_stopped) {
		x->answer->failure = HTTP_STOPPED;
		return -x->e->num;
	}
	x->answer->failure = failure_of(code);
	long status = 0;
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (x->answer->failure == HTTP_CUT && status >= 400) {
		/* A refusal is one, though its text is not whole: docker-registry promises more with a 416 than it sends. */
		x->answer->failure = HTTP_ANSWERED;
		return http_calls_headers(x);
	}
	/* TLS 1.3 tells at the first read that the server misses our certificate. */
	if (x->answer->failure == HTTP_CUT && strstr(error, "alert"))
		x->answer->failure = HTTP_BAD_CERT;
	char words[256];
	text_clean(*error ? error : curl_easy_strerror(code), words, sizeof(words));
	int num = x->answer->failure == HTTP_UNREACHABLE ? EHOSTUNREACH
		  : x->answer->failure == HTTP_BAD_CERT	 ? EKEYREJECTED
							 : EIO;
	return err_new(x->e, num, "%s", words);
}

int http_exchange(struct http *h, const struct http_request *request, struct http_answer *ret_answer, struct err *e)
{
	char error[CURL_ERROR_SIZE] = "";
	struct http_answer a = { .text = STR_MAX(request->max_bytes ? request->max_bytes : HTTP_TEXT_MAX) };
	struct exchange x = { .http = h, .request = request, .answer = &a, .e = e, .curl = take_handle(h) };
	set_all(x.curl, &x, error);
	struct curl_slist *list = set_headers(x.curl, request);
	CURLcode code = curl_easy_perform(x.curl);
	int r = code == CURLE_OK ? http_calls_headers(&x) : 0;
	if (code != CURLE_OK && !x.is_enough)
		r = failed(&x, code, error);
	if (r < 0 && x.is_stopped)
		a.failure = HTTP_STOPPED;
	curl_slist_free_all(list);
	give_handle(h, x.curl);
	*ret_answer = a;
	return r;
}

void http_answer_done(struct http_answer *a)
{
	http_calls_forget(a);
	str_done(&a->text);
}
