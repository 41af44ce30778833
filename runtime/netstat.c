/* SPDX-License-Identifier: Apache-2.0 */
/* See netstat.h. */
#include "runtime/netstat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

enum { TEXT_MAX = 4 << 20, COLUMNS = 16 };

/* "  eth0: " and 16 numbers: bytes, packets, errs, drop and four more that were received, and the same of what was sent. */
size_t netstat_parse(const char *text, struct arena *a, struct netstat **ret)
{
	size_t lines = 1, n = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	struct netstat *v = arena_array(a, lines, sizeof(*v));
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += strspn(line, "\n ");
		/* The two lines of heads have a bar and no colon behind their first word. */
		size_t len = strcspn(line, " :|\n");
		uint64_t c[COLUMNS];
		if (line[len] != ':' || num_list(line + len + 1, " ", c, COLUMNS) < COLUMNS)
			continue;
		if (len == 2 && strncmp(line, "lo", 2) == 0)
			continue;
		v[n++] = (struct netstat){
			.name = arena_strn(a, line, len), .rx_bytes = c[0], .rx_packets = c[1], .rx_errors = c[2],
			.rx_dropped = c[3], .tx_bytes = c[8], .tx_packets = c[9], .tx_errors = c[10], .tx_dropped = c[11],
		};
	}
	*ret = v;
	return n;
}

size_t netstat_read(pid_t pid, struct arena *a, struct netstat **ret)
{
	char path[48];
	struct stat its, ours;
	free_auto char *text = NULL;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (stat(path, &its) < 0 || stat("/proc/self/ns/net", &ours) < 0 || its.st_ino == ours.st_ino)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
	return file_read(AT_FDCWD, path, TEXT_MAX, false, &text, NULL) < 0 ? 0 : netstat_parse(text, a, ret);
}
