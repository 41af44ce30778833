/* SPDX-License-Identifier: Apache-2.0 */
/* The requirement sigstoreSigned: one signature by one of its keys, of this digest, with a fitting identity. */
#pragma once
#include "image/trust/named.h"
#include "image/trust/policy.h"
#include "image/trust/pubkey.h"
#include "image/trust/trust.h"

/* 0; -EPERM with words on the nearest signature; or -errno when keys or signatures cannot be read. */
int sigstore_check(const struct requirement *q, const struct trust_subject *s, const struct named *image,
		   struct err *e);

/* What verifies: called for each good signature with its payload's bytes. NULL: not of interest. */
typedef void sigstore_found_fn(void *ctx, const char *payload, size_t len);

/* The same with keys that are there. `annotations` must stand in "optional". Calls `found` for all that is good. */
int sigstore_check_keys(const struct pubkeys *keys, const struct identity *id, const struct pairs *annotations,
			const struct trust_subject *s, const struct named *image, sigstore_found_fn *found, void *ctx,
			struct err *e);
