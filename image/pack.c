/* SPDX-License-Identifier: Apache-2.0 */
/* image_pack of pack.h. */
#include "image/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/change.h"
#include "image/digest.h"
#include "image/imagetree.h"
#include "image/packcheck.h"
#include "image/packzstd.h"
#include "util/fd.h"
#include "util/outfile.h"

#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"

/* ---- the documents ---- */

static char *dump(json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (!text)
		mem_out();
	return text;
}

static json_t *made_from(json_t *config, const char *image)
{
	json_t *created = json_object_get(config, "created");
	json_t *row = json_pack("{s:s, s:s}", "created_by", "kist pack", "comment", image);
	if (created)
		json_object_set(row, "created", created);
	return json_pack("[o]", row);
}

/* The image's own config with another root file system; what kist does not know of it stays. */
static int make_config(const struct store *s, const struct image *image, const struct pack_request *rq,
		       const char *diff_id, char **ret_text, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = store_read_blob(s, image->manifest.config->digest, STORE_CONFIG_MAX, &bytes, &len, e);
	if (r < 0)
		return r;
	json_t *doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return err_new(e, EINVAL, "config %s: not an object", image->manifest.config->digest);
	}
	if (!json_is_object(json_object_get(doc, "config")))
		json_object_set_new(doc, "config", json_object());
	for (size_t i = 0; r == 0 && i < rq->change_count; i++)
		r = change_apply(json_object_get(doc, "config"), rq->changes[i], e);
	json_object_set_new(doc, "rootfs", json_pack("{s:s, s:[s]}", "type", "layers", "diff_ids", diff_id));
	json_object_set_new(doc, "history", made_from(doc, image->digest));
	*ret_text = dump(doc);
	return r;
}

static char *make_manifest(const struct pack_part *config, const char *diff_id, uint64_t tar_bytes)
{
	return dump(json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:[{s:s, s:s, s:I}]}", "schemaVersion", 2, "mediaType",
			      MANIFEST_TYPE, "config", "mediaType", CONFIG_TYPE, "digest", config->digest, "size",
			      (json_int_t)config->size, "layers", "mediaType", LAYER_TYPE, "digest", diff_id, "size",
			      (json_int_t)tar_bytes));
}

static int put_part(int fd, const char *text, struct pack_part *part, struct err *e)
{
	ssize_t n = pwrite(fd, text, part->size, (off_t)part->offset);
	return n == (ssize_t)part->size ? 0 : n < 0 ? err_sys(e, "write") : err_new(e, ENOSPC, "write");
}

/* Behind the file system: manifest, then config. */
static int put_documents(const struct store *s, const struct image *image, const struct pack_request *rq,
			 struct pack_head *head, uint64_t tar_bytes, int fd, struct err *e)
{
	free_auto char *config = NULL, *manifest = NULL;
	int r = make_config(s, image, rq, head->tree, &config, e);
	if (r < 0)
		return r;
	head->config.size = strlen(config);
	digest_of(config, head->config.size, head->config.digest);
	manifest = make_manifest(&head->config, head->tree, tar_bytes);
	head->manifest.size = strlen(manifest);
	digest_of(manifest, head->manifest.size, head->manifest.digest);
	head->manifest.offset = head->zstd.size ? head->zstd.offset + head->zstd.size : head->erofs_size;
	head->config.offset = head->manifest.offset + head->manifest.size;
	r = put_part(fd, manifest, &head->manifest, e);
	return r < 0 ? r : put_part(fd, config, &head->config, e);
}

/* ---- the file ---- */

/* With zstd the file system is made aside, in the store, and goes into the file packed. */
static int put_tree(struct ingest *in, struct tree *t, const struct pack_request *rq, struct pack_head *head, int fd,
		    uint64_t *ret_tar_bytes, struct err *e)
{
	if (!rq->is_zstd)
		return image_tree_write(t, fd, head, ret_tar_bytes, e);
	fd_auto int plain = openat(in->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (plain < 0)
		return err_sys(e, "store %s: tmp", in->store->path);
	int r = image_tree_write(t, plain, head, ret_tar_bytes, e);
	return r < 0 ? r : pack_zstd(plain, head, fd, e);
}

static int pack(struct ingest *in, const struct image *image, struct pack_request *rq, int fd, struct err *e)
{
	struct image_tree *t = mem_zero(1, sizeof(*t));
	struct pack_head head = { .tree = "" };
	uint64_t tar_bytes;
	int r = image_tree_open(in->store, image, &rq->options, rq->trust, t, e);
	if (image->name && strlen(image->name) < sizeof(head.name))
		memcpy(head.name, image->name, strlen(image->name) + 1);
	if (r == 0)
		r = put_tree(in, &t->tree, rq, &head, fd, &tar_bytes, e);
	if (r == 0)
		r = put_documents(in->store, image, rq, &head, tar_bytes, fd, e);
	if (r == 0)
		r = packed_write_head(&head, fd, e);
	image_tree_done(t);
	free(t);
	memcpy(rq->digest, head.manifest.digest, DIGEST_TEXT_MAX);
	return r;
}

int image_pack(const struct store *s, struct pack_request *rq, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	image_auto struct image image = { .name = NULL };
	struct outfile out outfile_auto = OUTFILE_NONE;
	int r = ingest_open(s, &in, e);
	if (r < 0 || (r = image_open(s, rq->image, &image, e)) < 0)
		return r;
	if ((r = outfile_open_program(rq->output, &out, e)) < 0)
		return r;
	r = pack(&in, &image, rq, out.fd, e);
	if (r == 0)
		r = outfile_finish(&out, e);
	return r < 0 ? err_at(e, r, "pack %s", rq->image) : 0;
}
