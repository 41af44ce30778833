/* SPDX-License-Identifier: Apache-2.0 */
/* The requirement signedBy: one OpenPGP signature of the lookaside storage by one of its keys. For image/trust only. */
#pragma once
#include "image/trust/named.h"
#include "image/trust/policy.h"
#include "image/trust/registriesd.h"
#include "image/trust/trust.h"

/* 0; -EPERM with words on the nearest signature; or -errno when keys or signatures cannot be read. */
int signedby_check(const struct requirement *q, const struct registriesd *rd, const struct trust_subject *s,
		   const struct named *image, struct err *e);
