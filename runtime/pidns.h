/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a container by its pid namespace, where there is no cgroup to ask: containers of users to whom no group
 * was delegated. Caller: control. Source: ioctl_nsfs(2), pid_namespaces(7).
 */
#pragma once
#include <stddef.h>
#include <sys/types.h>

/*
 * Lists the processes in the pid namespace of `init` and in those below it, `init` first. The caller frees the list. 0 or
 * -errno; -ESRCH: it is gone.
 */
int pidns_list(pid_t init, pid_t **ret_pids, size_t *ret_count);
