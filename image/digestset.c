/* SPDX-License-Identifier: Apache-2.0 */
/* See digestset.h. */
#include "image/digestset.h"

#include <string.h>

#include "util/mem.h"

void digests_add(struct digests *d, const char *digest)
{
	if (d->n == d->room) {
		d->room = d->room ? d->room * 2 : 64;
		d->v = mem_grow(d->v, d->room * sizeof(*d->v));
	}
	memcpy(d->v[d->n++], digest, DIGEST_TEXT_MAX);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void digests_sort(struct digests *d)
{
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), compare);
}

bool digests_have(const struct digests *d, const char *digest)
{
	return d->n && bsearch(digest, d->v, d->n, sizeof(*d->v), compare);
}

void digests_done(struct digests *d)
{
	free(d->v);
	*d = (struct digests){ .v = NULL };
}
