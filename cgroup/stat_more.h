/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rest of what a group tells of itself: pressure, huge pages, memory.stat as it is, processors. Beside cgroup/stat,
 * for `events`, whose readers want all. Reads only. Sources: cgroup-v2.rst; Documentation/accounting/psi.rst.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/err.h"

/* Shares of time in percent, over the last 10, 60 and 300 seconds, and microseconds in all. */
struct stat_pressure_line {
	double avg10, avg60, avg300;
	uint64_t total;
};

/* Waiting for a resource; `has` is false where the kernel does not account for it. */
struct stat_pressure {
	bool has;
	struct stat_pressure_line some, full;
};

struct stat_hugetlb {
	const char *size;          /* "2MB" */
	uint64_t usage, failcnt;   /* bytes in use, times that the limit was hit */
};

struct stat_pair {
	const char *key;
	uint64_t v;
};

struct cgroup_stat_more {
	struct stat_pressure cpu, memory, io;
	struct stat_hugetlb *hugetlb;
	size_t hugetlb_count;
	struct stat_pair *raw;     /* memory.stat */
	size_t raw_count;
	const char *cpus, *mems;   /* lists that are in effect: "0-3,7"; NULL: the controller is off */
};

/* Reads it; strings and lists live in the arena. What is not there stays empty. */
void cgroup_stat_more(int group_fd, struct arena *a, struct cgroup_stat_more *ret);

/* Reads the lines of a pressure file. False: it is none. Pure. */
bool stat_pressure_parse(const char *text, struct stat_pressure *ret);
