/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detached container's log, as it is written: the log format of the Kubernetes CRI, one line per writev(2):
 *
 *   2026-11-22T08:15:30.123456789Z stdout F a whole line
 *   2026-11-22T08:15:30.123456789Z stderr P a piece that goes on in the next line of its stream
 *
 * At max_bytes `log` becomes log.1, log.1 becomes log.2, and so on up to max_files files in all. What the file system
 * does not take is counted and dropped; the container never waits. Caller: the keeper.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAMS };

enum { LOG_MAX_BYTES_DEFAULT = 10 << 20, LOG_MAX_FILES_DEFAULT = 3, LOG_PIECE_MAX = 8192 };

struct logfile {
	int dir;                       /* borrowed */
	int fd;                        /* -1: could not be opened again; everything is dropped */
	int64_t size, max_bytes;
	int max_files;
	bool is_partial[LOG_STREAMS];  /* the stream's last line was a P */
	bool is_cut[LOG_STREAMS];      /* and what belongs to it was dropped: the line is still to be ended */
	bool is_skipping[LOG_STREAMS]; /* a piece was dropped, so the rest of its line goes too */
	uint64_t dropped;              /* lines */
};

/* Opens `log` in a directory to append to it. */
int logfile_open(int dir, int64_t max_bytes, int max_files, struct logfile *ret, struct err *e);
void logfile_done(struct logfile *l);

/* Appends what a stream gave, at most LOG_PIECE_MAX bytes. */
void logfile_put(struct logfile *l, enum log_stream stream, const char *bytes, size_t len);
