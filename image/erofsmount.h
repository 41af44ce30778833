/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An EROFS file as a mount that is attached nowhere: it goes with its last user. Kernels since 6.12 mount a regular file
 * (CONFIG_EROFS_FS_BACKED_BY_FILE); whether this one does is found out by trying. Only files that kist-image has written
 * or verified come here. Part of kist and of kist-image.
 */
#pragma once
#include "image/store.h"

/* What KIST_EROFS says: `never`, `auto` (also when it is not set) or `always`. */
enum erofs_wish { EROFS_NEVER, EROFS_AUTO, EROFS_ALWAYS };

int erofs_wish(enum erofs_wish *ret_wish, struct err *e);

/*
 * Mounts the file behind a descriptor that can be read. Returns the mount's root, which the caller owns, or -errno with
 * words: -EPERM for users other than root, -ENODEV and -ENOTBLK where the kernel cannot.
 */
int erofs_mount(int file, struct err *e);

/*
 * The kernel gives each mount of a file inodes of its own, and with them a page cache of its own. So containers share one:
 * whoever runs one offers its mount by a lock on the byte of `meet`, a file of the store, that has the mount's descriptor as
 * its number. The lock tells the process (fcntl(2) F_GETLK), and it goes with it. erofs_join gives a copy of an offered mount,
 * which lasts as long as it is needed, whoever ends first; else a new one (before Linux 6.15 always: there a mount that is
 * attached nowhere cannot be copied). Returns as erofs_mount.
 */
int erofs_join(int meet, int file, struct err *e);

/* Offers a mount. Both descriptors must stay open as long; no other of `meet`'s file may be closed, which ends all locks. */
void erofs_offer(int meet, int mnt);

/* The place of the EROFS file of an image, by its manifest's digest. Returns `out`. */
char *erofs_path(const char *digest, char out[static STORE_PATH_MAX]);

/* Opens the EROFS file that a stored image was converted to, to be read. -ENOENT: it was not. */
int erofs_open(const struct store *s, const char *digest);

/* Its size in bytes; 0: there is none. */
int64_t erofs_bytes(const struct store *s, const char *digest);

/* Whether there is one. */
bool erofs_has(const struct store *s, const char *digest);
