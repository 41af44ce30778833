/* SPDX-License-Identifier: Apache-2.0 */
/* See kinds.h. */
#include "ns/kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/sys.h"

const struct ns_kind ns_kinds[] = {
	{ CLONE_NEWUSER,   "user",    "user"   },
	{ CLONE_NEWNS,     "mount",   "mnt"    },
	{ CLONE_NEWPID,    "pid",     "pid"    },
	{ CLONE_NEWNET,    "network", "net"    },
	{ CLONE_NEWIPC,    "ipc",     "ipc"    },
	{ CLONE_NEWUTS,    "uts",     "uts"    },
	{ CLONE_NEWCGROUP, "cgroup",  "cgroup" },
	{ CLONE_NEWTIME,   "time",    "time"   },
};

const size_t ns_kinds_count = ARRAY_LEN(ns_kinds);

const struct ns_kind *ns_kind_find(int flag)
{
	for (size_t i = 0; i < ARRAY_LEN(ns_kinds); i++)
		if (ns_kinds[i].flag == flag)
			return &ns_kinds[i];
	return NULL;
}

static const char *word_of(int flag)
{
	const struct ns_kind *k = ns_kind_find(flag);
	return k ? k->word : "unknown";
}

int ns_open(const char *path, int kind, struct err *e)
{
	/* O_NONBLOCK: a FIFO in the place of the namespace must not stop us. */
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, "%s", path);
	int type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_new(e, EINVAL, "%s: not a namespace", path);
	if (type != kind)
		return err_new(e, EINVAL, "%s: expected a %s namespace, got %s", path, word_of(kind), word_of(type));
	return fd_take(&fd);
}

int ns_open_of(pid_t pid, int kind, struct err *e)
{
	const struct ns_kind *k = ns_kind_find(kind);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, k ? k->file : "");
	return ns_open(path, kind, e);
}
