/* SPDX-License-Identifier: Apache-2.0 */
/* See retry.h. */
#include "image/registry/retry.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "image/registry/refusal.h"

void retry_progress(struct retry *retry)
{
	retry->tries = 0;
}

static bool may_pass(int r, const struct http_answer *a, bool has_answered)
{
	if (r == 0)
		return refusal_is_passing(a->status);
	return a->failure == HTTP_CUT ||
	       (has_answered && (a->failure == HTTP_UNREACHABLE || a->failure == HTTP_NO_TLS));
}

/* Half of the time is fixed, half is chance, so that many who were cut off at once do not come back at once. */
static int64_t backoff_ms(unsigned int tries)
{
	uint16_t chance = 0;
	int64_t ms = RETRY_FIRST_MS;
	for (unsigned int i = 1; i < tries && ms < RETRY_LONGEST_MS; i++)
		ms *= 2;
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = UINT16_MAX;
	return ms / 2 + ms / 2 * chance / UINT16_MAX;
}

static void tell(struct http *http, const char *host, int r, const struct http_answer *a, int64_t ms,
		 const struct err *e)
{
	long tenths = (long)(ms + 99) / 100;
	if (r < 0)
		http_tell(http, "%s; again in %ld.%ld s", e->text, tenths / 10, tenths % 10);
	else
		http_tell(http, "%s: status %d; again in %ld.%ld s", host, a->status, tenths / 10, tenths % 10);
}

bool retry_again(struct retry *retry, struct http *http, const char *host, bool has_answered, int *r,
		 const struct http_answer *answer, struct err *e)
{
	if (!may_pass(*r, answer, has_answered))
		return false;
	retry->tries++;
	retry->all++;
	if (retry->tries >= RETRY_TRIES || retry->all >= RETRY_ALL)
		return false;
	int64_t ms = backoff_ms(retry->tries), asked = *r == 0 ? refusal_retry_ms(answer) : -1;
	if (asked > RETRY_ASKED_MS) {
		*r = err_new(e, EAGAIN, "%s: status %d, and it asks to wait for %ld s", host, answer->status,
			     (long)(asked / 1000));
		return false;
	}
	if (asked > ms)
		ms = asked;
	tell(http, host, *r, answer, ms, e);
	if (http_pause(http, ms) == 0)
		return true;
	*r = err_new(e, ECANCELED, "cancelled");
	return false;
}
