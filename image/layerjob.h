/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes in one layer: its blob passes once, and on the way is digested, copied, inflated, digested again and
 * unpacked. Several jobs run at a time, each in two threads. What they make lies in the ingest until
 * image/commit publishes it. Part of kist-image and kist-registry.
 */
#pragma once
#include "image/inflate.h"
#include "image/ingest.h"
#include "image/progress.h"
#include "image/ref.h"
#include "image/unpack.h"

/*
 * Where a job's bytes come from when they are in no file: opened by the job's thread when it is its turn, and closed
 * there, also when not all was pulled.
 */
struct feed {
	int (*open)(struct feed *f, struct flow **ret_flow, struct err *e);
	void (*close)(struct feed *f);
};

struct layerjob {
	/* what the image says; "" or UINT64_MAX: it does not say */
	char blob[DIGEST_TEXT_MAX];
	char diff_id[DIGEST_TEXT_MAX];
	const char *media_type; /* NULL: not said */
	uint64_t size_bytes;

	/* where the bytes are */
	int own_fd; /* -1: `fd` is somebody else's */
	int fd;
	uint64_t offset;
	bool is_stream;    /* from where `fd` is to its end */
	struct feed *feed; /* instead of `fd`; NULL: none. Borrowed */

	/* what is to be done; neither: only verified, if is_wanted */
	bool is_wanted, wants_blob, wants_tree;
	int same_as;   /* number of an earlier job with the same result, or -1 */
	size_t number; /* names the job's files in the ingest: blob-N, layer-N */

	/* what came out */
	enum packing packing;
	struct unpacked unpacked;
	int result;
	struct err err;
};

/* What to expect at all: callers may set other limits (--max-size). */
struct layerjob_options {
	struct inflate_limits limits;
	uint64_t entries;     /* at most in a layer; 0: UNPACK_ENTRIES_MAX */
	unsigned int threads; /* layers at a time; 0: one per processor */
	enum progress_style style;
	struct progress *progress; /* for callers that say something between; NULL: the jobs have one of their own */
	const char *verb;          /* of the progress; NULL: "reading" */
	/* Told when the first layer has failed, so that the others need not come to their end. NULL: nobody. */
	void (*failed)(void *ctx);
	void *ctx;
};

/* Fills a job for nothing known. */
void layerjob_init(struct layerjob *job);
void layerjob_done(struct layerjob *job);

/*
 * Runs the wanted jobs and fills in what they did not say (blob, diff_id, size). Returns 0, or the first
 * failure, with words that name the layer.
 */
int layerjobs_run(struct ingest *in, struct layerjob *jobs, size_t count,
		  const struct layerjob_options *options, struct err *e);

/* What a layer's media type says of its packing. */
enum packing layer_packing(const char *media_type);

/* The OCI media type of a layer packed so. */
const char *layer_media_type(enum packing packing);
