/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures that are stored as an image of their own beside the signed one, under the tag sha256-HEX.sig: each layer
 * is a payload, its signature an annotation of the layer. Source: cosign's SIGNATURE_SPEC; containers-registries.d(5),
 * use-sigstore-attachments.
 */
#pragma once
#include "image/image.h"
#include "image/trust/trust.h"

#define ATTACH_LAYER_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define ATTACH_SIGNATURE  "dev.cosignproject.cosign/signature"

struct attached {
	char *manifest; /* as it was read; NULL: there is none */
	size_t manifest_len;
	struct arena arena;
	struct document doc;
};

#define ATTACHED_NONE ((struct attached){ .manifest = NULL })
#define attached_auto __attribute__((cleanup(attached_done)))
void attached_done(struct attached *a);

/* Reads the manifest of signatures of a digest. 0 with manifest NULL: there is none. */
int attached_read(const struct trust_fetch *fetch, const char *digest, struct attached *ret_attached, struct err *e);

/* The signature of layer i in base64, or NULL when that layer is none. */
const char *attached_signature(const struct attached *a, size_t i);

/* Reads layer i and compares its digest. The caller frees. */
int attached_payload(const struct trust_fetch *fetch, const struct attached *a, size_t i, char **ret_bytes,
		     size_t *ret_len, struct err *e);
