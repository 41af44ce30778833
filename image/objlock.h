/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on blobs and layers by digest, and on the index: byte ranges of the store's .lock (fcntl(2) "Open
 * file description locks"), so they need no files of their own and die with their holder. Part of kist-image
 * and kist-registry.
 *
 *   use    shared: what an image on its way in relies on. Held until its name is in the index.
 *   build  exclusive: who unpacks a layer. Taken in the order of objlock_order, so two loads cannot block
 * each other. delete exclusive on both, never waits: what is in use is left alone. index  exclusive: held
 * while index.json is read, changed and replaced.
 */
#pragma once
#include "image/store.h"

/*
 * Opens a lock file description; all locks taken through it are let go when it is closed. Returns it, or
 * -errno.
 */
int objlock_open(const struct store *s, struct err *e);

int objlock_use(int locks, const char *digest, struct err *e);
int objlock_build(int locks, const char *digest, struct err *e);

/* Returns 1 when nobody else uses or builds it, so that it is ours; 0 when somebody does; or -errno with
 * words. */
int objlock_try_delete(int locks, const char *digest, struct err *e);

int objlock_index(int locks, struct err *e);
void objlock_index_end(int locks);

/* Lets all locks go. */
void objlock_end(int locks);

/* Compares digests by the order in which build locks must be taken. */
int objlock_order(const char *a, const char *b);
