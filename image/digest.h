/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of bytes as they pass, by libcrypto, which uses the processor's instructions. Part of kist-image
 * and kist-registry.
 */
#pragma once
#include "image/flow.h"
#include "image/ref.h"

struct evp_md_ctx_st;

struct digest {
	struct evp_md_ctx_st *ctx;
};

/* Begins a digest; running out of memory ends the process. The caller ends it by digest_done. */
void digest_begin(struct digest *d);
void digest_add(struct digest *d, const void *bytes, size_t len);

/* Writes "sha256:HEX" of all that was added; nothing can be added after that. */
void digest_text(struct digest *d, char out[static DIGEST_TEXT_MAX]);
void digest_done(struct digest *d);

/* A flow that digests what it passes on. The caller ends `digest` as any other. */
struct digest_flow {
	struct flow flow;
	struct flow *in;
	struct digest digest;
};

void digest_flow_begin(struct digest_flow *f, struct flow *in);

/* The digest of bytes at hand. */
void digest_of(const void *bytes, size_t len, char out[static DIGEST_TEXT_MAX]);
