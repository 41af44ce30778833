/* SPDX-License-Identifier: Apache-2.0 */
/* See idrange.h. Source: subuid(5); podman-run(1) "--userns". */
#include "engine/idrange.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ns/subid.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/mem.h"
#include "util/num.h"

/*
 * Where /etc/subuid says nothing: between the ranges of systemd-nspawn, which end at 0x6fffffff, and the 31st bit, which
 * some programs take for a sign. systemd's UIDS-GIDS.md calls it unused.
 */
enum { DEFAULT_FIRST = 0x70000000, DEFAULT_COUNT = 0x10000000, SUBID_FILE_MAX = 1 << 20 };

#define OWNER "containers"
#define FILE_NAME "ids"

struct range {
	uint64_t first, end;
};

/* ---- what is to be had ---- */

struct pool {
	struct range v[SUBID_RANGES_MAX];
	size_t n;
};

static int read_pool(const char *path, struct arena *a, struct pool *ret, struct err *e)
{
	free_auto char *text = NULL;
	struct spec_id_maps maps = { .n = 0 };
	int r = file_read(AT_FDCWD, path, SUBID_FILE_MAX, true, &text, NULL);

	if (r < 0 && r != -ENOENT)
		return err_ret(e, r, "%s", path);
	/* The first line is that of the own id, which is none here. */
	if (r == 0)
		subid_parse(text, OWNER, (uid_t)-1, 0, a, &maps);
	ret->n = 0;
	for (size_t i = 1; i < maps.n && ret->n < SUBID_RANGES_MAX; i++)
		ret->v[ret->n++] = (struct range){ maps.v[i].host_id.v, (uint64_t)maps.v[i].host_id.v + maps.v[i].size.v };
	if (ret->n == 0)
		ret->v[ret->n++] = (struct range){ DEFAULT_FIRST, (uint64_t)DEFAULT_FIRST + DEFAULT_COUNT };
	return 0;
}

/* ---- what is taken ---- */

struct taken {
	struct range *v;
	size_t n;
};

#define taken_auto __attribute__((cleanup(taken_done)))

static void taken_done(struct taken *t)
{
	free(t->v);
}

static int read_one(int containers, const char *name, struct taken *t)
{
	free_auto char *text = NULL;
	uint64_t v[2];
	fd_auto int dir = openat(containers, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -errno : file_read(dir, FILE_NAME, 64, false, &text, NULL);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (num_list(text, " ", v, 2) != 2)
		return -EINVAL;
	t->v = mem_grow(t->v, (t->n + 1) * sizeof(*t->v));
	t->v[t->n++] = (struct range){ v[0], v[0] + v[1] };
	return 0;
}

static int read_taken(int containers, struct taken *t, struct err *e)
{
	int list = openat(containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = list < 0 ? NULL : fdopendir(list);

	if (!d) {
		r = err_sys(e, "list of containers");
		fd_close(list);
		return r;
	}
	int end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));)
		if (de->d_name[0] != '.' && (r = read_one(containers, de->d_name, t)) < 0)
			err_ret(e, r, "container %s: " FILE_NAME, de->d_name);
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "list of containers") : r;
}

/* ---- the choice ---- */

static const struct range *meets(const struct taken *t, const struct range *want)
{
	for (size_t i = 0; i < t->n; i++)
		if (want->first < t->v[i].end && t->v[i].first < want->end)
			return &t->v[i];
	return NULL;
}

/* The highest free range of `count` ids between both ends. False: none. */
static bool find_in(const struct taken *t, uint64_t first, uint64_t end, uint32_t count, uint32_t *ret_first)
{
	while (end >= first && end - first >= count) {
		const struct range want = { end - count, end };
		const struct range *met = meets(t, &want);
		if (!met) {
			*ret_first = (uint32_t)want.first;
			return true;
		}
		end = met->first;
	}
	return false;
}

/* The same numbers serve as users and groups, so they must be in both pools. */
static bool find(const struct pool *uids, const struct pool *gids, const struct taken *t, uint32_t count,
		 uint32_t *ret_first)
{
	for (size_t i = 0; i < uids->n; i++)
		for (size_t k = 0; k < gids->n; k++) {
			const struct range *u = &uids->v[i], *g = &gids->v[k];
			uint64_t first = u->first > g->first ? u->first : g->first;
			if (find_in(t, first, u->end < g->end ? u->end : g->end, count, ret_first))
				return true;
		}
	return false;
}

static int take(int containers, int dir, const struct pool *uids, const struct pool *gids, uint32_t count,
		uint32_t *ret_first, struct err *e)
{
	struct taken t taken_auto = { .n = 0 };
	char text[32];
	uint32_t first;
	int r = read_taken(containers, &t, e);

	if (r < 0)
		return r;
	if (!find(uids, gids, &t, count, &first))
		return err_new(e, ENOSPC, "no %u ids are free of those that /etc/subuid and /etc/subgid give to "
			       "\"" OWNER "\" (without such a line: of kist's own)", count);
	int len = snprintf(text, sizeof(text), "%u %u\n", first, count);
	r = dir < 0 ? 0 : file_replace(dir, FILE_NAME, text, (size_t)len, 0600);
	if (r < 0)
		return err_ret(e, r, FILE_NAME);
	*ret_first = first;
	return 0;
}

int idrange_take(const struct store *s, int dir, uint32_t count, uint32_t *ret_first, struct err *e)
{
	struct arena arena_auto a = { 0 };
	struct pool uids, gids;
	int r = read_pool("/etc/subuid", &a, &uids, e);

	if (r == 0)
		r = read_pool("/etc/subgid", &a, &gids, e);
	if (r < 0)
		return r;
	const struct taken none = { .n = 0 };
	fd_auto int containers = s->dir < 0 ? -1 : openat(s->dir, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* kist plan, where nothing is there yet. */
	if (containers < 0 && dir < 0 && find(&uids, &gids, &none, count, ret_first))
		return 0;
	if (containers < 0)
		return err_sys(e, "store %s: containers", s->path);
	/* Between looking and noting nobody else may look; the lock goes with the descriptor. */
	if ((r = lock_wait(containers, false)) < 0)
		return err_ret(e, r, "store %s: containers", s->path);
	return take(containers, dir, &uids, &gids, count, ret_first, e);
}
