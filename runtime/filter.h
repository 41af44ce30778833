/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last step before the program: the filter onto the own process. Where it hands calls to a listener, the descriptor
 * of these notifications goes to the other half first. Source: seccomp(2), seccomp_unotify(2). Runs in the child, which
 * allocates nothing.
 */
#pragma once
#include "runtime/process.h"

/*
 * Loads the plan's filter, if there is one. `report` is the socket to the other half, which gets SYNC_LISTENER with the
 * descriptor. Once it returns 0, every call of ours is judged by the filter. -EAGAIN: no second thread could be made.
 */
int filter_load(const struct process_plan *p, int report, struct err *e);
