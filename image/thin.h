/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.json without the rows that cannot be what a word means: a store with hundreds of names is then read for one of them
 * in a twentieth of the time. Caller: image/names. Part of kist and of kist-image.
 */
#pragma once
#include "util/mem.h"

/*
 * Adds to `out` the text with those rows of "manifests" that hold the last part of the word (the name without host, tag and
 * digest, or the digest's digits), a key that `also` names, or an escape, behind which anything may stand. What is left
 * out is only counted in brackets and quotes, so that a caller whom the rest does not suffice reads it all. Returns false,
 * with anything in `out`, when the text is not built so.
 */
bool thin_index(const char *bytes, size_t len, const char *word, const char *also, struct str *out);
