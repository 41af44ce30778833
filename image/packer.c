/* SPDX-License-Identifier: Apache-2.0 */
/* See packer.h. */
#include "image/packer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "util/fd.h"

enum { PIPE_BYTES = 1 << 20 };

static void *run(void *arg)
{
	struct packer *p = arg;
	p->result = p->write(p->ctx, p->own_out, &p->err);
	fd_drop(&p->own_out);
	return NULL;
}

int packer_start(struct packer *p, int *ret_in, struct err *e)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	p->own_out = ends[1];
	int num = pthread_create(&p->thread, NULL, run, p);
	if (num) {
		fd_close(ends[0]);
		fd_drop(&p->own_out);
		return err_ret(e, -num, "start a thread");
	}
	p->is_running = true;
	*ret_in = ends[0];
	return 0;
}

int packer_end(struct packer *p, struct err *e)
{
	if (p->is_running)
		pthread_join(p->thread, NULL);
	p->is_running = false;
	if (p->result < 0)
		*e = p->err;
	return p->result;
}

int packer_blame(struct packer *p, int r, struct err *e)
{
	struct err own = { .num = 0 };
	int written = packer_end(p, &own);
	if (r >= 0 || written >= 0 || written == -EPIPE)
		return r;
	*e = own;
	return written;
}
