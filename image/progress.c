/* SPDX-License-Identifier: Apache-2.0 */
/* See progress.h. Source of the escapes: console_codes(4) "ECMA-48 CSI sequences". */
#include "image/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

enum { TICK_MS = 100, WIDTH_MAX = 200, ROWS_DEFAULT = 24, COLUMNS_DEFAULT = 80 };

enum progress_style progress_style(bool is_quiet, bool is_plain_wanted)
{
	const char *term = getenv("TERM");
	if (is_quiet)
		return PROGRESS_NONE;
	if (isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0)
		return PROGRESS_BARS;
	return is_plain_wanted || isatty(STDERR_FILENO) ? PROGRESS_LINES : PROGRESS_NONE;
}

static void format_bytes(uint64_t bytes, char *out, size_t size)
{
	static const char units[][3] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t unit = 0;
	for (; v >= 999.5 && unit + 1 < ARRAY_LEN(units); unit++)
		v /= 1000;
	snprintf(out, size, unit && v < 99.95 ? "%.1f%s" : "%.0f%s", v, units[unit]);
}

/* ---- bars ---- */

/* "12.3MB / 29.1MB", or what the row has come to. */
static void describe(const struct progress_row *row, char *out, size_t size)
{
	char bytes[16], total[16];
	uint64_t passed = atomic_load(&row->bytes);
	int state = atomic_load(&row->state);
	format_bytes(passed, bytes, sizeof(bytes));
	format_bytes(row->total == UINT64_MAX ? passed : row->total, total, sizeof(total));
	if (state == PROGRESS_ENDED)
		snprintf(out, size, "%s", atomic_load(&row->done));
	else if (state == PROGRESS_WAITS)
		snprintf(out, size, "waiting");
	else if (row->total != UINT64_MAX && passed >= row->total)
		snprintf(out, size, "%s  finishing", total);
	else if (row->total == UINT64_MAX)
		snprintf(out, size, "%s", bytes);
	else
		snprintf(out, size, "%s / %s", bytes, total);
}

size_t progress_draw_row(const struct progress_row *row, unsigned int width, char *out, size_t size)
{
	enum { WORDS = 22, BAR_MAX = 50, BAR_MIN = 8 };
	char words[64], bar[BAR_MAX + 3] = "";
	describe(row, words, sizeof(words));
	int room = (int)width - 1 - 12 - 2 - 2 - WORDS - 2;
	room = room > BAR_MAX ? BAR_MAX : room;
	if (room >= BAR_MIN && row->total != UINT64_MAX && row->total) {
		uint64_t passed = atomic_load(&row->bytes);
		bool is_ended = atomic_load(&row->state) == PROGRESS_ENDED;
		double part = is_ended || passed >= row->total ? 1 : (double)passed / (double)row->total;
		int filled = (int)(part * room);
		memset(bar + 1, ' ', (size_t)room);
		memset(bar + 1, '=', (size_t)filled);
		if (filled < room)
			bar[1 + filled] = '>';
		bar[0] = '[';
		bar[1 + room] = ']';
		bar[2 + room] = '\0';
	}
	int n = snprintf(out, size, "%.12s  %s%s%s", row->name, bar, *bar ? "  " : "", words);
	size_t len = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
	/* The last column stays free: some terminals wrap as soon as it is written. */
	if (width && len > width - 1)
		len = width - 1;
	out[len] = '\0';
	return len;
}

static bool is_shown(const struct progress_row *row, bool is_crowded)
{
	int state = atomic_load(&row->state);
	return !is_crowded || state == PROGRESS_MOVES;
}

