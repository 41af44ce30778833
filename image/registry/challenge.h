/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a server says whom it wants to know: WWW-Authenticate. Pure. Sources: RFC 9110 "WWW-Authenticate", Docker's "Token
 * Authentication Specification".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { CHALLENGE_TEXT_MAX = 2048 };

enum challenge_kind { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_kind kind;
	char realm[CHALLENGE_TEXT_MAX]; /* Bearer: the URL that gives tokens */
	char service[CHALLENGE_TEXT_MAX];
	char scope[CHALLENGE_TEXT_MAX];
	char error[64]; /* why a token was not enough, as "insufficient_scope" */
};

/*
 * Reads the values of all WWW-Authenticate lines, joined by ", ", and picks what kist can do: Bearer (with a realm)
 * before Basic. Returns false, and kind NONE, when there is neither, or when the text is malformed up to there.
 */
bool challenge_parse(const char *text, struct challenge *ret);
