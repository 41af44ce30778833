/* SPDX-License-Identifier: Apache-2.0 */
/* kist checkpoint: a running container as files. */
#include <errno.h>
#include <fcntl.h>

#include "cli/cmd.h"
#include "cli/freeze_words.h"
#include "engine/record.h"
#include "runtime/checkpoint.h"
#include "runtime/state.h"
#include "util/fd.h"

static int check(const struct checkpoint_options *o, struct err *e)
{
	if (o->pre_dump && o->leave_running)
		return cmd_usage(e, "--pre-dump leaves the container running: --leave-running does not go with it");
	if (o->pre_dump && o->image.lazy_pages)
		return cmd_usage(e, "--pre-dump does not go with --lazy-pages");
	if (o->status_fd.is_set && !o->image.lazy_pages)
		return cmd_usage(e, "--status-fd goes with --lazy-pages only");
	if (o->image.lazy_pages && !o->page_server)
		return cmd_usage(e, "--lazy-pages needs --page-server: the address to serve them at");
	if (o->status_fd.is_set && fcntl((int)o->status_fd.value, F_GETFD) < 0)
		return err_sys(e, "status fd %d", (int)o->status_fd.value);
	return 0;
}

/* A container with --rm goes at its end with its layer, and nothing could be restored. */
static int check_removal(const struct cli *cli, const char *name, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct record record record_done_auto = {0};
	struct err ignored;

	if (cli->face == FACE_OCI || store_open(cli->global->store, false, &s, &ignored) < 0 ||
	    record_open(&s, name, &d, &ignored) < 0 || record_read(&d, &record, &ignored) < 0 || !record.is_rm.v)
		return 0;
	return err_new(e, EBUSY,
		       "checkpoint %s: it was run with --rm, and so would be removed: use --leave-running, or leave "
		       "out --rm",
		       name);
}

int cmd_checkpoint(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct checkpoint_options *o = options;
	struct criu_options c = freeze_words(&o->image);
	int r = check(o, e);

	(void)argc;
	if (r < 0)
		return r;
	c.parent_path = o->parent_path;
	c.page_server = o->page_server;
	c.status_fd = o->status_fd.is_set ? (int)o->status_fd.value : -1;
	c.leave_running = o->leave_running;
	c.is_pre_dump = o->pre_dump;
	c.tcp_skip_in_flight = o->tcp_skip_in_flight;
	c.link_remap = o->link_remap;
	if (!o->leave_running && !o->pre_dump)
		r = check_removal(cli, argv[0], e);
	if (r < 0)
		return r;
	fd_auto int root = state_open_root(cli->global->root, true, e);
	return root < 0 ? root : container_checkpoint(root, argv[0], &c, e);
}
