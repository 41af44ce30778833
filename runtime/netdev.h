/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network devices of the host that a config moves into its container: kist's side of the helper kist-net, which does it
 * (net/main.c). The helper stays until the container is made, so that the devices come back when it is not, even if kist
 * is killed. Caller: create.c, in the parent.
 */
#pragma once
#include <sys/types.h>

#include "spec/spec.h"
#include "util/err.h"

/* A helper that can still take back. */
struct netdev {
	int end;       /* our end of the socket; -1: there is none */
	pid_t pid;
};

#define NETDEV_NONE ((struct netdev){ .end = -1 })

/*
 * Moves the devices into the network namespace `ns`. `program` is the helper's path. On failure all are back on the
 * host, and e names the device.
 */
int netdev_move(const char *program, int ns, const struct spec_net_devices *devices, struct netdev *ret, struct err *e);

/* The container is made: the devices stay where they are, and the helper ends. */
void netdev_keep(struct netdev *n);

/* Takes the devices back and waits for that; a warning tells what could not be restored. Nothing, after netdev_keep. */
void netdev_undo(struct netdev *n);
