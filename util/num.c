/* SPDX-License-Identifier: Apache-2.0 */
/* See num.h. */
#include "util/num.h"

#include <string.h>

bool num_take(const char **p, uint64_t *ret)
{
	const char *at = *p;
	uint64_t v = 0;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*at - '0'), &v))
			return false;
	if (at == *p)
		return false;
	*p = at;
	*ret = v;
	return true;
}

bool num_range(const char **p, uint64_t *ret_first, uint64_t *ret_last)
{
	const char *at = *p;
	uint64_t first, last;
	if (!num_take(&at, &first))
		return false;
	last = first;
	if (*at == '-' && (at++, !num_take(&at, &last)))
		return false;
	*p = at + (*at == ',');
	*ret_first = first;
	*ret_last = last;
	return true;
}

size_t num_list(const char *text, const char *between, uint64_t *ret, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		text += strspn(text, between);
		if (!num_take(&text, &ret[i]))
			return i;
	}
	return count;
}
