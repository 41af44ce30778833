/* SPDX-License-Identifier: Apache-2.0 */
/* How the rules of spec/check*.c report, and small tests that several of them share. For these files alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "spec/spec.h"

enum { VERDICT_TEXT_MAX = 800 };

struct verdict {
	const char *base;     /* put before every path: "process.", or "" */
	jx_breach_fn *breach; /* NULL: only the first breach counts */
	void *ctx;
	size_t count;
	char first[VERDICT_TEXT_MAX];
};

/* Notes a breach: "path: what is wrong", without the base. */
void breach(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A string as a JSON literal for a message, cut to fit. */
struct quoted {
	char text[128];
};
const char *quote(struct quoted *q, const char *s);

/* ---- rules ---- */

void check_process(struct verdict *v, const struct spec_process *p);
void check_linux(struct verdict *v, const struct spec *s);
void check_sysctl(struct verdict *v, const struct spec *s);
void check_seccomp(struct verdict *v, const struct spec_seccomp *f);
void check_resources(struct verdict *v, const struct spec_resources *r);

/* Environment entries: NAME=value. `path` names the list. */
void check_env(struct verdict *v, const char *path, const struct strs *env);

/* A path that the spec wants absolute; NULL is fine. The format names the key, and costs nothing when all is
 * well. */
void check_absolute(struct verdict *v, const char *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A table of id mappings: no empty or overlapping row, nothing beyond the last id. `path` names the list. */
void check_id_maps(struct verdict *v, const char *path, const struct spec_id_maps *maps);

/* Numbers of a device node: 12 and 20 bits. `path` names the object. */
void check_device_number(struct verdict *v, const char *path, int64_t major, int64_t minor);

/* Whether a text is a list of numbers as cpusets have it: "0-3,7" (cpuset(7), "List format"). */
bool is_number_list(const char *text);
