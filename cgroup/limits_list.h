/* SPDX-License-Identifier: Apache-2.0 */
/* What limits.c (single keys) and limits_list.c (lists and maps) share while a plan is made. Not for other callers. */
#pragma once
#include "cgroup/limits.h"

struct limits_build {
	struct arena *arena;
	const char *prefix;
	struct cgroup_limits *limits;
	size_t room;
	struct err *e;
};

struct limits_row {
	const char *key;             /* JSON path below linux.resources */
	const char *controller;
	const char *file;
	int (*rule)(struct limits_build *b, const struct limits_row *row, const void *object, const void *field);
	size_t object, field;        /* offsets: of the pointer in spec_resources, of the field behind it */
};

/* Adds a write; its path becomes prefix + key. */
void limits_add(struct limits_build *b, const char *key, struct cgroup_write w);

/* Fills the error with "prefix+key: words" and returns -num. */
int limits_refuse(struct limits_build *b, const char *key, int num, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Plans blockIO's device lists, hugepageLimits, rdma and, last, unified. */
int limits_plan_lists(struct limits_build *b, const struct spec_resources *resources);
