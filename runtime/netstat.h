/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of a container's network interfaces. Caller: runtime/events. Source: proc(5) "/proc/net/dev". */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/arena.h"

struct netstat {
	const char *name;
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

/* Reads them as process `pid` sees them, without loopback. Returns their number: 0 for a process in our own namespace. */
size_t netstat_read(pid_t pid, struct arena *a, struct netstat **ret);

/* Takes them out of the text of /proc/PID/net/dev. Pure. */
size_t netstat_parse(const char *text, struct arena *a, struct netstat **ret);
