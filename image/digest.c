/* SPDX-License-Identifier: Apache-2.0 */
/* See digest.h. Source: EVP_DigestInit(3). */
#include "image/digest.h"

#include <openssl/evp.h>
#include <string.h>

#include "util/mem.h"

void digest_begin(struct digest *d)
{
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
		mem_out();
}

void digest_add(struct digest *d, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(d->ctx, bytes, len) != 1)
		mem_out();
}

void digest_text(struct digest *d, char out[static DIGEST_TEXT_MAX])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	if (EVP_DigestFinal_ex(d->ctx, sum, &len) != 1 || len != 32)
		mem_out();
	memcpy(out, "sha256:", 7);
	for (unsigned int i = 0; i < len; i++) {
		out[7 + 2 * i] = hex[sum[i] >> 4];
		out[8 + 2 * i] = hex[sum[i] & 15];
	}
	out[7 + 64] = '\0';
}

void digest_done(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

void digest_of(const void *bytes, size_t len, char out[static DIGEST_TEXT_MAX])
{
	struct digest d;
	digest_begin(&d);
	digest_add(&d, bytes, len);
	digest_text(&d, out);
	digest_done(&d);
}

static int pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct digest_flow *d = (struct digest_flow *)f;
	int r = flow_pull(d->in, ret_bytes, ret_len, e);
	if (r == 1)
		digest_add(&d->digest, *ret_bytes, *ret_len);
	return r;
}

void digest_flow_begin(struct digest_flow *f, struct flow *in)
{
	*f = (struct digest_flow){ .flow = { .pull = pull }, .in = in };
	digest_begin(&f->digest);
}
