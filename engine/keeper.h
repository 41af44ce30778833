/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: the process that stays behind with a detached container. It is the parent of the container's init, holds
 * its stdio, writes the log, notes how it ended, and takes cgroup and state away (with --rm, the container's directory
 * too). One per container, on its own: it outlives its caller, and ignores every signal but SIGKILL, since stopping the
 * container is what ends it. When nothing happens it gives its memory back.
 */
#pragma once
#include <stdbool.h>

#include "engine/logfile.h"
#include "engine/record.h"
#include "runtime/create.h"
#include "util/err.h"

struct keeper_job {
	struct create_request *request;  /* stdio is the keeper's to fill in; own_rootfs is taken over */
	struct record_dir *dir;          /* with the lock, which the keeper takes along */
	bool is_rm;
	bool is_input;                   /* standard input is an open pipe, not /dev/null */
	int64_t log_max_bytes;
	int log_max_files;
};

/*
 * Forks the keeper and waits until the container's program runs. On failure the keeper has undone everything but the
 * container's directory, and e says why.
 */
int keeper_start(const struct keeper_job *job, struct err *e);
