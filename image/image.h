/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image says: its documents (index, manifest, config) as C structs by JSON rows, and image_open,
 * which finds a stored image by name and gives the config that a container is made from. Part of kist and of
 * kist-image.
 *
 * An image is a stranger's word: the strings are data for the engine to judge. Env without "=" and labels
 * under "io.kist." are left out, so that an image can neither take the caller's environment nor steer kist.
 */
#pragma once
#include "image/ref.h"
#include "image/store.h"
#include "util/jx.h"

enum { IMAGE_LAYERS_MAX = 127 };

/*
 * ---- documents (image-spec descriptor.md, image-index.md, manifest.md, config.md; Docker's v2 schema 2)
 * ----
 */

struct platform {
	const char *os;
	const char *arch;
	const char *variant;
};

struct descriptor {
	const char *media_type;
	const char *digest;
	struct opt_i64 size_bytes;
	struct pairs annotations;
	struct platform *platform;
};

struct descriptors {
	struct descriptor *v;
	size_t n;
};

/* A manifest or an index: which of the two is told by what it has. */
struct document {
	struct opt_i64 schema_version;
	const char *media_type;
	struct descriptor *config;    /* manifest */
	struct descriptors layers;    /* manifest, lowest first */
	struct descriptors manifests; /* index */
};

struct image_key {
	const char *key;
};

struct image_keys {
	struct image_key *v;
	size_t n;
};

/* Docker's extension; times in nanoseconds, 0: not given. */
struct image_health {
	struct strs test;
	struct opt_i64 interval_ns;
	struct opt_i64 timeout_ns;
	struct opt_i64 start_period_ns;
	struct opt_i64 retries;
};

/* What to run and how. Strings may be NULL, lists empty. */
struct image_process {
	const char *user;
	const char *workdir;
	const char *stop_signal;
	struct opt_i64 stop_timeout; /* seconds */
	struct strs env;
	struct strs entrypoint;
	struct strs cmd;
	struct image_keys volumes; /* paths */
	struct image_keys ports;   /* "80/tcp" */
	struct pairs labels;
	struct image_health *health; /* NULL: none */
};

struct image_rootfs {
	const char *type;
	struct strs diff_ids; /* lowest first */
};

struct image_history {
	const char *created;
	const char *created_by;
	const char *comment;
	struct opt_bool is_empty;
};

struct image_histories {
	struct image_history *v;
	size_t n;
};

struct image_config {
	const char *created;
	const char *author;
	const char *os;
	const char *arch;
	const char *variant;
	struct image_process *process;
	struct image_rootfs *rootfs;
	struct image_histories history;
};

extern const struct jx_field descriptor_rows[];
extern const struct jx_field document_rows[];

/*
 * Reads a manifest or an index and checks what rows cannot say: one of the two and not both, schemaVersion 2,
 * the media type equal to `media_type` (NULL: not known), digests and sizes well-formed, at most 127 layers.
 * `what` names the document in errors. Lives in the arena.
 */
int document_load(const char *bytes, size_t len, const char *what, const char *media_type,
		  struct arena *arena, struct document *ret_doc, struct err *e);

/* Reads an image config; its diffIDs are checked and their number must be `layers` (-1: not known). */
int config_load(const char *bytes, size_t len, const char *what, ptrdiff_t layers, struct arena *arena,
		struct image_config *ret_config, struct err *e);

/* True for an index, as told by its media type or, when it has none, by what it holds. */
bool document_is_index(const struct document *doc);

/* ---- a stored image ---- */

struct image {
	struct arena arena;           /* owns all strings */
	char digest[DIGEST_TEXT_MAX]; /* of the manifest: the image's identity */
	const char *name;             /* NAME:TAG under which it was found; NULL when found by digest alone */
	struct document manifest;
	struct image_config config;
	const struct image_process *process; /* config's, never NULL */
	struct strs layers;                  /* diffIDs, lowest first */
	bool has_erofs;                      /* index.json tells of an EROFS file in the place of the layers */
	bool has_pack;                       /* it comes from a packed file, and not from the store: */
	int pack;                            /* which is this one; borrowed */
	int pack_note;                       /* the store's note of it; borrowed */
};

/*
 * Finds and reads an image by NAME[:TAG][@DIGEST], digest or unique prefix of the digest's hex digits. Two or
 * three files are read. -ENOENT with words that say how to get it. The caller ends it by image_done.
 */
int image_open(const struct store *s, const char *name, struct image *ret_image, struct err *e);

/*
 * The same for who only runs it: manifest.layers and config.history, most of the documents of an image with many layers, may
 * be empty.
 */
int image_open_to_run(const struct store *s, const char *name, struct image *ret_image, struct err *e);
void image_done(struct image *image);

#define image_auto __attribute__((cleanup(image_done)))
