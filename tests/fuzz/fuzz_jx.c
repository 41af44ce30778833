/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: any bytes as config.json. What is accepted must print, load again and print the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check.h"
#include "spec/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_breach(void *ctx, const char *message)
{
	*(size_t *)ctx += strlen(message);
}

static void ignore_unknown(void *ctx, const char *path, const char *nearest)
{
	*(size_t *)ctx += strlen(path) + (nearest ? strlen(nearest) : 0);
}

static void print_twice(const struct spec *s)
{
	struct err e = { 0 };
	spec_auto struct spec again = { 0 };
	str_auto struct str first = STR_MAX(64 << 20), second = STR_MAX(64 << 20);
	spec_print(&first, s, 1);
	if (spec_load_bytes(first.p, first.len, "printed", &again, &e) < 0)
		abort();
	spec_print(&second, &again, 1);
	if (strcmp(first.p, second.p) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct err e = { 0 };
	size_t sum = 0;
	struct jx_listener listener = { .breach = ignore_breach, .unknown = ignore_unknown, .ctx = &sum };
	spec_auto struct spec s = { 0 }, all = { 0 };
	int r = spec_load_bytes(bytes, size, "fuzz", &s, &e);
	if ((spec_load_listen(bytes, size, "fuzz", &listener, &all, &e) < 0) != (r < 0))
		abort();
	if (r < 0)
		return 0;
	spec_check_all(&s, ignore_breach, &sum);
	print_twice(&s);
	return 0;
}
