/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is signed: a small JSON document that names an image and the digest of its manifest. It is read only after
 * its signature was found to be right, and strictly all the same. Source: containers-signature(5); cosign's
 * SIGNATURE_SPEC.
 */
#pragma once
#include "util/arena.h"
#include "util/err.h"
#include "util/jx.h"

#define PAYLOAD_COSIGN "cosign container image signature"
#define PAYLOAD_ATOMIC "atomic container signature"

struct payload {
	const char *type;
	const char *digest;    /* of the manifest */
	const char *reference; /* what the image is called */
};

/*
 * Reads a payload whose type must be `type`. -EBADMSG with words: not JSON, unknown keys outside of "optional",
 * another type, no digest.
 */
int payload_load(const char *bytes, size_t len, const char *type, struct arena *arena, struct payload *ret_payload,
		 struct err *e);

/* 0 when "optional" has a key with just this string, -ENOENT when not. */
int payload_has(const char *bytes, size_t len, const char *key, const char *value);

/* Writes a payload of cosign's type, with `optional` beside creator and timestamp. */
void payload_print(struct str *out, const struct payload *p, const struct pairs *optional, int64_t timestamp);
