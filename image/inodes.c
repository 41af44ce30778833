/* SPDX-License-Identifier: Apache-2.0 */
/* See inodes.h. */
#include "image/inodes.h"

#include <stdlib.h>

#include "util/mem.h"

static struct inodes_row *find(const struct inodes *t, uint64_t dev, uint64_t ino)
{
	size_t i = (size_t)(ino * 0x9E3779B97F4A7C15u >> 20 ^ dev) & (t->room - 1);
	while (t->v[i].ino && (t->v[i].ino != ino || t->v[i].dev != dev))
		i = (i + 1) & (t->room - 1);
	return &t->v[i];
}

static void grow(struct inodes *t)
{
	struct inodes old = *t;
	t->room = old.room ? old.room * 2 : 1024;
	t->v = mem_zero(t->room, sizeof(*t->v));
	for (size_t i = 0; i < old.room; i++)
		if (old.v[i].ino)
			*find(t, old.v[i].dev, old.v[i].ino) = old.v[i];
	free(old.v);
}

struct inodes_row *inodes_row(struct inodes *t, uint64_t dev, uint64_t ino)
{
	if (2 * (t->n + 1) > t->room)
		grow(t);
	struct inodes_row *row = find(t, dev, ino);
	if (!row->ino) {
		*row = (struct inodes_row){ .dev = dev, .ino = ino };
		t->n++;
	}
	return row;
}

void inodes_done(struct inodes *t)
{
	free(t->v);
	*t = (struct inodes){ .v = NULL };
}
