/* SPDX-License-Identifier: Apache-2.0 */
/* See signedby.h. Sources: containers-policy.json(5), containers-registries.d(5), containers-signature(5). */
#include "image/trust/signedby.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/trust/gpg.h"
#include "image/trust/identity.h"
#include "image/trust/payload.h"
#include "util/fd.h"

static const char file_url[] = "file://";

/* Where signatures of an image are: the section's URL, or without any section the default directory; NULL: nowhere. */
static const char *find_base(const struct registriesd *rd, const struct named *image, struct arena *arena)
{
	const struct registriesd_section *s = registriesd_find(rd, image);
	const char *home = getenv("HOME");
	if (s)
		return s->lookaside;
	if (geteuid() == 0 || !home)
		return "file:///var/lib/containers/sigstore";
	return arena_fmt(arena, "file://%s/.local/share/containers/sigstore", home);
}

static int read_one(const struct trust_subject *s, const char *url, char **ret_bytes, size_t *ret_len, struct err *e)
{
	if (strncmp(url, file_url, strlen(file_url)) == 0) {
		const char *path = url + strlen(file_url);
		int r = file_read(AT_FDCWD, path, TRUST_PAYLOAD_MAX, true, ret_bytes, ret_len);
		return r < 0 ? err_ret(e, r, "%s", path) : 0;
	}
	if (!s->fetch || !s->fetch->url)
		return err_new(e, EOPNOTSUPP, "%s: read by pull alone, not by other commands", url);
	return s->fetch->url(s->fetch->ctx, url, TRUST_PAYLOAD_MAX, ret_bytes, ret_len, e);
}

static int try_one(const struct keyring *ring, const struct requirement *q, const char *digest,
		   const struct named *image, const char *message, size_t len, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto char *bytes = NULL;
	struct payload p;
	int r = keyring_verify(ring, message, len, &bytes, &len, e);
	if (r < 0 || (r = payload_load(bytes, len, PAYLOAD_ATOMIC, &arena, &p, e)) < 0)
		return r == -EBADMSG ? -EPERM : r;
	if (strcmp(p.digest, digest) != 0)
		return err_new(e, EPERM, "signed is the digest %s", p.digest);
	return identity_check(q->identity, image, p.reference, e);
}

/* Signatures are numbered from 1 on; the first that is missing ends them. The last one's words are told. */
int signedby_check(const struct requirement *q, const struct registriesd *rd, const struct trust_subject *s,
		   const struct named *image, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	keyring_auto struct keyring ring = KEYRING_NONE;
	if (!image)
		return err_new(e, EPERM, "an image from a directory or archive has no signatures of this kind");
	const char *base = find_base(rd, image, &arena);
	const char *path = strchr(image->name, '/') + 1;
	int r = keyring_open(q, &ring, e);
	if (r < 0)
		return r;
	if (!base)
		return err_new(e, EPERM, "registries.d has no lookaside for %s", image->name);
	size_t tried = 0;
	for (size_t i = 0; i < s->digest_count; i++)
		for (size_t n = 1; tried < TRUST_SIGNATURES_MAX; n++) {
			free_auto char *message = NULL;
			size_t len;
			struct err why = { .num = 0 };
			const char *url = arena_fmt(&arena, "%s/%s@sha256=%s/signature-%zu", base, path,
						    digest_hex(s->digests[i]), n);
			r = read_one(s, url, &message, &len, &why);
			if (r == -ENOENT || r == -ENOTDIR)
				break;
			if (r == 0)
				r = try_one(&ring, q, s->digests[i], image, message, len, &why);
			if (r == 0)
				return 0;
			*e = why;
			if (r != -EPERM)
				return r;
			tried++;
		}
	if (!tried)
		return err_new(e, EPERM, "no signature of %s below %s", s->digests[0], base);
	return err_at(e, -EPERM, "none of %zu signature%s of %s is good", tried, tried == 1 ? "" : "s",
		      s->digests[0]);
}
