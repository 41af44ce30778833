/* SPDX-License-Identifier: Apache-2.0 */
/* See lsm.h. */
#include "runtime/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/sys.h"

/* ---- what the host has ---- */

/* The kernel tells of selinuxfs only when SELinux is on (security/selinux/selinuxfs.c, init_sel_fs). */
static bool has_selinux(int host)
{
	free_auto char *list = NULL;
	size_t len;
	return file_read(host, "proc/filesystems", 1 << 16, false, &list, &len) == 0 && strstr(list, "\tselinuxfs\n");
}

static bool has_apparmor(int host)
{
	free_auto char *word = NULL;
	size_t len;
	return file_read(host, "sys/module/apparmor/parameters/enabled", 1 << 16, false, &word, &len) == 0 && *word == 'Y';
}

int lsm_check(int host, const struct lsm *l, const char *mount_label, struct err *e)
{
	bool is_confined = l->apparmor && strcmp(l->apparmor, "unconfined") != 0;
	if (is_confined && !has_apparmor(host))
		return err_new(e, EOPNOTSUPP, "process.apparmorProfile %s: AppArmor is off on this host", l->apparmor);
	if ((!l->selinux && !mount_label) || has_selinux(host))
		return 0;
	return err_new(e, EOPNOTSUPP, "%s %s: SELinux is off on this host",
		       l->selinux ? "process.selinuxLabel" : "linux.mountLabel", l->selinux ? l->selinux : mount_label);
}

/* ---- the child ---- */

static int label_apparmor(int proc, const char *profile, struct err *e)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "exec %s", profile);
	if (n < 0 || (size_t)n >= sizeof(text))
		return err_new(e, ENAMETOOLONG, "process.apparmorProfile");
	/* A directory of its own since Linux 5.8, where several modules have attributes. */
	int r = file_write(proc, "self/attr/apparmor/exec", text);
	if (r == -ENOENT && faccessat(proc, "self/attr/apparmor", F_OK, 0) < 0)
		r = file_write(proc, "self/attr/exec", text);
	if (r == -ENOENT)
		return err_new(e, ENOENT, "process.apparmorProfile %s: no such profile is loaded", profile);
	return r < 0 ? err_ret(e, r, "process.apparmorProfile %s", profile) : 0;
}

int lsm_label(int proc, const struct lsm *l, struct err *e)
{
	/* Without AppArmor, "unconfined" asks for nothing. */
	int r = 0;
	if (l->apparmor && (strcmp(l->apparmor, "unconfined") != 0 || faccessat(proc, "self/attr/apparmor", F_OK, 0) == 0))
		r = label_apparmor(proc, l->apparmor, e);
	if (r < 0 || !l->selinux)
		return r;
	r = file_write(proc, "self/attr/exec", l->selinux);
	if (r == -EINVAL)
		return err_new(e, EINVAL, "process.selinuxLabel %s: not valid in the policy of this host", l->selinux);
	return r < 0 ? err_ret(e, r, "process.selinuxLabel %s", l->selinux) : 0;
}

/* For the keyrings that are made from now on; "": as ever. SELinux alone has this. */
static int label_keys(int proc, const char *label, struct err *e)
{
	int r = file_write_bytes(proc, "self/attr/keycreate", label, strlen(label));
	return r < 0 ? err_ret(e, r, "process.selinuxLabel %s: keyring", label) : 0;
}

int lsm_keyring(int proc, const struct lsm *l, struct err *e)
{
	int r = l->selinux ? label_keys(proc, l->selinux, e) : 0;
	if (r == 0 && sys_join_session_keyring(NULL) < 0 && errno != ENOSYS)
		r = err_sys(e, "new session keyring");
	return r == 0 && l->selinux ? label_keys(proc, "", e) : r;
}

/* ---- mounts ---- */

bool lsm_has_context(const char *type)
{
	/* One instance serves many mounts, whose labels its policy alone knows. */
	static const char *const shared[] = { "proc",    "sysfs",   "mqueue", "cgroup",	 "cgroup2",    "securityfs",
					      "debugfs", "tracefs", "bpf",    "configfs", "selinuxfs", "binfmt_misc" };
	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		if (strcmp(type, shared[i]) == 0)
			return false;
	return true;
}
