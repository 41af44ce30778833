/* SPDX-License-Identifier: Apache-2.0 */
/* See authfile.h. */
#include "image/registry/authfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/registry/hosts.h"
#include "image/registry/text.h"
#include "util/fd.h"
#include "util/mem.h"

/* ---- places ---- */

static const char *or_null(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

static char *run_file(void)
{
	const char *dir = or_null("XDG_RUNTIME_DIR");
	return dir ? mem_fmt("%s/containers/auth.json", dir)
		   : mem_fmt("/run/containers/%u/auth.json", (unsigned int)getuid());
}

size_t authfile_places(const char *given, char *out[static AUTHFILE_PLACES_MAX], bool *ret_is_given)
{
	const char *home = or_null("HOME"), *config = or_null("XDG_CONFIG_HOME"), *docker = or_null("DOCKER_CONFIG");
	size_t n = 0;
	if (!given)
		given = or_null("REGISTRY_AUTH_FILE");
	*ret_is_given = given != NULL;
	if (given) {
		out[n++] = mem_str(given);
		return n;
	}
	out[n++] = run_file();
	if (config)
		out[n++] = mem_fmt("%s/containers/auth.json", config);
	else if (home)
		out[n++] = mem_fmt("%s/.config/containers/auth.json", home);
	if (docker)
		out[n++] = mem_fmt("%s/config.json", docker);
	else if (home)
		out[n++] = mem_fmt("%s/.docker/config.json", home);
	if (home)
		out[n++] = mem_fmt("%s/.dockercfg", home);
	return n;
}

char *authfile_own(const char *given)
{
	if (!given)
		given = or_null("REGISTRY_AUTH_FILE");
	return given ? mem_str(given) : run_file();
}

/* ---- reading ---- */

int authfile_open(const char *path, bool is_legacy, struct authfile *ret, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	json_error_t error;
	int r = file_read(AT_FDCWD, path, AUTHFILE_BYTES_MAX, true, &bytes, &len);
	bool is_there = r != -ENOENT && r != -ENOTDIR;
	if (r < 0 && is_there)
		return err_ret(e, r, "%s", path);
	/* An empty file is what `touch` or a first `mktemp` leaves; podman takes it for one without entries. */
	json_t *root = is_there && len ? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error) : json_object();
	if (bytes)
		explicit_bzero(bytes, len);
	if (!root)
		return err_new(e, EINVAL, "%s:%d:%d: %s", path, error.line, error.column, error.text);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_new(e, EINVAL, "%s: expected an object", path);
	}
	json_t *auths = is_legacy ? root : json_object_get(root, "auths");
	if (auths && !json_is_object(auths)) {
		json_decref(root);
		return err_new(e, EINVAL, "%s: auths: expected an object", path);
	}
	*ret = (struct authfile){ mem_str(path), root, is_there, is_legacy };
	return 0;
}

void authfile_done(struct authfile *f)
{
	json_decref(f->root);
	free(f->path);
	*f = (struct authfile){ .path = NULL };
}

json_t *authfile_auths(const struct authfile *f)
{
	return f->is_legacy ? f->root : json_object_get(f->root, "auths");
}

const char *authfile_helper(const struct authfile *f, const char *host)
{
	if (f->is_legacy)
		return NULL;
	json_t *helpers = json_object_get(f->root, "credHelpers");
	const char *key;
	json_t *value;
	json_object_foreach(helpers, key, value)
	{
		free_auto char *plain = authfile_plain_key(key);
		if (strcmp(plain, host) == 0 && json_is_string(value) && *json_string_value(value))
			return json_string_value(value);
	}
	const char *store = json_string_value(json_object_get(f->root, "credsStore"));
	return store && *store ? store : NULL;
}

char *authfile_plain_key(const char *key)
{
	const char *p = text_after(key, "https://");
	if (!p)
		p = text_after(key, "http://");
	/* A URL is a host's, whatever its path (Docker writes /v1/ or /v2/); else a path is a namespace. */
	bool is_url = p != NULL;
	if (!p)
		p = key;
	size_t host_len = strcspn(p, "/");
	free_auto char *host = mem_fmt("%.*s", (int)host_len, p);
	const char *name = hosts_canonical(host), *rest = p + host_len;
	if (is_url || strcmp(rest, "/v1/") == 0 || strcmp(rest, "/v1") == 0 || strcmp(rest, "/") == 0)
		rest = "";
	return mem_fmt("%s%s", name, rest);
}

/* ---- writing ---- */

/* Makes the directory of a file, with its parents. */
static int make_parents(const char *path, struct err *e)
{
	free_auto char *dir = mem_str(path);
	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "%s", dir);
		*slash = '/';
	}
	return 0;
}

static int write_file(const struct authfile *f, int dir, const char *name, struct err *e)
{
	char *text = json_dumps(f->root, JSON_INDENT(8) | JSON_ENSURE_ASCII);
	if (!text)
		mem_out();
	free_auto char *line = mem_fmt("%s\n", text), *rest = mem_fmt(".%s.new", name);
	size_t len = strlen(line);
	explicit_bzero(text, len - 1);
	free(text);
	/* What a killed command has left goes; what is not ours to remove stands in the way. */
	unlinkat(dir, rest, 0);
	int r = file_replace_sync(dir, name, line, len, 0600);
	explicit_bzero(line, len);
	return r < 0 ? err_ret(e, r, "%s", f->path) : 0;
}

int authfile_change(const char *path, authfile_change_fn *change, void *ctx, struct err *e)
{
	int r = make_parents(path, e);
	if (r < 0)
		return r;
	free_auto char *real = realpath(path, NULL);
	const char *target = real ? real : path, *slash = strrchr(target, '/');
	free_auto char *dir_path = slash ? mem_fmt("%.*s", (int)(slash - target + 1), target) : mem_str(".");
	fd_auto int dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX) < 0)
		return err_sys(e, "%s", dir_path);
	authfile_auto struct authfile f = { .path = NULL };
	r = authfile_open(target, false, &f, e);
	if (r == 0)
		r = change(&f, ctx, e);
	if (r <= 0)
		return r;
	int n = write_file(&f, dir, slash ? slash + 1 : target, e);
	return n < 0 ? n : r;
}
