/* SPDX-License-Identifier: Apache-2.0 */
/* See image_text.h. */
#include "cli/image_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/out.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/mem.h"

int64_t image_layer_bytes(const struct store *s, const struct image *im, size_t i)
{
	char path[STORE_PATH_MAX], file[STORE_PATH_MAX + 8];
	free_auto char *text = NULL;
	snprintf(file, sizeof(file), "%s/bytes", store_layer_path(im->layers.v[i], path));
	if (file_read(s->dir, file, 64, false, &text, NULL) == 0)
		return strtoll(text, NULL, 10);
	return im->manifest.layers.v[i].size_bytes.v;
}

int64_t image_bytes(const struct store *s, const struct image *im)
{
	int64_t sum = 0;
	for (size_t i = 0; i < im->layers.n; i++)
		sum += image_layer_bytes(s, im, i);
	return sum;
}

const char *image_size_text(struct arena *a, int64_t bytes)
{
	return out_size(a, bytes);
}

const char *image_since_text(struct arena *a, const char *created)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 31557600, "year" }, { 2629800, "month" }, { 604800, "week" }, { 86400, "day" },
		      { 3600, "hour" },	    { 60, "minute" },	  { 1, "second" } };
	struct timespec then, now;
	if (!created || clock_parse(created, &then) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return "";
	int64_t age = now.tv_sec - then.tv_sec;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (age >= units[i].seconds) {
			int64_t n = age / units[i].seconds;
			return arena_fmt(a, "%lld %s%s ago", (long long)n, units[i].name, n == 1 ? "" : "s");
		}
	return "Less than a second ago";
}
