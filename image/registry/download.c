/* SPDX-License-Identifier: Apache-2.0 */
/* See download.h. */
#include "image/registry/download.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

enum { PIECE = 256 << 10, PIPE_ROOM = 1 << 20 };

static int write_pipe(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct download *d = ctx;
	int r = fd_write_all(d->writer, bytes, len);
	return r < 0 ? err_ret(e, r, "pipe") : 0;
}

static void *run(void *arg)
{
	struct download *d = arg;
	const struct registry_sink sink = { write_pipe, d };
	d->result = registry_get_blob(d->registry, d->digest, 0, d->size_bytes, &sink, &d->err);
	fd_drop(&d->writer);
	return NULL;
}

static void join(struct download *d)
{
	if (d->is_running)
		pthread_join(d->thread, NULL);
	d->is_running = false;
}

/* The end of the pipe is that of the blob, or a failure that the thread knows. */
static int pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct download *d = (struct download *)((char *)f - offsetof(struct download, flow));
	ssize_t n;
	do
		n = read(d->reader, d->buf, PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "pipe");
	*ret_bytes = d->buf;
	*ret_len = (size_t)n;
	d->passed += (uint64_t)n;
	if (n > 0)
		return 1;
	join(d);
	if (d->result < 0)
		*e = d->err;
	return d->result < 0 ? d->result : 0;
}

static int open_feed(struct feed *f, struct flow **ret_flow, struct err *e)
{
	struct download *d = (struct download *)f;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	d->reader = ends[0];
	d->writer = ends[1];
	/* A user over /proc/sys/fs/pipe-user-pages-soft has to do with less. */
	fcntl(d->writer, F_SETPIPE_SZ, PIPE_ROOM);
	int r = pthread_create(&d->thread, NULL, run, d);
	if (r != 0) {
		fd_drop(&d->reader);
		fd_drop(&d->writer);
		return err_ret(e, -r, "thread");
	}
	d->is_running = true;
	d->buf = mem_alloc(PIECE);
	*ret_flow = &d->flow;
	return 0;
}

/*
 * Whoever stops reading early has failed, and with it the pull: the transfer ends by the next write into the pipe
 * (EPIPE), or, if nothing comes, by the cancelling.
 */
static void close_feed(struct feed *f)
{
	struct download *d = (struct download *)f;
	if (d->is_running && d->passed < d->size_bytes)
		registry_cancel(d->registry);
	fd_drop(&d->reader);
	join(d);
	free(d->buf);
	d->buf = NULL;
}

void download_init(struct download *d, struct registry *registry, const char *digest, uint64_t size_bytes)
{
	*d = (struct download){
		.feed = { .open = open_feed, .close = close_feed },
		.flow = { .pull = pull },
		.registry = registry,
		.size_bytes = size_bytes,
		.reader = -1,
		.writer = -1,
	};
	memcpy(d->digest, digest, DIGEST_TEXT_MAX);
}
