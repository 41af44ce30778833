/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in the text form of GVariant, as annotations "org.systemd.property.*" have them: true, 5, uint64 5, 1.5,
 * 'text', ['a', 'b'], [('/dev/null', 'rw')], @as []. Pure. Source: GLib's manual, "GVariant Text Format".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/err.h"
#include "util/mem.h"

struct variant {
	char type;               /* a letter of D-Bus, 'a' for arrays, '(' for tuples */
	const char *element;     /* 'a': type of its elements */
	bool b;
	int64_t i;               /* n, i, x */
	uint64_t u;              /* y, q, u, t */
	double d;
	const char *s;           /* s, o, g */
	struct variant *v;       /* elements */
	size_t n;
};

enum { VARIANT_TYPE_MAX = 255 }; /* letters. D-Bus specification "Valid Signatures" */

/* Reads a text. -EINVAL: the message says where it ceases to make sense. */
int variant_parse(const char *text, struct arena *a, struct variant *ret, struct err *e);

/* Appends a value's type: "a(ss)". */
void variant_type(struct str *out, const struct variant *v);

/* Whether it is a number, and which. */
bool variant_number(const struct variant *v, double *ret);
