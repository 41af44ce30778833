/* SPDX-License-Identifier: Apache-2.0 */
/* See bundle.h. */
#include "runtime/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "spec/load.h"
#include "util/fd.h"
#include "util/mem.h"

static int absolute(const char *path, char **ret, struct err *e)
{
	path = path ? path : "";
	while (strncmp(path, "./", 2) == 0)
		for (path += 2; *path == '/'; path++)
			;
	char cwd[PATH_MAX];
	if (*path == '/')
		*ret = mem_str(path);
	else if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(e, "current directory");
	else if (!*path || strcmp(path, ".") == 0)
		*ret = mem_str(cwd);
	else
		*ret = mem_fmt("%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path);
	for (size_t len = strlen(*ret); len > 1 && (*ret)[len - 1] == '/'; len--)
		(*ret)[len - 1] = '\0';
	return 0;
}

int bundle_open(const char *path, const char *config, struct bundle *ret, struct err *e)
{
	*ret = (struct bundle){ 0 };
	struct bundle b bundle_auto = { 0 };
	int r = absolute(path, &b.path, e);
	if (r < 0)
		return r;
	free_auto char *file = config ? mem_str(config) : mem_fmt("%s/config.json", b.path);
	r = file_read(AT_FDCWD, file, JX_BYTES_MAX, true, &b.config, &b.config_len);
	if (r < 0)
		return err_ret(e, r, "%s", file);
	r = spec_load_bytes(b.config, b.config_len, config ? config : "config.json", &b.spec, e);
	if (r < 0)
		return r;
	*ret = b;
	b = (struct bundle){ 0 };
	return 0;
}

void bundle_done(struct bundle *b)
{
	free(b->path);
	free(b->config);
	spec_done(&b->spec);
	*b = (struct bundle){ 0 };
}