/* One picture in one write, so that nothing flickers: up to its first line, each line anew, what is left erased. */
static void draw(struct progress *p)
{
	struct winsize size = { 0 };
	str_auto struct str out = STR_MAX(256 << 10);
	char line[WIDTH_MAX + 64];
	unsigned int lines = 0, ended = 0;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		size = (struct winsize){ .ws_row = ROWS_DEFAULT, .ws_col = COLUMNS_DEFAULT };
	unsigned int width = size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
	bool is_crowded = p->count + 1 > size.ws_row;
	if (p->drawn)
		str_fmt(&out, "\x1b[%uA", p->drawn);
	for (size_t i = 0; i < p->count; i++) {
		ended += atomic_load(&p->rows[i].state) == PROGRESS_ENDED;
		if (!is_shown(&p->rows[i], is_crowded) || lines + 3 > size.ws_row)
			continue;
		progress_draw_row(&p->rows[i], width, line, sizeof(line));
		str_fmt(&out, "\r%s\x1b[K\n", line);
		lines++;
	}
	if (is_crowded) {
		str_fmt(&out, "\r%u of %zu layers\x1b[K\n", ended, p->count);
		lines++;
	}
	str_puts(&out, "\x1b[J");
	p->drawn = lines;
	if (out.p)
		fd_write_all(STDERR_FILENO, out.p, out.len);
}

static void *run(void *arg)
{
	struct progress *p = arg;
	pthread_mutex_lock(&p->lock);
	while (!p->is_over) {
		struct timespec until;
		draw(p);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		pthread_cond_timedwait(&p->ended, &p->lock, &until);
	}
	draw(p);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- from outside ---- */

void progress_open(struct progress *p, enum progress_style style, size_t count)
{
	pthread_condattr_t attr;
	*p = (struct progress){ .style = style, .count = count };
	p->rows = mem_zero(count ? count : 1, sizeof(*p->rows));
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->ended, &attr);
	pthread_condattr_destroy(&attr);
}

void progress_name(struct progress_row *row, const char *verb, const char *digest, uint64_t total)
{
	snprintf(row->name, sizeof(row->name), "%.12s", *digest ? digest_hex(digest) : "layer");
	row->verb = verb;
	row->total = total;
}

/* Without the thread there is no picture, and nothing else is missed. */
void progress_start(struct progress *p)
{
	p->is_started = p->style == PROGRESS_BARS && p->count && pthread_create(&p->thread, NULL, run, p) == 0;
}

void progress_done(struct progress *p)
{
	if (!p->rows)
		return;
	if (p->is_started) {
		pthread_mutex_lock(&p->lock);
		p->is_over = true;
		pthread_cond_signal(&p->ended);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	pthread_cond_destroy(&p->ended);
	pthread_mutex_destroy(&p->lock);
	free(p->rows);
	p->rows = NULL;
}

static unsigned int number_of(const struct progress *p, const struct progress_row *row)
{
	return (unsigned int)(row - p->rows) + 1;
}

void progress_begin(struct progress *p, struct progress_row *row)
{
	char total[16];
	atomic_store(&row->state, PROGRESS_MOVES);
	if (p->style != PROGRESS_LINES)
		return;
	format_bytes(row->total, total, sizeof(total));
	fprintf(stderr, "layer %u of %zu: %s: %s%s%s\n", number_of(p, row), p->count, row->name, row->verb,
		row->total == UINT64_MAX ? "" : " ", row->total == UINT64_MAX ? "" : total);
}

void progress_end(struct progress *p, struct progress_row *row, const char *done)
{
	atomic_store(&row->done, done);
	atomic_store(&row->state, PROGRESS_ENDED);
	if (p->style == PROGRESS_LINES)
		fprintf(stderr, "layer %u of %zu: %s: %s\n", number_of(p, row), p->count, row->name, done);
}

void progress_say(struct progress *p, const char *line)
{
	if (!p->rows) {
		fprintf(stderr, "%s\n", line);
		return;
	}
	pthread_mutex_lock(&p->lock);
	if (p->drawn)
		fprintf(stderr, "\x1b[%uA\r\x1b[J", p->drawn);
	p->drawn = 0;
	fprintf(stderr, "%s\n", line);
	if (p->is_started)
		draw(p);
	pthread_mutex_unlock(&p->lock);
}
