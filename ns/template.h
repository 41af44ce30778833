/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The template: a mount namespace that holds three mounts (a read-only tmpfs, proc and sysfs), pinned once per
 * boot below the state directory. A container's namespace is copied from it instead of from the host's, so that a run
 * costs the same on a host with ten mounts or ten thousand, and the child never sees a mount of the host. Its proc is
 * the private procfs through which the child writes attributes and sysctls: nothing can be mounted over it.
 * Source: mount_namespaces(7), unshare(1) "--mount=file".
 */
#pragma once
#include <stddef.h>

#include "util/err.h"

/* Where the child finds things in a namespace copied from the template. */
#define TEMPLATE_ROOT "/root"          /* empty directory: the container's root file system is attached here */
#define TEMPLATE_LAUNCHER "/launcher"  /* the program that executes the container's: see runtime/launcher.h */

/* The bytes of an executable file. */
struct template_file {
	const void *bytes;
	size_t len;
};

/*
 * Opens the pinned namespace below the state root `rootdir`, making it when it is missing, with the launcher's bytes
 * in it. Runs in the parent, as
 * root of the initial user namespace. Returns a descriptor that the caller owns; -errno when it cannot be made, which
 * a caller answers by copying the host's namespace.
 */
int template_open(int rootdir, const struct template_file *launcher, struct err *e);

/* Unpins the template and removes its directory, for those who take the state root away. 0, or -errno. */
int template_remove(int rootdir);

/* Goes into a mount namespace for the time of one clone, and back: see template_enter. */
struct mount_hop {
	int home, root, cwd;    /* where we came from */
};

/*
 * Puts the calling (single-threaded) process into the mount namespace `fd`; template_leave brings it back with the
 * root and working directory it had. Runs in the parent, around clone3. setns(2).
 */
int template_enter(int fd, struct mount_hop *ret_hop, struct err *e);
int template_leave(struct mount_hop *hop, struct err *e);
