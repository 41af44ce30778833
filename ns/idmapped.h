/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An overlay whose layers, and whose upper directory, are seen through an id map: what belongs to id 0 on the disk
 * belongs to root of a user namespace, and what root of it makes is stored as id 0's. So containers with different maps
 * share layers without a copy, and their own layers hold the image's ids. For root of the host alone. Runs in the parent.
 * Sources: mount_setattr(2) "ID-mapped mounts"; overlayfs in Linux 5.19.
 */
#pragma once
#include "spec/spec.h"
#include "util/err.h"

/*
 * As mount_overlay (ns/mount.h), of layers that are O_PATH directories, and of `upper` and `work` in `dir`. Returns a
 * detached mount that the caller owns. -EOPNOTSUPP: the kernel or the file system has no id-mapped layers.
 */
int idmapped_overlay(const int *lower, size_t n, int dir, const struct spec_id_maps *uids, const struct spec_id_maps *gids,
		     unsigned flags, struct err *e);
