/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that are mounted on the host (`image mount`): mounts/HEX in the store, HEX of the manifest's digest, with what
 * is mounted where. A record holds the layers as a container does (image/holders). Its directory's flock is held while it
 * is changed. Part of kist-image only; mounting itself is cli/image_mount's.
 *
 *   mounts/HEX/layers       diffIDs, one per line
 *   mounts/HEX/record.json  image, target, how often it was asked for, by what the mount is known, and of which boot
 *   mounts/HEX/tree         where it is mounted, unless elsewhere was asked for
 */
#pragma once
#include "image/image.h"

/*
 * By which a mount is known again. statx(2): STATX_MNT_ID_UNIQUE is never given twice. Before Linux 6.8 there is only a
 * number that the next mount gets when this one is gone; then it is what lies there that has to be the same, too.
 */
struct mount_id {
	int64_t number; /* 0: of none */
	int64_t device, inode;
};

struct mount_record {
	struct arena arena;
	int dir;             /* mounts/HEX with its flock */
	char hex[65];
	const char *image;   /* name, or digest */
	const char *target;  /* absolute */
	int64_t count;       /* 0: it is being mounted */
	struct mount_id id;
};

#define MOUNT_RECORD_NONE ((struct mount_record){ .dir = -1 })
#define mount_record_auto __attribute__((cleanup(mount_record_done)))
void mount_record_done(struct mount_record *m);

/* Makes or opens the record of an image and takes its lock. `count` is 0 when there was none, or its mount is gone. */
int mount_record_open(const struct store *s, const char *digest, struct mount_record *ret, struct err *e);

/* Writes the list of held layers, which comes first, and the record. */
int mount_record_hold(const struct mount_record *m, const struct strs *layers, struct err *e);
int mount_record_write(const struct mount_record *m, struct err *e);

/* Unmounts, when it is mounted, and removes the record. `is_lazy`: though somebody uses it. */
int mount_record_remove(const struct store *s, struct mount_record *m, bool is_lazy, struct err *e);

/* The mount that a directory is the root of. */
struct mount_id mount_id(int dir);

/* Calls `fn` for each record whose mount is there, with its lock; those of lost mounts go. */
int mounts_each(const struct store *s, int (*fn)(void *ctx, struct mount_record *m, struct err *e), void *ctx,
		struct err *e);

/* Removes the records of mounts that are gone: by a reboot, or by umount(8). */
int mounts_sweep(const struct store *s, struct err *e);
