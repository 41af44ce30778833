/* SPDX-License-Identifier: Apache-2.0 */
/* See layout.h. Sources: cosign's SIGNATURE_SPEC; what `cosign save` writes into index.json. */
#include "image/trust/layout.h"

#include <errno.h>
#include <string.h>

#include "image/names.h"

/* What cosign save writes into a row, in the place of a name. */
static const char kind_key[] = "kind", kind_signatures[] = "dev.cosignproject.cosign/sigs";

static bool is_kind(const struct descriptor *d, const char *kind)
{
	const char *has = descriptor_annotation(d, kind_key);
	return has && strcmp(has, kind) == 0;
}

bool layout_is_signature(const struct descriptor *d)
{
	const char *name = descriptor_annotation(d, NAME_ANNOTATION);
	return (name && ref_is_signature(name, NULL)) || is_kind(d, kind_signatures) ||
	       is_kind(d, "dev.cosignproject.cosign/atts");
}

static int read_blob(const struct source *src, const char *digest, size_t max, char **ret_bytes, size_t *ret_len,
		     struct err *e)
{
	char path[STORE_PATH_MAX];
	return source_read(src, store_blob_path(digest, path), max, ret_bytes, ret_len, e);
}

/* The row with this tag, whatever stands before it; else that of cosign save, which says no digest. */
static int get_manifest(void *ctx, const char *tag, size_t max, char **ret_bytes, size_t *ret_len, struct err *e)
{
	const struct layout_signatures *l = ctx;
	const struct descriptor *hit = NULL;
	for (size_t i = 0; i < l->index->manifests.n && !hit; i++) {
		const char *name = descriptor_annotation(&l->index->manifests.v[i], NAME_ANNOTATION);
		const char *colon = name ? strrchr(name, ':') : NULL;
		if (name && ref_is_signature(name, NULL) && strcmp(colon ? colon + 1 : name, tag) == 0)
			hit = &l->index->manifests.v[i];
	}
	for (size_t i = 0; i < l->index->manifests.n && !hit; i++)
		if (is_kind(&l->index->manifests.v[i], kind_signatures))
			hit = &l->index->manifests.v[i];
	return hit ? read_blob(l->src, hit->digest, max, ret_bytes, ret_len, e) : -ENOENT;
}

static int get_blob(void *ctx, const char *digest, uint64_t size_bytes, size_t max, char **ret_bytes, size_t *ret_len,
		    struct err *e)
{
	const struct layout_signatures *l = ctx;
	(void)size_bytes;
	return read_blob(l->src, digest, max, ret_bytes, ret_len, e);
}

void layout_fetch(struct layout_signatures *layout, struct trust_fetch *ret_fetch)
{
	*ret_fetch = (struct trust_fetch){ .manifest = get_manifest, .blob = get_blob, .ctx = layout };
}
