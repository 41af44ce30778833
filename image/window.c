/* SPDX-License-Identifier: Apache-2.0 */
/* See window.h. Sources: RFC 8878 "Window Descriptor"; zstd.h "Custom memory allocation"; madvise(2) MADV_DONTNEED. */
#include "image/window.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/fd.h"

enum {
	SMALL = 1 << 20, /* not counted: libzstd's tables */
	HEAD = 64,	 /* before what is given: a mapping begins where nobody else's memory does */
	/* libzstd adds to a window up to three blocks and their margins: ZSTD_decodingBufferSize_min. */
	MARGIN = 3 * (128 << 10) + 64,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t used;

static void take(struct window *w, size_t bytes)
{
	pthread_mutex_lock(&lock);
	while (bytes > WINDOW_MEMORY - used)
		pthread_cond_wait(&changed, &lock);
	used += bytes;
	w->taken = bytes;
	pthread_mutex_unlock(&lock);
}

static void give_back(struct window *w)
{
	pthread_mutex_lock(&lock);
	used -= w->taken;
	w->taken = 0;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* All of the file is allocated now: a page for which there is no room later would be a SIGBUS. */
static void *map_file(const struct window *w, size_t len)
{
	fd_auto int fd = w->dir < 0 ? -1 : openat(w->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || fallocate(fd, 0, 0, (off_t)len) < 0)
		return MAP_FAILED;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		madvise(p, len, MADV_RANDOM);
	return p;
}

static void *refuse(struct window *w, size_t size, int num)
{
	w->refused = size;
	w->refused_num = num;
	return NULL;
}

void *window_alloc(void *ctx, size_t size)
{
	struct window *w = ctx;
	if (size < SMALL)
		return malloc(size);
	if (w->p)
		return refuse(w, size, ENOMEM);
	if (window_of(size) > WINDOW_MAX)
		return refuse(w, size, EFBIG);
	size_t len = size + HEAD;
	bool is_large = len > WINDOW_MEMORY;
	take(w, is_large ? WINDOW_MEMORY : len);
	uint8_t *p = is_large ? map_file(w, len) :
				mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		int num = errno;
		give_back(w);
		return refuse(w, size, num);
	}
	w->p = p;
	w->len = len;
	return p + HEAD;
}

void window_free(void *ctx, void *p)
{
	struct window *w = ctx;
	if (!w->p || p != (uint8_t *)w->p + HEAD) {
		free(p);
		return;
	}
	munmap(w->p, w->len);
	w->p = NULL;
	give_back(w);
}

size_t window_of(size_t size)
{
	return size > MARGIN ? size - MARGIN : 0;
}

void window_trim(const struct window *w)
{
	if (w->p && w->len > WINDOW_MEMORY)
		madvise(w->p, w->len, MADV_DONTNEED);
}
