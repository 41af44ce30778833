/* SPDX-License-Identifier: Apache-2.0 */
/* kist create: a container whose process waits for start. Callers are engines such as podman and containerd. */
#include <errno.h>

#include "cli/cmd.h"
#include "runtime/bundle.h"
#include "runtime/create.h"
#include "runtime/exposed.h"
#include "runtime/rootless.h"
#include "util/mem.h"

int cmd_create(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct create_options *o = options;
	struct bundle b bundle_auto = { 0 };
	struct container c container_auto = CONTAINER_NONE;

	(void)argc;
	struct create_service service;
	int r = cmd_service(&service, e);
	if (r == 0)
		r = bundle_open(o->bundle, o->config, &b, e);
	if (r == 0)
		r = rootless_enter(&b.spec, e);
	if (r == 0)
		r = exposed_seal(&b.spec, e);
	if (r < 0)
		return r;
	const struct create_request rq = {
		.state_root = cli->global->root, .id = argv[0], .bundle = b.path, .spec = &b.spec,
		.config = b.config, .config_len = b.config_len, .own_rootfs = -1, .stdio = { -1, -1, -1 },
		.console_socket = o->console_socket, .pidfd_socket = o->pidfd_socket, .pid_file = o->pid_file,
		.preserve_fds = (unsigned)o->preserve_fds.value, .is_no_pivot = o->no_pivot,
		.is_no_keyring = o->no_new_keyring, .cgroup_manager = cmd_cgroup_manager(cli), .service = service,
	};
	if (b.spec.process && b.spec.process->terminal.v && !o->console_socket)
		return err_new(e, EINVAL, "create %s: process.terminal is true: --console-socket is needed", argv[0]);
	return container_create(&rq, &c, e);
}
