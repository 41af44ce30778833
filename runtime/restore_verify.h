/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at restored processes before they run. Images hold credentials, filters and namespaces of their own, and may
 * come from a stranger: what they bring back must not be more than the configuration allows. Caller: runtime/restore.
 * Sources: proc(5) "/proc/PID/status"; namespaces(7).
 */
#pragma once
#include "runtime/plan.h"

/*
 * Checks the init and, unless `group` is -1, every process of the container's group: capabilities, no_new_privs, a
 * filter where one is asked for, no namespace of ours where a new one is asked for. -EPERM: the message says what, and
 * all are sent SIGSTOP, which they obey before anything else when criu, who heeds no answer any more, lets them go. To
 * kill them now would let criu wait for them for ever.
 */
int restore_verify(const struct plan *p, int group, pid_t init, struct err *e);
