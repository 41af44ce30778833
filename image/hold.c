/* SPDX-License-Identifier: Apache-2.0 */
/* See hold.h. */
#include "image/hold.h"

#include <errno.h>

#include "image/objlock.h"

static int hold_blob(const struct store *s, int locks, const char *digest, struct err *e)
{
	int r = objlock_use(locks, digest, e);
	if (r == 0 && !store_has_blob(s, digest))
		return err_new(e, ENOENT, "blob %s: not in the store any more", digest);
	return r;
}

int image_hold(const struct store *s, int locks, const struct image *im, struct err *e)
{
	int r = hold_blob(s, locks, im->digest, e);
	if (r == 0)
		r = hold_blob(s, locks, im->manifest.config->digest, e);
	for (size_t i = 0; r == 0 && i < im->manifest.layers.n; i++)
		r = hold_blob(s, locks, im->manifest.layers.v[i].digest, e);
	for (size_t i = 0; r == 0 && i < im->layers.n; i++)
		r = objlock_use(locks, im->layers.v[i], e);
	return r < 0 ? err_at(e, r, "image %s", im->digest) : 0;
}
