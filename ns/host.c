/* SPDX-License-Identifier: Apache-2.0 */
/* See host.h. */
#include "ns/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

int host_names(const char *hostname, const char *domainname, struct err *e)
{
	if (hostname && sethostname(hostname, strlen(hostname)) < 0)
		return err_sys(e, "hostname %s", hostname);
	if (domainname && setdomainname(domainname, strlen(domainname)) < 0)
		return err_sys(e, "domainname %s", domainname);
	return 0;
}

int host_loopback(struct err *e)
{
	fd_leave_auto int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &req) < 0)
		return err_sys(e, "network interface lo: set up");
	return 0;
}

/* The words of config.json are those of the kernel since 5.6: "monotonic 5 0". */
int host_time_offsets(int proc, const struct spec_time_offsets *offsets, struct err *e)
{
	for (size_t i = 0; i < offsets->n; i++) {
		const struct spec_time_offset *o = &offsets->v[i];
		char line[80];
		snprintf(line, sizeof(line), "%s %lld %u\n", o->key, (long long)o->secs.v, o->nanosecs.v);
		int r = file_write(proc, "self/timens_offsets", line);
		if (r < 0)
			return err_ret(e, r, "linux.timeOffsets.%s", o->key);
	}
	return 0;
}

/* sysctl(8): the first separator decides which of '.' and '/' separates; the other one is then part of a name. */
static int sysctl_path(const char *key, char out[static PATH_MAX])
{
	size_t len = strlen(key);
	if (len + 5 > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(out, "sys/", 4);
	memcpy(out + 4, key, len + 1);
	const char *first = strpbrk(key, "./");
	if (!first || *first == '/')
		return 0;
	for (char *p = out + 4; *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return 0;
}

int host_sysctls(int proc, const struct pairs *sysctls, struct err *e)
{
	for (size_t i = 0; i < sysctls->n; i++) {
		char path[PATH_MAX];
		int r = sysctl_path(sysctls->v[i].key, path);
		/* The file is root's of the host; the call asks for rights over the namespace alone. uts_namespaces(7). */
		if (r == 0 && strcmp(path, "sys/kernel/domainname") == 0) {
			if (setdomainname(sysctls->v[i].value, strlen(sysctls->v[i].value)) < 0)
				return err_sys(e, "linux.sysctl %s", sysctls->v[i].key);
			continue;
		}
		fd_auto int fd = r < 0 ? r : path_open(proc, path, PATH_BENEATH, O_WRONLY, 0);
		if (fd >= 0)
			r = fd_write_all(fd, sysctls->v[i].value, strlen(sysctls->v[i].value));
		if (fd < 0 || r < 0)
			return err_ret(e, fd < 0 ? fd : r, "linux.sysctl %s", sysctls->v[i].key);
	}
	return 0;
}
