/* SPDX-License-Identifier: Apache-2.0 */
/* See attach.h. */
#include "image/trust/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/digest.h"
#include "image/names.h"

void attached_done(struct attached *a)
{
	free(a->manifest);
	a->manifest = NULL;
	arena_done(&a->arena);
}

int attached_read(const struct trust_fetch *fetch, const char *digest, struct attached *ret_attached, struct err *e)
{
	attached_auto struct attached a = ATTACHED_NONE;
	char tag[REF_SIGNATURE_TAG_MAX];
	ref_signature_tag(digest, tag);
	int r = fetch->manifest(fetch->ctx, tag, TRUST_MANIFEST_MAX, &a.manifest, &a.manifest_len, e);
	if (r == -ENOENT) {
		*ret_attached = ATTACHED_NONE;
		return 0;
	}
	if (r == 0)
		r = document_load(a.manifest, a.manifest_len, tag, NULL, &a.arena, &a.doc, e);
	if (r == 0 && document_is_index(&a.doc))
		r = err_new(e, EBADMSG, "%s: an index, not a manifest of signatures", tag);
	if (r < 0)
		return r;
	*ret_attached = a;
	a = ATTACHED_NONE;
	return 0;
}

const char *attached_signature(const struct attached *a, size_t i)
{
	const struct descriptor *d = &a->doc.layers.v[i];
	if (!d->media_type || strcmp(d->media_type, ATTACH_LAYER_TYPE) != 0)
		return NULL;
	return descriptor_annotation(d, ATTACH_SIGNATURE);
}

int attached_payload(const struct trust_fetch *fetch, const struct attached *a, size_t i, char **ret_bytes,
		     size_t *ret_len, struct err *e)
{
	const struct descriptor *d = &a->doc.layers.v[i];
	free_auto char *bytes = NULL;
	char got[DIGEST_TEXT_MAX];
	size_t len;
	if (d->size_bytes.v > TRUST_PAYLOAD_MAX)
		return err_new(e, EFBIG, "payload %s: more than %d bytes", d->digest, TRUST_PAYLOAD_MAX);
	int r = fetch->blob(fetch->ctx, d->digest, (uint64_t)d->size_bytes.v, TRUST_PAYLOAD_MAX, &bytes, &len, e);
	if (r < 0)
		return err_at(e, r, "payload %s", d->digest);
	digest_of(bytes, len, got);
	if (strcmp(got, d->digest) != 0 || (uint64_t)d->size_bytes.v != len)
		return err_new(e, EBADMSG, "payload %s: digest mismatch: got %s", d->digest, got);
	*ret_bytes = ptr_take(bytes);
	*ret_len = len;
	return 0;
}
