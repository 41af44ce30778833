/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registries.d: where signatures of a repository's images are kept, as containers-registries.d(5) has it. For
 * image/trust only.
 */
#pragma once
#include "image/trust/named.h"
#include "util/arena.h"
#include "util/jx.h"

struct registriesd_section {
	const char *scope; /* "": default-docker */
	const char *file;
	const char *lookaside; /* URL; NULL: none */
	struct opt_bool attachments;
};

struct registriesd {
	struct arena arena;
	struct registriesd_section *v;
	size_t n, room;
};

/*
 * Reads $HOME/.config/containers/registries.d, or when that is missing /etc/containers/registries.d, or nothing.
 * -EINVAL names the file and the key that is wrong.
 */
int registriesd_load(struct registriesd *ret_rd, struct err *e);
void registriesd_done(struct registriesd *rd);

/* Reads one YAML text into `rd`. */
int registriesd_add(struct registriesd *rd, const char *bytes, size_t len, const char *origin, struct err *e);

/* The section for an image: that of the longest scope, else the default, else NULL. */
const struct registriesd_section *registriesd_find(const struct registriesd *rd, const struct named *image);
