/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One repository of a registry, as the distribution-spec 1.1 and Docker's registry API v2 have it: manifests and
 * blobs in and out. Part of kist-registry only.
 *
 * What lies behind it: registries.conf and short names (image/registry/hosts), credentials (creds), tokens (auth),
 * HTTP by libcurl (http), tries and redirects (session, retry). Callers see none of them.
 *
 * Threads: one `struct registry` serves many at once, except for open, done and the first call of a pull, which chooses
 * among mirrors. Errors: -ENOENT (the registry has no such thing), -EACCES (it refuses us), -EBADMSG (bytes that are not
 * what was asked for), -ECANCELED (registry_cancel), -EIO and others: network and server; all with words that name
 * host and repository.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "image/ref.h"
#include "util/err.h"

enum {
	REGISTRY_TYPE_MAX = 128, /* bytes of a media type, with its NUL */
	REGISTRY_TAGS_MAX = 1 << 20,
};

enum registry_use { REGISTRY_PULL, REGISTRY_PUSH };

enum registry_tls {
	REGISTRY_TLS_DEFAULT,	/* as registries.conf says (insecure = true); else verified */
	REGISTRY_TLS_VERIFY,	/* --tls-verify: verified, whatever registries.conf says */
	REGISTRY_TLS_NO_VERIFY, /* --tls-verify=false: any certificate, and plain HTTP where there is no TLS */
};

struct registry_options {
	enum registry_tls tls;
	const char *cert_dir; /* --cert-dir: *.crt, *.cert and *.key; NULL: certs.d of containers and docker */
	const char *authfile; /* --authfile; NULL: $REGISTRY_AUTH_FILE and the usual places */
	const char *creds;    /* --creds USER:PASSWORD; NULL: from the credentials files */
	int64_t stall_ms;     /* a connection that is silent for so long is cut; 0: a minute. In whole seconds */
	/* Told of each retry, in one line without a newline; called from any thread. NULL: log_warn. */
	void (*notice)(void *ctx, const char *line);
	void *ctx;
};

struct registry;

/*
 * Opens the repository of a name. Nothing is sent yet. For REGISTRY_PULL a short name may stand for several
 * (unqualified-search-registries), and each may have mirrors: the first that has what registry_get_manifest asks for
 * is taken. REGISTRY_PUSH goes to the name itself. `options` and its strings are borrowed. The caller ends it by
 * registry_done.
 */
int registry_open(const struct ref *ref, enum registry_use use, const struct registry_options *options,
		  struct registry **ret_registry, struct err *e);
void registry_done(struct registry **r);

#define registry_auto __attribute__((cleanup(registry_done)))

/*
 * The name without tag and digest that the image goes by, in the store's spelling ("debian", "quay.io/a/b"): what was
 * asked for, or what a short name turned out to mean. Final after the first manifest. Not that of a mirror.
 */
const char *registry_name(const struct registry *r);

/* Makes all calls on it end soon with -ECANCELED, from any thread. */
void registry_cancel(struct registry *r);

/* ---- out of the registry ---- */

struct registry_document {
	char *bytes; /* ends in NUL */
	size_t len;
	char media_type[REGISTRY_TYPE_MAX]; /* as the registry says, without parameters; "" if it does not */
	char digest[DIGEST_TEXT_MAX];	    /* of the bytes: computed, and the one that was asked for */
};

void registry_document_done(struct registry_document *d);

#define registry_document_auto __attribute__((cleanup(registry_document_done)))

/*
 * Gets a manifest or an index by tag or digest ("sha256:..."), of the OCI's or Docker's kinds, at most
 * STORE_MANIFEST_MAX bytes. Its digest is compared with the one asked for, or with Docker-Content-Digest.
 */
int registry_get_manifest(struct registry *r, const char *what, struct registry_document *ret_document,
			  struct err *e);

/* Gets a small blob whole (a config) and verifies its digest. The caller frees. */
int registry_get_document(struct registry *r, const char *digest, uint64_t size_bytes, size_t max_bytes,
			  char **ret_bytes, size_t *ret_len, struct err *e);

/*
 * Takes a blob's bytes in their order. Returns 0, or -errno with words, which ends the transfer. A connection that
 * is cut is taken up again where it ended, so that each byte comes once.
 */
struct registry_sink {
	int (*write)(void *ctx, const void *bytes, size_t len, struct err *e);
	void *ctx;
};

/*
 * Gets a blob from byte `from` on. Exactly size_bytes - from bytes reach the sink, or it is an error. The digest is
 * the caller's to verify, who has the bytes pass through his hands anyway.
 */
int registry_get_blob(struct registry *r, const char *digest, uint64_t from, uint64_t size_bytes,
		      const struct registry_sink *sink, struct err *e);

struct registry_tags {
	char **v;
	size_t n;
};

int registry_list_tags(struct registry *r, struct registry_tags *ret_tags, struct err *e);
void registry_tags_done(struct registry_tags *tags);

/* ---- into the registry ---- */

/* Returns 1 when the repository has the blob, 0 when not, or -errno. */
int registry_has_blob(struct registry *r, const char *digest, struct err *e);

/*
 * Asks the registry to take over a blob from another of its repositories ("library/debian"). Returns 1 when it did, 0
 * when it did not, or -errno.
 */
int registry_mount_blob(struct registry *r, const char *digest, const char *from, struct err *e);

/* Gives a blob's bytes at any offset, some again after a cut. Returns how many (0: end), or -errno with words. */
struct registry_source {
	ptrdiff_t (*read)(void *ctx, uint64_t offset, void *buf, size_t len, struct err *e);
	void *ctx;
};

int registry_put_blob(struct registry *r, const char *digest, uint64_t size_bytes,
		      const struct registry_source *source, struct err *e);

/* Puts a manifest or an index under a tag or its own digest. */
int registry_put_manifest(struct registry *r, const char *what, const char *media_type, const char *bytes, size_t len,
			  struct err *e);

/* The host, as in docker.io or localhost:5000, and the path ("library/debian"), as registry_mount_blob takes it. */
const char *registry_host(const struct registry *r);
const char *registry_path(const struct registry *r);
