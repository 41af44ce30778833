/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image out of a registry: index, manifest and config first, then the layers, whose bytes go from the network
 * straight into their jobs. What the store has is not fetched. Part of kist-registry only.
 */
#pragma once
#include "image/ingest.h"
#include "image/layerjob.h"
#include "image/platform.h"
#include "image/registry/registry.h"
#include "image/trust/trust.h"

struct pull_request {
	const char *name; /* as given: NAME[:TAG|@DIGEST], also behind docker:// */
	bool is_all_tags;
	const struct platform_want *want; /* NULL: this machine's */
	struct trust *trust;		  /* the policy that is asked before an image comes in; NULL: none */
	struct registry_options registry;
	struct layerjob_options options;
	/* Called with the digest of each image that is in the store now. */
	void (*pulled)(void *ctx, const char *digest);
	void *ctx;
};

int image_pull(const struct store *s, const struct pull_request *request, struct err *e);

/* Reads a name as people give it to pull and push: docker:// before it says nothing new, other transports are refused. */
int pull_parse_name(const char *text, struct ref *ret_ref, struct err *e);
