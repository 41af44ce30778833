/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacked layers, one upon the other, as a tree: what overlayfs would show of them. Whiteouts and opaque directories
 * are done with then. Part of kist-image only. Source: overlayfs.rst "whiteouts and opaque directories".
 */
#pragma once
#include "image/tree.h"

/*
 * Reads the layers, lowest first (O_PATH directories, which must stay open as long as the tree). The first hides what
 * would lie below it. Sockets are left out. The root is the topmost layer's.
 */
int tree_from_layers(struct tree *t, int *layers, size_t count, struct err *e);
