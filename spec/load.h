/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes of a config.json to struct spec: types, required keys and ranges, by the rows of
 * spec/fields.h. Callers: runtime, cli. Judges nothing that needs two keys at once: that is spec/check.h. All
 * runs in the parent.
 *
 * On failure nothing is left in `ret`. A breach reads "linux.resources.memory.limit: expected integer, got
 * string", a syntax error "config.json:12:5: ...".
 */
#pragma once
#include <stddef.h>
#include "spec/spec.h"
#include "util/err.h"

/* Reads the file `name` below `dirfd`. -EFBIG: over 16 MiB. */
int spec_load_file(int dirfd, const char *name, struct spec *ret, struct err *e);

/* Reads a text; `origin` names it in syntax errors. */
int spec_load_bytes(const char *bytes, size_t len, const char *origin, struct spec *ret, struct err *e);

/* As spec_load_bytes, telling a listener of every breach and unknown key (kist spec --check). */
int spec_load_listen(const char *bytes, size_t len, const char *origin, const struct jx_listener *listener,
		     struct spec *ret, struct err *e);

/* Reads the process object of `exec --process`, into the caller's arena, and judges it as spec_check does. */
int spec_load_process(const char *bytes, size_t len, const char *origin, struct arena *arena, struct spec_process **ret,
		      struct err *e);

/*
 * Reads a document that the user names, "-": standard input. Its name in messages is *ret_origin (the argument's
 * or static memory); the caller frees the bytes. Errors have words.
 */
int spec_read_given(const char *name, const char **ret_origin, char **ret_bytes, size_t *ret_len, struct err *e);

/*
 * Reads a resources object (`update --resources`), into the caller's arena. Not judged: what one key means depends on
 * what the container has already (runtime/update.h).
 */
int spec_load_resources(const char *bytes, size_t len, const char *origin, struct arena *arena,
			struct spec_resources **ret, struct err *e);

/*
 * Reads an array of mounts (`mounts add`) into the caller's arena, and judges it as if it stood in the config
 * `of`. Messages name them "mounts[0]..." as there.
 */
int spec_load_mounts(const char *name, const struct spec *of, struct arena *arena, struct spec_mounts *ret,
		     struct err *e);

/* Appends a spec as JSON text, by the same rows. */
void spec_print(struct str *out, const struct spec *s, int indent);
