/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container asks of the host's security modules: an AppArmor profile and an SELinux label for its programs, a
 * label for its file systems. Sources: runtime-spec config.md "Linux Process" (apparmorProfile, selinuxLabel),
 * config-linux.md "Mount Label"; proc(5) "/proc/pid/attr"; the kernel's Documentation/admin-guide/LSM.
 */
#pragma once
#include <stdbool.h>

#include "util/err.h"

struct lsm {
	const char *apparmor;    /* process.apparmorProfile; NULL: none asked for */
	const char *selinux;     /* process.selinuxLabel */
};

/* Whether one of them is asked for: then a trusted proc is needed, and no launcher may stand before the program. */
static inline bool lsm_is_used(const struct lsm *l)
{
	return l->apparmor || l->selinux;
}

/*
 * Refuses a label whose module is off on this host (-EOPNOTSUPP), before any side effect. "unconfined" is what every
 * process is without AppArmor. `host` is the root of the host's tree: "/proc" and "/sys" are looked at beneath it. Parent.
 */
int lsm_check(int host, const struct lsm *l, const char *mount_label, struct err *e);

/*
 * Labels what the calling process executes next. Only its own attributes can be written to, and only with the
 * credentials that it has for good, so this comes after they have changed. `proc`: a directory that is procfs for
 * certain. The exec must be that of the program itself, since the label counts for one. Child.
 */
int lsm_label(int proc, const struct lsm *l, struct err *e);

/*
 * Gives the calling process a session keyring of its own, with the label. `proc`: as above, looked at for a label of
 * SELinux alone. Child. keyrings(7)
 */
int lsm_keyring(int proc, const struct lsm *l, struct err *e);

/* Whether a new file system of this type takes a label as its own option context=. Pure. */
bool lsm_has_context(const char *type);
