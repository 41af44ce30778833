/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters, kept for the next container with the same rules: libseccomp takes ten times as long to compile an
 * engine's profile as kist takes to run the container. They lie below the state root, which a reboot empties, in
 * .seccomp/HASH: a file holds the key in full, that is everything that shapes the program, and what is found is compared
 * with it byte for byte, so that two profiles can never share a filter. A file that is broken, or not ours, counts as
 * none and is written again. Nothing of it is ever a failure. Format: docs/formats.md. Runs in the parent.
 */
#pragma once
#include "runtime/seccomp.h"

/*
 * The key of a filter: versions, machine, and all rules as they were read. `ret` comes from the arena. Where the listener
 * is does not shape the program, nor do the flags of seccomp(2), but flags are in it all the same.
 */
struct seccomp_key {
	const unsigned char *bytes;
	size_t len;
};

void seccomp_cache_key(const struct spec_seccomp *s, struct arena *a, struct seccomp_key *ret);

/* Finds the program of a key below the state root `root`. 0, or -errno when there is none that can be used. */
int seccomp_cache_find(int root, const struct seccomp_key *key, struct arena *a, struct seccomp_filter *ret);

/* Keeps a program. 0, or -errno when it could not be kept. */
int seccomp_cache_keep(int root, const struct seccomp_key *key, const struct seccomp_filter *f);

/* Whether the kernel would take this program: known instructions, jumps within it, a return at its end. seccomp(2). */
bool seccomp_code_is_sound(const struct sock_filter *code, size_t count);
