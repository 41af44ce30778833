/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager says in our environment: see cmd.h. Sources: sd_listen_fds(3), sd_notify(3). */
#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "runtime/create.h"
#include "util/num.h"

enum { LISTEN_MAX = 4096 };

int cmd_notify_socket(const char **ret, struct err *e)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un name;

	*ret = NULL;
	if (!path || !*path)
		return 0;
	if ((*path != '/' && *path != '@') || !path[1])
		return err_new(e, EINVAL, "NOTIFY_SOCKET %s: expected an absolute path or @NAME", path);
	if (strlen(path) >= sizeof(name.sun_path))
		return err_new(e, ENAMETOOLONG, "NOTIFY_SOCKET %s", path);
	*ret = path;
	return 0;
}

/* Whole text as a number up to `max`. */
static int number(const char *name, const char *text, uint64_t max, uint64_t *ret, struct err *e)
{
	const char *at = text;

	if (!num_take(&at, ret) || *at || *ret > max)
		return err_new(e, EINVAL, "%s %s: expected a number up to %llu", name, text, (unsigned long long)max);
	return 0;
}

/* Sockets that were meant for another process, or for none, are not ours to pass on. */
static int take_sockets(struct create_service *s, struct err *e)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t count, owner;

	if (!fds || !pid)
		return 0;
	int r = number("LISTEN_PID", pid, INT32_MAX, &owner, e);
	if (r == 0)
		r = number("LISTEN_FDS", fds, LISTEN_MAX, &count, e);
	if (r < 0 || owner != (uint64_t)getpid())
		return r;
	s->listen_fds = (unsigned)count;
	s->listen_names = getenv("LISTEN_FDNAMES");
	return 0;
}

int cmd_service(struct create_service *ret, struct err *e)
{
	*ret = (struct create_service){ 0 };
	int r = take_sockets(ret, e);
	return r < 0 ? r : cmd_notify_socket(&ret->notify_socket, e);
}
