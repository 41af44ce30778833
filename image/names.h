/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which image a word means: index.json of the store, and the rules by which short names match long ones.
 * Part of kist and of kist-image; reads only (image/index changes names).
 */
#pragma once
#include "image/image.h"

/*
 * The annotation that holds an image's name. Source: image-spec annotations.md, image-layout.md "index.json".
 */
#define NAME_ANNOTATION "org.opencontainers.image.ref.name"

/* The annotation that says that an image has an EROFS file: the digest of its manifest. docs/formats.md "Store" */
#define EROFS_ANNOTATION "io.kist.erofs"

/* One row of index.json. */
struct name_row {
	const char *name; /* NAME:TAG; NULL: the image has no name */
	const struct descriptor *desc;
};

struct names {
	struct arena arena;
	struct name_row *v;
	size_t n;
};

struct name_hit {
	char digest[DIGEST_TEXT_MAX];
	char name[REF_TEXT_MAX]; /* the stored name of what was found; "" when it has none */
	char erofs[DIGEST_TEXT_MAX]; /* the manifest whose EROFS file a row of this digest tells of; "": none */
	bool is_by_digest;       /* the word was a digest or the beginning of one */
};

/* Reads all rows. A missing store or index has none. The caller ends it by names_done. */
int names_read(const struct store *s, struct names *ret_names, struct err *e);
void names_done(struct names *names);

#define names_auto __attribute__((cleanup(names_done)))

/*
 * Finds one image. A digest, or 4 and more hex digits that begin just one digest, means that image. A name
 * without a tag means "latest". "docker.io/library/busybox", "docker.io/busybox" and "busybox" are one name;
 * a name without a host also finds "localhost/NAME" and then any HOST/NAME, if there is just one. A name wins
 * over a digest's prefix. -ENOENT: not in the store; -ENOTUNIQ: several images fit.
 */
int names_resolve(const struct store *s, const char *text, struct name_hit *ret_hit, struct err *e);

/* As names_resolve, in rows that were read before. Returns the row's number. */
ptrdiff_t names_find(const struct names *names, const char *text, bool *ret_is_by_digest, struct err *e);

/* The value of an annotation, or NULL. */
const char *descriptor_annotation(const struct descriptor *d, const char *key);

/*
 * True for what other tools keep in a layout beside images: it is left alone. Source: image-spec image-layout.md
 * "index.json file" (unknown media types are not to be refused). Signatures count as such: they come and go with
 * their image.
 */
bool descriptor_is_foreign(const struct descriptor *d);
