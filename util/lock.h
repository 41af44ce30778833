/* SPDX-License-Identifier: Apache-2.0 */
/* Advisory locks that die with their holder: flock(2) on a directory or file descriptor. */
#pragma once
#include <stdbool.h>

/* Takes an exclusive (or shared) lock on an open descriptor, waiting for it. Returns 0 or -errno. */
int lock_wait(int fd, bool is_shared);

/* As lock_wait, but -EWOULDBLOCK at once when somebody holds it. */
int lock_try(int fd, bool is_shared);

/* Gives the lock back, also for descriptors that were inherited. */
int lock_end(int fd);
