/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to try again: after cut connections, 429 and statuses of servers in trouble, with waits that grow, or as long as
 * Retry-After says. Part of kist-registry only.
 */
#pragma once
#include "image/registry/http.h"

enum {
	RETRY_TRIES = 6,      /* in a row without progress */
	RETRY_ALL = 1000,     /* with progress in between */
	RETRY_FIRST_MS = 250, /* doubled each time, with some chance in it */
	RETRY_LONGEST_MS = 8000,
	RETRY_ASKED_MS = 300000, /* a server that asks for more is not waited for */
};

struct retry {
	unsigned int tries; /* since the last progress */
	unsigned int all;
};

/* To be called when bytes have come since the last try. */
void retry_progress(struct retry *retry);

/*
 * After a try that returned *r and `answer`: true when it is to be made again, and the time for that has come. False: *r,
 * *e and the answer are final. `has_answered`: the host has been reached before, so that not reaching it may pass.
 */
bool retry_again(struct retry *retry, struct http *http, const char *host, bool has_answered, int *r,
		 const struct http_answer *answer, struct err *e);
