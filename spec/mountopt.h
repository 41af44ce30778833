/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of mounts[].options as numbers: one table, in the order in which `features` lists it.
 * Callers: spec/check, spec/features, ns/. Sources: runtime-spec config.md "Linux mount options", mount(2),
 * mount_setattr(2).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/arena.h"
#include "util/err.h"
#include "util/jx.h"

enum { MOUNT_PROPAGATIONS_MAX = 8 };

struct mount_propagation {
	unsigned long type;        /* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE */
	bool is_recursive;
};

struct mount_options {
	/*
	 * For mount_setattr(2) on the mount, and with AT_RECURSIVE on the tree. A bit is in set, in clr, or
	 * in neither; the access time is a field: when a word of it is given, all of MOUNT_ATTR__ATIME is in
	 * clr too.
	 */
	uint64_t attr_set, attr_clr;
	uint64_t rec_set, rec_clr;

	/*
	 * Of the superblock, as MS_* of mount(2): MS_SYNCHRONOUS, MS_DIRSYNC, MS_I_VERSION, MS_LAZYTIME,
	 * MS_MANDLOCK, MS_SILENT; and MS_RDONLY, which `ro` sets beside the attribute.
	 */
	unsigned long super_set, super_clr;

	/* In the order of the words, to be applied after the mount, one call each. */
	struct mount_propagation propagation[MOUNT_PROPAGATIONS_MAX];
	size_t propagation_count;

	bool is_bind;              /* bind or rbind */
	bool is_rbind;
	bool is_remount;
	bool is_idmap;             /* idmap or ridmap */
	bool is_ridmap;
	bool is_tmpcopyup;
	bool is_copy_symlink;      /* copy-symlink: a source that is a symlink is made anew, not followed */
	bool is_src_nofollow;
	bool is_dest_nofollow;

	const char *context;       /* SELinux label of a new file system, which is no word: linux.mountLabel; NULL: none */
	const char *data;          /* words left for the file system, joined by ','; "" if none; no effect on a bind */
	unsigned root_mode;        /* a tmpfs without mode=: that of the directory it covers; 0: the file system's own */
};

/*
 * Reads option words; strings come from the arena. On a bind mount a word that is neither in the table nor KEY=VALUE
 * is refused with the nearest one, because the kernel would drop it. Errors name the word, not the mount.
 * -EINVAL. Pure.
 */
int mount_options_parse(const struct strs *words, struct arena *arena, struct mount_options *ret,
			struct err *e);

/* Walks the table: word number i, or NULL after the last. */
const char *mount_option_word(size_t i);
