/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP exchange at a time over libcurl: a request, its answer's status and headers, and its body into a sink or a
 * bounded buffer. Redirects, credentials and retries are the callers' affair (image/registry/session). Handles are
 * kept, and their connections with them, so that threads that come one after the other share a connection. Part of
 * kist-registry only. Sources: RFC 9110, libcurl-easy(3), libcurl-thread(3).
 */
#pragma once
#include <stdatomic.h>
#include <pthread.h>
#include "image/registry/certs.h"
#include "image/registry/registry.h"
#include "util/mem.h"

enum {
	HTTP_URL_MAX = 8192,
	HTTP_HEADERS_MAX = 64 << 10, /* bytes of all headers of an answer */
	HTTP_TEXT_MAX = 64 << 10,    /* bytes of an error's body that are kept */
	HTTP_FIELDS_MAX = 8,
	HTTP_POOL_MAX = 32,
	HTTP_WARNINGS_MAX = 8,
};

struct http {
	pthread_mutex_t lock;
	void *idle[HTTP_POOL_MAX]; /* handles of libcurl */
	size_t idle_count;
	atomic_bool is_cancelled;
	pthread_cond_t cancelled;
	const struct registry_options *options; /* for notices */
	char *warnings[HTTP_WARNINGS_MAX];	/* of servers, that were told already */
};

/* How to speak TLS with a host. */
struct http_tls {
	bool is_unverified; /* any certificate */
	bool is_foreign;    /* another host than the certificates are for: ours is not shown */
	const struct certs *certs;
};

struct http_answer;

struct http_request {
	const char *method;
	const char *url;
	const char *authorization;	     /* the header's value; NULL: none */
	const char *fields[HTTP_FIELDS_MAX]; /* whole header lines; ends in NULL */
	const struct http_tls *tls;
	/* the body: bytes, or a source from `offset` on; `length` bytes of either */
	const char *bytes;
	const struct registry_source *source;
	uint64_t offset;
	uint64_t length;
	bool has_body;
	bool is_commit; /* the server may think for minutes before it answers */
	/* where the body of a 2xx answer goes: `sink`, or the answer's text of at most `max_bytes` */
	const struct registry_sink *sink;
	size_t max_bytes;
	/* Called once, when the headers of a 2xx answer are there and before its body. NULL: nobody is interested. */
	int (*headers)(void *ctx, const struct http_answer *answer, struct err *e);
	void *ctx;
};

/* What became of an exchange that has no answer, or not all of it. */
enum http_failure {
	HTTP_ANSWERED,
	HTTP_UNREACHABLE, /* no such host, or nobody listens there */
	HTTP_NO_TLS,	  /* connected, but no TLS came about: it may speak plain HTTP */
	HTTP_BAD_CERT,	  /* its certificate, or ours, is not accepted */
	HTTP_CUT,	  /* the connection broke or stood still; worth another try */
	HTTP_STOPPED,	  /* by our own sink, source, bounds or cancellation */
};

/* Headers that somebody asks for, by number. */
enum http_header {
	HTTP_CONTENT_TYPE,
	HTTP_CONTENT_LENGTH,
	HTTP_CONTENT_RANGE,
	HTTP_DIGEST, /* Docker-Content-Digest */
	HTTP_LOCATION,
	HTTP_RANGE,
	HTTP_RETRY_AFTER,
	HTTP_LINK,
	HTTP_DATE,
	HTTP_WARNING,	   /* several lines are joined by ", " */
	HTTP_AUTHENTICATE, /* several lines are joined by ", " */
	HTTP_HEADER_COUNT,
};

struct http_answer {
	enum http_failure failure;
	int status;
	bool is_foreign;		 /* session: from another origin than the registry's */
	char *header[HTTP_HEADER_COUNT]; /* NULL: absent */
	struct str text;		 /* the body, or the beginning of an error's */
};

/* Sets up libcurl for this process, once. `options` are borrowed. */
int http_open(struct http *h, const struct registry_options *options, struct err *e);
void http_done(struct http *h);

/* Ends all exchanges and pauses. */
void http_cancel(struct http *h);

/* Tells the caller, in a line of his own, what he may want to know. */
void http_tell(struct http *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits. -ECANCELED: cancelled before or meanwhile. */
int http_pause(struct http *h, int64_t ms);

/* Returns 0 when there is a complete answer, of whatever status; else -errno with words. */
int http_exchange(struct http *h, const struct http_request *request, struct http_answer *ret_answer, struct err *e);
void http_answer_done(struct http_answer *a);

#define http_answer_auto __attribute__((cleanup(http_answer_done)))

/* The length in a Content-Length, or UINT64_MAX: none, or not a number. */
uint64_t http_length(const struct http_answer *a);

/* Escapes a value for a query. The caller frees. */
char *http_escape(const char *text);

/* The URL that a Location or a link leads to from `base`. NULL: none that is http or https. The caller frees. */
char *http_resolve(const char *base, const char *link);

/* Whether two URLs are of one origin: scheme, host and port. */
bool http_same_origin(const char *a, const char *b);
bool http_is_https(const char *url);
