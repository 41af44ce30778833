/* SPDX-License-Identifier: Apache-2.0 */
/* See pb.h. */
#include "util/pb.h"

#include <errno.h>
#include <string.h>

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static void put_varint(struct str *out, uint64_t v)
{
	char bytes[10];
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (char)(v | 0x80);
	bytes[n++] = (char)v;
	str_add(out, bytes, n);
}

static void put_tag(struct str *out, unsigned field, enum wire wire)
{
	put_varint(out, (uint64_t)field << 3 | wire);
}

void pb_number(struct str *out, unsigned field, int64_t value)
{
	put_tag(out, field, WIRE_VARINT);
	put_varint(out, (uint64_t)value);
}

void pb_bytes(struct str *out, unsigned field, const void *bytes, size_t len)
{
	put_tag(out, field, WIRE_BYTES);
	put_varint(out, len);
	str_add(out, bytes, len);
}

void pb_text(struct str *out, unsigned field, const char *text)
{
	pb_bytes(out, field, text, strlen(text));
}

void pb_flag(struct str *out, unsigned field, bool value)
{
	if (value)
		pb_number(out, field, 1);
}

static int take_varint(struct pb_in *in, uint64_t *ret)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64 && in->p < in->end; shift += 7) {
		unsigned char c = *in->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*ret = v;
			return 0;
		}
	}
	return -EBADMSG;
}

/* Little-endian, whatever the machine's own order is. */
static int take_fixed(struct pb_in *in, size_t len, uint64_t *ret)
{
	if ((size_t)(in->end - in->p) < len)
		return -EBADMSG;
	*ret = 0;
	for (size_t i = 0; i < len; i++)
		*ret |= (uint64_t)in->p[i] << (8 * i);
	in->p += len;
	return 0;
}

int pb_next(struct pb_in *in, struct pb_field *ret)
{
	uint64_t tag;
	if (in->p == in->end)
		return 0;
	if (take_varint(in, &tag) < 0 || tag >> 3 == 0 || tag >> 32)
		return -EBADMSG;
	*ret = (struct pb_field){ .number = (unsigned)(tag >> 3) };
	int r = -EBADMSG;
	switch (tag & 7) {
	case WIRE_VARINT:
		r = take_varint(in, &ret->value);
		break;
	case WIRE_FIXED64:
		r = take_fixed(in, 8, &ret->value);
		break;
	case WIRE_FIXED32:
		r = take_fixed(in, 4, &ret->value);
		break;
	case WIRE_BYTES:
		r = take_varint(in, &ret->value);
		if (r == 0 && ret->value > (uint64_t)(in->end - in->p))
			r = -EBADMSG;
		if (r == 0) {
			ret->bytes = in->p;
			ret->len = (size_t)ret->value;
			in->p += ret->len;
		}
		break;
	default:
		break;
	}
	return r < 0 ? r : 1;
}
