/* SPDX-License-Identifier: Apache-2.0 */
/* See http.h: URLs, by libcurl's parser, and so by the one that is used for the requests. libcurl-url(3). */
#include "image/registry/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "util/num.h"

uint64_t http_length(const struct http_answer *a)
{
	const char *p = a->header[HTTP_CONTENT_LENGTH];
	uint64_t n;
	return p && num_take(&p, &n) && !*p ? n : UINT64_MAX;
}

char *http_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	if (!escaped)
		mem_out();
	char *copy = mem_str(escaped);
	curl_free(escaped);
	return copy;
}

static bool is_web(CURLU *u)
{
	char *scheme = NULL;
	bool is = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		  (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	curl_free(scheme);
	return is;
}

/* A server's URL with a name and a password in it would go to whoever is named behind the @. */
static bool has_user(CURLU *u)
{
	char *user = NULL;
	bool has = curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK;
	curl_free(user);
	return has;
}

char *http_resolve(const char *base, const char *link)
{
	CURLU *u = curl_url();
	char *url = NULL, *copy = NULL;
	if (!u)
		mem_out();
	if (curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, link, 0) == CURLUE_OK && is_web(u) && !has_user(u) &&
	    curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK && strlen(url) < HTTP_URL_MAX)
		copy = mem_str(url);
	curl_free(url);
	curl_url_cleanup(u);
	return copy;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool is_same = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		       curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK && strcasecmp(x, y) == 0;
	curl_free(x);
	curl_free(y);
	return is_same;
}

bool http_same_origin(const char *a, const char *b)
{
	CURLU *x = curl_url(), *y = curl_url();
	if (!x || !y)
		mem_out();
	bool is_same = curl_url_set(x, CURLUPART_URL, a, 0) == CURLUE_OK &&
		       curl_url_set(y, CURLUPART_URL, b, 0) == CURLUE_OK && same_part(x, y, CURLUPART_SCHEME) &&
		       same_part(x, y, CURLUPART_HOST) && same_part(x, y, CURLUPART_PORT);
	curl_url_cleanup(x);
	curl_url_cleanup(y);
	return is_same;
}

bool http_is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}
