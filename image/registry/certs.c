/* SPDX-License-Identifier: Apache-2.0 */
/* See certs.h. */
#include "image/registry/certs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"

enum { CERT_MAX = 1 << 20, AUTHORITIES_MAX = 16 << 20 };

static const char *ending(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && dot != name ? dot : "";
}

static int add_authority(int dir, const char *path, const char *name, struct certs *c, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = file_read(dir, name, CERT_MAX, true, &bytes, &len);
	if (r < 0)
		return err_ret(e, r, "%s/%s", path, name);
	if (!strstr(bytes, "-----BEGIN "))
		return err_new(e, EINVAL, "%s/%s: no certificate in PEM form", path, name);
	str_add(&c->authorities, bytes, len);
	str_puts(&c->authorities, "\n");
	return c->authorities.is_full ? err_new(e, EFBIG, "%s: more than %d bytes", path, AUTHORITIES_MAX) : 0;
}

static int set_client(int dir, const char *path, const char *name, struct certs *c, struct err *e)
{
	size_t stem = strlen(name) - strlen(".cert");
	free_auto char *key = mem_fmt("%.*s.key", (int)stem, name);
	if (faccessat(dir, key, R_OK, 0) < 0)
		return err_sys(e, "%s/%s: its key %s", path, name, key);
	if (c->client)
		return err_new(e, EINVAL, "%s: two certificates to show (%s, and %s)", path, c->client, name);
	c->client = mem_fmt("%s/%s", path, name);
	c->key = mem_fmt("%s/%s", path, key);
	return 0;
}

/* A key without its certificate is a mistake that would else show as a refusal by the server. */
static int check_key(int dir, const char *path, const char *name, struct err *e)
{
	size_t stem = strlen(name) - strlen(".key");
	free_auto char *cert = mem_fmt("%.*s.cert", (int)stem, name);
	if (faccessat(dir, cert, R_OK, 0) < 0)
		return err_sys(e, "%s/%s: its certificate %s", path, name, cert);
	return 0;
}

static int read_dir(DIR *d, const char *path, struct certs *c, struct err *e)
{
	int broken = 0;
	for (const struct dirent *en; (en = fd_next(d, &broken));) {
		const char *end = ending(en->d_name);
		int r = 0;
		if (strcmp(end, ".crt") == 0)
			r = add_authority(dirfd(d), path, en->d_name, c, e);
		else if (strcmp(end, ".cert") == 0)
			r = set_client(dirfd(d), path, en->d_name, c, e);
		else if (strcmp(end, ".key") == 0)
			r = check_key(dirfd(d), path, en->d_name, e);
		if (r < 0)
			return r;
	}
	return broken < 0 ? err_ret(e, broken, "%s", path) : 0;
}

/* Returns 1 when the directory is there, 0 when it is not. */
static int read_path(const char *path, struct certs *c, struct err *e)
{
	DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "%s", path);
	int r = read_dir(d, path, c, e);
	closedir(d);
	return r < 0 ? r : 1;
}

static int find(const char *host, struct certs *c, struct err *e)
{
	const char *home = getenv("HOME");
	free_auto char *own = mem_fmt("%s/.config/containers/certs.d/%s", home ? home : "", host);
	free_auto char *ours = mem_fmt("/etc/containers/certs.d/%s", host);
	free_auto char *dockers = mem_fmt("/etc/docker/certs.d/%s", host);
	const char *const places[] = { own, ours, dockers };
	int r = 0;
	for (size_t i = home ? 0 : 1; r == 0 && i < ARRAY_LEN(places); i++)
		r = read_path(places[i], c, e);
	return r;
}

int certs_open(const char *dir, const char *host, struct certs *ret_certs, struct err *e)
{
	struct certs c = { .authorities = STR_MAX(AUTHORITIES_MAX) };
	int r = dir ? read_path(dir, &c, e) : find(host, &c, e);
	if (r == 0 && dir)
		r = err_new(e, ENOENT, "--cert-dir %s: no such directory", dir);
	if (r < 0) {
		certs_done(&c);
		return r;
	}
	*ret_certs = c;
	return 0;
}

void certs_done(struct certs *c)
{
	str_done(&c->authorities);
	free(c->client);
	free(c->key);
	*c = (struct certs){ .client = NULL };
}
