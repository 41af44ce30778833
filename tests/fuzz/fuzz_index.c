/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as index.json. What can be read whole can be read thinned (image/thin), and no row is lost that
 * the word may mean.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "image/names.h"
#include "image/thin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char word[] = "host.test/app:1";

static size_t count(const struct document *doc)
{
	size_t n = 0;
	for (size_t i = 0; i < doc->manifests.n; i++) {
		const char *name = descriptor_annotation(&doc->manifests.v[i], NAME_ANNOTATION);
		n += name && strstr(name, "app");
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct err e = { 0 };
	struct document whole = { 0 }, part = { 0 };
	arena_auto struct arena a = { 0 };
	str_auto struct str thinned = STR_MAX(64 << 20);
	bool is_thinned = thin_index(bytes, size, word, EROFS_ANNOTATION, &thinned);
	if (jx_load(bytes, size, "fuzz", document_rows, &whole, &a, NULL, &e) < 0 || !is_thinned)
		return 0;
	if (jx_load(thinned.p, thinned.len, "fuzz", document_rows, &part, &a, NULL, &e) < 0 ||
	    count(&part) != count(&whole))
		abort();
	return 0;
}
