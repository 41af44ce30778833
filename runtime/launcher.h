/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps kist's own file out of a container's reach (CVE-2019-5736): the launcher, through which programs are
 * started, and for the cases that it does not cover, running kist itself from a read-only mount.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

/*
 * Opens the launcher as a sealed file in memory (memfd_create(2)). Runs in the parent. Returns a descriptor that the
 * caller owns, or -errno: a host that forbids executing such files (vm.memfd_noexec).
 */
int launcher_open(void);

/* The launcher's bytes, for the mount namespace template. */
extern const unsigned char launcher_start[];
extern const uint32_t launcher_size;

/* Whether the file that kist runs from cannot be written to where it lies. statvfs(3). */
bool launcher_is_sealed(void);

/*
 * Executes kist again, with the same arguments, from a detached read-only copy of the mount that its file lies on. Does
 * nothing when the file cannot be written to there already. Returns 0, or -errno with e filled; on the way it does not
 * return. Call it before anything was done that must not be done twice. open_tree(2), mount_setattr(2), execveat(2).
 */
int launcher_seal_self(struct err *e);

/* The arguments that kist was started with, as execve(2) takes them. They are the process's for good. */
int launcher_own_arguments(char ***ret_argv, struct err *e);
