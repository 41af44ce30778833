/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the layers of an image are, on standard error: on a terminal one bar for each, redrawn in place; else one
 * line where a layer begins and one where it ends. Used by load, import, pull and push.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "image/ref.h"

enum progress_style { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BARS };

enum progress_state {
	PROGRESS_WAITS,
	PROGRESS_MOVES,

	PROGRESS_ENDED,
};

struct progress_row {
	char name[20];		  /* the beginning of a digest */
	const char *verb;	  /* what is done: "pulling" */
	const char *_Atomic done; /* what it is at its end: "unpacked" */
	uint64_t total;		  /* bytes; UINT64_MAX: not known */
	_Atomic uint64_t bytes;	  /* that have passed */
	_Atomic int state;
};

struct progress {
	enum progress_style style;
	struct progress_row *rows;
	size_t count;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool is_started, is_over;
	unsigned int drawn; /* lines of the last picture */
};

/*
 * Bars where standard error is a terminal that can redraw (TERM is set and not "dumb"), else lines, if they are wanted
 * there. -q: nothing.
 */
enum progress_style progress_style(bool is_quiet, bool is_plain_wanted);

/* Makes `count` rows. The caller fills them in, then starts, and ends by progress_done in any case. */
void progress_open(struct progress *p, enum progress_style style, size_t count);
void progress_name(struct progress_row *row, const char *verb, const char *digest, uint64_t total);
void progress_start(struct progress *p);
void progress_done(struct progress *p);

#define progress_auto __attribute__((cleanup(progress_done)))

/* A layer begins, has moved on, ends as `done` says. For any thread. */
void progress_begin(struct progress *p, struct progress_row *row);
void progress_end(struct progress *p, struct progress_row *row, const char *done);

/* NULL: nobody watches. */
static inline void progress_add(struct progress_row *row, uint64_t bytes)
{
	if (row)
		atomic_fetch_add_explicit(&row->bytes, bytes, memory_order_relaxed);
}

/* Says one line, above the bars if there are any now. */
void progress_say(struct progress *p, const char *line);

/* ---- for the tests ---- */

/* Writes one bar, at most `width` columns wide. Returns its length. */
size_t progress_draw_row(const struct progress_row *row, unsigned int width, char *out, size_t size);
