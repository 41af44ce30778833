/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents without what their reader does not need, for reading a long one is a good part of a start. What is left out
 * is only counted in brackets and quotes, so that a caller whom the rest does not suffice, or who finds it wrong, reads it
 * all. Callers: image/names, image/image. Part of kist and of kist-image.
 */
#pragma once
#include <stddef.h>

#include "util/mem.h"

/* Below this many bytes a document is read whole as soon. */
enum { THIN_MIN = 1024 };

/*
 * Adds to `out` an index.json with those rows of "manifests" that hold the last part of the word (the name without host, tag
 * and digest, or the digest's digits), the text `also`, or an escape, behind which anything may stand. Returns false, with
 * anything in `out`, when the text is not built so.
 */
bool thin_index(const char *bytes, size_t len, const char *word, const char *also, struct str *out);

/*
 * Adds to `out` an object in which the list of the member `key` is empty. Returns how many rows it had; -1, with anything in
 * `out`: there is no such list.
 */
ptrdiff_t thin_list(const char *bytes, size_t len, const char *key, struct str *out);
