/* SPDX-License-Identifier: Apache-2.0 */
/* The last stretch of a run: a complete create_request becomes a process, waited for or kept. For engine/run*.c. */
#pragma once
#include "engine/etc.h"
#include "engine/record.h"
#include "runtime/create.h"
#include "util/err.h"

struct launch {
	struct create_request *request;   /* all but stdio; own_rootfs is taken over */
	struct spec *spec;                /* the request's, to give its terminal the size of ours */
	struct record_dir *dir;           /* with the lock; NULL: a bundle in the foreground */
	struct etc *etc;                  /* files that a keeper takes over; NULL: none */
	bool is_detached, is_rm, is_input, is_keep;
	bool is_oci;                      /* a terminal's output is passed on as runc does it */
	int64_t log_max_bytes;
	int log_max_files;
};

/*
 * Foreground: runs it, waits, cleans up, notes the ending in the record. Detached: leaves it to a keeper, *ret_status 0.
 * On failure nothing is left of the process, its group and its state; the record's directory is the caller's.
 */
int launch(const struct launch *l, int *ret_status, struct err *e);
