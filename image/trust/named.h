/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images in the fully expanded form that policies and signatures speak of:
 * "docker.io/library/busybox:1" for "busybox:1". Pure. For image/trust and the verbs that sign.
 */
#pragma once
#include "image/ref.h"

enum { NAMED_NAME_MAX = REF_NAME_MAX + 32, NAMED_TEXT_MAX = REF_TEXT_MAX + 32 };

struct named {
	char name[NAMED_NAME_MAX]; /* host and path */
	char tag[REF_TAG_MAX];	   /* "": none */
	char digest[DIGEST_TEXT_MAX];
};

/* Splits, checks and expands a name. -EINVAL with words. */
int named_parse(const char *text, struct named *ret_named, struct err *e);

/* Expands a name that was split: as pull reads it, with "latest" for none, and no tag beside a digest. */
void named_of(const struct ref *ref, struct named *ret_named);

/* NAME[:TAG][@DIGEST]. Returns `out`. */
char *named_text(const struct named *n, char out[static NAMED_TEXT_MAX]);

/* Has neither tag nor digest. */
bool named_is_bare(const struct named *n);

/* All three are equal. */
bool named_is_same(const struct named *a, const struct named *b);

/* True for HOST[:PORT] and HOST[:PORT]/PATH in the expanded form, without tag and digest. */
bool named_is_prefix(const char *text);
