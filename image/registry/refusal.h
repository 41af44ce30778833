/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry says when it does not do what we want: status and JSON become an error with words, and whether
 * another try is worth it. Part of kist-registry only. Source: distribution-spec "Error Codes".
 */
#pragma once
#include "image/registry/http.h"

/* The first message of {"errors":[...]}, made fit for a terminal; "" when there is none. */
void refusal_words(const struct http_answer *a, char *out, size_t room);

/*
 * Fills `e` for a status that is none of success: -ENOENT, -EACCES, -EIO. `host` is whom we asked, `may_login` whether
 * credentials could help.
 */
int refusal_of(const struct http_answer *a, const char *host, bool may_login, struct err *e);

/* 408, 429, 500, 502, 503, 504. */
bool refusal_is_passing(int status);

/* What Retry-After says, in milliseconds from now; -1: nothing. RFC 9110 "Retry-After". */
int64_t refusal_retry_ms(const struct http_answer *a);
