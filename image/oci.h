/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images out of an OCI layout, in a directory or an archive. Nothing is taken on trust: each blob is compared
 * with the digest and the size that lead to it. Part of kist-image only. Source: image-spec image-layout.md.
 */
#pragma once
#include "image/commit.h"
#include "image/source.h"
#include "image/trust/trust.h"

/* What of a source to load and how to call it. */
struct load_request {
	const char *path; /* as given */
	const char *tag;  /* DIR:TAG; NULL: all */
	const char *name; /* --name; NULL: the names that the source gives */
	struct layerjob_options options;
	struct trust *trust; /* the policy that is asked for each image; NULL: none */
	const struct trust_fetch *fetch; /* filled in: reads signatures of the source; NULL: it has none */
	/* Called with the name (or the digest) of each image that is in the store now. */
	void (*loaded)(void *ctx, const char *name);
	void *ctx;
};

bool oci_is(const struct source *src);
int oci_load(const struct source *src, struct ingest *in, const struct load_request *request, struct err *e);

/* Fills a plan from a manifest's descriptor; blobs come from `src`, or from the store where it has them. */
int oci_plan(const struct source *src, const struct store *s, const struct descriptor *d, struct plan *plan,
	     struct err *e);

/* Commits a plan and tells the caller its names. Used by all loaders. */
int load_finish(struct ingest *in, struct plan *plan, const struct load_request *request, struct err *e);
