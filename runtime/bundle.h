/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle as a caller names it: its absolute path, the text of config.json and the spec. runtime-spec bundle.md. */
#pragma once
#include <stddef.h>

#include "spec/spec.h"
#include "util/err.h"

struct bundle {
	char *path;        /* absolute, as the caller wrote it: symlinks are not resolved away */
	char *config;      /* the bytes of config.json */
	size_t config_len;
	struct spec spec;
};

/*
 * Reads a bundle; NULL is the current directory. `config` names another file instead of its config.json, or is NULL.
 * Runs in the parent. Freed by bundle_done.
 */
int bundle_open(const char *path, const char *config, struct bundle *ret, struct err *e);
void bundle_done(struct bundle *b);

#define bundle_auto __attribute__((cleanup(bundle_done)))
