/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the files of a merged tree are: the directories of the layers, opened beneath their roots and through no symlink,
 * once for all files of one directory. Part of kist-image, for image/flatwrite and image/flatcheck.
 */
#pragma once
#include "image/image.h"
#include "image/tree.h"

struct flat_source {
	const struct tree *tree;
	const struct tree_node *node;	/* the directory that is open */
	int dirs[IMAGE_LAYERS_MAX + 1]; /* that of each layer, or -1 */
	int other;			/* of a hard link whose first name lies elsewhere, or -1 */
	char *path;
};

void flat_source_open(struct flat_source *s, const struct tree *tree);
void flat_source_done(struct flat_source *s);

/*
 * Gives the directory of its layer in which a file of `node` lies (borrowed until the next call), under the name
 * inode->origin->name.
 */
int flat_source_dir(struct flat_source *s, const struct tree_node *node, const struct tree_inode *inode,
		    struct err *e);
