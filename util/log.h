/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sink for what kist says beside its results: warnings, notes and, at the end, the error. Text goes to standard
 * error. With a log (--log) the error goes there too, as text or as one JSON object, and the rest goes there alone, but
 * for a JSON log: that holds one error of each command and nothing else, because podman reads the whole file as a single
 * JSON value.
 */
#pragma once
#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_options {
	enum log_level level;  /* what is more detailed than this is dropped */
	const char *file;      /* NULL: standard error only; "syslog:TAG", "journald:TAG", "file:NAME", or a file's name */
	bool is_json;          /* the file's lines are {"level","msg","time"} objects */
};

/* Opens the log, if any. Returns 0 or -errno (-EINVAL: JSON for a daemon's log). Runs in the parent, once. */
int log_open(const struct log_options *options);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
