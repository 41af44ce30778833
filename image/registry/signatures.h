/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures beside an image of a registry: the policy is asked with them before the image comes in, they come along
 * with it, and go out with it. Part of kist-registry, for pull and push.
 */
#pragma once
#include "image/commit.h"
#include "image/registry/registry.h"
#include "image/trust/trust.h"

/*
 * Asks the policy for the image of a plan whose manifest is known; signatures that are wanted are added to the plan.
 * `tag` and `digest` are what was asked for. -EPERM: not let in.
 */
int signatures_ask(struct trust *trust, struct registry *registry, const struct registry_options *options,
		   const char *tag, const char *digest, const struct store *s, struct plan *plan, struct err *e);

/*
 * Sends the signatures that the store has of a digest, joined with those that the registry has. Returns how many layers
 * the new manifest has; 0: there was nothing to send.
 */
int signatures_push(struct registry *registry, const struct store *s, const char *digest, struct err *e);
