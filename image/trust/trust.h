/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an image may come in: the policy file of containers-policy.json(5), asked once for each image, after
 * its manifest is known and before anything of it enters the store. Part of kist-image and of kist-registry.
 *
 * Callers: image/oci, image/dockerarchive, image/import, image/registry. They say where the image comes from
 * (trust_subject) and how to read what is stored beside it (trust_fetch); signatures are fetched only when a
 * requirement of the policy asks for them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "image/ref.h"
#include "util/err.h"

enum {
	TRUST_MANIFEST_MAX = 1 << 20, /* bytes of a manifest of signatures */
	TRUST_PAYLOAD_MAX = 64 << 10, /* bytes of a signed payload, and of a signature of the lookaside */
	TRUST_SIGNATURES_MAX = 64,    /* candidates that are tried for one image */
};

/*
 * Reads beside an image. Each gives at most `max` bytes, which the caller frees; -ENOENT: not there (with or
 * without words); nothing need be verified, for the caller does it.
 */
struct trust_fetch {
	/* The manifest that a tag of the image's repository, or of its layout, leads to. */
	int (*manifest)(void *ctx, const char *tag, size_t max, char **ret_bytes, size_t *ret_len, struct err *e);
	/* A blob of the same repository or layout. */
	int (*blob)(void *ctx, const char *digest, uint64_t size_bytes, size_t max, char **ret_bytes, size_t *ret_len,
		    struct err *e);
	/* A signature of registries.d's lookaside, by its http or https URL. NULL: such URLs are refused. */
	int (*url)(void *ctx, const char *url, size_t max, char **ret_bytes, size_t *ret_len, struct err *e);
	void *ctx;
};

/* An image on its way in. */
struct trust_subject {
	const char *transport; /* "docker", "docker-archive", "oci", "oci-archive" or "tarball" */
	const struct ref *ref; /* docker: as the user named it, host and all (not the mirror's); else NULL */
	const char *path;      /* oci, oci-archive: where it lies, absolute and without symlinks; else NULL */
	const char *tag;       /* oci, oci-archive: "" when it has none */
	/* Digests of its manifest, then of the indexes that lead to it; compared with the bytes before. */
	const char *const *digests;
	size_t digest_count;
	const struct trust_fetch *fetch; /* NULL: this transport has no signatures */
};

struct trust;

/*
 * Reads `path`, or when that is NULL $HOME/.config/containers/policy.json, else /etc/containers/policy.json; with
 * none of them, all images may come in. The caller ends it by trust_close.
 */
int trust_open(const char *path, struct trust **ret_trust, struct err *e);
void trust_close(struct trust *t);

static inline void trust_close_at(struct trust **t)
{
	trust_close(*t);
}

#define trust_auto __attribute__((cleanup(trust_close_at)))

/*
 * 0: all requirements of the policy's most specific scope hold. -EPERM: one does not, told with file, scope and
 * requirement. `t` may be NULL. Not for two threads at a time.
 */
int trust_check(struct trust *t, const struct trust_subject *s, struct err *e);

/*
 * 1: signatures that are stored beside the image shall come along with it (for a registry: when the policy asks
 * for them, or registries.d says use-sigstore-attachments for it; for a layout: always). 0: not. Or -errno.
 */
int trust_wants_signatures(struct trust *t, const struct trust_subject *s, struct err *e);
