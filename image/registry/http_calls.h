/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl calls while an exchange goes on: headers, bodies, whether to go on. For image/registry/http alone. */
#pragma once
#include <curl/curl.h>
#include "image/registry/http.h"

struct exchange {
	const struct http *http;
	const struct http_request *request;
	struct http_answer *answer;
	struct err *e;
	CURL *curl;
	uint64_t sent;
	size_t header_bytes;
	bool has_headers; /* of the answer, whose status is final */
	bool is_stopped;  /* by a callback, which has filled in e */
	bool is_enough;	  /* of a refusal, which may have no end */
};

/* Forgets all headers. */
void http_calls_forget(struct http_answer *a);

/* Runs at the first byte of the body, and at the end for answers without one: tells who wants to know. */
int http_calls_headers(struct exchange *x);

/* CURLOPT_HEADERFUNCTION. Lines of one answer after the other come: of a proxy's, of "100 Continue", of the real one. */
size_t http_calls_header(char *line, size_t one, size_t len, void *ctx);

/* CURLOPT_WRITEFUNCTION, CURLOPT_READFUNCTION, CURLOPT_XFERINFOFUNCTION. */
size_t http_calls_body(char *bytes, size_t one, size_t len, void *ctx);
size_t http_calls_upload(char *buf, size_t one, size_t room, void *ctx);
int http_calls_progress(void *ctx, curl_off_t all_down, curl_off_t down, curl_off_t all_up, curl_off_t up);
