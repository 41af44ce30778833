/* SPDX-License-Identifier: Apache-2.0 */
/* See flatsource.h. */
#include "image/flatsource.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

static void close_dirs(struct flat_source *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->dirs); i++)
		fd_drop(&s->dirs[i]);
	fd_drop(&s->other);
}

void flat_source_open(struct flat_source *s, const struct tree *tree)
{
	*s = (struct flat_source){ .tree = tree, .other = -1, .path = mem_alloc(TAR_PATH_MAX + 1) };
	for (size_t i = 0; i < ARRAY_LEN(s->dirs); i++)
		s->dirs[i] = -1;
}

void flat_source_done(struct flat_source *s)
{
	close_dirs(s);
	free(s->path);
}

static int open_dir(struct flat_source *s, const struct tree_node *node, uint32_t layer, struct err *e)
{
	int r = tree_path(node, s->path, e);
	if (r < 0)
		return r;
	int fd = path_open(s->tree->layers[layer], s->path[0] ? s->path : ".", PATH_BENEATH,
			   O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd < 0 ? err_ret(e, fd, "%.200s in layer %u", s->path[0] ? s->path : "/", layer + 1) : fd;
}

int flat_source_dir(struct flat_source *s, const struct tree_node *node, const struct tree_inode *inode,
		    struct err *e)
{
	if (inode->origin->parent != node) {
		fd_drop(&s->other);
		return s->other = open_dir(s, inode->origin->parent, inode->layer, e);
	}
	if (s->node != node)
		close_dirs(s);
	s->node = node;
	int *dir = &s->dirs[inode->layer];
	if (*dir < 0)
		*dir = open_dir(s, node, inode->layer, e);
	return *dir;
}
