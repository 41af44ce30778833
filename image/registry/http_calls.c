/* SPDX-License-Identifier: Apache-2.0 */
/* See http_calls.h. */
#include "image/registry/http_calls.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char *const header_names[HTTP_HEADER_COUNT] = {
	[HTTP_CONTENT_TYPE] = "content-type",
	[HTTP_CONTENT_LENGTH] = "content-length",
	[HTTP_CONTENT_RANGE] = "content-range",
	[HTTP_DIGEST] = "docker-content-digest",
	[HTTP_LOCATION] = "location",
	[HTTP_RANGE] = "range",
	[HTTP_RETRY_AFTER] = "retry-after",
	[HTTP_LINK] = "link",
	[HTTP_DATE] = "date",
	[HTTP_WARNING] = "warning",
	[HTTP_AUTHENTICATE] = "www-authenticate",
};

static bool is_success(const struct exchange *x)
{
	return x->answer->status >= 200 && x->answer->status <= 299;
}

static void stop(struct exchange *x)
{
	x->is_stopped = true;
}

static void add_header(struct http_answer *a, enum http_header which, const char *value, size_t len)
{
	char **at = &a->header[which];
	if (*at && (which == HTTP_AUTHENTICATE || which == HTTP_WARNING)) {
		char *both = mem_fmt("%s, %.*s", *at, (int)len, value);
		free(*at);
		*at = both;
		return;
	}
	free(*at);
	*at = mem_fmt("%.*s", (int)len, value);
}

void http_calls_forget(struct http_answer *a)
{
	for (size_t i = 0; i < HTTP_HEADER_COUNT; i++) {
		free(a->header[i]);
		a->header[i] = NULL;
	}
}

static void take_header(struct http_answer *a, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	if (!colon)
		return;
	size_t name = (size_t)(colon - line);
	const char *value = colon + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && strchr(" \t\r\n", end[-1]))
		end--;
	if (memchr(value, '\0', (size_t)(end - value)))
		return;
	for (int i = 0; i < HTTP_HEADER_COUNT; i++)
		if (strlen(header_names[i]) == name && strncasecmp(line, header_names[i], name) == 0)
			add_header(a, (enum http_header)i, value, (size_t)(end - value));
}

size_t http_calls_header(char *line, size_t one, size_t len, void *ctx)
{
	struct exchange *x = ctx;
	(void)one;
	x->header_bytes += len;
	if (x->header_bytes > HTTP_HEADERS_MAX) {
		err_new(x->e, EBADMSG, "more than %d bytes of headers", HTTP_HEADERS_MAX);
		stop(x);
		return 0;
	}
	if (x->has_headers)
		return len; /* trailers */
	if (len >= 5 && strncmp(line, "HTTP/", 5) == 0)
		http_calls_forget(x->answer);
	else
		take_header(x->answer, line, len);
	return len;
}

int http_calls_headers(struct exchange *x)
{
	long status = 0;
	if (x->has_headers)
		return 0;
	x->has_headers = true;
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	x->answer->status = (int)status;
	if (!is_success(x) || !x->request->headers)
		return 0;
	int r = x->request->headers(x->request->ctx, x->answer, x->e);
	if (r < 0)
		stop(x);
	return r;
}

size_t http_calls_body(char *bytes, size_t one, size_t len, void *ctx)
{
	struct exchange *x = ctx;
	const struct http_request *q = x->request;
	(void)one;
	if (http_calls_headers(x) < 0)
		return 0;
	if (is_success(x) && q->sink) {
		if (q->sink->write(q->sink->ctx, bytes, len, x->e) == 0)
			return len;
		stop(x);
		return 0;
	}
	str_add(&x->answer->text, bytes, len);
	if (x->answer->text.is_full && is_success(x)) {
		err_new(x->e, EFBIG, "an answer of more than %zu bytes", q->max_bytes);
		stop(x);
		return 0;
	}
	x->is_enough = x->answer->text.is_full;
	return x->is_enough ? 0 : len;
}

size_t http_calls_upload(char *buf, size_t one, size_t room, void *ctx)
{
	struct exchange *x = ctx;
	const struct http_request *q = x->request;
	uint64_t left = q->length - x->sent;
	size_t n = left < room ? (size_t)left : room;
	(void)one;
	if (n && q->source) {
		ptrdiff_t got = q->source->read(q->source->ctx, q->offset + x->sent, buf, n, x->e);
		if (got == 0)
			got = err_new(x->e, EIO, "the blob ended at byte %llu",
				      (unsigned long long)(q->offset + x->sent));
		if (got < 0) {
			stop(x);
			return CURL_READFUNC_ABORT;
		}
		n = (size_t)got;
	} else if (n) {
		memcpy(buf, q->bytes + x->sent, n);
	}
	x->sent += n;
	return n;
}

int http_calls_progress(void *ctx, curl_off_t all_down, curl_off_t down, curl_off_t all_up, curl_off_t up)
{
	const struct exchange *x = ctx;
	(void)all_down, (void)down, (void)all_up, (void)up;
	return atomic_load(&x->http->is_cancelled);
}
