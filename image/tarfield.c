/* SPDX-License-Identifier: Apache-2.0 */
/* See tarfield.h. Sources: tar(5) of libarchive, pax(1) "ustar Interchange Format". */
#include "image/tarfield.h"

#include <string.h>

static bool tar_octal(const uint8_t *p, size_t len, int64_t *ret_value)
{
	const uint8_t *end = p + len;
	int64_t v = 0;
	while (p < end && (*p == ' ' || *p == '\0'))
		p++;
	for (; p < end && *p != ' ' && *p != '\0'; p++) {
		if (*p < '0' || *p > '7')
			return false;
		v = v * 8 + (*p - '0');
	}
	for (; p < end; p++)
		if (*p != ' ' && *p != '\0')
			return false;
	*ret_value = v;
	return true;
}

bool tar_number(const uint8_t *field, size_t len, int64_t *ret_value)
{
	if (!(field[0] & 0x80))
		return tar_octal(field, len, ret_value);
	/* Base-256: two's complement, big-endian, under the marking bit. */
	uint8_t sign = field[0] & 0x40 ? 0xff : 0;
	uint64_t v = sign ? ~0ULL : 0;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = i ? field[i] : sign ? field[0] : field[0] & 0x7f;
		if ((uint8_t)(v >> 56) != sign)
			return false;
		v = v << 8 | byte;
	}
	if ((v >> 63) != (sign & 1))
		return false;
	*ret_value = (int64_t)v;
	return true;
}

void tar_text(char *out, const uint8_t *field, size_t len)
{
	len = strnlen((const char *)field, len);
	memcpy(out, field, len);
	out[len] = '\0';
}

/* The sum of all bytes with the sum's own field as spaces; some old tars added them up as signed. */
bool tar_sum_is_right(const uint8_t *h)
{
	int64_t want, plain = 0, with_sign = 0;
	if (!tar_octal(h + AT_SUM, 8, &want))
		return false;
	for (int i = 0; i < TAR_BLOCK_SIZE; i++) {
		uint8_t c = i >= AT_SUM && i < AT_SUM + 8 ? ' ' : h[i];
		plain += c;
		with_sign += (int8_t)c;
	}
	return want == plain || want == with_sign;
}

bool tar_is_ustar(const uint8_t *h)
{
	return memcmp(h + AT_MAGIC, "ustar\0", 6) == 0;
}

bool tar_is_gnu(const uint8_t *h)
{
	return memcmp(h + AT_MAGIC, "ustar  ", 8) == 0;
}
