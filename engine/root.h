/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's root of an image: the image's layers, shared by all containers, under the container's own upper
 * directory, as one detached overlay. It is mounted nowhere on the host. Callers: engine/run*.c. Runs in the parent.
 */
#pragma once
#include "engine/record.h"
#include "image/layers.h"
#include "spec/spec.h"

/*
 * Makes upper and work directories and the list of held layers in a new container's directory, and the overlay. Layers
 * that are not unpacked yet are, by the name `word` of the image. is_volatile: the container is removed at its end, so its
 * layer need not reach the disk. Returns a descriptor that the caller owns.
 */
int root_make(const struct store *s, struct record_dir *d, const struct image *image, const char *word,
	      bool is_volatile, struct err *e);

/*
 * Removes the mark by which a volatile overlay refuses a second mount: such a container has none. While the program
 * begins, which takes as long; at the end each directory would count.
 */
void root_unmark(const struct record_dir *d);

/*
 * True when the container has a user namespace of its own in which ids are not themselves, and its files are to be root's: the
 * overlay that it gets is that of root_again then, while root_make's is for looking at the image and preparing the
 * container's layer, in the ids that are on the disk. In a user namespace of kist's own, which may map no mounts, never.
 */
bool root_is_mapped(const struct spec *spec);

/*
 * Makes the overlay of a container that is there, id-mapped if its configuration asks for that. -ENODATA: it has no layers,
 * since it was not made from an image. is_volatile: as above.
 */
int root_again(const struct store *s, struct record_dir *d, const struct spec *spec, bool is_volatile, struct err *e);

/* A view of an image's tree to look into: nothing can be written, nothing is left. */
int root_view(const struct store *s, const struct image *image, struct err *e);

/*
 * The container's upper directory (O_PATH) and the tree of its layers below it, as root_view has it (-1: it has none).
 * -ENODATA as with root_again.
 */
int root_parts(const struct store *s, const struct record_dir *d, int *ret_upper, int *ret_lower, struct err *e);

/* The container's whole tree to be read, whether it runs or not. -ENODATA as with root_again. */
int root_whole(const struct store *s, const struct record_dir *d, struct err *e);
