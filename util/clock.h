/* SPDX-License-Identifier: Apache-2.0 */
/* Times, and times as text: RFC 3339 in UTC with nanoseconds. Needs no time zone files, so it costs one clock read. */
#pragma once
#include <stdint.h>
#include <time.h>

enum { CLOCK_TEXT_MAX = 96 };

/* Writes the current time, "2026-11-22T08:15:30.123456789Z". */
char *clock_text(char out[static CLOCK_TEXT_MAX]);

/* Writes a given time. */
char *clock_format(struct timespec t, char out[static CLOCK_TEXT_MAX]);

/* Milliseconds of a clock that nobody sets: for timeouts. CLOCK_MONOTONIC, clock_gettime(2). */
int64_t clock_ms(void);

/* Reads RFC 3339 text (any offset); returns 0, or -EINVAL. */
int clock_parse(const char *text, struct timespec *ret_time);
