/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image names as people write them, [HOST[:PORT]/]PATH[:TAG][@DIGEST], and digests. Pure: no files, no
 * allocation.
 *
 * Callers: image/names (finding), image/load (naming), cli. A digest becomes part of a path only after
 * digest_is_valid.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "util/err.h"

enum {
	DIGEST_TEXT_MAX = 72, /* "sha256:", 64 hex digits, NUL */
	REF_NAME_MAX = 256,
	REF_TAG_MAX = 129,
	REF_SIGNATURE_TAG_MAX = 7 + 64 + 4 + 1, /* "sha256-", 64 hex digits, ".sig", NUL */
	REF_TEXT_MAX = REF_NAME_MAX + REF_TAG_MAX + DIGEST_TEXT_MAX + 2,
};

struct ref {
	char name[REF_NAME_MAX];      /* as written, with its host if one was given */
	char tag[REF_TAG_MAX];        /* "" when none was written */
	char digest[DIGEST_TEXT_MAX]; /* "" when none was written */
};

/* True for "sha256:" and 64 lower-case hex digits. Source: image-spec descriptor.md "Digests". */
bool digest_is_valid(const char *text);

/* The 64 hex digits of a valid digest. */
const char *digest_hex(const char *digest);

/*
 * Splits and checks a name. -EINVAL with words. Source: distribution-spec "Pulling manifests" (name and tag).
 */
int ref_parse(const char *text, struct ref *ret_ref, struct err *e);

/* Writes NAME:TAG, with "latest" where no tag was written. */
void ref_text(const struct ref *ref, char out[static REF_TEXT_MAX]);

/*
 * Skips what Docker leaves out of names ("docker.io/library/", "docker.io/"): both spellings mean one image.
 */
const char *ref_short(const char *name);

/* Returns the path behind the host, or the whole name when it has no host. */
const char *ref_path(const char *name);

/*
 * The tag under which signatures of a digest are stored, sha256-HEX.sig. Returns `out`. Source: cosign's
 * SIGNATURE_SPEC, "Storage".
 */
char *ref_signature_tag(const char *digest, char out[static REF_SIGNATURE_TAG_MAX]);

/* Whether a name, or a tag alone, is that of signatures. Gives the digest that they sign (NULL: not of interest). */
bool ref_is_signature(const char *name, char *ret_digest);
