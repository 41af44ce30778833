/* SPDX-License-Identifier: Apache-2.0 */
/* A running container into files, through CRIU. Callers: cli. Runs in the parent. Source: criu(8). */
#pragma once
#include "runtime/criu.h"

/*
 * Writes the container's processes as images below o->image_path. Unless o->leave_running or o->is_pre_dump, the
 * container has stopped then. On failure it runs on, and the message holds the end of CRIU's log.
 */
int container_checkpoint(int root, const char *id, const struct criu_options *o, struct err *e);
