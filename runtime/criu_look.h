/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at a running container for what CRIU cannot save, because it lies outside: see criu_record.h. Changes nothing.
 * Caller: runtime/checkpoint. Sources: proc(5) "/proc/PID/mountinfo", "/proc/PID/fdinfo"; statx(2) STATX_MNT_ID.
 */
#pragma once
#include "runtime/criu_record.h"
#include "spec/spec.h"
#include "util/mem.h"

/*
 * Fills the record of the container whose init is `pid`, and appends the external resources to a criu_opts message.
 * `spec` is the configuration that it was made from. -EOPNOTSUPP: CRIU cannot do without something that is named.
 */
int criu_look(pid_t pid, const struct spec *spec, struct criu_record *ret, struct str *opts, struct err *e);

/* Once the processes are frozen: regular files have the size now that criu has noted. */
void criu_look_at_sizes(pid_t pid, struct criu_record *r);
