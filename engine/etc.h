/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/hostname and /etc/hosts of a container of an image; with the host's network /etc/hosts and /etc/resolv.conf of
 * the host. They lie on a small tmpfs that is mounted nowhere but in the container, and goes with it: nothing of them
 * is in the container's layer, on the disk, or left after a kill. Made anew at each start. Caller: engine/run*.c.
 */
#pragma once
#include "spec/spec.h"
#include "util/err.h"

/*
 * Makes the files and adds their mounts to the spec, unless it has mounts there. The sources are paths through a
 * descriptor, so the spec is to be used in this process and not to be printed. Returns the descriptor, which the caller
 * owns and keeps open until the container is made.
 */
int etc_add(struct spec *s, struct err *e);
