/* SPDX-License-Identifier: Apache-2.0 */
/* See helper.h. */
#include "util/helper.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"

#define KEPT "KIST_SELF"

static char *in_dir(const char *dir, const char *name)
{
	char *path = mem_fmt("%s/%s", dir, name);

	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static char *beside_us(const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	/* The root of a mount of its own: see helper_keep_place. */
	const char *kept = strcmp(self, "/") == 0 ? getenv(KEPT) : NULL;
	if (kept)
		snprintf(self, sizeof(self), "%s", kept);
	char *slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	char *path = in_dir(self, name);
	if (path)
		return path;
	/* Installed below another prefix than it was built for. */
	free_auto char *libexec = mem_fmt("%s/../libexec/kist", self);
	return in_dir(libexec, name);
}

void helper_keep_place(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 1)
		return;
	self[n] = '\0';
	setenv(KEPT, self, 1);
}

char *helper_find(const char *name, struct err *e)
{
	const char *dir = getenv("KIST_LIBEXEC");
	char *path = dir && *dir ? in_dir(dir, name) : NULL;

	if (!path)
		path = beside_us(name);
	if (!path)
		path = in_dir(KIST_LIBEXEC, name);
	if (!path)
		err_new(e, ENOENT, "%s: neither beside kist nor in " KIST_LIBEXEC " (KIST_LIBEXEC names its directory)",
			name);
	return path;
}
