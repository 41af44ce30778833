/* SPDX-License-Identifier: Apache-2.0 */
/* See base64.h. */
#include "util/base64.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The pieces of four characters: `bits` of the last one's value must be 0. */
int base64_decode(const char *text, size_t len, uint8_t **ret_bytes, size_t *ret_len)
{
	free_auto uint8_t *out = mem_alloc(len / 4 * 3 + 4);
	size_t n = 0, taken = 0, pads = 0;
	uint32_t bits = 0;
	for (size_t i = 0; i < len; i++) {
		const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;
		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=' && taken % 4 >= 2)
			pads++;
		else if (!at || pads)
			return -EINVAL;
		bits = bits << 6 | (at ? (uint32_t)(at - alphabet) : 0);
		if (++taken % 4)
			continue;
		if ((pads == 1 && bits & 0xff) || (pads == 2 && bits & 0xffff))
			return -EINVAL;
		for (size_t j = 0; j < 3 - pads; j++)
			out[n++] = (uint8_t)(bits >> (16 - 8 * j));
	}
	if (taken % 4)
		return -EINVAL;
	out[n] = '\0';
	*ret_bytes = ptr_take(out);
	*ret_len = n;
	return 0;
}

char *base64_encode(const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	char *out = mem_alloc((len + 2) / 3 * 4 + 1), *p = out;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				(left > 2 ? in[i + 2] : 0);
		*p++ = alphabet[bits >> 18];
		*p++ = alphabet[bits >> 12 & 63];
		*p++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*p++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	*p = '\0';
	return out;
}
