/* SPDX-License-Identifier: Apache-2.0 */
/* See load.h. */
#include "image/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/dockerarchive.h"
#include "image/names.h"
#include "image/pack.h"
#include "image/packcheck.h"
#include "image/trust/carry.h"

/* Splits DIR:TAG where the front is a path that exists; a path that exists as it is has no tag. */
static void split(struct load_request *request, char *path)
{
	request->path = path;
	if (strcmp(path, "-") == 0 || faccessat(AT_FDCWD, path, F_OK, 0) == 0)
		return;
	for (char *colon = strchr(path, ':'); colon; colon = strchr(colon + 1, ':')) {
		*colon = '\0';
		if (faccessat(AT_FDCWD, path, F_OK, 0) == 0) {
			request->tag = colon + 1;
			return;
		}
		*colon = ':';
	}
}

int image_load(const struct store *s, const struct load_request *request, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	source_auto struct source src = SOURCE_NONE;
	free_auto char *path = mem_str(request->path);
	struct load_request req = *request;
	split(&req, path);
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	int r = ingest_open(s, &in, e);
	if (r == 0 && packed_is(req.path))
		return pack_load(&in, &req, e);
	if (r < 0 || (r = source_open(req.path, &in, &req.options.limits, &src, e)) < 0)
		return r;
	if (oci_is(&src))
		return oci_load(&src, &in, &req, e);
	if (docker_is(&src))
		return docker_load(&src, &in, &req, e);
	return err_new(e, EINVAL,
		       "%s: neither an OCI layout (oci-layout), nor an archive of docker save (manifest.json), nor a "
		       "packed image",
		       req.path);
}

/* What another tool has written into the store comes in when it is unpacked. */
static int ask(struct trust *trust, const struct store *s, const struct name_row *row, const struct plan *plan,
	       struct err *e)
{
	const char *digests[PLAN_VIA_MAX + 1] = { plan->digest };
	struct trust_fetch fetch;
	free_auto char *path = realpath(s->path, NULL);
	struct trust_subject subject = {
		.transport = "oci",
		.path = path,
		.tag = row->name ? row->name : "",
		.digests = digests,
		.digest_count = 1,
		.fetch = &fetch,
	};
	carry_from_store(s, &fetch);
	for (size_t i = plan->via_count; i-- > 0;)
		digests[subject.digest_count++] = plan->via[i];
	return trust_check(trust, &subject, e);
}

int image_unpack(const struct store *s, const char *name, const struct layerjob_options *options,
		 struct trust *trust, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	names_auto struct names names = { .n = 0 };
	source_auto struct source src = SOURCE_NONE;
	plan_auto struct plan plan = { .count = 0 };
	int r = ingest_open(s, &in, e);
	if (r < 0 || (r = names_read(s, &names, e)) < 0)
		return r;
	bool is_by_digest;
	ptrdiff_t i = names_find(&names, name, &is_by_digest, e);
	if (i < 0)
		return (int)i;
	if ((r = source_open(s->path, &in, &options->limits, &src, e)) < 0 ||
	    (r = oci_plan(&src, s, names.v[i].desc, &plan, e)) < 0 ||
	    (r = ask(trust, s, &names.v[i], &plan, e)) < 0)
		return err_at(e, r, "image \"%s\"", name);
	plan.row_digest = names.v[i].desc->digest;
	return image_commit(&in, &plan, options, e);
}
