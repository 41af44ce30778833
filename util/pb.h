/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire format of protocol buffers, as far as CRIU's RPC needs it: varints and length-delimited fields. Pure.
 * Callers: runtime/criu. Source: https://protobuf.dev/programming-guides/encoding/
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/mem.h"

/* Append a field; `field` is its number in the .proto file. Negative int32 values go as their 64-bit extension. */
void pb_number(struct str *out, unsigned field, int64_t value);
void pb_bytes(struct str *out, unsigned field, const void *bytes, size_t len);
void pb_text(struct str *out, unsigned field, const char *text);

/* As pb_number(…, 1); false is the default of every flag, and is left out. */
void pb_flag(struct str *out, unsigned field, bool value);

/* A message that is being read. */
struct pb_in {
	const unsigned char *p, *end;
};

struct pb_field {
	unsigned number;
	uint64_t value;               /* of a varint or a fixed-width field */
	const unsigned char *bytes;   /* of a length-delimited one, pointing into the message; NULL: a number */
	size_t len;
};

/* Takes the next field. 1: there was one, 0: the message is at its end, -EBADMSG: it is cut off, or none. */
int pb_next(struct pb_in *in, struct pb_field *ret);
