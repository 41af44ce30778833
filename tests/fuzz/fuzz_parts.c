/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as one of the smaller texts that kist is given. The first byte chooses: the process object
 * of `exec --process`, the resources of `update`, the mounts of `mounts add`, the record beside CRIU's images, a property
 * for systemd from an annotation, lines of mountinfo.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/systemd/variant.h"
#include "runtime/criu_record.h"
#include "spec/check.h"
#include "spec/load.h"
#include "util/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool is_true)
{
	if (!is_true)
		abort();
}

/* What was judged and taken can be asked for its arguments, its directory and its user. */
static void process(const char *text, size_t len, struct arena *a)
{
	struct err e = { 0 };
	struct spec_process *p = NULL;
	if (spec_load_process(text, len, "fuzz", a, &p, &e) < 0)
		return;
	need(p->args.n > 0 && p->args.v[0] && p->cwd && p->cwd[0] == '/');
	for (size_t i = 0; i < p->env.n; i++)
		need(strlen(p->env.v[i]) < len);
	need(!p->user || !p->user->uid.has || p->user->uid.v != UINT32_MAX);
}

static void resources(const char *text, size_t len, struct arena *a)
{
	struct err e = { 0 };
	struct spec_resources *r = NULL;
	if (spec_load_resources(text, len, "fuzz", a, &r, &e) == 0)
		need(r);
}

/* A file in memory takes the place of that of the command line. */
static void mounts(const char *text, size_t len, struct arena *a)
{
	static int fd = -1;
	char name[32];
	struct err e = { 0 };
	struct spec_mounts list = { 0 };
	struct spec_linux none = { 0 };
	const struct spec of = { .linux_ = &none };
	if (fd < 0)
		fd = memfd_create("mounts", MFD_CLOEXEC);
	need(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, text, len, 0) == (ssize_t)len);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (spec_load_mounts(name, &of, a, &list, &e) < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		need(list.v[i].destination && *list.v[i].destination);
}

static char images_path[] = "/tmp/kist-fuzz-XXXXXX";

static void remove_images(void)
{
	rmdir(images_path);
}

static void record(const char *text, size_t len)
{
	static int dir = -1;
	struct err e = { 0 };
	criu_record_auto struct criu_record r = { 0 };
	if (dir < 0) {
		need(mkdtemp(images_path));
		atexit(remove_images);
		dir = open(images_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	int fd = openat(dir, "kist.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
	int n = criu_record_read(dir, &r, &e);
	unlinkat(dir, "kist.json", 0);
	if (n < 0)
		return;
	/* What is handed to criu by these names has no second meaning there. */
	for (size_t i = 0; i < r.mounts.n; i++)
		need(r.mounts.v[i].mountpoint[0] == '/' && !strpbrk(r.mounts.v[i].mountpoint, "[]\n"));
	for (size_t i = 0; i < r.namespaces.n; i++)
		need(criu_namespace_key(r.namespaces.v[i]) != NULL);
}

static void property(const char *text, struct arena *a)
{
	struct err e = { 0 };
	struct variant v;
	double number;
	str_auto struct str type = STR_MAX(1 << 20);
	if (variant_parse(text, a, &v, &e) < 0)
		return;
	variant_type(&type, &v);
	need(type.len > 0);
	variant_number(&v, &number);
}

static void mountinfo(char *text)
{
	struct mountinfo_line m;
	for (char *line = text, *end; *line; line = end) {
		end = strchrnul(line, '\n');
		end += *end ? (*end = '\0', 1) : 0;
		if (mountinfo_cut(line, &m))
			need(strlen(m.point) <= (size_t)(end - line));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	arena_auto struct arena a = { 0 };
	char *text = malloc(size);
	need(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 6) {
	case 0:
		process(text, size - 1, &a);
		break;
	case 1:
		resources(text, size - 1, &a);
		break;
	case 2:
		mounts(text, size - 1, &a);
		break;
	case 3:
		record(text, size - 1);
		break;
	case 4:
		property(text, &a);
		break;
	default:
		mountinfo(text);
	}
	free(text);
	return 0;
}
