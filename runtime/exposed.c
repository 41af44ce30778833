/* SPDX-License-Identifier: Apache-2.0 */
/* See exposed.h. */
#include "runtime/exposed.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/launcher.h"
#include "runtime/process.h"
#include "util/proc.h"

static bool is_mapped(const struct spec_id_maps *maps, uint32_t host_id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (host_id >= maps->v[i].host_id.v && host_id - maps->v[i].host_id.v < maps->v[i].size.v)
			return true;
	return false;
}

bool exposed_is_writable(const struct spec *spec)
{
	const struct spec_namespace *user = spec_namespace_find(spec, CLONE_NEWUSER);
	struct stat own;
	/* We are the root of all ids that a container in our namespace can have. */
	if (proc_is_in_userns())
		return faccessat(AT_FDCWD, "/proc/self/exe", W_OK, AT_EACCESS) == 0;
	if (!user || user->path || stat("/proc/self/exe", &own) < 0)
		return true;
	return is_mapped(&spec->linux_->uid_mappings, own.st_uid) ||
	       is_mapped(&spec->linux_->gid_mappings, own.st_gid) || (own.st_mode & S_IWOTH);
}

bool exposed_is(const struct spec *spec)
{
	const struct spec_namespace *pid = spec_namespace_find(spec, CLONE_NEWPID);
	const struct spec_process *p = spec->process;
	bool is_alone = pid && !pid->path;
	bool is_direct = p && !process_is_launched(p, spec->linux_ ? spec->linux_->seccomp : NULL);
	bool is_hooked = p && spec->hooks && spec->hooks->start_container.n;
	return (!is_alone || is_direct || is_hooked) && exposed_is_writable(spec);
}

int exposed_seal(const struct spec *spec, struct err *e)
{
	return exposed_is(spec) ? launcher_seal_self(e) : 0;
}
