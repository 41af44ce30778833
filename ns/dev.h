/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev of a container: the default nodes and links, the nodes that the config lists, and the console. All of it works
 * on descriptors beneath the container's root, never on a path that a symlink of the image could bend.
 * Sources: runtime-spec config-linux.md "Default Devices", "Devices"; mknod(2); pts(4).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"

struct dev_node {
	const char *path;      /* in the container, absolute */
	const char *where;     /* "linux.devices[2]" for messages */
	mode_t mode;           /* S_IFCHR, S_IFBLK or S_IFIFO, and permissions */
	unsigned major, minor;
	uid_t uid;
	gid_t gid;
	int host_tree;         /* in a user namespace: a detached copy of the host's node; -1: mknod */
};

/* null zero full random urandom tty, as the spec asks of every container. */
extern const struct dev_node dev_defaults[];
extern const size_t dev_defaults_count;

/*
 * Makes nodes beneath `root`, or attaches the host's. A file that is there and is that very device is left alone; any
 * other is refused (-EEXIST), as the spec demands. Runs in the child, before pivot.
 */
int dev_make(int root, const struct dev_node *nodes, size_t count, struct err *e);

/* Makes the links fd, stdin, stdout, stderr, core and, where devpts is mounted, ptmx. An existing link is left alone. */
int dev_links(int root, bool has_pts, struct err *e);

/*
 * Opens a terminal pair on the container's own devpts. The slave is got from the master (TIOCGPTPEER), so no path of
 * the container is trusted. Runs in the child, in any mount namespace in which `root` lies.
 */
int dev_terminal(int root, int *ret_master, int *ret_slave, struct err *e);

/* Binds a terminal's slave on /dev/console. Runs in the child, before pivot. */
int dev_console(int root, int slave, struct err *e);
