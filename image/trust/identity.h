/* SPDX-License-Identifier: Apache-2.0 */
/* signedIdentity: whether a signature speaks of the image that comes in. Pure. For image/trust only. */
#pragma once
#include "image/trust/named.h"
#include "image/trust/policy.h"

/*
 * `image`: the image's own name, NULL when its transport gives none; `signed_name`: what the signature says that it
 * signs. 0, or -EPERM with words.
 */
int identity_check(const struct identity *id, const struct named *image, const char *signed_name, struct err *e);
