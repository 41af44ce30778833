/* SPDX-License-Identifier: Apache-2.0 */
/* See refusal.h. */
#include "image/registry/refusal.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "image/registry/hosts.h"
#include "image/registry/text.h"
#include "util/num.h"

enum { WORDS_MAX = 300, RETRY_MS_MAX = 24 * 3600 * 1000 };

/* Docker Hub and others answer with "details" or "message" at the top, where they are no registry. */
static const char *message_of(const json_t *root)
{
	const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
	const char *text = json_string_value(json_object_get(first, "message"));
	if (!text || !*text)
		text = json_string_value(json_object_get(first, "code"));
	if (!text)
		text = json_string_value(json_object_get(root, "message"));
	if (!text)
		text = json_string_value(json_object_get(root, "details"));
	return text;
}

void refusal_words(const struct http_answer *a, char *out, size_t room)
{
	json_t *root = a->text.len ? json_loadb(a->text.p, a->text.len, 0, NULL) : NULL;
	const char *text = message_of(root);
	text_clean(text ? text : "", out, room);
	json_decref(root);
}

int refusal_of(const struct http_answer *a, const char *host, bool may_login, struct err *e)
{
	const char *name = hosts_canonical(host);
	char words[WORDS_MAX];
	refusal_words(a, words, sizeof(words));
	const char *colon = *words ? ": " : "";
	switch (a->status) {
	case 404:
		return err_new(e, ENOENT, "%s has no such thing%s%s", name, colon, words);
	case 401:
	case 403:
		if (may_login)
			return err_new(e, EACCES,
				       "%s refuses us%s%s (it is not there, or not for everybody: kist login %s)",
				       name, colon, words, name);
		return err_new(e, EACCES, "%s refuses us%s%s", name, colon, words);
	case 429:
		return err_new(e, EAGAIN, "%s has had too many requests%s%s", name, colon, words);
	default:
		return err_new(e, EIO, "%s answers with status %d%s%s", name, a->status, colon, words);
	}
}

bool refusal_is_passing(int status)
{
	return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

int64_t refusal_retry_ms(const struct http_answer *a)
{
	const char *p = a->header[HTTP_RETRY_AFTER];
	uint64_t seconds;
	if (!p)
		return -1;
	if (num_take(&p, &seconds) && !*p)
		return seconds > RETRY_MS_MAX / 1000 ? RETRY_MS_MAX : (int64_t)seconds * 1000;
	/* A date; by the server's own clock, when it tells it. */
	time_t then = curl_getdate(a->header[HTTP_RETRY_AFTER], NULL);
	time_t now = a->header[HTTP_DATE] ? curl_getdate(a->header[HTTP_DATE], NULL) : -1;
	if (now == -1)
		now = time(NULL);
	if (then == -1 || then < now)
		return then == -1 ? -1 : 0;
	return then - now > RETRY_MS_MAX / 1000 ? RETRY_MS_MAX : (int64_t)(then - now) * 1000;
}
