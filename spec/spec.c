/* SPDX-License-Identifier: Apache-2.0 */
/* See spec.h. */
#include "spec/spec.h"

#include <string.h>

void spec_done(struct spec *s)
{
	arena_done(&s->arena);
}

const char *spec_annotation(const struct spec *s, const char *key)
{
	for (size_t i = 0; i < s->annotations.n; i++)
		if (!strcmp(s->annotations.v[i].key, key))
			return s->annotations.v[i].value;
	return NULL;
}

const struct spec_namespace *spec_namespace_find(const struct spec *s, int kind)
{
	for (size_t i = 0; s->linux_ && i < s->linux_->namespaces.n; i++)
		if (s->linux_->namespaces.v[i].kind == kind)
			return &s->linux_->namespaces.v[i];
	return NULL;
}
