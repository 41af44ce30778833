/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `kist pack`: a whole image in one file, and the way back into a store. Part of kist-image only. The image in the file has
 * one layer, the tree: its manifest and config are made here, so that its digest is known before anybody unpacks it.
 */
#pragma once
#include "image/oci.h"

struct pack_request {
	const char *image;  /* as the user wrote it */
	const char *output; /* the file; replaced whole */
	const char **changes; /* --change */
	size_t change_count;
	bool is_zstd;
	struct layerjob_options options;
	struct trust *trust; /* asked when layers are not unpacked yet */

	char digest[DIGEST_TEXT_MAX]; /* out: of the manifest */
};

int image_pack(const struct store *s, struct pack_request *request, struct err *e);

/* Forgets which packed files were verified: each is verified again at its next use. */
int pack_drop_notes(const struct store *s, struct err *e);

/*
 * Whether this kernel mounts a file of the store for us: tried with an empty file system of our own making, before there is a
 * stranger's.
 */
bool pack_can_mount(struct ingest *in);

/* Takes the image in a packed file into the store, as a stored image like others, under request->name or the file's. */
int pack_load(struct ingest *in, const struct load_request *request, struct err *e);

/*
 * Makes a packed file ready to run, without giving it a name: verifies it, then notes that it may be mounted as it is, or,
 * where this kernel or the file's owner does not allow that, unpacks it into the store. *ret_is_noted: which it was. The
 * policy is asked either way.
 */
int pack_prepare(const struct store *s, const char *path, const struct layerjob_options *options, struct trust *trust,
		 bool *ret_is_noted, char ret_digest[static DIGEST_TEXT_MAX], struct err *e);
